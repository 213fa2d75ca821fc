"""`tune_run`: the best classifier that can be found in a given time, and an honest figure for it.

The time goes to the search, then to a final among the best, and last to the run of the winner: it learns from all rows
and is measured once on the test rows, which nothing has seen before.
"""

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tagline.errors import InputError
from tagline.fitting.encodings import Encodings
from tagline.fitting.ngrams import is_cheap
from tagline.recipes import format_recipe, load_recipe
from tagline.run.fits import Log, Progress
from tagline.run.folder import LEADERBOARD, RECIPE, RUNS, check_parent, check_target, run_name
from tagline.run.machine import versions
from tagline.run.record import Found
from tagline.run.settings import TrainSettings
from tagline.run.tracking import check_trackers
from tagline.run.train import Reading, Run, read_for_run, run_read, word_index_of
from tagline.run.unfinished import absolute, can_be_kept, lock
from tagline.search.candidates import Candidate, Limits, falls_behind
from tagline.search.judging import N_FOLDS, Judging, Part, Parts, Task, can_be_judged, prepare
from tagline.search.material import Material, read_material, save_material
from tagline.search.metrics import Metric, metric_named
from tagline.search.selection import Corrected, corrected_score
from tagline.search.space import Shape, families
from tagline.search.study import Study
from tagline.search.workers import Told, Workers
from tagline.threads import cores

SUFFIX = ".tuning"
_ASKED, _MATERIAL = "asked.json", "material"
_FORMAT = 1
_FINAL_SHARE = 0.2  # of the time of the search, for the final
_FINALISTS = 5
_LEAST_TRIED = 25  # whole candidates that the time should allow; where fits are slow they are judged on fewer parts
_RUN_SECONDS = 2.5  # that a run takes beside fitting and predicting: figures, plots, report
_LATEST = 1.04  # times the budget, when the winner's run is to have ended
_MARGIN = 1.1  # times what the last fit should take
_SLOWEST = 0.2  # of the budget, that a single fit may take once something else is known
_SLOWEST_SECONDS = 10.0  # at least: a process takes some to start
_HOPELESS = 12  # candidates that failed without one that could be judged
_PATIENCE = 0.5  # seconds between two looks at the time and at the memory


@dataclass(frozen=True)
class TuneSettings:
    """What a search is told beside its data: what a run is told, the seconds it has, what counts, what it may cost."""

    run: TrainSettings
    budget: float
    metric: str = "accuracy"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Searched:
    """Where a search is: seconds gone and in all, in words, and whether something better was found."""

    seconds: float
    budget: float
    words: str
    better: bool


@dataclass(frozen=True)
class _Asked:
    """A search to begin or to go on with."""

    target: Path
    data: Any
    settings: TuneSettings
    command: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return self.target.with_name(self.target.name + SUFFIX)


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
        settings: the time it has, what counts, and what a run is told.
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
    asked = _Asked(_free(RUNS / name) if out is None else Path(os.path.normpath(out)), data, settings, tuple(command))
    if out is None:
        check_parent(asked.target)
    else:
        check_target(asked.target)
    _begin(asked)
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
    asked, fingerprint = _read_asked(run)
    reading = _read(asked.data, asked.settings, log)
    if reading.dataset.fingerprint != fingerprint:
        raise InputError(f"`{asked.data}` has changed since `{asked.target}` was begun: begin anew.")
    return _tune(asked, reading, started, log, progress, searching, warn)


def _read(data: Any, settings: TuneSettings, log: Log) -> Reading:
    if settings.run.folds is not None:
        raise InputError("`--folds` measures one recipe; a search holds rows out by itself.")
    check_trackers(settings.run.track)
    return read_for_run(data, load_recipe("fast"), settings.run, log)


def _tune(
    asked: _Asked,
    reading: Reading,
    started: float,
    log: Log,
    progress: Progress,
    searching: Callable[[Searched], None],
    warn: Log,
) -> Run:
    settings = asked.settings
    metric = metric_named(settings.metric)
    with _held(asked, reading.dataset.fingerprint):
        folder = asked.folder / _MATERIAL
        if not (folder / "whole").exists():
            network = replace(reading, recipe=load_recipe("embedding-average"))
            save_material(folder, reading.dataset, word_index_of(network))
            (folder / "whole").touch()
        material = read_material(folder)
        if not can_be_judged(material):
            raise InputError(
                f"`{reading.dataset.name}` has too few rows of their own to choose among recipes: "
                "`tagline train` takes its default."
            )
        parts = Parts(material, settings.run.seed)
        shape = Shape.of(material)
        study = Study(asked.folder, metric, settings.limits, shape, families(shape), parts.first, settings.run.seed)
        started -= study.spent
        clock = _Clock(started, settings.budget, reading, material)
        log(f"searching for {settings.budget:,.0f} s")
        judging = Judging(folder, metric.name, settings.run.seed)
        stopped = False
        with Workers(cores(), prepare, judging) as workers:
            try:
                _search(study, workers, parts, clock, searching)
            except KeyboardInterrupt:
                stopped = True
        study.give_up_running(clock.spent)
        order = clock.winners(study)
        if not order:
            if stopped:
                raise KeyboardInterrupt
            raise _nothing_found(study, settings)
        winner = order[0]
        log(("stopped; " if stopped else "") + f"learning the best of {_n_judged(study):,} from all rows")
        found = _found(study, order, parts, settings, clock.spent, material.encodings, stopped=stopped)
        recipe = winner.recipe
        final = replace(reading, recipe=recipe, settings=replace(settings.run, recipe=RECIPE))
        run = run_read(
            final, asked.target, None, asked.command, time.perf_counter() - clock.spent, log, progress, found, warn
        )
    shutil.rmtree(asked.folder, ignore_errors=True)
    return run


class _Clock:
    """How the time is spent: when to stop, so that the winner's run ends in time, and who may still win."""

    def __init__(self, started: float, budget: float, reading: Reading, material: Material) -> None:
        self._started, self.budget = started, budget
        n_test = 0 if reading.dataset.test is None else len(reading.dataset.test)
        self._share_of_test = n_test / len(material.texts)
        self._cheap = is_cheap(material.texts, material.Y.shape[1])
        self._counting: dict[str, float] = {}

    @property
    def spent(self) -> float:
        """The seconds gone."""
        return time.monotonic() - self._started

    def saw(self, candidate: Candidate) -> None:
        """Note how long features took the first time: later they are read, but those of test rows are made anew."""
        key = _features(candidate)
        longest = max(part.seconds["features"] for part in candidate.parts.values())
        self._counting[key] = max(longest, self._counting.get(key, 0.0))

    def last_run(self, candidate: Candidate) -> float:
        """Return how long the winner's run should take, if it is this one."""
        features = self._counting.get(_features(candidate), 0.0)
        n_fits = 2.4 if candidate.recipe.training is not None or not self._cheap else N_FOLDS + 1.25
        return _RUN_SECONDS + _MARGIN * (features * self._share_of_test + n_fits * candidate.seconds("fit"))

    def left(self, best: Candidate | None) -> float:
        """Return how many seconds are left before the winner's run has to begin."""
        return self.budget - self.spent - (_RUN_SECONDS if best is None else self.last_run(best))

    def winners(self, study: Study) -> list[Candidate]:
        """Return those that may win, the best first: whose run ends in time; where none does, the quickest alone."""
        order = study.order
        in_time = [c for c in order if self.spent + self.last_run(c) <= _LATEST * self.budget]
        return in_time or sorted(order, key=self.last_run)[:1]


def _features(candidate: Candidate) -> str:
    return json.dumps(candidate.tables["features"], sort_keys=True)


def _search(study: Study, workers: Workers, parts: Parts, clock: _Clock, searching: Callable[[Searched], None]) -> None:
    """Try recipes until it is time for the final, and judge the best on further parts until the time is over."""
    begun = clock.spent
    shown = 0
    while True:
        winners = clock.winners(study)
        best = next(iter(winners), None)
        left = clock.left(best)
        share = left / (clock.spent - begun + max(left, 1e-9))
        hopeless = not _n_judged(study) and len(study.candidates) > _HOPELESS
        if hopeless or left <= 0 or (share < _FINAL_SHARE and parts.more and len(_close(study, winners)) > 1):
            break
        while workers.free:
            candidate = study.ask()
            workers.give(Task(candidate.number, candidate.tables, tuple(range(study.n_first)), measured=True))
        for told in workers.listen(min(_PATIENCE, left)):
            _take(study, workers, told, clock)
        shown = _show(study, best, clock, searching, shown)
        _watch(study, workers, clock)
    _final(study, workers, parts, clock, searching)


def _take(study: Study, workers: Workers, told: Told, clock: _Clock) -> None:
    """Take what a process told of a candidate."""
    candidate = study.candidates[told.task.number]
    if told.kind == "part":
        on = study.heard(candidate, told.value, clock.spent)
        clock.saw(candidate)
        if len(candidate.parts) > 1:  # with the first part come imports and counting
            study.n_first = min(study.n_first, _n_parts(study, clock))
        workers.go_on(told.task, on)
    elif told.kind == "failed":
        study.failed(candidate, told.value, clock.spent)


def _n_parts(study: Study, clock: _Clock) -> int:
    """Return on how many parts to judge candidates, by how long the fit of a usual one takes."""
    usual = median([c.seconds("fit") for c in study.candidates.values() if c.parts])
    return max(1, int(clock.budget * cores() / (usual + 0.1) / _LEAST_TRIED))


def _final(study: Study, workers: Workers, parts: Parts, clock: _Clock, searching: Callable[[Searched], None]) -> None:
    """Judge the best candidates on further parts, as long as there is time, all on the same ones."""
    finalists = _close(study, clock.winners(study))
    if not parts.more or len(finalists) < 2:
        return
    slowest = max(finalists, key=clock.last_run)
    for pid in workers.tasks:  # what is still running has no time to come first
        workers.stop(pid)
    study.give_up_running(clock.spent)
    number = study.n_first  # some may have been judged on it before parts became fewer
    while clock.left(slowest) > 0:
        tasks = [Task(c.number, c.tables, (number,), measured=False) for c in finalists]
        heard: dict[int, Part] = {}
        while len(heard) < len(finalists):
            while tasks and workers.free:
                workers.give(tasks.pop(0))
            for told in workers.listen(max(0.0, min(_PATIENCE, clock.left(slowest)))):
                if told.kind == "part":
                    heard[told.task.number] = told.value
                    workers.go_on(told.task, False)
                elif told.kind == "failed":
                    return
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


def _show(
    study: Study, best: Candidate | None, clock: _Clock, searching: Callable[[Searched], None], shown: int
) -> int:
    """Tell how far the search is; return the number of the best candidate plus one."""
    now = 0 if best is None else best.number + 1
    words = f"{_n_judged(study):,} tried"
    if best is not None:
        words += f", best {study.metric.name} {_figure(study.metric, best.score(study.metric))} ({best.family})"
    searching(Searched(clock.spent, clock.budget, words, better=now != shown))
    return now


def _n_judged(study: Study) -> int:
    return sum(bool(c.parts) for c in study.candidates.values())


def _figure(metric: Metric, score: float) -> str:
    return f"{metric.shown(score):.4f}"


def _watch(study: Study, workers: Workers, clock: _Clock) -> None:
    """Stop a fit that takes more memory than is allowed, or so long that little else could be tried."""
    for pid, (task, seconds) in workers.tasks.items():
        sentence = ""
        most = max(_SLOWEST * clock.budget, _SLOWEST_SECONDS)
        if seconds > most and _n_judged(study):
            sentence = f"A fit took more than {most:,.0f} s, too long for this search."
        elif study.limits.memory_mb is not None and (used := _memory_mb(pid)) > study.limits.memory_mb:
            sentence = f"It took {used:,.0f} MB of memory, more than the {study.limits.memory_mb:,.0f} allowed."
        if sentence:
            workers.stop(pid)
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
        f"{settings.budget:,.0f} s are too short to judge one recipe on this data: raise `--budget`, "
        "or take `tagline train`."
    )


def _found(
    study: Study,
    order: list[Candidate],
    parts: Parts,
    settings: TuneSettings,
    spent: float,
    encodings: Encodings,
    *,
    stopped: bool,
) -> Found:
    """Return what the run says of the search, the leaderboard and the winner's recipe as a file."""
    metric, winner = study.metric, order[0]
    first = range(study.n_first)
    corrected = corrected_score([c.rows(first) for c in order], metric, settings.run.seed)
    low, high = sorted(metric.shown(value) for value in (corrected.low, corrected.high))
    states = [c.state for c in study.candidates.values()]
    about = {
        "metric": metric.name,
        "budget_seconds": settings.budget,
        "seconds": round(spent, 1),
        "stopped": stopped,
        "limits": {name: value for name, value in asdict(settings.limits).items() if value is not None},
        "families": study.families,
        "tried": {"whole": states.count("whole"), "dropped": states.count("dropped"), "failed": states.count("failed")},
        "judged_on": {"rows": len(winner.rows(first)), "parts": len(first), "how": _how(parts, len(first))},
        "final_parts": len(winner.parts) - len(first) if winner.finalist else 0,
        "larger_is_better": metric.sign > 0,
        "chosen": metric.shown(corrected.chosen),
        "corrected": metric.shown(corrected.value),
        "corrected_ci95": [low, high],
        "best": [_row(c, metric, place) for place, c in enumerate(order[:10], 1)],
        "course": [
            {
                "seconds": round(c.at, 1),
                "value": round(metric.shown(c.score(metric, [p for p in first if p in c.parts])), 5),
                "family": c.family,
                "whole": c.state == "whole",
            }
            for c in study.candidates.values()
            if 0 in c.parts
        ],
    }
    comment = (
        f"tagline train DATA --recipe {RECIPE}\n"
        f"Found by `tagline tune` in {spent:,.0f} s among {_n_judged(study):,} recipes; "
        f"{metric.name} on rows held out: {_corrected_words(corrected, metric)}."
    )
    files = {
        RECIPE: format_recipe(winner.recipe, comment),
        LEADERBOARD: _leaderboard(study, order),
    }
    return Found(about, files, encodings)


def _corrected_words(corrected: Corrected, metric: Metric) -> str:
    low, high = sorted(metric.shown(value) for value in (corrected.low, corrected.high))
    return f"{metric.shown(corrected.value):.4f} ({low:.4f} to {high:.4f}), corrected for the choice"


def _how(parts: Parts, n: int) -> str:
    if not parts.more:
        return "the validation rows"
    if n < parts.first:
        return f"{n} of {parts.first} parts of the rows, each held out once"
    return f"all rows in {n} parts, each held out once"


def _leaderboard(study: Study, order: list[Candidate]) -> str:
    """Return all candidates as CSV, the best first, then those that fell behind, failed or were too costly."""
    others = [c for c in study.candidates.values() if c not in order]
    others.sort(key=lambda c: (not c.parts, -c.score(study.metric) if c.parts else 0.0, c.number))
    rows = [_row(c, study.metric, place) for place, c in enumerate(order, 1)]
    rows += [_row(c, study.metric, None) for c in others]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _row(candidate: Candidate, metric: Metric, place: int | None) -> dict[str, Any]:
    cost = candidate.cost
    settings = [
        f"{section}.{key}={json.dumps(value)}"
        for section in ("features", "model", "training")
        for key, value in candidate.tables.get(section, {}).items()
    ]
    state = "too slow or over the limits" if candidate.state == "whole" and place is None else candidate.state
    return {
        "place": place,
        "trial": candidate.number,
        "family": candidate.family,
        "state": "judged" if state == "whole" else state,
        metric.name: round(metric.shown(candidate.score(metric)), 5) if candidate.parts else None,
        "parts": len(candidate.parts),
        "fit_seconds": round(candidate.seconds("fit"), 3) if candidate.parts else None,
        "size_mb": None if cost is None else round(cost.size_mb, 3),
        "latency_ms": None if cost is None else round(cost.latency_ms, 3),
        "settings": " ".join(settings),
        "error": candidate.error,
    }


def _free(target: Path) -> Path:
    """Return a place that neither a run nor a search has taken."""
    number, place = 1, target
    while place.exists() or place.with_name(place.name + SUFFIX).exists():
        number += 1
        place = target.with_name(f"{target.name}-{number}")
    return place


def _begin(asked: _Asked) -> None:
    try:
        asked.folder.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"`{asked.target}` is unfinished: `tagline tune --resume {asked.target}` goes on with it; "
            f"to begin anew, remove `{asked.folder}`."
        ) from None


@contextmanager
def _held(asked: _Asked, fingerprint: str) -> Iterator[None]:
    """Keep the folder of a search to this process; it stays where the search can be gone on with."""
    held = lock(asked.folder)
    try:
        if not (asked.folder / _ASKED).exists():
            _write_asked(asked, fingerprint)
        yield
    except InputError:
        shutil.rmtree(asked.folder, ignore_errors=True)
        if asked.target.parent == RUNS:
            with suppress(OSError):  # others may have runs there
                RUNS.rmdir()
        raise
    except BaseException:
        if not can_be_kept(asked.data, (asked.settings.run.test, asked.settings.run.validation)):
            shutil.rmtree(asked.folder, ignore_errors=True)
        raise
    finally:
        if held is not None:
            os.close(held)


def _write_asked(asked: _Asked, fingerprint: str) -> None:
    run = asked.settings.run
    paths = {"test": absolute(run.test), "validation": absolute(run.validation)}
    content = {
        "format": _FORMAT,
        "data": absolute(asked.data),
        "settings": asdict(replace(asked.settings, run=replace(run, **paths))),
        "command": list(asked.command),
        "fingerprint": fingerprint,
        "versions": versions(),
    }
    partial = asked.folder / f"{_ASKED}.part"
    partial.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    partial.replace(asked.folder / _ASKED)


def _read_asked(run: str | Path) -> tuple[_Asked, str]:
    place = Path(run).resolve()
    target = place.with_name(place.name.removesuffix(SUFFIX))
    path = target.with_name(target.name + SUFFIX) / _ASKED
    again = f"remove `{path.parent}` and begin anew"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            raise InputError(f"`{path}` was written by another tagline: {again}.")
        settings = content["settings"]
        told: dict[str, Any] = settings["run"]
        told |= {name: tuple(told[name]) for name in ("settings", "text", "track")}
        asked = _Asked(
            target,
            content["data"],
            TuneSettings(TrainSettings(**told), settings["budget"], settings["metric"], Limits(**settings["limits"])),
            tuple(content["command"]),
        )
        begun, fingerprint = content["versions"], content["fingerprint"]
    except FileNotFoundError:
        what = "is finished" if (target / "run.json").exists() else "is not a search that was begun"
        raise InputError(f"`{run}` {what}: there is nothing to go on with.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"`{path}` cannot be read ({type(error).__name__}: {error}): {again}.") from None
    other = [name for name, version in versions().items() if begun.get(name) != version]
    if other:
        raise InputError(
            f"`{target}` was begun with {other[0]} {begun.get(other[0])}, and here is {versions()[other[0]]}: {again}."
        )
    return asked, fingerprint
