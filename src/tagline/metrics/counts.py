"""Counts of right and wrong predictions, and the metrics that follow from them: precision, recall, F1, MCC.

Everything here accepts leading axes, so that a thousand bootstrap samples are one call.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tagline.task import Bools, Floats, Ints

MANY_CLASSES = 500  # above, nothing is kept or drawn for each pair of classes, nor intervals for each class


@dataclass(frozen=True)
class Counts:
    """One class against the rest, for each class: arrays of shape ``(..., n_classes)``."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    @classmethod
    def from_totals(cls, tp: Floats, predicted: Floats, support: Floats, n: Floats | float) -> "Counts":
        """Build from true positives, rows predicted as the class, rows of the class, and all rows."""
        fp, fn = predicted - tp, support - tp
        return cls(tp, fp, fn, n - tp - fp - fn)

    @property
    def support(self) -> Floats:
        """Rows whose true label is the class."""
        return self.tp + self.fn

    @property
    def seen(self) -> Bools:
        """Whether the class occurs in the truth or in the predictions."""
        return (self.tp + self.fp + self.fn) > 0

    @cached_property
    def precision(self) -> Floats:
        """Return tp / (tp + fp)."""
        return ratio(self.tp, self.tp + self.fp)

    @cached_property
    def recall(self) -> Floats:
        """Return tp / (tp + fn)."""
        return ratio(self.tp, self.tp + self.fn)

    @cached_property
    def f1(self) -> Floats:
        """Return 2 tp / (2 tp + fp + fn), the harmonic mean of precision and recall."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @cached_property
    def specificity(self) -> Floats:
        """Return tn / (tn + fp)."""
        return ratio(self.tn, self.tn + self.fp)

    @cached_property
    def false_positive_rate(self) -> Floats:
        """Return fp / (tn + fp)."""
        return ratio(self.fp, self.tn + self.fp)

    @cached_property
    def pooled(self) -> "Counts":
        """Return the counts of all classes together, ``(...)``: those of micro averages."""
        return Counts(self.tp.sum(-1), self.fp.sum(-1), self.fn.sum(-1), self.tn.sum(-1))


def confusion_matrix(y_true: Ints, y_pred: Ints, n_classes: int) -> Ints:
    """Count truth in rows against prediction in columns, ``(n_classes, n_classes)``.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def confusion_cells(y_true: Ints, y_pred: Ints, n_classes: int) -> tuple[tuple[Ints, Ints, Ints], Ints]:
    """Return the cells of the confusion matrix that are not 0, in its order, and the cell of each row, ``(n,)``.

    The cells are their truth, prediction and count, ``(n_cells,)`` each.
    """
    cells, of_rows, counts = np.unique(y_true * n_classes + y_pred, return_inverse=True, return_counts=True)
    return (cells // n_classes, cells % n_classes, counts), of_rows


def ratio(numerator: Any, denominator: Any) -> Floats:
    """Divide, with 0 where the denominator is 0 (scikit-learn's ``zero_division=0``)."""
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
    quotient: Floats = np.zeros(np.broadcast(top, bottom).shape)
    np.divide(top, bottom, out=quotient, where=bottom != 0)
    return quotient


def macro_average(per_class: Floats, included: Bools) -> Floats:
    """Return the mean over the ``included`` classes, both ``(..., n_classes)``, of shape ``(...)``."""
    return ratio((per_class * included).sum(-1), included.sum(-1))


def weighted_average(per_class: Floats, support: Floats) -> Floats:
    """Return the mean over classes weighted by their support, both ``(..., n_classes)``, of shape ``(...)``."""
    return ratio((per_class * support).sum(-1), support.sum(-1))


def included_classes(sample: Counts, rows: Counts) -> Bools:
    """Return which classes enter macro averages of bootstrap samples of ``rows``, ``(..., n_classes)``.

    A rare class that a sample happens not to draw is unknown there, not a class with a recall of 0: averages of that
    sample leave it out.
    """
    return np.asarray(sample.seen & ((sample.support > 0) | (rows.support == 0)))


def matthews(counts: Counts) -> Floats:
    """Return the multi-class Matthews correlation coefficient R_K, of shape ``(...)``.

    R_K = (c s - Σ p_k t_k) / sqrt((s² - Σ p_k²) (s² - Σ t_k²)), with c rows right, s rows,
    p_k rows predicted as k and t_k rows of k; 0 where the denominator is 0.
    Source: J. Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient,
    Computational Biology and Chemistry 28 (2004).
    """
    t, p = counts.support, counts.tp + counts.fp
    c, s = counts.tp.sum(-1), t.sum(-1)
    covariance = c * s - (p * t).sum(-1)
    return ratio(covariance, np.sqrt((s**2 - (p**2).sum(-1)) * (s**2 - (t**2).sum(-1))))


def matthews_per_class(counts: Counts) -> Floats:
    """Return the two-class Matthews coefficient of each class against the rest, ``(..., n_classes)``.

    MCC = (tp tn - fp fn) / sqrt((tp + fp) (tp + fn) (tn + fp) (tn + fn))
    """
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    # With shares instead of counts, rounding can make a product that should be 0 negative.
    product = np.maximum((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn), 0)
    return ratio(tp * tn - fp * fn, np.sqrt(product))
