"""The candidates of a search: their results on held-out folds, pruning and ranking."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np

from tagline.experiments.tune.objective import Metric, Rows
from tagline.experiments.tune.scoring import Cost, FoldResult
from tagline.recipes import Recipe, make_recipe

_SAMPLES = 40  # bootstrap samples for the noise of a metric that is not a mean over rows
_SAMPLE_ROWS = 2_000  # at most, per sample


FINAL_STATES = ("whole", "dropped", "failed")  # of candidates that were not stopped with the search


@dataclass(frozen=True)
class Limits:
    """Limits of a model: size on disk in MB, latency per text in ms; and memory of a fit in MB."""

    size_mb: float | None = None
    latency_ms: float | None = None
    memory_mb: float | None = None

    def allow(self, cost: Cost | None) -> bool:
        """Return whether a model is within the limits; an unknown cost is not, if there are limits."""
        if cost is None:
            return self.size_mb is None and self.latency_ms is None
        return self.excess(cost) <= 0

    def excess(self, cost: Cost) -> float:
        """Return the largest relative excess over a limit, 0 within the limits."""
        over = [0.0]
        if self.size_mb is not None:
            over.append(cost.size_mb / self.size_mb - 1)
        if self.latency_ms is not None:
            over.append(cost.latency_ms / self.latency_ms - 1)
        return max(over)


@dataclass(eq=False)
class Candidate:
    """A recipe and its results by fold.

    ``state``: ``"running"``; ``"whole"``, evaluated on all first folds; ``"dropped"``, pruned; ``"failed"``;
    ``"stopped"`` with the search. ``at``: the elapsed seconds of the search when the state was reached.
    """

    number: int
    tables: dict[str, Any]
    state: str = "running"
    results: dict[int, FoldResult] = field(default_factory=dict)
    cost: Cost | None = None
    error: str = ""
    at: float = 0.0
    finalist: bool = False
    _scores: dict[tuple[int, ...], float] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """The validated recipe."""
        return make_recipe(self.tables, f"trial {self.number}")

    @property
    def family(self) -> str:
        """The family of the recipe."""
        return str(self.tables["recipe"]["name"]).removeprefix("tuned-")

    def rows(self, folds: Sequence[int]) -> Rows:
        """Return what the metric keeps of the rows of some folds, (n, …)."""
        return np.concatenate([self.results[fold].rows for fold in folds])

    def score(self, metric: Metric, folds: Sequence[int] | None = None) -> float:
        """Return the score on the rows of some folds, by default of all evaluated ones."""
        named = tuple(sorted(self.results) if folds is None else folds)
        if named not in self._scores:
            self._scores[named] = metric.score(self.rows(named))
        return self._scores[named]

    def drop_rows(self, metric: Metric) -> None:
        """Keep only the score on all folds: the candidate will not be compared again."""
        if self.results:
            self.score(metric)
            self.results = {fold: replace(result, rows=result.rows[:0]) for fold, result in self.results.items()}

    def seconds(self, stage: str) -> float:
        """Return the median duration of a stage of a fit."""
        return median(result.seconds[stage] for result in self.results.values())


def should_prune(candidate: Candidate, best: Candidate, metric: Metric, patience: float = 1.0) -> bool:
    """Return whether a candidate is worse than the best, on their common folds, by more than noise.

    Noise is ``patience`` times the standard error of the paired difference over rows.
    """
    folds = sorted(candidate.results.keys() & best.results.keys())
    if not folds:
        return False
    own, other = candidate.rows(folds), best.rows(folds)
    if metric.single:
        difference = (own - other).astype(np.float64)
        return bool(difference.mean() < -patience * difference.std() / np.sqrt(len(difference)) - 1e-12)
    drawn = np.random.default_rng(0).integers(len(own), size=(_SAMPLES, min(_SAMPLE_ROWS, len(own))))
    differences = np.array([metric.score(own[rows]) - metric.score(other[rows]) for rows in drawn])
    noise = float(differences.std()) * np.sqrt(drawn.shape[1] / len(own))
    return bool(metric.score(own) - metric.score(other) < -patience * noise - 1e-12)


def ranked(candidates: Sequence[Candidate], metric: Metric, limits: Limits, n_folds: int) -> list[Candidate]:
    """Return the complete candidates within the limits, the best first.

    The first ``n_folds`` folds count. Finalists, which were evaluated on more folds, come before the others, ordered
    by all folds that they have in common.
    """
    first = range(n_folds)
    whole = [c for c in candidates if c.state == "whole" and limits.allow(c.cost)]
    by_first = sorted(whole, key=lambda c: (-c.score(metric, first), c.number))
    finalists = [c for c in by_first if c.finalist]
    if not finalists:
        return by_first
    shared = sorted(set.intersection(*(set(c.results) for c in finalists)))
    finalists.sort(key=lambda c: (-c.score(metric, shared), c.number))
    return finalists + [c for c in by_first if not c.finalist]
