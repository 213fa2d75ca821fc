"""The recipes that a search has tried: what they are worth on the rows both held out, and which of them is best."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

import numpy as np

from tagline.experiments.tune.objective import Metric, Rows
from tagline.experiments.tune.scoring import Cost, Part
from tagline.recipes import Recipe, make_recipe

_DRAWS = 40  # of rows, to tell the noise of a difference that is no mean over rows
_DRAWN = 2_000  # rows a draw at most


ENDS = ("whole", "dropped", "failed")  # states that a candidate comes to by itself


@dataclass(frozen=True)
class Limits:
    """What the winner may cost: megabytes of its folder, milliseconds a text; megabytes while it learns."""

    size_mb: float | None = None
    latency_ms: float | None = None
    memory_mb: float | None = None

    def allow(self, cost: Cost | None) -> bool:
        """Say whether a model may win; one whose cost is not known may not, where there are limits."""
        if cost is None:
            return self.size_mb is None and self.latency_ms is None
        return self.excess(cost) <= 0

    def excess(self, cost: Cost) -> float:
        """Return by how much, relatively, a model goes beyond them; 0 if it does not."""
        over = [0.0]
        if self.size_mb is not None:
            over.append(cost.size_mb / self.size_mb - 1)
        if self.latency_ms is not None:
            over.append(cost.latency_ms / self.latency_ms - 1)
        return max(over)


@dataclass(eq=False)
class Candidate:
    """A recipe and what is known of it.

    ``state``: ``"running"``; ``"whole"``, all first parts are judged; ``"dropped"``, it fell behind; ``"failed"``;
    ``"stopped"``, the time was over. ``at``: the seconds that the search had taken when this was known.
    """

    number: int
    tables: dict[str, Any]
    state: str = "running"
    parts: dict[int, Part] = field(default_factory=dict)
    cost: Cost | None = None
    error: str = ""
    at: float = 0.0
    finalist: bool = False
    _scores: dict[tuple[int, ...], float] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """Return the recipe, checked."""
        return make_recipe(self.tables, f"trial {self.number}")

    @property
    def family(self) -> str:
        """Return the family that the recipe is of."""
        return str(self.tables["recipe"]["name"]).removeprefix("tuned-")

    def rows(self, parts: Sequence[int]) -> Rows:
        """Return what is kept of the rows of some parts, (n, …)."""
        return np.concatenate([self.parts[part].rows for part in parts])

    def score(self, metric: Metric, parts: Sequence[int] | None = None) -> float:
        """Return the score over the rows of some parts, of all that are judged unless they are named."""
        named = tuple(sorted(self.parts) if parts is None else parts)
        if named not in self._scores:
            self._scores[named] = metric.score(self.rows(named))
        return self._scores[named]

    def forget_rows(self, metric: Metric) -> None:
        """Keep nothing but the score over all parts: of a candidate that will not be compared any more."""
        if self.parts:
            self.score(metric)
            self.parts = {number: replace(part, rows=part.rows[:0]) for number, part in self.parts.items()}

    def seconds(self, stage: str) -> float:
        """Return how long a stage of a fit usually took."""
        return median(part.seconds[stage] for part in self.parts.values())


def falls_behind(candidate: Candidate, best: Candidate, metric: Metric, patience: float = 1.0) -> bool:
    """Say whether a candidate is worse than the best, on the parts both have, by more than the noise of the difference.

    The noise is the standard error of the paired difference over rows; ``patience`` times it is forgiven.
    """
    parts = sorted(candidate.parts.keys() & best.parts.keys())
    if not parts:
        return False
    own, other = candidate.rows(parts), best.rows(parts)
    if metric.single:
        difference = (own - other).astype(np.float64)
        return bool(difference.mean() < -patience * difference.std() / np.sqrt(len(difference)) - 1e-12)
    drawn = np.random.default_rng(0).integers(len(own), size=(_DRAWS, min(_DRAWN, len(own))))
    differences = np.array([metric.score(own[rows]) - metric.score(other[rows]) for rows in drawn])
    noise = float(differences.std()) * np.sqrt(drawn.shape[1] / len(own))
    return bool(metric.score(own) - metric.score(other) < -patience * noise - 1e-12)


def ranked(candidates: Sequence[Candidate], metric: Metric, limits: Limits, n_first: int) -> list[Candidate]:
    """Return those that are judged whole and within the limits, the best first.

    The first ``n_first`` parts count. Those that came to a final, and so were judged on more parts, stand before the
    others, in the order that all their parts give.
    """
    first = range(n_first)
    whole = [c for c in candidates if c.state == "whole" and limits.allow(c.cost)]
    by_first = sorted(whole, key=lambda c: (-c.score(metric, first), c.number))
    finalists = [c for c in by_first if c.finalist]
    if not finalists:
        return by_first
    shared = sorted(set.intersection(*(set(c.parts) for c in finalists)))
    finalists.sort(key=lambda c: (-c.score(metric, shared), c.number))
    return finalists + [c for c in by_first if not c.finalist]
