"""Prediction sets: for each text the classes that contain the true one with a given probability.

Source: J. Lei, M. Sadinle, L. Wasserman, Least ambiguous set-valued classifiers with bounded error levels, Journal of
the American Statistical Association 114 (2019): split conformal prediction with the probability of the true class.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tagline.decisions.held_out import HeldOutScores
from tagline.errors import InputError
from tagline.task import Bools, Floats

_CACHED = 16  # thresholds of some models; each keeps the scores of its model in memory


def rows_for_sets(coverage: float) -> int:
    """Return how many held-out rows a coverage needs.

    >>> rows_for_sets(0.9), rows_for_sets(0.99)
    (9, 99)
    """
    return math.ceil(coverage / (1 - coverage) - 1e-9)


@lru_cache(maxsize=_CACHED)
def set_threshold(scores: HeldOutScores, coverage: float) -> float:
    """Return the probability from which on a class is in the set, so that sets contain the true class often enough.

    Raises:
        InputError: the held-out rows are too few.

    """
    if len(scores) < (needed := rows_for_sets(coverage)):
        raise InputError(
            f"Prediction sets of coverage {coverage:.12g} need at least {needed:,} held-out rows; this model has "
            f"{len(scores):,}. Train on more rows, or ask for less."
        )
    return _conformal_threshold(scores.true_probability, coverage)


@lru_cache(maxsize=_CACHED)
def class_set_thresholds(scores: HeldOutScores, coverage: float, n_classes: int) -> Floats:
    """Return a threshold for each class, (n_classes,): the coverage holds for the texts of each class.

    Classes with too few held-out rows share one threshold, and the coverage holds for them together; if they have too
    few even so, it is that of all classes.

    Source: V. Vovk, Conditional validity of inductive conformal predictors, Machine Learning 92 (2013); T. Ding et al.,
    Class-conditional conformal prediction with many classes, NeurIPS 2023, whose rare classes share a threshold.

    Raises:
        InputError: the held-out rows are too few.

    """
    needed = rows_for_sets(coverage)
    thresholds = np.full(n_classes, set_threshold(scores, coverage))
    members = np.bincount(scores.truth, minlength=n_classes)
    rare = members < needed
    of_rare = rare[scores.truth]
    if of_rare.sum() >= needed:
        thresholds[rare] = _conformal_threshold(scores.true_probability[of_rare], coverage)
    for k in np.flatnonzero(~rare).tolist():
        thresholds[k] = _conformal_threshold(scores.true_probability[scores.truth == k], coverage)
    thresholds.flags.writeable = False
    return thresholds


def prediction_sets(proba: Floats, predicted: Bools, threshold: float | Floats) -> Bools:
    """Return which classes are in the set of each text, (n_texts, n_classes); the class predicted always is."""
    return np.asarray((proba >= threshold) | predicted)


def _conformal_threshold(true_probability: NDArray[np.float32], coverage: float) -> float:
    """Return the k-th highest probability of the true class, k = ⌈(n + 1) · coverage⌉, of at least so many rows."""
    n = len(true_probability)
    k = max(1, math.ceil((n + 1) * coverage - 1e-9))
    return float(np.partition(true_probability, n - k)[n - k])
