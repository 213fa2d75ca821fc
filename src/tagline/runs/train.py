"""`train_run`: read, fit, measure, explain, and write it all down."""

import json
import os
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import Dataset
from tagline.errors import InputError
from tagline.recipes import Recipe, load_recipe
from tagline.runs.environment import peak_rss_mb
from tagline.runs.fit import Job, Log, Progress, Result, fit_folds, fit_split
from tagline.runs.folder import (
    RUNS,
    TRAINED_ON,
    building,
    check_parent,
    check_target,
    reserved,
    run_name,
    tell_what_goes,
)
from tagline.runs.read_data import Reading, not_measurable, read_for_run, word_index_of
from tagline.runs.record import Found, row_counts, run_json
from tagline.runs.resume import absolute, can_be_kept
from tagline.runs.settings import TrainSettings
from tagline.runs.tables import polars_os_errors
from tagline.runs.tracking import Parameter, check_trackers, flat_parameters, tracked
from tagline.runs.unfinished import Unfinished, begin, kept, read_unfinished
from tagline.runs.word_vectors import from_the_root

if TYPE_CHECKING:
    from tagline.learners import TrainingRecord

_DEFAULTS = TrainSettings()


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the content of its ``metrics.json``, its data, and how a network was trained.

    ``warnings`` are of the run itself; those of the data are in its facts.
    """

    folder: Path
    metrics: dict[str, Any]
    dataset: Dataset
    training: "TrainingRecord | None" = None
    warnings: tuple[str, ...] = ()

    @property
    def model(self) -> Path:
        """Return the folder of the bundle."""
        return self.folder / "model"


def train_run(
    data: Any,
    settings: TrainSettings = _DEFAULTS,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
    progress: Progress = lambda seen: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Train a classifier on ``data``, measure it once on the test rows, and write the run folder.

    Args:
        data: what `load_dataset` reads.
        settings: recipe, columns, splits and decisions.
        out: the run folder; else one named after time, recipe and data below ``runs/``.
        command: the command line to record.
        seconds_before: what the process took before this call; counted in ``seconds.total``.
        log: called with the name of each stage.
        progress: called while a network is trained.
        warn: called with a sentence when a logger of ``settings.track`` fails, which does not stop the run.

    Raises:
        InputError: data, recipe or settings cannot be used, or the training breaks; nothing is written.

    """
    started = time.perf_counter() - seconds_before
    check_trackers(settings.track)
    recipe = from_the_root(load_recipe(settings.recipe, settings.settings))
    wanted = None if out is None else Path(os.path.normpath(out))
    if wanted is None:
        check_parent(RUNS / "run")
    else:
        check_target(wanted)
        tell_what_goes(wanted, log)
    reading = read_for_run(data, recipe, settings, log)
    others = ("test", "validation", "unlabelled")
    if recipe.training is None or not can_be_kept(data, [getattr(settings, name) for name in others]):
        return run_read(reading, wanted, None, command, started, log, progress, warn=warn)
    paths = {name: absolute(getattr(settings, name)) for name in others}
    asked = Unfinished(
        wanted or _place(recipe, reading.dataset),
        absolute(data),
        recipe,
        replace(settings, recipe=recipe.recipe.name, **paths),
        tuple(command),
        reading.dataset.fingerprint,
    )
    unfinished = _begun(asked, numbered=wanted is None)
    return _kept_run(reading, unfinished, started, log, progress, warn)


def resume_run(
    run: str | Path,
    *,
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
    progress: Progress = lambda seen: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Go on with a run whose training was stopped; it ends with the model that it would have had.

    Raises:
        InputError: there is nothing to go on with, or the data is not what it was.

    """
    started = time.perf_counter() - seconds_before
    unfinished = read_unfinished(run)
    check_target(unfinished.target)
    check_trackers(unfinished.settings.track)
    reading = read_for_run(unfinished.data, unfinished.recipe, unfinished.settings, log)
    if reading.dataset.fingerprint != unfinished.fingerprint:
        raise InputError(f"`{unfinished.data}` has changed since `{unfinished.target}` was begun: train again.")
    return _kept_run(reading, unfinished, started, log, progress, warn)


def _kept_run(reading: Reading, unfinished: Unfinished, started: float, log: Log, progress: Progress, warn: Log) -> Run:
    try:
        with kept(unfinished):
            command, target = unfinished.command, unfinished.target
            return run_read(reading, target, unfinished.checkpoints, command, started, log, progress, warn=warn)
    except BaseException:
        if unfinished.folder.exists():
            log(f"stopped; `tagline train --resume {unfinished.target}` goes on from the last whole epoch")
        raise


def run_read(
    reading: Reading,
    wanted: Path | None,
    checkpoints: Path | None,
    command: Sequence[str],
    started: float,
    log: Log,
    progress: Progress,
    found: Found | None = None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Fit, measure and write the run at ``wanted``, or below ``runs/``; ``found``: how a search came to its recipe.

    ``checkpoints`` lie in a folder that outlasts the process, where loggers note how to go on.
    """
    from tagline.runs.test_ledger import Entry, record_reading

    recipe, settings, dataset, positive = reading.recipe, reading.settings, reading.dataset, reading.positive
    place = wanted or _place(recipe, dataset)
    entry = Entry("train" if found is None else "tune", dataset.name, place.name, settings.folds)
    reads = partial(record_reading, place.parent, entry)
    feature_cache = None if found is None else found.feature_cache
    index = word_index_of(reading.data, [recipe])
    beside = None if checkpoints is None else checkpoints.parent
    with tracked(settings.track, kept=beside, warn=warn) as tracking:
        tracking.start(place.name, _parameters(reading))
        job = Job(
            dataset,
            recipe,
            settings,
            positive,
            index,
            checkpoints,
            reads,
            reading.unlabelled,
            log,
            progress,
            feature_cache,
            tracking,
        )
        result = fit_split(job) if dataset.folds is None else fit_folds(job)
        if result.test is None and result.validation is None:
            raise not_measurable(dataset)
        when = datetime.now(UTC)
        log("writing")
        with nullcontext(wanted) if wanted else reserved(RUNS, place.name) as target, building(target) as folder:
            seconds = {"read": reading.seconds, **result.seconds}
            run = run_json(target.name, when, command, recipe, settings, dataset, result, reading.data)
            if found is not None:
                run["search"] = found.about
                for file, content in found.files.items():
                    (folder / file).write_text(content, encoding="utf-8")
            metrics = _write(folder, run, dataset, result, settings, positive, seconds, started)
        tracking.finish(metrics, target)
    return Run(target, metrics, dataset, result.clf.training_, result.looks.warnings if result.looks else ())


def _parameters(reading: Reading) -> dict[str, Parameter]:
    """Return what loggers are told of a run at its beginning: recipe, data and decisions."""
    recipe, settings, dataset = reading.recipe.model_dump(mode="json"), reading.settings, reading.dataset
    return flat_parameters(
        {
            "recipe": recipe["recipe"]["name"],
            **{table: recipe[table] for table in ("features", "model", "training", "protocol")},
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint, "rows": row_counts(dataset)},
            "task": dataset.task,
            "n_classes": len(dataset.classes),
            "positive": reading.positive,
            "threshold": settings.threshold,
            "folds": settings.folds,
            "balance": settings.balance,
            "seed": settings.seed,
        }
    )


def _place(recipe: Recipe, dataset: Dataset) -> Path:
    return RUNS / run_name(recipe.recipe.name, dataset.name, datetime.now(UTC).astimezone())


def _begun(asked: Unfinished, *, numbered: bool) -> Unfinished:
    """Make the folder of a run that begins; ``numbered``: at the next free place if this one is taken."""
    number, unfinished = 1, asked
    while True:
        try:
            if not (numbered and unfinished.target.exists()):
                begin(unfinished)
                return unfinished
        except InputError:
            if not numbered:
                raise
        number += 1
        unfinished = replace(asked, target=asked.target.with_name(f"{asked.target.name}-{number}"))


def _write(
    folder: Path,
    run: dict[str, Any],
    dataset: Dataset,
    result: Result,
    settings: TrainSettings,
    positive: str | None,
    seconds: dict[str, float],
    started: float,
) -> dict[str, Any]:
    """Write the run folder and return the content of ``metrics.json``."""
    from tagline.report import write_report
    from tagline.runs.test_ledger import what_counts
    from tagline.runs.training_texts import save_trained_on

    facts = {
        "seed": settings.seed,
        "folds": settings.folds,
        "text_columns": list(dataset.facts.text_columns),
        "label_column": dataset.facts.label_column,
        "dataset": {key: run["dataset"][key] for key in ("name", "fingerprint", "rows")},
    }
    result.clf.save(folder / "model", facts)
    save_trained_on(folder / TRAINED_ON, dataset)
    _dump(folder / "run.json", run)
    if result.clf.training_ is not None:
        from tagline.plots.history import save_history_plots

        _write_history(folder, result.clf.training_)
        save_history_plots(folder / "plots", result.clf.training_.history, result.clf.training_.best_epoch)
    _dump(folder / "mistakes.json", result.mistakes, indent=None)
    if dataset.facts.rejected:
        rejected = dataset.facts.rejected_frame()
        with polars_os_errors():
            (rejected if settings.texts else rejected.drop("excerpt")).write_csv(folder / "rejected.csv")
    test = None
    if result.test is not None:
        from tagline.plots.evaluation import save_plots

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
        "rows": row_counts(dataset),
        **({} if dataset.folds is None else {"folds": int(dataset.folds.max()) + 1}),
        "validation": result.validation,
        "test": test,
        **({} if test is None or result.looks is None else what_counts(test, result.looks.times)),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_rss_mb": peak_rss_mb(),
        **({"search": run["search"]} if "search" in run else {}),
    }
    metrics["seconds"]["total"] = round(time.perf_counter() - started, 3)
    _dump(folder / "metrics.json", metrics)
    write_report(folder)
    return metrics


def _write_history(folder: Path, training: "TrainingRecord") -> None:
    import polars as pl

    with polars_os_errors():
        pl.DataFrame(training.history).write_csv(folder / "history.csv")
        if training.refit_history is not None:
            pl.DataFrame(training.refit_history).write_csv(folder / "refit_history.csv")


def _dump(path: Path, content: Any, indent: int | None = 1) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False) + "\n", encoding="utf-8")
