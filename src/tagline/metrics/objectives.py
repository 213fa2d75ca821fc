"""Metrics as objectives of a search: what is kept of each held-out row, so that any rows can be scored later."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.metrics.counts import Counts
from tagline.metrics.losses import RowLosses
from tagline.metrics.ranking import Ranking, rank
from tagline.task import Bools, Floats, Task

Rows = NDArray[Any]  # (n, …)

_SMALLEST = float(np.finfo(np.float32).eps)  # a probability of 0 would lose the sign that marks the true class


@dataclass(frozen=True)
class Objective:
    """A metric from what is kept of each row.

    Attributes:
        keep: Class matrix, probabilities, decisions, ``(n, n_classes)`` each, and task to what is kept, ``(n, …)``.
        score: What was kept of some rows to the metric on these rows.
        is_mean: Whether ``keep`` gives one number a row, and the score is their mean.

    """

    keep: Callable[[Bools, Floats, Bools, Task], Rows]
    score: Callable[[Rows], float]
    is_mean: bool = False


def mean_of_losses(losses: RowLosses) -> Objective:
    """Return the mean of a loss of each row."""

    def keep(Y: Bools, proba: Floats, decided: Bools, task: Task) -> Rows:
        return losses(task.truth(Y), proba, task).astype(np.float32)

    return Objective(keep, _mean, is_mean=True)


def exact_match() -> Objective:
    """Return the share of rows that are right; of multi-label data, with their whole set of labels."""

    def keep(Y: Bools, proba: Floats, decided: Bools, task: Task) -> Rows:
        return np.asarray((decided == Y).all(axis=1), dtype=np.float32)

    return Objective(keep, _mean, is_mean=True)


def of_counts(value: Callable[[Counts], Floats]) -> Objective:
    """Return a metric of the counts of each class."""

    def keep(Y: Bools, proba: Floats, decided: Bools, task: Task) -> Rows:
        return np.stack([Y, decided], axis=2)  # (n, n_classes, 2)

    def score(rows: Rows) -> float:
        truth, decided = rows[:, :, 0], rows[:, :, 1]
        tp, predicted, support = (x.sum(axis=0).astype(float) for x in (truth & decided, decided, truth))
        return float(value(Counts.from_totals(tp, predicted, support, float(len(rows)))))

    return Objective(keep, score)


def mean_area(area: Callable[[Ranking], tuple[float, Floats]]) -> Objective:
    """Return the mean over classes of an area under a curve; 0.5 where the rows allow none."""

    def keep(Y: Bools, proba: Floats, decided: Bools, task: Task) -> Rows:
        p = proba.clip(_SMALLEST, 1).astype(np.float32)
        return np.where(Y, p, -p)  # (n, n_classes): negative where the class is not the row's

    def score(rows: Rows) -> float:
        columns = (rows[:, k] for k in range(rows.shape[1]))
        rankings = [rank(column > 0, np.abs(column).astype(np.float64)) for column in columns]
        areas = [area(ranking)[0] for ranking in rankings if ranking is not None]
        return float(np.mean(areas)) if areas else 0.5

    return Objective(keep, score)


def _mean(rows: Rows) -> float:
    return float(rows.mean(dtype=np.float64))
