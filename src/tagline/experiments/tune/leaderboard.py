"""The record of a search in its run: leaderboard, corrected score of the winner, and the recipe file."""

import csv
import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from tagline.experiments.shared_data import SharedData
from tagline.experiments.tune.candidates import FINAL_STATES, Candidate
from tagline.experiments.tune.folder import TuneSettings
from tagline.experiments.tune.objective import Metric
from tagline.experiments.tune.scoring import Folds
from tagline.experiments.tune.selection_bias import corrected_score
from tagline.experiments.tune.study import Study
from tagline.metrics.units import Units
from tagline.recipes import format_recipe
from tagline.run_folder import LEADERBOARD, RECIPE
from tagline.runs.writing.record import SearchResult


def search_record(
    study: Study,
    ranking: list[Candidate],
    folds: Folds,
    settings: TuneSettings,
    elapsed: float,
    shared: SharedData,
    *,
    stopped: bool,
) -> SearchResult:
    """Return the record of a search for its run, with the leaderboard and the recipe of the winner as files."""
    metric, winner = study.metric, ranking[0]
    first = range(study.n_folds)
    scores = [c.score(metric, first) for c in ranking]
    units = Units.repeated(np.concatenate([folds.unit(fold) for fold in first]))
    corrected = corrected_score([c.rows(first) for c in ranking], scores, metric, settings.run.seed, units)
    value, *ends = (metric.shown(score) for score in (corrected.value, corrected.low, corrected.high))
    low, high = sorted(ends)
    states = [c.state for c in study.candidates.values()]
    about = {
        "metric": metric.name,
        "budget_seconds": settings.budget,
        "seconds": round(elapsed, 1),
        "stopped": stopped,
        "limits": {name: value for name, value in asdict(settings.limits).items() if value is not None},
        "families": study.families,
        "tried": {state: states.count(state) for state in FINAL_STATES},
        "judged_on": {"rows": len(winner.rows(first)), "parts": len(first), "how": _how(folds, len(first))},
        "final_parts": _final_folds(ranking, len(first)),
        "larger_is_better": metric.sign > 0,
        "chosen": metric.shown(corrected.chosen),
        "corrected": value,
        "corrected_ci95": [low, high],
        "best": [_row(c, metric, place) for place, c in enumerate(ranking[:10], 1)],
        "course": [
            {
                "seconds": round(c.at, 1),
                "value": round(metric.shown(c.score(metric, [fold for fold in first if fold in c.results])), 5),
                "family": c.family,
                "whole": c.state == "whole",
            }
            for c in study.candidates.values()
            if 0 in c.results
        ],
    }
    comment = (
        f"tagline train DATA --recipe {RECIPE}\n"
        f"Found by `tagline tune` in {elapsed:,.0f} s among {study.n_tried:,} recipes; {metric.name} on held-out "
        f"rows: {value:.4f} ({low:.4f} to {high:.4f}), corrected for selection bias."
    )
    files = {
        RECIPE: format_recipe(winner.recipe, comment),
        LEADERBOARD: _leaderboard(study, ranking),
    }
    return SearchResult(about, files, shared.feature_cache)


def _final_folds(ranking: list[Candidate], n_folds: int) -> int:
    """Return the number of further folds that all finalists were evaluated on."""
    finalists = [set(c.results) for c in ranking if c.finalist]
    return len(set.intersection(*finalists)) - n_folds if finalists else 0


def _how(folds: Folds, n: int) -> str:
    if not folds.unlimited:
        return "the validation rows"
    if n < folds.n_first:
        return f"{n} of {folds.n_first} folds"
    if folds.validation_first:
        return f"the validation rows and {n - 1} folds of the training rows"
    return f"{n} folds of the training rows"


def _leaderboard(study: Study, ranking: list[Candidate]) -> str:
    """Return all candidates as CSV, the best first, then pruned, failed and too costly ones."""
    others = [c for c in study.candidates.values() if c not in ranking]
    others.sort(key=lambda c: (not c.results, -c.score(study.metric) if c.results else 0.0, c.number))
    rows = [_row(c, study.metric, place) for place, c in enumerate(ranking, 1)]
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
        "state": "evaluated" if state == "whole" else state,
        metric.name: round(metric.shown(candidate.score(metric)), 5) if candidate.results else None,
        "folds": len(candidate.results),
        "fit_seconds": round(candidate.seconds("fit"), 3) if candidate.results else None,
        "size_mb": None if cost is None else round(cost.size_mb, 3),
        "latency_ms": None if cost is None else round(cost.latency_ms, 3),
        "settings": " ".join(settings),
        "error": candidate.error,
    }
