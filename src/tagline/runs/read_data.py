"""The data of a run: read, checked against what was asked for, while what is needed later is imported."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import BUILT_IN, Dataset, load_dataset
from tagline.errors import InputError, MissingExtraError, nearest
from tagline.recipes import Recipe
from tagline.runs.fit import Log
from tagline.runs.settings import TrainSettings
from tagline.runs.word_vectors import check_vectors_of, read_unlabelled

if TYPE_CHECKING:
    import polars as pl

_HOLD_OUT_ROWS = 10  # from fewer rows `fit_recipe` holds none out


@dataclass(frozen=True)
class Reading:
    """Data and recipe of a run, checked against each other."""

    data: Any
    recipe: Recipe
    settings: TrainSettings
    dataset: Dataset
    positive: str | None
    unlabelled: "pl.Series | None"
    seconds: float


def read_for_run(data: Any, recipe: Recipe, settings: TrainSettings, log: Log) -> Reading:
    """Read the data of a run, and check it against what was asked for."""
    began = time.perf_counter()
    warm_up(recipe)
    check_vectors_of(recipe, settings)
    log(f"reading {data}" if isinstance(data, str | Path) else "reading the data")
    dataset = load_dataset(
        data,
        text=settings.text or None,
        label=settings.label,
        group=settings.group,
        test=settings.test,
        validation=settings.validation,
        folds=settings.folds,
        seed=settings.seed,
        strict=settings.strict,
    )
    counts = dataset.facts.class_counts
    if dataset.test is not None and not any(counts["train"][name] and n for name, n in counts["test"].items()):
        raise InputError("No label of the test rows stands in the train rows: are these the right files and columns?")
    positive = _positive(dataset, settings)
    if dataset.test is None and dataset.folds is None and dataset.validation is None and not _can_hold_out(dataset):
        raise not_measurable(dataset)
    unlabelled = None
    if settings.unlabelled is not None:
        log(f"reading {settings.unlabelled}")
        unlabelled = read_unlabelled(settings, log)
    return Reading(data, recipe, settings, dataset, positive, unlabelled, time.perf_counter() - began)


def word_index_of(data: Any, recipes: Iterable[Recipe]) -> dict[str, int] | None:
    """Return the word index that a built-in set brings, if one of the recipes has a use for it."""
    wanted = any(getattr(recipe.features, "word_index", "") == "data" for recipe in recipes)
    read = BUILT_IN[data].word_index if wanted and isinstance(data, str) and data in BUILT_IN else None
    return None if read is None else read()


def warm_up(recipe: Recipe) -> None:
    """Import in the background what is needed later: torch takes two seconds, scikit-learn one, matplotlib a third.

    Raises:
        MissingExtraError: a network is to be trained without torch, or without onnx, which its bundle takes.

    """
    if recipe.training is not None and not (find_spec("torch") and find_spec("onnx")):
        raise MissingExtraError("Training a network", "neural")

    def load() -> None:
        with suppress(ImportError):  # said where it is needed
            if recipe.training is None:
                import sklearn.svm  # noqa: F401
            else:
                import tagline.training

            import tagline.classifier
            import tagline.plots.evaluation
            import tagline.report  # noqa: F401

    threading.Thread(target=load, daemon=True).start()


def _can_hold_out(dataset: Dataset) -> bool:
    """Say whether fitting can set rows aside, which takes a handful of them and more than one text."""
    return len(dataset.train) >= _HOLD_OUT_ROWS and dataset.train.texts.n_unique() > 1


def not_measurable(dataset: Dataset) -> InputError:
    """Return what is to be said of data too small to measure a model on."""
    return InputError(
        f"`{dataset.name}` has too few rows with texts of their own to measure a model on some of them: bring more "
        "rows, or test rows with `--test`."
    )


def _positive(dataset: Dataset, settings: TrainSettings) -> str | None:
    """Return the positive one of two classes, or None; check what was asked for before anything is trained."""
    from tagline.metrics import positive_class

    if settings.threshold is not None:
        if not 0 <= settings.threshold <= 1:
            raise InputError(f"`--threshold {settings.threshold}` is not between 0 and 1.")
        if dataset.task == "multiclass":
            raise InputError(f"`--threshold` decides two classes; this data has {len(dataset.classes):,}.")
    if dataset.task == "binary":
        return positive_class(dataset.classes, settings.positive)
    if settings.positive is not None:
        hint = nearest(settings.positive, dataset.classes)
        raise InputError(
            f"`--positive {settings.positive}` names one of two classes; this data has "
            f"{len(dataset.classes):,}{' labels a text may have' if dataset.task == 'multilabel' else ''}.{hint}"
        )
    return None
