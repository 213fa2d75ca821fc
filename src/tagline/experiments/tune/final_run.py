"""The final run of a search: the best recipe on all rows, or the default one where none could be evaluated."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from tagline.errors import InputError
from tagline.experiments.shared_data import SharedData
from tagline.experiments.tune.candidates import Candidate
from tagline.experiments.tune.folder import LastRunError, TuneRequest
from tagline.experiments.tune.leaderboard import search_record
from tagline.experiments.tune.scoring import Folds
from tagline.experiments.tune.study import Study
from tagline.experiments.tune.time_budget import TimeBudget
from tagline.recipes import load_recipe
from tagline.run_folder import RECIPE, check_target
from tagline.runs.reading.data import RunInputs
from tagline.runs.settings import Observer
from tagline.runs.train import Run, fit_and_write
from tagline.runs.writing.record import SearchResult

DEFAULT = "fast"  # the recipe that is trained without a search


@dataclass(frozen=True, eq=False)
class EndedSearch:
    """A search that has ended, by its budget or because it was ``stopped``."""

    study: Study
    folds: Folds
    shared: SharedData
    time_budget: TimeBudget
    stopped: bool


def train_final(request: TuneRequest, inputs: RunInputs, search: EndedSearch, observer: Observer) -> Run:
    """Make the run that a search ends with.

    Raises:
        InputError: no recipe that was evaluated can be used.
        LastRunError: none can be trained on all rows.
        KeyboardInterrupt: the search was stopped before a recipe was evaluated.

    """
    ranking = search.time_budget.feasible(search.study.ranking)
    if ranking:
        stopped = "stopped; " if search.stopped else ""
        observer.log(f"{stopped}training the best of {search.study.n_tried:,} recipes on all rows")
        run = _train_best(request, inputs, search, ranking, observer)
        _warn_of_size(run, request.settings.limits.size_mb, observer)
        return run
    if search.stopped:
        observer.log("stopped before a recipe was evaluated: there is no result to keep")
        raise KeyboardInterrupt
    _check_evaluated(search.study)
    observer.warn(
        f"No recipe could be evaluated within {request.settings.budget:,.0f} s, as workers need time to start: the "
        f"default recipe `{DEFAULT}` is trained. Raise `--budget` for a search."
    )
    settings = replace(request.settings.run, recipe=DEFAULT)
    return _train(request, replace(inputs, recipe=load_recipe(DEFAULT), settings=settings), search, observer)


def _train_best(
    request: TuneRequest, inputs: RunInputs, search: EndedSearch, ranking: list[Candidate], observer: Observer
) -> Run:
    """Train the first candidate of the ranking that can be trained on all rows."""
    settings = replace(request.settings.run, recipe=RECIPE)
    while True:
        record = search_record(
            search.study,
            ranking,
            search.folds,
            request.settings,
            search.time_budget.elapsed,
            search.shared,
            stopped=search.stopped,
        )
        winner = replace(inputs, recipe=ranking[0].recipe, settings=settings)
        try:
            return _train(request, winner, search, observer, record)
        except InputError as error:
            loser, ranking = ranking[0], search.time_budget.feasible(ranking[1:])
            if loser.recipe.training is None or not ranking or not _is_free(request.target):
                raise LastRunError(str(error)) from None
            loser.state, loser.error = "failed", str(error)
            observer.log(f"the best recipe cannot be trained on all rows, using the next: {error}")


def _train(
    request: TuneRequest,
    inputs: RunInputs,
    search: EndedSearch,
    observer: Observer,
    record: SearchResult | None = None,
) -> Run:
    """Fit, measure and write a run, whose time includes that of the search."""
    started = time.perf_counter() - search.time_budget.elapsed
    return fit_and_write(
        inputs, request.target, command=request.command, started=started, observer=observer, search=record
    )


def _warn_of_size(run: Run, limit: float | None, observer: Observer) -> None:
    size = sum(file.stat().st_size for file in run.model.iterdir()) / 1e6
    if limit is not None and size > limit:
        observer.warn(f"The model of all rows takes {size:,.1f} MB, more than its size on the folds suggested.")


def _is_free(target: Path) -> bool:
    """Return whether a run can be written there, whatever has happened during the search."""
    try:
        check_target(target)
    except InputError:
        return False
    return True


def _check_evaluated(study: Study) -> None:
    """Raise `InputError` if recipes were evaluated, of which none can be used."""
    complete = [candidate for candidate in study.candidates.values() if candidate.state == "whole"]
    failed = [candidate for candidate in study.candidates.values() if candidate.state == "failed"]
    if complete:
        raise InputError(f"None of {len(complete):,} recipes is within the limits of size and latency: raise them.")
    if failed:
        raise InputError(f"No recipe could be evaluated; the first error: {failed[0].error}")
