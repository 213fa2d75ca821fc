"""Objectives of a search: metrics computed from a record of each held-out row, so that rows can be resampled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError, nearest
from tagline.metrics import objectives
from tagline.metrics.objectives import Rows
from tagline.metrics.registry import METRICS as ALL_METRICS
from tagline.task import Task

__all__ = ["METRICS", "Metric", "Rows", "metric_named"]


@dataclass(frozen=True)
class Metric:
    """A metric as the objective of a search: the greater the score, the better.

    ``sign`` times the score is the figure as people know it. ``single``: the score is the mean of one number a row.
    """

    name: str
    objective: objectives.Objective
    sign: int

    @property
    def bounded(self) -> bool:
        """Whether the score is between 0 and 1."""
        return self.sign > 0 and ALL_METRICS[self.name].bounded

    @property
    def single(self) -> bool:
        """Whether the score is a mean over rows, of one number each."""
        return self.objective.is_mean

    def kept(self, Y: NDArray[np.bool_], proba: NDArray[np.float64], decided: NDArray[np.bool_], task: Task) -> Rows:
        """Return what is kept of rows; class matrix, probabilities and decisions are (n, n_classes)."""
        rows = self.objective.keep(Y, proba, decided, task)
        return self.sign * rows if self.single else rows

    def score(self, rows: Rows) -> float:
        """Return the score of rows that were kept."""
        score = self.objective.score(rows)
        return score if self.single else self.sign * score

    def shown(self, score: float) -> float:
        """Return a score as the figure that people know."""
        return self.sign * score


METRICS = {
    name: Metric(name, metric.objective, 1 if metric.larger_is_better else -1)
    for name, metric in ALL_METRICS.items()
    if metric.objective is not None
}


def metric_named(name: str) -> Metric:
    """Return a metric by name; raises `InputError` for one that is not known."""
    if name not in METRICS:
        known = ", ".join(f"`{each}`" for each in METRICS)
        raise InputError(f"`--metric {name}` is not known.{nearest(name, METRICS)} Known ones: {known}.")
    return METRICS[name]
