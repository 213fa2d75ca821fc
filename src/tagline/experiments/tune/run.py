"""`tune_run`: search for the best recipe within a time budget, train it, and measure it once on the test rows.

The time is spent on the search, then on a final among the best candidates, and last on the run of the winner, which
trains on all rows; the search does not use the test rows.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from tagline.engines import LOCAL, Engine
from tagline.engines.base import Message, Workers
from tagline.errors import InputError
from tagline.experiments.shared_data import SharedData, read_shared_data, save_shared_data
from tagline.experiments.tune.candidates import Candidate, should_prune
from tagline.experiments.tune.final_run import DEFAULT, EndedSearch, train_final
from tagline.experiments.tune.folder import (
    TuneRequest,
    TuneSettings,
    create_folder,
    exclusive,
    free_place,
    load_request,
    mark_ended,
    unmark_ended,
)
from tagline.experiments.tune.objective import metric_named
from tagline.experiments.tune.scoring import EvaluationContext, EvaluationTask, FoldResult, Folds, prepare
from tagline.experiments.tune.search_space import DataProfile, available_families
from tagline.experiments.tune.study import Study
from tagline.experiments.tune.time_budget import TimeBudget
from tagline.recipes import load_recipe
from tagline.run_folder import RUNS, check_target, chosen_target, run_name
from tagline.runs.reading.data import RunInputs, read_for_run, word_index_of
from tagline.runs.settings import Log, Observer, StepProgress
from tagline.runs.tracking import check_trackers
from tagline.runs.train import Run
from tagline.storage.atomic import remove_folder

if TYPE_CHECKING:
    from tagline.runs.tracking.callbacks import TrainingProgress, VectorProgress

__all__ = ["SearchProgress", "TuneSettings", "resume_tune", "tune_run"]

_SHARED = "material"  # folder of the shared data
_FINAL_SHARE = 0.2  # of the time of the search, for the final
_FINALISTS = 5
_LEAST_TRIED = 25  # complete candidates that the time should allow; slow fits are evaluated on fewer folds
_SLOWEST = 0.2  # of the budget: the longest fit that is allowed once there is a result
_SLOWEST_SECONDS = 10.0  # at least, because workers take time to start
_HOPELESS = 12  # failed candidates without a successful one
_LEAST_REST = 10.0  # seconds of the budget that are worth resuming a search
_PATIENCE = 0.5  # seconds between two checks of time and memory


@dataclass(frozen=True)
class SearchProgress:
    """Progress of a search: elapsed seconds, budget, a description, and whether there is a new best candidate."""

    seconds: float
    budget: float
    words: str
    better: bool


Progress = Callable[["SearchProgress | StepProgress | TrainingProgress | VectorProgress"], None]


@dataclass(frozen=True)
class _Search:
    """A running search: its candidates, its workers and engine, its folds, its time, and the callback of progress."""

    study: Study
    workers: Workers
    engine: Engine
    folds: Folds
    time_budget: TimeBudget
    progress: Progress


def tune_run(
    data: Any,
    settings: TuneSettings,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    seconds_before: float = 0.0,
    engine: Engine = LOCAL,
    log: Log = lambda stage: None,
    progress: Progress = lambda progress: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Search for the best recipe for ``data`` and write the run of the winner, with a leaderboard and its recipe.

    Args:
        data: what `load_dataset` reads; a killed search can be resumed if the data can be read again.
        settings: time budget, metric, limits and the settings of the final run.
        out: the run folder; by default one named by time and data below ``runs/``.
        command: the command line to record.
        seconds_before: elapsed seconds of the process before this call, which count.
        engine: where candidates are evaluated; the final run is trained here.
        log: called with the name of each stage.
        progress: called with a `SearchProgress` during the search, then while the winner, if a network, is trained.
        warn: called with a sentence when a tracker of ``settings.run.track``, which follows the final run, fails.

    Raises:
        InputError: data or settings are invalid, or no recipe that was evaluated keeps to the limits.
        MissingExtraError: Optuna is not installed.

    """
    started = time.monotonic() - seconds_before
    metric_named(settings.metric)
    target = chosen_target(out, log)
    inputs = _read(data, settings, log)
    if target is None:
        target = free_place(RUNS / run_name("tune", inputs.dataset.name, datetime.now(UTC).astimezone()))
    request = TuneRequest(target, data, settings, tuple(command))
    create_folder(request, inputs.dataset.fingerprint)
    return _tune(request, inputs, started, engine, Observer(log, progress, warn), progress)


def resume_tune(
    run: str | Path,
    *,
    seconds_before: float = 0.0,
    engine: Engine = LOCAL,
    log: Log = lambda stage: None,
    progress: Progress = lambda progress: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Resume a stopped search for the rest of its budget; results on disk are not computed again.

    Raises:
        InputError: there is nothing to resume, or data or versions have changed.

    """
    started = time.monotonic() - seconds_before
    request, fingerprint = load_request(run)
    check_target(request.target)
    inputs = _read(request.data, request.settings, log)
    if inputs.dataset.fingerprint != fingerprint:
        raise InputError(f"`{request.data}` has changed since `{request.target}` was started: start a new search.")
    return _tune(request, inputs, started, engine, Observer(log, progress, warn), progress)


def _read(data: Any, settings: TuneSettings, log: Log) -> RunInputs:
    if settings.run.folds is not None:
        raise InputError("`--folds` measures a single recipe; a search chooses its own folds.")
    check_trackers(settings.run.track)
    return read_for_run(data, load_recipe(DEFAULT), settings.run, log)


def _tune(
    request: TuneRequest,
    inputs: RunInputs,
    started: float,
    engine: Engine,
    observer: Observer,
    progress: Progress,
) -> Run:
    """Search, and make the final run."""
    settings, log = request.settings, observer.log
    metric = metric_named(settings.metric)
    with exclusive(request):
        unmark_ended(request)
        folder = request.folder / _SHARED
        shared = _share_data(folder, inputs)
        folds = Folds(shared, settings.run.seed)
        if not folds.exist:
            raise InputError(
                f"`{inputs.dataset.name}` has too few distinct rows to compare recipes: use `tagline train`."
            )
        profile = DataProfile.of(shared)
        families = available_families(profile)
        study = Study(request.folder, metric, settings.limits, profile, families, folds.n_first, settings.run.seed)
        n_test = 0 if inputs.dataset.test is None else len(inputs.dataset.test)
        time_budget = TimeBudget(started - study.elapsed, settings.budget, shared, n_test)
        stopped = False
        try:
            log(f"searching for {settings.budget:,.0f} s")
            context = EvaluationContext(folder, metric.name, settings.run.seed)
            with engine.workers(engine.n_cpus, prepare, context) as workers:
                _search(_Search(study, workers, engine, folds, time_budget, progress))
        except KeyboardInterrupt:
            stopped = True
        study.stop_running(time_budget.elapsed)
        rest = time_budget.remaining(None)
        run = train_final(request, inputs, EndedSearch(study, folds, shared, time_budget, stopped), observer)
        if stopped and rest >= _LEAST_REST and mark_ended(request):
            remove_folder(folder)  # written again if the search goes on
            log(f"`tagline tune --resume {request.target}` searches for the rest of the budget, {rest:,.0f} s")
            return run
    remove_folder(request.folder)
    return run


def _share_data(folder: Path, inputs: RunInputs) -> SharedData:
    """Write the data for the workers, unless an earlier process did, and read it."""
    complete = folder / "whole"
    if not complete.exists():
        # All networks of the search space have the word index of this recipe.
        index = word_index_of(inputs.data, [load_recipe("embedding-average")])
        save_shared_data(folder, inputs.dataset, index)
        complete.touch()
    return read_shared_data(folder)


def _search(search: _Search) -> None:
    """Evaluate candidates until it is time for the final, then evaluate the best on further folds."""
    study, workers, time_budget = search.study, search.workers, search.time_budget
    started = time_budget.elapsed
    shown = 0
    while True:
        ranking = time_budget.feasible(study.ranking)
        best = next(iter(ranking), None)
        remaining = time_budget.remaining(best)
        share = remaining / (time_budget.elapsed - started + max(remaining, 1e-9))
        hopeless = not study.n_evaluated and len(study.candidates) > _HOPELESS
        final_is_due = share < _FINAL_SHARE and search.folds.unlimited and len(_contenders(study, ranking)) > 1
        if hopeless or remaining <= 0 or final_is_due:
            break
        while workers.n_idle:
            candidate = study.ask()
            folds = tuple(range(study.n_folds))
            workers.submit(EvaluationTask(candidate.number, candidate.tables, folds, measured=True))
        for message in workers.poll(min(_PATIENCE, remaining)):
            _handle(search, message)
        study.note_time(time_budget.elapsed)
        shown = _show_progress(search, best, shown)
        _enforce_limits(search)
    _run_final(search)


def _handle(search: _Search, message: Message) -> None:
    """Process a message about a candidate."""
    study, time_budget = search.study, search.time_budget
    candidate = study.candidates[message.task.number]
    if message.kind == "report":
        go_on = study.report(candidate, message.value, time_budget.elapsed)
        time_budget.record_features(candidate)
        if len(candidate.results) > 1:  # the first fold includes imports and counting
            study.n_folds = min(study.n_folds, _affordable_folds(search))
        search.workers.reply(message.task, go_on=go_on)
    elif message.kind == "failed":
        study.fail(candidate, message.value, time_budget.elapsed)


def _affordable_folds(search: _Search) -> int:
    """Return the number of folds to evaluate candidates on, by the time of a typical fit."""
    typical = median([c.seconds("fit") for c in search.study.candidates.values() if c.results])
    return max(1, int(search.time_budget.budget * search.engine.n_cpus / (typical + 0.1) / _LEAST_TRIED))


def _run_final(search: _Search) -> None:
    """Evaluate the best candidates on further folds, the same for all, until the time is over."""
    study, workers, time_budget = search.study, search.workers, search.time_budget
    finalists = _contenders(study, time_budget.feasible(study.ranking))
    if not search.folds.unlimited or len(finalists) < 2:
        return
    slowest = max(finalists, key=time_budget.final_seconds)
    for worker in workers.running:  # running candidates cannot win any more
        workers.kill(worker)
    study.stop_running(time_budget.elapsed)
    fold = study.n_folds  # finalists may have a result on it, from before the number of folds was reduced
    while time_budget.remaining(slowest) > 0:
        results = _evaluate_finalists(search, finalists, fold, slowest)
        if results is None:
            return
        for candidate in finalists:
            candidate.finalist = True
            study.report(candidate, results[candidate.number], time_budget.elapsed)
        fold += 1


def _evaluate_finalists(
    search: _Search, finalists: list[Candidate], fold: int, slowest: Candidate
) -> dict[int, FoldResult] | None:
    """Return the results of all finalists on a fold by number, or None if one fails or the time is over."""
    workers, time_budget = search.workers, search.time_budget
    tasks = [EvaluationTask(c.number, c.tables, (fold,), measured=False) for c in finalists]
    results: dict[int, FoldResult] = {}
    while len(results) < len(finalists):
        while tasks and workers.n_idle:
            workers.submit(tasks.pop(0))
        for message in workers.poll(max(0.0, min(_PATIENCE, time_budget.remaining(slowest)))):
            if message.kind == "report":
                results[message.task.number] = message.value
                workers.reply(message.task, go_on=False)
            elif message.kind == "failed":
                return None
        search.study.note_time(time_budget.elapsed)
        search.progress(SearchProgress(time_budget.elapsed, time_budget.budget, "final among the best", better=False))
        if time_budget.remaining(slowest) <= 0:
            return None
    return results


def _contenders(study: Study, ranking: list[Candidate]) -> list[Candidate]:
    """Return the best candidates whose order may be due to noise."""
    return [c for c in ranking[:_FINALISTS] if not should_prune(c, ranking[0], study.metric)]


def _show_progress(search: _Search, best: Candidate | None, shown: int) -> int:
    """Report the progress; return the number of the best candidate plus one."""
    study, time_budget = search.study, search.time_budget
    number = 0 if best is None else best.number + 1
    words = f"{study.n_tried:,} tried"
    if best is not None:
        words += f", best {study.metric.name} {study.metric.shown(best.score(study.metric)):.4f} ({best.family})"
    search.progress(SearchProgress(time_budget.elapsed, time_budget.budget, words, better=number != shown))
    return number


def _enforce_limits(search: _Search) -> None:
    """Kill fits that exceed the memory limit, or take so long that few others could be evaluated."""
    study, elapsed = search.study, search.time_budget.elapsed
    longest = max(_SLOWEST * search.time_budget.budget, _SLOWEST_SECONDS)
    for worker, (task, seconds) in search.workers.running.items():
        error = ""
        if seconds > longest and study.n_evaluated:
            error = f"A fit took more than {longest:,.0f} s, too long for this search."
        elif study.limits.memory_mb is not None and (used := search.workers.memory_mb(worker)) > study.limits.memory_mb:
            error = f"It took {used:,.0f} MB of memory, more than the limit of {study.limits.memory_mb:,.0f} MB."
        if error:
            search.workers.kill(worker)
            candidate = study.candidates[task.number]
            if candidate.state == "running" and candidate.results and study.best is None:
                study.accept(candidate, elapsed)
            else:
                study.fail(candidate, error, elapsed)
