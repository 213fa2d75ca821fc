"""Do probabilities mean what they say: calibration error, reliability, and what mends it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.metrics.counts import MANY_CLASSES, Floats, Ints

_MAX_STEPS = 60
_TEMPERATURES = (0.01, 100.0)


@dataclass(frozen=True)
class Reliability:
    """What was promised and what came true, in bins of equal width; empty bins hold 0.

    Attributes:
        edges: ``(n_bins + 1,)`` from 0 to 1.
        confidence: Mean probability in each bin, ``(n_bins,)``.
        accuracy: Share that came true in each bin, ``(n_bins,)``.
        count: Rows in each bin, ``(n_bins,)``.

    """

    edges: Floats
    confidence: Floats
    accuracy: Floats
    count: Ints


def bin_index(probability: Floats, n_bins: int) -> Ints:
    """Return which of ``n_bins`` equal bins ``(low, high]`` holds each probability; 0 is in the first."""
    return np.clip(np.ceil(probability * n_bins).astype(np.int64) - 1, 0, n_bins - 1)


def top_label(y_true: Ints, proba: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the confidence in the most probable class, ``(n,)``, and whether it was right, ``(n,)``."""
    best = proba.argmax(1)
    return proba[np.arange(len(proba)), best], best == y_true


def reliability_curve(probability: Floats, outcome: NDArray[Any], n_bins: int = 15) -> Reliability:
    """Bin probabilities, ``(n,)``, of events that came true or did not, ``(n,)`` booleans."""
    index = bin_index(probability, n_bins)
    count = np.bincount(index, minlength=n_bins)
    filled = np.maximum(count, 1)
    confidence = np.bincount(index, weights=probability, minlength=n_bins) / filled
    accuracy = np.bincount(index, weights=outcome.astype(float), minlength=n_bins) / filled
    return Reliability(np.linspace(0, 1, n_bins + 1), confidence, accuracy, count)


def expected_calibration_error(y_true: ArrayLike, proba: ArrayLike, n_bins: int = 15) -> float:
    """Return how far confidence is from the share that comes true, on average over rows: 0 is perfect.

    ECE = Σ_b (n_b / n) |accuracy_b - confidence_b|, over bins of equal width of the confidence in the most
    probable class (two classes are treated like many). For multi-label data, the mean over labels of the same
    with the label's probability as the confidence and its presence as the outcome.
    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, On Calibration of Modern Neural Networks (ICML 2017).

    Args:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        proba: Probabilities ``(n, n_classes)``.
        n_bins: Bins between 0 and 1.

    >>> expected_calibration_error([0, 0, 0, 1], [[0.75, 0.25]] * 4)
    0.0

    """
    truth, p = np.asarray(y_true), np.asarray(proba, float)
    if truth.ndim == 1:
        return float(np.abs(calibration_gaps(truth, p, n_bins).totals()).sum() / len(truth))
    total = 0.0
    for start in range(0, p.shape[1], MANY_CLASSES):
        columns = slice(start, start + MANY_CLASSES)
        total += float(np.abs(calibration_gaps(truth[:, columns], p[:, columns], n_bins).totals()).sum())
    return total / truth.size


@dataclass(frozen=True)
class Gaps:
    """Outcome minus confidence of each row, and the bin it falls into; one column per label."""

    value: Floats  # (n, d)
    index: Ints  # (n, d), numbered on from column to column
    n_bins: int

    def totals(self) -> Floats:
        """Sum over the rows of each bin, ``(n_bins * d,)``."""
        size = self.n_bins * self.value.shape[1]
        return np.asarray(np.bincount(self.index.ravel(), self.value.ravel(), size), float)

    def columns(self) -> NDArray[np.float32]:
        """Spread the gaps over the bins that hold any, ``(n, n_filled)``: each in the column of its bin."""
        filled, position = np.unique(self.index, return_inverse=True)
        spread = np.zeros((len(self.value), len(filled)), np.float32)
        rows = np.repeat(np.arange(len(self.value)), self.value.shape[1])
        spread[rows, position.ravel()] = self.value.ravel()
        return spread


def calibration_gaps(y_true: NDArray[Any], proba: Floats, n_bins: int = 15) -> Gaps:
    """Return the gaps whose bin totals the calibration error adds up: one column, or one per label."""
    if y_true.ndim == 2:
        confidence, outcome = proba, y_true.astype(bool)
    else:
        top, right = top_label(y_true, proba)
        confidence, outcome = top[:, None], right[:, None]
    index = bin_index(confidence, n_bins) + n_bins * np.arange(confidence.shape[1])
    return Gaps(outcome - confidence, index, n_bins)


def fit_temperature(logits: ArrayLike, y_true: ArrayLike, task: str) -> float:
    """Return the temperature T, between 0.01 and 100, that minimises the log loss of ``softmax(logits / T)``.

    In β = 1/T the loss is convex, with derivative mean(E_p[z] - z_y) and second derivative mean(Var_p[z]);
    Newton's method finds its root, halving a bracket where a step would leave it. As Platt (1999) does, each
    row's truth is given a target of (n + 1)/(n + 2) in place of 1, the rest shared by the other classes: rows
    without a mistake would otherwise ask for certainty.

    Args:
        logits: ``(n, n_classes)``; for two classes also margins ``(n,)`` for class 1; multi-label:
            independent margins ``(n, n_classes)``.
        y_true: Class indices ``(n,)``, or booleans ``(n, n_classes)`` for multi-label data.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.

    """
    z, y = np.asarray(logits, float), np.asarray(y_true)
    if task == "multilabel" or z.ndim == 1:
        margin = z.ravel()
        z, y = np.stack([np.zeros_like(margin), margin], 1), y.ravel().astype(np.int64)
    if len(z) == 0:
        return 1.0
    z = z - z.max(1, keepdims=True)  # (n, n_classes); the largest is 0, so that exp never overflows
    z_true = z[np.arange(len(z)), y]
    others = (z.sum(1) - z_true) / (z.shape[1] - 1)
    z_true = z_true + (others - z_true) / (len(z) + 2)
    low, high = 1 / _TEMPERATURES[1], 1 / _TEMPERATURES[0]
    beta = 1.0
    for _ in range(_MAX_STEPS):
        p = np.exp(beta * z)
        p /= p.sum(1, keepdims=True)
        expected = (p * z).sum(1)
        slope = float((expected - z_true).mean())
        curvature = float(((p * z * z).sum(1) - expected**2).mean())
        if slope > 0:
            high = beta
        else:
            low = beta
        newton = beta - slope / curvature if curvature > 0 else np.inf
        step = newton if low < newton < high else (low * high) ** 0.5
        if abs(step - beta) <= 1e-9 * beta:
            break
        beta = step
    return float(1 / beta)
