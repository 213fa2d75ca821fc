"""Figures that follow from counts of right and wrong predictions: precision, recall, F1, MCC and their kin.

Everything here accepts leading axes, so that a thousand bootstrap samples are one call.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

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
        """Rows whose truth is the class."""
        return self.tp + self.fn

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Whether the class stands in the truth or in the predictions at all."""
        return (self.tp + self.fp + self.fn) > 0


def confusion_matrix(y_true: Ints, y_pred: Ints, n_classes: int) -> Ints:
    """Count truth in rows against prediction in columns, ``(n_classes, n_classes)``.

    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    cells = np.bincount(y_true * n_classes + y_pred, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes)


def confusion_cells(y_true: Ints, y_pred: Ints, n_classes: int) -> tuple[Ints, Ints, Ints]:
    """Return truth, prediction and count of each cell of the confusion matrix that is not 0, in its order."""
    cells, counts = np.unique(y_true * n_classes + y_pred, return_counts=True)
    return cells // n_classes, cells % n_classes, counts


def ratio(numerator: Any, denominator: Any) -> Floats:
    """Divide, with 0 where the denominator is 0 (scikit-learn's ``zero_division=0``)."""
    top, bottom = np.asarray(numerator, float), np.asarray(denominator, float)
    quotient: Floats = np.zeros(np.broadcast(top, bottom).shape)
    np.divide(top, bottom, out=quotient, where=bottom != 0)
    return quotient


def class_figures(counts: Counts) -> dict[str, Floats]:
    """Return precision, recall, F1, specificity and false positive rate of each class, ``(..., n_classes)``.

    precision = tp / (tp + fp), recall = tp / (tp + fn), F1 = 2 tp / (2 tp + fp + fn),
    specificity = tn / (tn + fp), false positive rate = fp / (tn + fp)
    """
    tp, fp, fn, tn = counts.tp, counts.fp, counts.fn, counts.tn
    return {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "specificity": ratio(tn, tn + fp),
        "false_positive_rate": ratio(fp, tn + fp),
    }


def averaged_figures(counts: Counts, judged: NDArray[np.bool_]) -> dict[str, Floats]:
    """Return macro, weighted and micro precision, recall and F1, each of shape ``(...)``.

    Macro is the mean over the ``judged`` classes, ``(..., n_classes)``; weighted weighs each class by its
    support; micro pools the counts of all classes.
    """
    figures = class_figures(counts)
    averaged = {}
    for name in ("precision", "recall", "f1"):
        averaged[f"macro_{name}"] = ratio((figures[name] * judged).sum(-1), judged.sum(-1))
        averaged[f"weighted_{name}"] = ratio((figures[name] * counts.support).sum(-1), counts.support.sum(-1))
    pooled = Counts(*(part.sum(-1) for part in (counts.tp, counts.fp, counts.fn, counts.tn)))
    micro = class_figures(pooled)
    return averaged | {f"micro_{name}": micro[name] for name in ("precision", "recall", "f1")}


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
    # Of shares instead of counts, a product that should be 0 can come out a rounding error below it.
    product = np.maximum((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn), 0)
    return ratio(tp * tn - fp * fn, np.sqrt(product))
