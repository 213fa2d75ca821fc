"""What a run says of the search that found its recipe: all that was tried, what the choice is worth, and the recipe."""

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from tagline.experiments.tune.candidates import ENDS, Candidate
from tagline.experiments.tune.folder import TuneSettings
from tagline.experiments.tune.objective import Metric
from tagline.experiments.tune.scoring import Parts
from tagline.experiments.tune.selection_bias import corrected_score
from tagline.experiments.tune.study import Study
from tagline.learners.feature_cache import FeatureCache
from tagline.recipes import format_recipe
from tagline.run_folder import LEADERBOARD, RECIPE
from tagline.runs.record import SearchResult


def found_by(
    study: Study,
    order: list[Candidate],
    parts: Parts,
    settings: TuneSettings,
    spent: float,
    feature_cache: FeatureCache,
    *,
    stopped: bool,
) -> SearchResult:
    """Return what the run says of the search, the leaderboard and the winner's recipe as a file."""
    metric, winner = study.metric, order[0]
    first = range(study.n_first)
    scores = [c.score(metric, first) for c in order]
    corrected = corrected_score([c.rows(first) for c in order], scores, metric, settings.run.seed)
    value, *ends = (metric.shown(score) for score in (corrected.value, corrected.low, corrected.high))
    low, high = sorted(ends)
    states = [c.state for c in study.candidates.values()]
    about = {
        "metric": metric.name,
        "budget_seconds": settings.budget,
        "seconds": round(spent, 1),
        "stopped": stopped,
        "limits": {name: value for name, value in asdict(settings.limits).items() if value is not None},
        "families": study.families,
        "tried": {state: states.count(state) for state in ENDS},
        "judged_on": {"rows": len(winner.rows(first)), "parts": len(first), "how": _how(parts, len(first))},
        "final_parts": _final_parts(order, len(first)),
        "larger_is_better": metric.sign > 0,
        "chosen": metric.shown(corrected.chosen),
        "corrected": value,
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
        f"Found by `tagline tune` in {spent:,.0f} s among {study.n_tried:,} recipes; {metric.name} on rows held "
        f"out: {value:.4f} ({low:.4f} to {high:.4f}), corrected for the choice."
    )
    files = {
        RECIPE: format_recipe(winner.recipe, comment),
        LEADERBOARD: _leaderboard(study, order),
    }
    return SearchResult(about, files, feature_cache)


def _final_parts(order: list[Candidate], n_first: int) -> int:
    """Return on how many further parts all that came to a final were judged."""
    finalists = [set(c.parts) for c in order if c.finalist]
    return len(set.intersection(*finalists)) - n_first if finalists else 0


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
