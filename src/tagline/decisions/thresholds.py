"""Thresholds of label sets, chosen on held-out rows."""

import numpy as np

from tagline.decisions.rule import DecisionRule
from tagline.task import Bools, Floats

ONE, PER_LABEL = "one", "per-label"  # `protocol.thresholds` of a recipe
_GRID = np.round(np.arange(0.05, 0.951, 0.05), 2)
# Measured by nested cross-validation on training rows, see `benchmarks/thresholds.py`.
_LEAST = 1e-9  # in place of nothing given and nothing true
_MICRO = 2.0  # the weight of micro F1 beside macro F1


def choose_rule(method: str, Y: Bools, proba: Floats, weights: Floats) -> DecisionRule:
    """Choose thresholds by their method's name in recipes; ``Y`` and ``proba`` are (n, n_classes), ``weights`` (n,)."""
    if method == PER_LABEL:
        return DecisionRule.of(label_thresholds(Y, proba, weights))
    return DecisionRule(best_threshold(Y, proba, weights))


def best_threshold(Y: Bools, proba: Floats, weights: Floats) -> float:
    """Return the threshold, of 0.05 … 0.95, that gives these weighted rows the best micro F1."""
    right, given = _counts(Y, proba, weights)
    true = weights @ Y.sum(axis=1)
    f1 = 2 * right.sum(axis=1) / np.maximum(1, true + given.sum(axis=1))
    return float(_GRID[int(np.argmax(f1))])


def label_thresholds(Y: Bools, proba: Floats, weights: Floats) -> Floats:
    """Return the threshold of each label, of 0.05 … 0.95, (n_classes,), that is best for macro and micro F1.

    The threshold of the best F1 of each label (SCut) costs micro F1, as that of a label with few rows is chosen by
    luck and a low one gives many wrong labels. SCutFBR (Yang 2001; Lewis et al. 2004; Fan and Lin 2007) replaces
    thresholds where the F1 is below a bound. Here, as in the micromacro thresholds of Lin et al. (CIKM 2023), macro
    and micro F1 are maximised together, micro F1 counted ``_MICRO`` times. Near the best single threshold, with the
    micro F1 F, micro F1 is linear in the counts of a label, which adds (2·right - F·(given + true)) / all; so each
    label is chosen by itself. One without held-out rows gets the lowest threshold that gives it to no row.
    """
    right, given = _counts(Y, proba, weights)  # (n_grid, n_classes)
    true = weights @ Y  # (n_classes,)
    both = np.maximum(_LEAST, true.sum() + given.sum(axis=1))
    micro_f1 = 2 * right.sum(axis=1) / both
    best = int(np.argmax(micro_f1))
    f1 = 2 * right / np.maximum(_LEAST, given + true)
    micro_gain = (2 * right - micro_f1[best] * (given + true)) / both[best]
    chosen: Floats = _GRID[np.argmax(f1 / Y.shape[1] + _MICRO * micro_gain, axis=0)]
    return chosen


def _counts(Y: Bools, proba: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return how many labels are right and how many are given at each threshold, (n_grid, n_classes) each."""
    below = np.searchsorted(_GRID, proba)  # how many thresholds are below each probability, (n, n_classes)

    def counts(counted: Floats) -> Floats:
        """Return how much is above each threshold, (n_grid, n_classes), of the weights of labels, (n, n_classes)."""
        cell = below + np.arange(Y.shape[1]) * (len(_GRID) + 1)
        of_cells = np.bincount(cell.ravel(), counted.ravel(), Y.shape[1] * (len(_GRID) + 1))
        return np.asarray(np.cumsum(of_cells.reshape(Y.shape[1], -1)[:, :0:-1], axis=1)[:, ::-1].T, dtype=np.float64)

    each = np.broadcast_to(weights[:, np.newaxis], Y.shape)
    return counts(each * Y), counts(each)
