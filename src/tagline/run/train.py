"""`train_run`: read, fit, measure, explain, and write it all down."""

import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.datasets import BUILT_IN, Dataset, Split, load_dataset
from tagline.errors import InputError, nearest
from tagline.recipes import Recipe, load_recipe
from tagline.run.folder import FORMAT, RUNS, TRAINED_ON, building, check_parent, check_target, reserved, run_name
from tagline.run.machine import machine, peak_rss_mb, versions
from tagline.run.tables import polars_os_errors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tagline.classifier import TextClassifier
    from tagline.run.predicted import Predicted

Log = Callable[[str], None]
_HOLD_OUT_ROWS = 10  # from fewer rows `fit_recipe` holds none out


@dataclass(frozen=True)
class TrainSettings:
    """What a run is told beside its data; the names are those of the command line.

    ``texts`` False leaves every text of the data out of run, report and bundle beyond the vocabulary.
    """

    recipe: str | Path = "fast"
    settings: tuple[str, ...] = ()
    seed: int = 0
    text: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    test: Any = None
    validation: Any = None
    folds: int | None = None
    positive: str | None = None
    threshold: float | None = None
    balance: bool = False
    strict: bool = False
    texts: bool = True


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the content of its ``metrics.json``, and its data."""

    folder: Path
    metrics: dict[str, Any]
    dataset: Dataset

    @property
    def model(self) -> Path:
        """Return the folder of the bundle."""
        return self.folder / "model"


@dataclass(frozen=True)
class _Result:
    """What training and measuring gave, before it is written."""

    clf: "TextClassifier"
    test: "Predicted | None"
    validation: dict[str, Any] | None
    mistakes: list[dict[str, Any]]
    seconds: dict[str, float]


def train_run(
    data: Any,
    settings: TrainSettings = TrainSettings(),
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
) -> Run:
    """Train a classifier on ``data``, measure it once on the test rows, and write the run folder.

    Args:
        data: what `load_dataset` reads.
        settings: recipe, columns, splits and decisions.
        out: the run folder; else one named after time, recipe and data below ``runs/``.
        command: the command line to record.
        seconds_before: what the process took before this call; counted in ``seconds.total``.
        log: called with the name of each stage.

    Raises:
        InputError: data, recipe or settings cannot be used; nothing is written.

    """
    started = time.perf_counter()
    recipe = load_recipe(settings.recipe, settings.settings)
    wanted = None if out is None else Path(os.path.normpath(out))
    if wanted is None:
        check_parent(RUNS / "run")
    else:
        check_target(wanted)
    warm_up()
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
    positive = _positive(dataset, settings)
    if dataset.test is None and dataset.folds is None and dataset.validation is None and not _can_hold_out(dataset):
        raise _not_measurable(dataset)
    read = time.perf_counter() - started

    fit = _fitted if dataset.folds is None else _folded
    result = fit(dataset, recipe, settings, positive, log)
    if result.test is None and result.validation is None:
        raise _not_measurable(dataset)

    when = datetime.now(UTC)
    log("writing")
    name = run_name(recipe.recipe.name, dataset.name, when.astimezone())
    with nullcontext(wanted) if wanted else reserved(RUNS, name) as target, building(target) as folder:
        seconds = {"read": read, **result.seconds}
        run = _run_json(target.name, when, command, recipe, settings, dataset, result.clf, data)
        metrics = _write(folder, run, dataset, result, settings, positive, seconds, started - seconds_before)
    return Run(target, metrics, dataset)


def warm_up() -> None:
    """Import in the background what is needed later: scikit-learn takes a second, matplotlib a third of one."""

    def load() -> None:
        with suppress(ImportError):  # said where it is needed
            import sklearn.svm  # noqa: F401

            import tagline.classifier
            import tagline.evaluation.plots
            import tagline.report  # noqa: F401

    threading.Thread(target=load, daemon=True).start()


def _can_hold_out(dataset: Dataset) -> bool:
    """Say whether fitting can set rows aside, which takes a handful of them and more than one text."""
    return len(dataset.train) >= _HOLD_OUT_ROWS and dataset.train.texts.n_unique() > 1


def _not_measurable(dataset: Dataset) -> InputError:
    return InputError(
        f"`{dataset.name}` has too few rows with texts of their own to measure a model on some of them: bring more "
        "rows, or test rows with `--test`."
    )


def _positive(dataset: Dataset, settings: TrainSettings) -> str | None:
    """Return the positive one of two classes, or None; check what was asked for before anything is trained."""
    from tagline.evaluation import positive_class

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


def _fit(
    split: Split, validation: Split | None, recipe: Recipe, settings: TrainSettings, positive: str | None
) -> "TextClassifier":
    from tagline.classifier import TextClassifier

    clf = TextClassifier(
        recipe,
        class_weight="balanced" if settings.balance else None,
        positive=positive,
        seed=settings.seed,
    )
    given = None if validation is None else (validation.texts, validation.labels)
    groups = None
    if split.groups is not None:
        groups = [*split.groups, *(validation.groups if validation and validation.groups is not None else ())]
    clf.fit(split.texts, split.labels, groups=groups, validation=given)
    if settings.threshold is not None:
        clf.threshold_ = settings.threshold
    return clf


def _fitted(dataset: Dataset, recipe: Recipe, settings: TrainSettings, positive: str | None, log: Log) -> _Result:
    """Fit on the train rows, measure on the test rows."""
    from tagline.run.mistakes import find_mistakes
    from tagline.run.predicted import predict_held_out, predict_split

    counts = dataset.facts.class_counts
    if dataset.test is not None and not any(counts["train"][name] and n for name, n in counts["test"].items()):
        raise InputError("No label of the test rows stands in the train rows: are these the right files and columns?")
    n_train = len(dataset.train) + (len(dataset.validation) if dataset.validation else 0)
    log(f"learning from {n_train:,} texts")
    clf = _fit(dataset.train, dataset.validation, recipe, settings, positive)
    began = time.perf_counter()
    held_out = predict_held_out(clf, dataset.classes)
    validation = None
    if held_out is not None and clf.validation_ is not None:
        validation = held_out.measured(dataset.classes, task=dataset.task, positive=positive, seed=settings.seed)
        validation["how"] = clf.validation_.how
    test, mistakes = None, []
    if dataset.test is not None:
        log(f"measuring on {len(dataset.test):,} test texts")
        test = predict_split(clf, dataset.test, dataset.classes)
        if settings.texts:
            mistakes = find_mistakes(clf, dataset.test.texts, test, dataset.classes)
    seconds = {**clf.seconds_, "evaluate": time.perf_counter() - began}
    return _Result(clf, test, validation, mistakes, seconds)


def _some(split: Split, rows: "NDArray[np.bool_]") -> Split:
    """Return some rows of a split, (n,)."""
    groups = None if split.groups is None else split.groups.filter(rows)
    return Split(split.texts.filter(rows), split.labels.filter(rows), groups)


def _folded(dataset: Dataset, recipe: Recipe, settings: TrainSettings, positive: str | None, log: Log) -> _Result:
    """Predict each fold by a model of the other folds; the model that is kept learns from all rows."""
    import numpy as np

    from tagline.run.mistakes import N_MISTAKES, find_mistakes
    from tagline.run.predicted import Predicted, label_indices, predict_split

    assert dataset.folds is not None
    texts, labels = dataset.train.texts, dataset.train.labels
    y_true = label_indices(labels, dataset.classes)
    y_pred, proba = np.zeros_like(y_true), np.zeros((len(texts), len(dataset.classes)))
    mistakes: list[dict[str, Any]] = []
    seconds = {"features": 0.0, "fit": 0.0, "evaluate": 0.0}
    n_folds = int(dataset.folds.max()) + 1
    for fold in range(n_folds):
        log(f"fold {fold + 1} of {n_folds}")
        held = dataset.folds == fold
        clf = _fit(_some(dataset.train, ~held), None, recipe, settings, positive)
        began = time.perf_counter()
        split = _some(dataset.train, held)
        part = predict_split(clf, split, dataset.classes)
        y_pred[held], proba[held] = part.y_pred, part.proba
        if settings.texts:
            mistakes += find_mistakes(clf, split.texts, part, dataset.classes)
        spent = {**clf.seconds_, "evaluate": time.perf_counter() - began}
        seconds = {stage: seconds[stage] + spent[stage] for stage in seconds}
    mistakes.sort(key=lambda mistake: -mistake["probability"])
    log(f"learning from all {len(texts):,} texts")
    clf = _fit(dataset.train, None, recipe, settings, positive)
    seconds |= {stage: seconds[stage] + clf.seconds_[stage] for stage in ("features", "fit")}
    return _Result(clf, Predicted(y_true, y_pred, proba), None, mistakes[:N_MISTAKES], seconds)


def _row_counts(dataset: Dataset) -> dict[str, int]:
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    rows = {name: len(part) if part is not None else 0 for name, part in parts.items()}
    if dataset.folds is not None:
        rows["test"] = len(dataset.train)
    return rows


def _source(dataset: Dataset, data: Any) -> str:
    """Name where the data came from; a built-in set by its origin, not by a folder of this machine."""
    return BUILT_IN[data].origin if isinstance(data, str) and data in BUILT_IN else dataset.source


def _run_json(
    name: str,
    when: datetime,
    command: Sequence[str],
    recipe: Recipe,
    settings: TrainSettings,
    dataset: Dataset,
    clf: "TextClassifier",
    data: Any,
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": name,
        "created": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "command": list(command),
        "recipe": recipe.model_dump(mode="json"),
        "seed": settings.seed,
        "dataset": {
            "name": dataset.name,
            "source": _source(dataset, data),
            "fingerprint": dataset.fingerprint,
            "task": dataset.task,
            "classes": dataset.classes,
            "rows": _row_counts(dataset),
            "facts": dataset.facts.to_json(),
        },
        "chosen": clf.chosen_ | ({} if settings.threshold is None else {"threshold": settings.threshold}),
        "versions": versions(),
        "machine": machine(),
    }


def _write(
    folder: Path,
    run: dict[str, Any],
    dataset: Dataset,
    result: _Result,
    settings: TrainSettings,
    positive: str | None,
    seconds: dict[str, float],
    process_started: float,
) -> dict[str, Any]:
    """Write the run folder and return the content of ``metrics.json``."""
    from tagline.report import write_report
    from tagline.run.seen import save_trained_on

    facts = {
        "seed": settings.seed,
        "folds": settings.folds,
        "text_columns": list(dataset.facts.text_columns),
        "dataset": {key: run["dataset"][key] for key in ("name", "fingerprint", "rows")},
    }
    result.clf.save(folder / "model", facts)
    save_trained_on(folder / TRAINED_ON, dataset)
    _dump(folder / "run.json", run)
    _dump(folder / "mistakes.json", result.mistakes, indent=None)
    if dataset.facts.rejected:
        rejected = dataset.facts.rejected_frame()
        with polars_os_errors():
            (rejected if settings.texts else rejected.drop("excerpt")).write_csv(folder / "rejected.csv")
    test = None
    if result.test is not None:
        from tagline.evaluation.plots import save_plots

        began = time.perf_counter()
        test = result.test.measured(dataset.classes, task=dataset.task, positive=positive, seed=settings.seed)
        seconds["evaluate"] += time.perf_counter() - began
        with polars_os_errors():
            result.test.frame(dataset.classes).write_parquet(folder / "predictions.parquet")
        save_plots(
            folder / "plots",
            result.test.y_true,
            result.test.y_pred,
            result.test.proba,
            dataset.classes,
            task=dataset.task,
            positive=positive,
            threshold=result.clf.threshold_,
        )
    metrics: dict[str, Any] = {
        "task": dataset.task,
        "classes": dataset.classes,
        "rows": _row_counts(dataset),
        **({} if dataset.folds is None else {"folds": int(dataset.folds.max()) + 1}),
        "validation": result.validation,
        "test": test,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_rss_mb": peak_rss_mb(),
    }
    metrics["seconds"]["total"] = round(time.perf_counter() - process_started, 3)
    _dump(folder / "metrics.json", metrics)
    write_report(folder)
    return metrics


def _dump(path: Path, content: Any, indent: int | None = 1) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False) + "\n", encoding="utf-8")
