"""The data of a run: read, checked against recipe and settings, and read again later."""

import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from tagline.data import BUILT_IN, Dataset, ReadLog, Split, read_dataset, read_texts
from tagline.data.columns import join_texts
from tagline.data.rows import check_rejected
from tagline.data.splits import copy_keys
from tagline.data.streams import display_name
from tagline.data.text_hashes import Hashes, text_hashes
from tagline.data.wording import counted, place_text
from tagline.decisions.targets import Targets
from tagline.errors import DataError, InputError, MissingExtraError, TaglineError, nearest
from tagline.features.vectors.load import BUILT_IN_VECTORS
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.recipes import EmbeddingModel, Recipe
from tagline.run_folder import RunData, RunFolder
from tagline.runs.background import import_for_network, import_for_ngrams
from tagline.runs.resume import absolute, is_rereadable
from tagline.runs.settings import Log, TrainSettings
from tagline.task import Ints

if TYPE_CHECKING:
    from tagline.runs.reading.starting_model import StartingModel

_HOLD_OUT_ROWS = 10  # from fewer rows `fit_recipe` holds none out


@dataclass(frozen=True)
class RunInputs:
    """Data, recipe and settings of a run, checked against each other; ``seconds``: how long reading took.

    ``start`` is the model that the run continues, if it does.
    """

    data: Any
    recipe: Recipe
    settings: TrainSettings
    dataset: Dataset
    positive: str | None
    unlabelled: pl.Series | None
    seconds: float
    start: "StartingModel | None" = None

    @property
    def untrained(self) -> list[str]:
        """The classes that the model of the run does not learn, and that the one it continues does not know."""
        known = () if self.start is None else self.start.classes
        return [name for name in self.dataset.untrained_classes if name not in known]


def read_for_run(
    data: Any,
    recipe: Recipe,
    settings: TrainSettings,
    log: Log,
    *,
    fold_few: bool = False,
    start: "StartingModel | None" = None,
) -> RunInputs:
    """Read the data of a run, and check it against recipe and settings, and against the model that it continues.

    With ``fold_few``, few rows are cross-validated unless ``settings.folds`` says otherwise; the settings returned
    have the number of folds.
    """
    started = time.perf_counter()
    _check_installed(recipe)
    if recipe.training is not None:
        import_for_network()
    check_vectors_of(recipe, settings)
    log(f"reading {display_name(data)}" if isinstance(data, str | Path) else "reading the data")
    fold_few = fold_few and settings.folds is None
    settings = replace(settings, folds=settings.folds or None)
    if start is None:
        dataset = read_dataset(data, settings, settings.seed, fold_few=fold_few)
    else:
        dataset, settings = start.read(data, settings, fold_few=fold_few)
    settings = replace(settings, folds=dataset.n_folds)
    positive = check_dataset(dataset, settings, () if start is None else start.classes)
    unlabelled = None
    if settings.unlabelled is not None:
        log(f"reading {display_name(settings.unlabelled)}")
        unlabelled = read_unlabelled(settings, log)
    if recipe.training is None:  # before the data is read, a thread would only take the interpreter from the reader
        import_for_ngrams()
    dataset = replace(dataset, facts=dataset.facts.of_run())
    return RunInputs(data, recipe, settings, dataset, positive, unlabelled, time.perf_counter() - started, start)


def check_dataset(dataset: Dataset, settings: TrainSettings, known: Collection[str] = ()) -> str | None:
    """Check the rows of a run against its settings; return the positive one of two classes.

    The classes ``known`` need no train rows.

    Raises:
        InputError: a model of these rows cannot be measured, or has not what the settings ask for.

    """
    unknown = [name for name in dataset.untrained_classes if name not in known]
    if dataset.test is not None and not any(
        n for name, n in dataset.facts.class_counts["test"].items() if name not in unknown
    ):
        raise InputError("No label of the test rows occurs in the train rows: are these the right files and columns?")
    positive = _positive(dataset, settings)
    _check_targets(dataset, settings, unknown)
    if dataset.test is None and dataset.folds is None and dataset.validation is None and not _can_hold_out(dataset):
        raise not_measurable(dataset)
    if dataset.test is None:
        _check_distinct_texts(dataset)
    return positive


def run_data(inputs: RunInputs) -> RunData:
    """Return where the rows came from and how they were split, as ``run.json`` records it."""
    settings, facts = inputs.settings, inputs.dataset.facts
    rereadable = is_rereadable(inputs.data, (settings.test, settings.validation))
    rereadable = (
        rereadable
        and not isinstance(inputs.dataset, SpooledDataset)
        and "-" not in (settings.test, settings.validation)
    )
    used = settings.reading() | {
        "text": facts.text_columns,
        "label": facts.label_columns,
        "test": str(settings.test) if rereadable and settings.test is not None else None,
        "validation": str(settings.validation) if rereadable and settings.validation is not None else None,
    }
    return RunData(source=str(inputs.data) if rereadable else None, **used)


def reload_data(run: RunFolder) -> Dataset | None:
    """Return the data that a run was trained on, split as it was then.

    None if it cannot be read again, from here and without a download, or has changed.
    """
    try:
        data = run.data
        built_in = BUILT_IN.get(data.source or "")
        if data.source is None or (built_in is not None and not built_in.is_here()):
            return None
        then = run.record["dataset"]["fingerprint"]
        options, seed = replace(data, strict=False), run.record["seed"]
        dataset = read_dataset(data.source, options, seed, fewest_classes=1, fingerprint=then)
    except (TaglineError, OSError, ValueError, KeyError, TypeError):
        return None
    return dataset if dataset.fingerprint == then else None


def word_index_of(data: Any, recipes: Iterable[Recipe]) -> dict[str, int] | None:
    """Return the word index of a built-in set, if one of the recipes uses it."""
    wanted = any(getattr(recipe.features, "word_index", "") == "data" for recipe in recipes)
    read = BUILT_IN[data].word_index if wanted and isinstance(data, str) and data in BUILT_IN else None
    return None if read is None else read()


def _check_installed(recipe: Recipe) -> None:
    """Raise `MissingExtraError` if the recipe trains a network without torch, or onnx, which its bundle needs."""
    if recipe.training is not None and not (find_spec("torch") and find_spec("onnx")):
        raise MissingExtraError("Training a network", "neural")


def _can_hold_out(dataset: Dataset) -> bool:
    """Return whether fitting can hold rows out, which takes a handful of them and more than one text."""
    rows = dataset.train.trained
    return len(rows) >= _HOLD_OUT_ROWS and rows.texts.n_unique() > 1


def _check_distinct_texts(dataset: Dataset) -> None:
    """Raise `InputError` if no class has two texts, one to learn from and one to measure on."""
    rows = dataset.train.followed_by(dataset.validation).trained
    frame = pl.DataFrame({"label": rows.labels, "unit": rows.unit})
    flat = frame.explode("label") if isinstance(rows.labels.dtype, pl.List) else frame
    n_texts = flat.drop_nulls("label").group_by("label").agg(pl.col("unit").n_unique())["unit"]
    if n_texts.max() == 1:
        if rows.groups is not None and rows.texts.n_unique() > rows.unit.max() + 1:
            if rows.groups.n_unique() > rows.unit.max() + 1:
                raise _joined_groups(dataset, rows, rows.groups)
            raise InputError(
                f"No class of `{dataset.name}` occurs in two groups, one to learn from and one to measure on: the "
                f"column of `--group` has {counted(rows.groups.n_unique(), 'different value')}. Train without "
                "`--group`, or give test rows with `--test`."
            )
        raise InputError(
            f"None of the {len(dataset.classes):,} classes of `{dataset.name}` has two distinct texts, one to learn "
            f"from and one to measure on: is `{dataset.facts.label_column}` the label column? If so, add rows, or give "
            "test rows with `--test`."
        )


def _joined_groups(dataset: Dataset, rows: Split, groups: pl.Series) -> InputError:
    """Return the error for groups that copies of texts join until none is left to measure on."""
    frame = pl.DataFrame({"key": copy_keys(rows.texts), "group": groups})
    first = frame.select(pl.col("group").n_unique().over("key") > 1).to_series().arg_max() or 0
    place = "" if rows.origin is None else f" (first: {place_text(rows.origin.file[first], rows.origin.line[first])})"
    return InputError(
        f"`{dataset.name}` cannot be split by `--group`: texts that are in several of its {groups.n_unique():,} groups"
        f"{place} join them, because copies of a text stay together, and no class is left to learn and to measure. "
        "Remove the copies, train without `--group`, or give test rows with `--test`."
    )


def not_measurable(dataset: Dataset) -> InputError:
    """Return the error for data too small to measure a model on."""
    return InputError(
        f"`{dataset.name}` has too few rows with distinct texts to measure a model on some of them: add rows, "
        "or give test rows with `--test`."
    )


def _positive(dataset: Dataset, settings: TrainSettings) -> str | None:
    """Return the positive one of two classes, or None; check threshold and positive class before training."""
    from tagline.metrics import positive_class

    if settings.threshold is not None:
        if not 0 <= settings.threshold <= 1:
            raise InputError(f"`--threshold {settings.threshold}` is not between 0 and 1.")
        if not dataset.task.has_threshold:
            raise InputError(f"`--threshold` decides two classes; this data has {len(dataset.classes):,}.")
    if dataset.task.has_positive:
        return positive_class(dataset.classes, settings.positive)
    if settings.positive is not None:
        hint = nearest(settings.positive, dataset.classes)
        raise InputError(
            f"`--positive {settings.positive}` names one of two classes; this data has "
            f"{len(dataset.classes):,}{' labels a text may have' if dataset.task == 'multilabel' else ''}.{hint}"
        )
    return None


def _check_targets(dataset: Dataset, settings: TrainSettings, untrained: Collection[str]) -> None:
    """Check costs, precision and recall before training."""
    trained = [name for name in dataset.classes if name not in untrained]
    costs = settings.costs
    if costs is not None:
        costs = costs.in_order(dataset.classes, "`--cost`").of_classes(trained)
    targets = Targets.of(costs, settings.precision, settings.recall, trained, dataset.task)
    if targets and settings.threshold is not None:
        raise InputError("`--threshold` is a decision threshold: leave out `--cost`, `--precision` and `--recall`.")


def check_vectors_of(recipe: Recipe, settings: TrainSettings) -> None:
    """Check the settings of word vectors before anything is read.

    Raises:
        InputError: they contradict each other, or a file or package is missing.

    """
    if settings.unlabelled == "-":
        raise InputError("`--unlabelled -`: unlabelled texts are read from a file, not from standard input.")
    if settings.unlabelled is not None or isinstance(recipe.model, EmbeddingModel):
        from tagline.learners.network.word_vectors import check_start  # slow to import, and n-grams do without it

        check_start(recipe, unlabelled=settings.unlabelled is not None)


def with_absolute_paths(recipe: Recipe) -> Recipe:
    """Return the recipe with the absolute path of a file of vectors, so that it is found from another folder."""
    model = recipe.model
    if not isinstance(model, EmbeddingModel) or model.vectors == "none" or model.vectors in BUILT_IN_VECTORS:
        return recipe
    return recipe.model_copy(update={"model": model.model_copy(update={"vectors": absolute(model.vectors)})})


def read_unlabelled(settings: TrainSettings, log: Log) -> pl.Series:
    """Return the unlabelled texts, (n_texts,), of a file that is read as files to predict are.

    A single text column may have another name than in the training data; several must all be there.

    Raises:
        DataError: the file cannot be read, or it holds no texts.

    """
    path, named = str(settings.unlabelled), settings.text
    read = ReadLog()
    texts = [
        (
            join_texts(batch.rows, named, path).fill_null("")
            if set(named) <= set(batch.rows.columns) and named
            else batch.texts
        ).filter(batch.reasons.is_null())
        for batch in read_texts(path, text=named if len(named) > 1 else None, layout=settings.layout, log=read)
    ]
    found = pl.concat([pl.Series("text", [], dtype=pl.String), *texts])
    check_rejected(read.rejected, len(found), strict=settings.strict, limit=settings.max_unreadable)
    for note in read.notes:
        log(note)
    if read.rejected:
        log(f"{len(read.rejected):,} rows of {path} cannot be read and are left out")
    if found.is_empty():
        raise DataError(f"`{path}` holds no texts.")
    return found


def seen_rows(texts: pl.Series, hashes: Hashes) -> Ints:
    """Return the rows of the texts whose hash is among ``hashes``."""
    return np.flatnonzero(np.isin(text_hashes(texts), hashes))
