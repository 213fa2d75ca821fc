"""Train a run: read the data, fit, measure, explain, and write the run folder."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import Dataset
from tagline.data.sources.parts import streamed_files
from tagline.engines import LOCAL, Engine
from tagline.errors import InputError
from tagline.out_of_core.spool.dataset import SpooledDataset
from tagline.plots.process import PlotProcess
from tagline.recipes import Recipe, load_recipe
from tagline.run_folder import (
    MODEL,
    RUNS,
    RunFolder,
    building,
    check_target,
    chosen_target,
    reserved,
    run_name,
)
from tagline.runs.findings import hardly_found, never_predicted
from tagline.runs.fit import Job, Result, fit_folds, fit_out_of_core, fit_split
from tagline.runs.reading.data import (
    RunInputs,
    not_measurable,
    read_for_run,
    with_absolute_paths,
    word_index_of,
)
from tagline.runs.reading.out_of_core import check_settings, files_fingerprint, read_out_of_core
from tagline.runs.resume import (
    UnfinishedRun,
    is_rereadable,
    kept_until_finished,
    make_unfinished,
    read_unfinished,
)
from tagline.runs.settings import Log, Observer, Progress, TrainSettings
from tagline.runs.tracking import Parameter, Tracking, check_trackers, flat_parameters, tracked
from tagline.runs.writing.record import SearchResult, run_json
from tagline.runs.writing.run import write_run

if TYPE_CHECKING:
    from tagline.learners import TrainingRecord
    from tagline.runs.reading.starting_model import StartingModel

_DEFAULTS = TrainSettings()


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, the content of its ``metrics.json``, its data, and how a network was trained.

    ``warnings`` are about the run itself; those about the data are in its facts. ``decided`` says by what the model
    decides, if not by the highest probability.
    """

    folder: Path
    metrics: dict[str, Any]
    dataset: Dataset
    training: "TrainingRecord | None" = None
    warnings: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()

    @property
    def model(self) -> Path:
        """Return the folder of the bundle."""
        return self.folder / MODEL


def train_run(
    data: Any,
    settings: TrainSettings = _DEFAULTS,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    seconds_before: float = 0.0,
    engine: Engine = LOCAL,
    log: Log = lambda stage: None,
    progress: Progress = lambda progress: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Train a classifier on ``data``, measure it once on the test rows, and write the run folder.

    Args:
        data: what `load_dataset` reads.
        settings: recipe, columns, splits and decisions.
        out: the run folder; else one named after time, recipe and data below ``runs/``.
        command: the command line to record.
        seconds_before: what the process took before this call; counted in ``seconds.total``.
        engine: where the model is fitted. With another than `LOCAL` the train rows, those of files, are divided among
            its machines; see `tagline.out_of_core.shards.consensus`.
        log: called with the name of each stage.
        progress: called while a network is trained.
        warn: called with a sentence when a tracker of ``settings.track`` fails, which does not stop the run.

    Raises:
        InputError: data, recipe or settings cannot be used, or the training breaks; nothing is written.

    """
    started = time.perf_counter() - seconds_before
    check_trackers(settings.track)
    start, settings = _started_from(settings)
    recipe = (
        with_absolute_paths(load_recipe(settings.recipe, settings.settings)) if start is None else start.clf.recipe_
    )
    target = chosen_target(out, log)
    observer = Observer(log, progress, warn)
    if settings.memory is not None or engine is not LOCAL:
        return _start_out_of_core(data, recipe, settings, target, command, started, observer, engine)
    # A network trains for longer than drawing takes: no other process need wait for it.
    with PlotProcess() if recipe.training is None else nullcontext(None) as plots:
        inputs = read_for_run(data, recipe, settings, log, fold_few=True, start=start)
        if not _can_be_resumed(inputs):
            return fit_and_write(inputs, target, command=command, started=started, observer=observer, plots=plots)
    return _train_resumable(inputs, _make_unfinished(inputs, target, command), started, observer)


def resume_run(
    run: str | Path,
    *,
    seconds_before: float = 0.0,
    engine: Engine = LOCAL,
    log: Log = lambda stage: None,
    progress: Progress = lambda progress: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Resume a run whose training was stopped; the model is the one that an uninterrupted training gives.

    Raises:
        InputError: there is nothing to resume, or the data has changed.

    """
    started = time.perf_counter() - seconds_before
    unfinished = read_unfinished(run)
    check_target(unfinished.target)
    check_trackers(unfinished.settings.track)
    if unfinished.distributed != (engine is not LOCAL):
        wrong, remedy = ("on a cluster", "add") if unfinished.distributed else ("on one machine", "leave out")
        raise InputError(f"`{unfinished.target}` was started {wrong}: {remedy} `--engine ray`.")
    if unfinished.settings.memory is not None or unfinished.distributed:
        if files_fingerprint(unfinished.data, unfinished.settings) != unfinished.fingerprint:
            raise _changed(unfinished)
        return _train_out_of_core(unfinished, started, Observer(log, progress, warn), engine)
    inputs = read_for_run(unfinished.data, unfinished.recipe, unfinished.settings, log)
    if inputs.dataset.fingerprint != unfinished.fingerprint:
        raise _changed(unfinished)
    return _train_resumable(inputs, unfinished, started, Observer(log, progress, warn))


def _changed(unfinished: UnfinishedRun) -> InputError:
    return InputError(f"`{unfinished.data}` has changed since `{unfinished.target}` was started: train again.")


def fit_and_write(
    inputs: RunInputs,
    target: Path | None,
    *,
    command: Sequence[str],
    started: float,
    observer: Observer,
    checkpoints: Path | None = None,
    search: SearchResult | None = None,
    plots: PlotProcess | None = None,
    engine: Engine = LOCAL,
) -> Run:
    """Fit, measure and write a run.

    Args:
        inputs: data, recipe and settings.
        target: the run folder; None: below ``runs/``.
        command: the command line to record.
        started: when the run was started, on the clock of `time.perf_counter`.
        observer: where to report to.
        checkpoints: the folder of the checkpoints, if the run can be resumed; trackers keep their state next to it.
        search: how a search found the recipe.
        plots: the process that draws, if it has been started.
        engine: where a model of rows on disk is fitted.

    """
    place = target or _default_target(inputs)
    state = None if checkpoints is None else checkpoints.parent
    with tracked(inputs.settings.track, kept=state, warn=observer.warn) as tracking:
        tracking.start(place.name, _parameters(inputs))
        result = _fit(inputs, place, observer, tracking, checkpoints, search, engine)
        with nullcontext(target) if target else reserved(RUNS, place.name) as final, building(final) as folder:
            record = run_json(final.name, datetime.now(UTC), command, inputs, result, search)
            metrics = write_run(
                RunFolder(folder), record, inputs, result, started, search, observer.log, plots or PlotProcess()
            )
        tracking.finish(metrics, final)
    warnings = list(result.looks.warnings if result.looks else ())
    if metrics["test"] is not None:
        classes = [name for name in metrics["classes"] if name not in inputs.untrained]
        for find in (never_predicted, hardly_found):
            warnings += find(metrics["test"], classes, balanced=inputs.settings.balance or search is not None)
    from tagline.report.conclusion import model_sentences, target_sentences  # a thread has imported it during the fit

    decided = (*model_sentences(record["chosen"]), *target_sentences(record["chosen"]))
    return Run(final, metrics, inputs.dataset, result.clf.training_, tuple(warnings), decided)


def _started_from(settings: TrainSettings) -> "tuple[StartingModel | None, TrainSettings]":
    """Return the model that a run continues, if it does, and the settings with those of the model."""
    if settings.from_model is None:
        return None, settings
    from tagline.runs.reading.starting_model import StartingModel

    start = StartingModel.load(settings.from_model)
    return start, start.settings(settings)


def _can_be_resumed(inputs: RunInputs) -> bool:
    settings = inputs.settings
    others = (settings.test, settings.validation, settings.unlabelled)
    return inputs.recipe.training is not None and is_rereadable(inputs.data, others)


def _train_resumable(inputs: RunInputs, unfinished: UnfinishedRun, started: float, observer: Observer) -> Run:
    try:
        with kept_until_finished(unfinished):
            return fit_and_write(
                inputs,
                unfinished.target,
                command=unfinished.command,
                started=started,
                observer=observer,
                checkpoints=unfinished.checkpoints,
            )
    except BaseException:
        if unfinished.folder.exists():
            observer.log(f"stopped; `tagline train --resume {unfinished.target}` resumes after the last whole epoch")
        raise


def _start_out_of_core(
    data: Any,
    recipe: Recipe,
    settings: TrainSettings,
    target: Path | None,
    command: Sequence[str],
    started: float,
    observer: Observer,
    engine: Engine,
) -> Run:
    distributed = engine is not LOCAL
    check_settings(recipe, settings, distributed=distributed)
    request = UnfinishedRun(
        target or _place_of(recipe, streamed_files(data).name),
        str(data),
        recipe,
        replace(settings, recipe=recipe.recipe.name),
        tuple(command),
        files_fingerprint(data, settings),
        distributed,
    )
    return _train_out_of_core(_made(request, numbered=target is None), started, observer, engine)


def _train_out_of_core(unfinished: UnfinishedRun, started: float, observer: Observer, engine: Engine) -> Run:
    """Train a run of `--memory` or of many machines: out of core, or as any other if its data fits into memory."""
    try:
        with kept_until_finished(unfinished):
            inputs = read_out_of_core(unfinished, observer)
            if inputs is not None:
                return fit_and_write(
                    inputs,
                    unfinished.target,
                    command=unfinished.command,
                    started=started,
                    observer=observer,
                    engine=engine,
                )
    except BaseException:
        if unfinished.folder.exists():
            again = f"tagline train --resume {unfinished.target}{' --engine ray' if unfinished.distributed else ''}"
            observer.log(f"stopped; `{again}` resumes after the last whole stage")
        raise
    with PlotProcess() as plots:
        settings = unfinished.settings
        inputs = read_for_run(unfinished.data, unfinished.recipe, settings, observer.log, fold_few=True)
        return fit_and_write(
            inputs, unfinished.target, command=unfinished.command, started=started, observer=observer, plots=plots
        )


def _make_unfinished(inputs: RunInputs, target: Path | None, command: Sequence[str]) -> UnfinishedRun:
    """Make the folder of a new run; without a ``target`` at the next free place."""
    settings, recipe = inputs.settings, inputs.recipe
    request = UnfinishedRun(
        target or _default_target(inputs),
        str(inputs.data),
        recipe,
        replace(settings, recipe=recipe.recipe.name),
        tuple(command),
        inputs.dataset.fingerprint,
    )
    return _made(request, numbered=target is None)


def _made(request: UnfinishedRun, *, numbered: bool) -> UnfinishedRun:
    """Make the folder of a new run, ``numbered``: at the next free place."""
    number, unfinished = 1, request
    while True:
        try:
            if not numbered or not unfinished.target.exists():
                make_unfinished(unfinished)
                return unfinished
        except InputError:
            if not numbered:
                raise
        number += 1
        unfinished = replace(request, target=request.target.with_name(f"{request.target.name}-{number}"))


def _default_target(inputs: RunInputs) -> Path:
    return _place_of(inputs.recipe, inputs.dataset.name)


def _place_of(recipe: Recipe, dataset: str) -> Path:
    return RUNS / run_name(recipe.recipe.name, dataset, datetime.now(UTC).astimezone())


def _parameters(inputs: RunInputs) -> dict[str, Parameter]:
    """Return the parameters of a run that trackers record at its start: recipe, data and decisions."""
    recipe, settings, dataset = inputs.recipe.model_dump(mode="json"), inputs.settings, inputs.dataset
    return flat_parameters(
        {
            "recipe": recipe["recipe"]["name"],
            **{table: recipe[table] for table in ("features", "model", "training", "protocol")},
            "data": {"name": dataset.name, "fingerprint": dataset.fingerprint, "rows": dataset.row_counts},
            "task": dataset.task,
            "n_classes": len(dataset.classes),
            "positive": inputs.positive,
            "threshold": settings.threshold,
            "costs": None if settings.costs is None else asdict(settings.costs),
            "precision": settings.precision,
            "recall": settings.recall,
            "folds": settings.folds,
            "balance": settings.balance,
            "weight": settings.weight,
            "seed": settings.seed,
        }
    )


def _fit(
    inputs: RunInputs,
    place: Path,
    observer: Observer,
    tracking: Tracking,
    checkpoints: Path | None,
    search: SearchResult | None,
    engine: Engine,
) -> Result:
    """Fit and measure; ``place``: where the run will be written; the test ledger is next to it."""
    from tagline.runs.test_ledger import Entry, record_reading

    dataset = inputs.dataset
    entry = Entry("train" if search is None else "tune", dataset.name, place.name, inputs.settings.folds)
    job = Job(
        inputs,
        word_index_of(inputs.data, [inputs.recipe]),
        checkpoints,
        partial(record_reading, place.parent, entry),
        observer,
        None if search is None else search.feature_cache,
        tracking,
        engine,
    )
    if isinstance(dataset, SpooledDataset):
        result = fit_out_of_core(job, dataset)
    else:
        result = fit_split(job) if dataset.folds is None else fit_folds(job)
    if result.test is None and result.validation is None:
        raise not_measurable(dataset)
    return result
