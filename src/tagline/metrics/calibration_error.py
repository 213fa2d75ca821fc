"""Calibration of probabilities: the expected calibration error and reliability curves."""

from dataclasses import dataclass
from functools import cached_property, partial
from math import inf
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.many_classes import Probabilities
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.intervals.bootstrap import (
    Columns,
    Interval,
    interval_tails,
    one_hot,
    parts_of,
    vary,
    width_of_block,
)
from tagline.metrics.units import Units
from tagline.task import Floats, Ints

_DRAWS, _LEAST_DRAWS = 1000, 200  # of outcomes
_MOST_DRAWN = 500_000
_KNOWN = 2.0  # standard errors: a larger gap has a known sign


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


def top_label(y_true: Ints, proba: Probabilities) -> tuple[Floats, NDArray[np.bool_]]:
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
    return CalibrationBins(np.asarray(y_true), np.asarray(proba, float), n_bins).error()


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
    proba: Probabilities
    n_bins: int = 15

    @property
    def n_sets(self) -> int:
        """How many sets of bins there are."""
        return self.proba.shape[1] if self.y_true.ndim == 2 else 1

    def error(self) -> float:
        """Return the expected calibration error, see `expected_calibration_error`."""
        gaps = np.abs(self.totals())  # (n_sets * n_bins,)
        # Added up in parts, as floats are not associative: the figures stay what they were.
        parts = parts_of(len(gaps), self.n_bins * MANY_CLASSES)
        return sum(float(gaps[part].sum()) for part in parts) / self.y_true.size

    def counts(self) -> Floats:
        """Return how many rows fall into each bin, ``(n_sets * n_bins,)``."""
        return np.concatenate([self._per_bin(None, self._gaps(part)[1]) for part in self._parts()])

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

    def chance_level(self, rng: np.random.Generator, units: Units | None = None) -> float:
        """Return the 97.5 % quantile of the errors of outcomes that are drawn from the confidences.

        It is what a perfectly calibrated model would show by chance on as many rows. The outcomes of a bin are binomial
        with its mean confidence; rows of one unit in a bin come true together.
        """
        n_filled = int((self.counts() > 0).sum())
        n_draws = int(np.clip(_MOST_DRAWN // n_filled, _LEAST_DRAWS, _DRAWS))
        errors = np.zeros(n_draws)
        for part in self._parts():
            gaps, index = self._gaps(part)
            confidence = (self._outcomes(part) - gaps).ravel()
            flat = index.ravel()
            size = np.ones(len(flat))
            if units is not None:
                # A piece is what a unit has in a bin.
                _, place, piece = np.unique(
                    units.of_rows.repeat(index.shape[1]) * (flat.max() + 1) + flat,
                    return_index=True,
                    return_inverse=True,
                )
                size = np.bincount(piece.ravel()).astype(float)
                confidence = np.bincount(piece.ravel(), confidence) / size
                flat = flat[place]
            largest = int(size.max()) + 1
            pieces = flat * largest + size.astype(np.int64)  # pieces of a size in a bin are interchangeable
            kinds, kind, n = np.unique(pieces, return_inverse=True, return_counts=True)
            mean = np.bincount(kind, confidence) / n
            drawn = (rng.binomial(n, mean.clip(0, 1), (n_draws, len(n))) - n * mean) * (kinds % largest)
            _, of_kinds = np.unique(kinds // largest, return_inverse=True)  # (n_kinds,), as has each of `drawn`
            errors += np.abs(drawn @ one_hot(of_kinds, int(of_kinds.max()) + 1)).sum(1)
        return float(np.quantile(errors, 0.975)) / (len(self.proba) * self.n_sets)

    def _parts(self) -> list[slice]:
        """Cut the sets into parts of which all gaps may be spread over their bins at once."""
        return parts_of(self.n_sets, max(1, width_of_block(len(self.proba)) // self.n_bins))

    def _outcomes(self, part: slice) -> NDArray[np.bool_]:
        """Return what comes true, ``(n, n_sets)``, of some sets."""
        if self.y_true.ndim == 2:
            return np.asarray(self.y_true[:, part], bool)
        return top_label(self.y_true, self.proba)[1][:, None]

    def _gaps(self, part: slice) -> tuple[Floats, Ints]:
        """Return the gap of each row and the bin it falls into, ``(n, n_sets)`` each, of some sets."""
        return self._only_gaps if len(self._parts()) == 1 else self._gaps_of(part)

    @cached_property
    def _only_gaps(self) -> tuple[Floats, Ints]:
        """The gaps where one part holds all sets: then they take little memory."""
        return self._gaps_of(self._parts()[0])

    def _gaps_of(self, part: slice) -> tuple[Floats, Ints]:
        outcome = self._outcomes(part)
        confidence = self.proba[:, part] if self.y_true.ndim == 2 else self.proba.max(1)[:, None]
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


def calibration_interval(
    samples: Floats, gaps: Floats, value: float, chance: float, degrees: float = inf
) -> Interval | None:
    """Return the 95 % interval of a calibration error, which is biased upwards: noise adds to every gap.

    The lower end is 0 where the error is at most the ``chance`` level, because a calibrated model may show as much.
    Otherwise the noise of a sample is added up: its size where the sign of a gap is unknown, which bounds what noise
    can add, and the noise towards the gap where it is known. The upper end is that of the basic bootstrap where the
    error may be chance; elsewhere the noise against the gaps is added, with their signs. ``None`` if samples do not
    vary.

    Args:
        samples: The gap of each bin in bootstrap samples, in shares of rows, ``(n_samples, n_filled)``.
        gaps: Those of the rows, ``(n_filled,)``.
        value: The calibration error: the sum of their sizes.
        chance: The chance level.
        degrees: Degrees of freedom of a variance between units.

    """
    low, high = interval_tails(degrees)
    noise = samples - gaps
    sign, known = np.sign(gaps), np.abs(gaps) > _KNOWN * noise.std(0)
    errors = np.abs(samples).sum(1)
    if not vary(errors):
        return None
    if value <= chance:
        return [0.0, max(value, 2 * value - float(np.percentile(errors, low)))]
    towards = noise[:, known] @ sign[known] + np.abs(noise[:, ~known]).sum(1)
    lower, upper = value - np.percentile(towards, high), value - np.percentile(noise @ sign, low)
    return [min(max(0.0, float(lower)), value), max(min(1.0, float(upper)), value)]
