"""Calibration of probabilities: the expected calibration error and reliability curves."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.intervals import Columns, parts_of, width_of_block
from tagline.task import Floats, Ints


@dataclass(frozen=True)
class Reliability:
    """Confidence and accuracy in bins of equal width; empty bins hold 0.

    Attributes:
        edges: ``(n_bins + 1,)`` from 0 to 1.
        confidence: Mean probability in each bin, ``(n_bins,)``.
        accuracy: Observed frequency in each bin, ``(n_bins,)``.
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
    gaps = np.abs(CalibrationBins(truth, p, n_bins).totals())  # (n_sets * n_bins,)
    # Added up in parts, as floats are not associative: the figures stay what they were.
    return sum(float(gaps[part].sum()) for part in parts_of(len(gaps), n_bins * MANY_CLASSES)) / truth.size


@dataclass(frozen=True)
class CalibrationBins:
    """The bins whose gaps the calibration error adds up: one set of them, or one set for each label.

    A row's gap is its outcome minus its confidence.

    Attributes:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        proba: ``(n, n_classes)``.
        n_bins: Bins of a set.

    """

    y_true: NDArray[Any]
    proba: Floats
    n_bins: int = 15

    @property
    def n_sets(self) -> int:
        """How many sets of bins there are."""
        return self.proba.shape[1] if self.y_true.ndim == 2 else 1

    def totals(self) -> Floats:
        """Return the sum of the gaps in each bin, ``(n_sets * n_bins,)``."""
        return np.concatenate([self._per_bin(*self._gaps(part)) for part in self._parts()])

    def columns(self) -> Columns:
        """Return the gaps as columns ``(n, n_filled)`` for the bootstrap: each in the column of its bin, 0 elsewhere.

        Bins that hold no row have no column.
        """
        counts = [self._per_bin(None, self._gaps(part)[1]) for part in self._parts()]
        filled = [np.flatnonzero(count) for count in counts]
        blocks = [
            (len(bins), partial(self._spread, part, bins)) for part, bins in zip(self._parts(), filled, strict=True)
        ]
        return Columns(len(self.proba), blocks)

    def _parts(self) -> list[slice]:
        """Cut the sets into parts of which all gaps may be spread over their bins at once."""
        return parts_of(self.n_sets, max(1, width_of_block(len(self.proba)) // self.n_bins))

    def _gaps(self, part: slice) -> tuple[Floats, Ints]:
        """Return the gap of each row and the bin it falls into, ``(n, n_sets)`` each, of some sets."""
        if self.y_true.ndim == 2:
            confidence, outcome = self.proba[:, part], self.y_true[:, part].astype(bool)
        else:
            top, right = top_label(self.y_true, self.proba)
            confidence, outcome = top[:, None], right[:, None]
        return outcome - confidence, bin_index(confidence, self.n_bins) + self.n_bins * np.arange(confidence.shape[1])

    def _per_bin(self, gaps: Floats | None, index: Ints) -> Floats:
        """Return how many rows fall into each bin, or the sum of their ``gaps``."""
        weights = None if gaps is None else gaps.ravel()
        return np.asarray(np.bincount(index.ravel(), weights, self.n_bins * index.shape[1]), float)

    def _spread(self, part: slice, filled: Ints) -> NDArray[np.float32]:
        gaps, index = self._gaps(part)
        position = np.zeros(self.n_bins * index.shape[1], np.int64)
        position[filled] = np.arange(len(filled))
        spread = np.zeros((len(gaps), len(filled)), np.float32)
        spread[np.arange(len(gaps))[:, None], position[index]] = gaps
        return spread
