"""`tune_run`: the best classifier that can be found in a given time, and an honest figure for it.

The time goes to the search, then to a final among the best, and last to the run of the winner: it learns from all rows
and is measured once on the test rows, which nothing has seen before.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tagline.errors import InputError
from tagline.experiments.shared_data import read_material, save_material
from tagline.experiments.tune.candidates import Candidate, falls_behind
from tagline.experiments.tune.folder import Asked, LastRunError, TuneSettings, begin, free_place, held, read_asked
from tagline.experiments.tune.leaderboard import found_by
from tagline.experiments.tune.objective import metric_named
from tagline.experiments.tune.scoring import Judging, Part, Parts, Task, prepare
from tagline.experiments.tune.search_space import Shape, families
from tagline.experiments.tune.study import Study
from tagline.experiments.tune.time_budget import Clock
from tagline.experiments.workers import Message, Workers
from tagline.parallel import cores
from tagline.recipes import load_recipe
from tagline.run_folder import RECIPE, RUNS, announce_replacement, check_parent, check_target, run_name
from tagline.runs.data import RunInputs, read_for_run, word_index_of
from tagline.runs.settings import Log, Observer, Progress
from tagline.runs.tracking import check_trackers
from tagline.runs.train import Run, fit_and_write

__all__ = ["Searched", "TuneSettings", "resume_tune", "tune_run"]

_MATERIAL = "material"
_FINAL_SHARE = 0.2  # of the time of the search, for the final
_FINALISTS = 5
_LEAST_TRIED = 25  # whole candidates that the time should allow; where fits are slow they are judged on fewer parts
_SLOWEST = 0.2  # of the budget, that a single fit may take once something else is known
_SLOWEST_SECONDS = 10.0  # at least: a process takes some to start
_HOPELESS = 12  # candidates that failed without one that could be judged
_PATIENCE = 0.5  # seconds between two looks at the time and at the memory


@dataclass(frozen=True)
class Searched:
    """Where a search is: seconds gone and in all, in words, and whether something better was found."""

    seconds: float
    budget: float
    words: str
    better: bool


def tune_run(
    data: Any,
    settings: TuneSettings,
    *,
    out: str | Path | None = None,
    command: Sequence[str] = (),
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
    progress: Progress = lambda seen: None,
    searching: Callable[[Searched], None] = lambda seen: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Search for the best recipe for ``data`` and write the run of the winner, with a leaderboard and its recipe.

    Args:
        data: what `load_dataset` reads; a search that is killed can be gone on with if it can be read again.
        settings: time budget, metric, limits and the settings of the final run.
        out: the run folder; else one named after time and data below ``runs/``.
        command: the command line to record.
        seconds_before: what the process took before this call; it counts.
        log: called with the name of each stage.
        progress: called while the winner, if it is a network, is trained.
        searching: called while it searches.
        warn: called with a sentence when a logger of ``settings.run.track``, which follows the winner's run, fails.

    Raises:
        InputError: data or settings cannot be used, or the time is too short to judge anything.
        MissingExtraError: Optuna is not installed.

    """
    started = time.monotonic() - seconds_before
    metric_named(settings.metric)
    reading = _read(data, settings, log)
    name = run_name("tune", reading.dataset.name, datetime.now(UTC).astimezone())
    if out is None:
        target = free_place(RUNS / name)
        check_parent(target)
    else:
        target = Path(os.path.normpath(out))
        check_target(target)
        announce_replacement(target, log)
    asked = Asked(target, data, settings, tuple(command))
    begin(asked, reading.dataset.fingerprint)
    return _tune(asked, reading, started, log, progress, searching, warn)


def resume_tune(
    run: str | Path,
    *,
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
    progress: Progress = lambda seen: None,
    searching: Callable[[Searched], None] = lambda seen: None,
    warn: Log = lambda sentence: None,
) -> Run:
    """Go on with a search that was stopped, for the time that it had left; nothing that was judged is judged again.

    Raises:
        InputError: there is nothing to go on with, or the data or the versions are not what they were.

    """
    started = time.monotonic() - seconds_before
    asked, fingerprint = read_asked(run)
    check_target(asked.target)
    reading = _read(asked.data, asked.settings, log)
    if reading.dataset.fingerprint != fingerprint:
        raise InputError(f"`{asked.data}` has changed since `{asked.target}` was begun: begin anew.")
    return _tune(asked, reading, started, log, progress, searching, warn)


def _read(data: Any, settings: TuneSettings, log: Log) -> RunInputs:
    if settings.run.folds is not None:
        raise InputError("`--folds` measures one recipe; a search holds rows out by itself.")
    check_trackers(settings.run.track)
    return read_for_run(data, load_recipe("fast"), settings.run, log)


def _tune(
    asked: Asked,
    reading: RunInputs,
    started: float,
    log: Log,
    progress: Progress,
    searching: Callable[[Searched], None],
    warn: Log,
) -> Run:
    settings, observer = asked.settings, Observer(log, progress, warn)
    metric = metric_named(settings.metric)
    with held(asked):
        folder = asked.folder / _MATERIAL
        if not (folder / "whole").exists():
            index = word_index_of(reading.data, [load_recipe("embedding-average")])  # as all networks of the space
            save_material(folder, reading.dataset, index)
            (folder / "whole").touch()
        material = read_material(folder)
        parts = Parts(material, settings.run.seed)
        if not parts.enough:
            raise InputError(
                f"`{reading.dataset.name}` has too few rows of their own to choose among recipes: "
                "`tagline train` takes its default."
            )
        shape = Shape.of(material)
        study = Study(asked.folder, metric, settings.limits, shape, families(shape), parts.first, settings.run.seed)
        started -= study.spent
        n_test = 0 if reading.dataset.test is None else len(reading.dataset.test)
        clock = Clock(started, settings.budget, material, n_test)
        judging = Judging(folder, metric.name, settings.run.seed)
        stopped = False
        try:
            log(f"searching for {settings.budget:,.0f} s")
            with Workers(cores(), prepare, judging) as workers:
                _search(study, workers, parts, clock, searching)
        except KeyboardInterrupt:
            stopped = True
        study.give_up_running(clock.spent)
        order = clock.in_time(study.order)
        if not order:
            if stopped:
                log("stopped before a recipe was judged: there is nothing to keep")
                raise KeyboardInterrupt
            raise _nothing_found(study, settings)
        log(("stopped; " if stopped else "") + f"learning the best of {study.n_tried:,} from all rows")
        while True:
            found = found_by(study, order, parts, settings, clock.spent, material.feature_cache, stopped=stopped)
            final = replace(reading, recipe=order[0].recipe, settings=replace(settings.run, recipe=RECIPE))
            began = time.perf_counter() - clock.spent
            try:
                run = fit_and_write(
                    final, asked.target, command=asked.command, started=began, observer=observer, search=found
                )
                break
            except InputError as error:
                loser, order = order[0], clock.in_time(order[1:])
                if loser.recipe.training is None or not order or not _is_free(asked.target):
                    raise LastRunError(str(error)) from None
                loser.state, loser.error = "failed", str(error)
                log(f"the best cannot learn from all rows, taking the next: {error}")
    shutil.rmtree(asked.folder, ignore_errors=True)
    size, most = sum(file.stat().st_size for file in run.model.iterdir()) / 1e6, settings.limits.size_mb
    if most is not None and size > most:
        warn(f"The model of all rows takes {size:,.1f} MB, more than its fits to a part of them let expect.")
    return run


def _is_free(target: Path) -> bool:
    """Say whether a run can be put there, whatever has happened while it was searched for."""
    try:
        check_target(target)
    except InputError:
        return False
    return True


def _search(study: Study, workers: Workers, parts: Parts, clock: Clock, searching: Callable[[Searched], None]) -> None:
    """Try recipes until it is time for the final, and judge the best on further parts until the time is over."""
    begun = clock.spent
    shown = 0
    while True:
        winners = clock.in_time(study.order)
        best = next(iter(winners), None)
        left = clock.left(best)
        share = left / (clock.spent - begun + max(left, 1e-9))
        hopeless = not study.n_judged and len(study.candidates) > _HOPELESS
        if hopeless or left <= 0 or (share < _FINAL_SHARE and parts.more and len(_close(study, winners)) > 1):
            break
        while workers.n_idle:
            candidate = study.ask()
            workers.submit(Task(candidate.number, candidate.tables, tuple(range(study.n_first)), measured=True))
        for message in workers.poll(min(_PATIENCE, left)):
            _take(study, workers, message, clock)
        study.passed(clock.spent)
        shown = _show(study, best, clock, searching, shown)
        _watch(study, workers, clock)
    _final(study, workers, parts, clock, searching)


def _take(study: Study, workers: Workers, message: Message, clock: Clock) -> None:
    """Process a message about a candidate."""
    candidate = study.candidates[message.task.number]
    if message.kind == "report":
        on = study.heard(candidate, message.value, clock.spent)
        clock.saw(candidate)
        if len(candidate.parts) > 1:  # with the first part come imports and counting
            study.n_first = min(study.n_first, _n_parts(study, clock))
        workers.reply(message.task, go_on=on)
    elif message.kind == "failed":
        study.failed(candidate, message.value, clock.spent)


def _n_parts(study: Study, clock: Clock) -> int:
    """Return on how many parts to judge candidates, by how long the fit of a usual one takes."""
    usual = median([c.seconds("fit") for c in study.candidates.values() if c.parts])
    return max(1, int(clock.budget * cores() / (usual + 0.1) / _LEAST_TRIED))


def _final(study: Study, workers: Workers, parts: Parts, clock: Clock, searching: Callable[[Searched], None]) -> None:
    """Judge the best candidates on further parts, as long as there is time, all on the same ones."""
    finalists = _close(study, clock.in_time(study.order))
    if not parts.more or len(finalists) < 2:
        return
    slowest = max(finalists, key=clock.last_run)
    for pid in workers.running:  # what is still running has no time to come first
        workers.kill(pid)
    study.give_up_running(clock.spent)
    number = study.n_first  # some may have been judged on it before parts became fewer
    while clock.left(slowest) > 0:
        tasks = [Task(c.number, c.tables, (number,), measured=False) for c in finalists]
        heard: dict[int, Part] = {}
        while len(heard) < len(finalists):
            while tasks and workers.n_idle:
                workers.submit(tasks.pop(0))
            for message in workers.poll(max(0.0, min(_PATIENCE, clock.left(slowest)))):
                if message.kind == "report":
                    heard[message.task.number] = message.value
                    workers.reply(message.task, go_on=False)
                elif message.kind == "failed":
                    return
            study.passed(clock.spent)
            searching(Searched(clock.spent, clock.budget, "a final among the best", better=False))
            if clock.left(slowest) <= 0:
                return
        for candidate in finalists:
            candidate.finalist = True
            study.heard(candidate, heard[candidate.number], clock.spent)
        number += 1


def _close(study: Study, winners: list[Candidate]) -> list[Candidate]:
    """Return the best candidates that noise alone may have put in this order."""
    return [c for c in winners[:_FINALISTS] if not falls_behind(c, winners[0], study.metric)]


def _show(study: Study, best: Candidate | None, clock: Clock, searching: Callable[[Searched], None], shown: int) -> int:
    """Tell how far the search is; return the number of the best candidate plus one."""
    now = 0 if best is None else best.number + 1
    words = f"{study.n_tried:,} tried"
    if best is not None:
        words += f", best {study.metric.name} {study.metric.shown(best.score(study.metric)):.4f} ({best.family})"
    searching(Searched(clock.spent, clock.budget, words, better=now != shown))
    return now


def _watch(study: Study, workers: Workers, clock: Clock) -> None:
    """Stop a fit that takes more memory than is allowed, or so long that little else could be tried."""
    for pid, (task, seconds) in workers.running.items():
        sentence = ""
        most = max(_SLOWEST * clock.budget, _SLOWEST_SECONDS)
        if seconds > most and study.n_judged:
            sentence = f"A fit took more than {most:,.0f} s, too long for this search."
        elif study.limits.memory_mb is not None and (used := _memory_mb(pid)) > study.limits.memory_mb:
            sentence = f"It took {used:,.0f} MB of memory, more than the {study.limits.memory_mb:,.0f} allowed."
        if sentence:
            workers.kill(pid)
            candidate = study.candidates[task.number]
            if candidate.state == "running" and candidate.parts and study.best is None:
                study.enough(candidate, clock.spent)
            else:
                study.failed(candidate, sentence, clock.spent)


def _memory_mb(pid: int) -> float:
    """Return what a process holds in memory, in megabytes; 0 if it has just ended."""
    import psutil

    try:
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    except psutil.Error:
        return 0.0


def _nothing_found(study: Study, settings: TuneSettings) -> InputError:
    whole = [c for c in study.candidates.values() if c.state == "whole"]
    failed = [c for c in study.candidates.values() if c.state == "failed"]
    if whole:
        return InputError(f"None of {len(whole):,} recipes stayed within the limits of size and latency: raise them.")
    if failed:
        return InputError(f"No recipe could be judged; the first failed so: {failed[0].error}")
    return InputError(
        f"{settings.budget:,.0f} s are too short to judge one recipe on this data, as the processes that do so take "
        "some to start: raise `--budget`, or take `tagline train`."
    )
