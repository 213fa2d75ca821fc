"""What a search makes as good as it can, from what is said of single rows, so that rows can be drawn anew."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError, nearest
from tagline.metrics.ranking import rank, roc_auc

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[Any]  # (n, …): what a metric needs to know of each row
_LEAST = float(np.finfo(np.float32).eps)  # the smallest probability that a log loss believes


@dataclass(frozen=True)
class Metric:
    """``score`` of rows is the better the greater it is; ``sign`` times it is the figure that people know.

    ``kept``: truth (n, n_classes), probabilities and decisions of the same shape to what is kept of each row.
    ``single``: the score is a mean over rows, of one number each.
    """

    name: str
    kept: Callable[[Bools, Floats, Bools], Rows]
    score: Callable[[Rows], float]
    single: bool
    sign: int = 1

    def shown(self, score: float) -> float:
        """Return a score as the figure that people know."""
        return self.sign * score


def metric_named(name: str) -> Metric:
    """Return a metric by name; raises `InputError` for one that is not known."""
    if name not in METRICS:
        known = ", ".join(f"`{each}`" for each in METRICS)
        raise InputError(f"`--metric {name}` is not known.{nearest(name, METRICS)} Known ones: {known}.")
    return METRICS[name]


def _right(Y: Bools, proba: Floats, decided: Bools) -> Rows:
    return np.asarray((decided == Y).all(axis=1), dtype=np.float32)


def _minus_loss(Y: Bools, proba: Floats, decided: Bools) -> Rows:
    p = proba.clip(_LEAST, 1 - _LEAST)
    if (Y.sum(axis=1) == 1).all() and np.allclose(proba.sum(axis=1), 1, atol=1e-3):
        return np.asarray(np.log(p[Y]), dtype=np.float32)
    return np.asarray(np.where(Y, np.log(p), np.log1p(-p)).mean(axis=1), dtype=np.float32)


def _mean(rows: Rows) -> float:
    return float(rows.mean(dtype=np.float64))


def _sides(Y: Bools, proba: Floats, decided: Bools) -> Rows:
    return np.stack([Y, decided], axis=2)  # (n, n_classes, 2)


def _macro_f1(rows: Rows) -> float:
    truth, decided = rows[:, :, 0], rows[:, :, 1]
    both = (truth & decided).sum(axis=0)
    either = truth.sum(axis=0) + decided.sum(axis=0)
    judged = either > 0
    return float((2 * both[judged] / either[judged]).mean()) if judged.any() else 0.0


def _ranks(Y: Bools, proba: Floats, decided: Bools) -> Rows:
    p = proba.clip(_LEAST, 1).astype(np.float32)
    return np.where(Y, p, -p)  # (n, n_classes): below 0 where the class is not the text's


def _roc_auc(rows: Rows) -> float:
    areas = []
    for column in range(rows.shape[1]):
        ranking = rank(rows[:, column] > 0, np.abs(rows[:, column]).astype(np.float64))
        if ranking is not None:
            areas.append(roc_auc(ranking)[0])
    return float(np.mean(areas)) if areas else 0.5


METRICS = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _right, _mean, single=True),
        Metric("macro_f1", _sides, _macro_f1, single=False),
        Metric("log_loss", _minus_loss, _mean, single=True, sign=-1),
        Metric("roc_auc", _ranks, _roc_auc, single=False),
    )
}
