"""Abstention: the probability from which on a model answers, so that enough of its answers are right.

The guarantee is distribution-free: for texts like the training texts, at least the share ``accuracy`` of the answers
is right, in 95 of 100 trained models. It counts the errors of held-out rows, and does not trust the probabilities.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tagline.decisions.held_out import HeldOutScores
from tagline.errors import InputError
from tagline.task import Bools, Floats

DELTA = 0.05  # the share of models whose guarantee may fail
_CACHED = 16  # thresholds of some models; each keeps the scores of its model in memory
_STEP = 1.02  # from one threshold tested to the next, this many times as many rows are answered


def rows_needed(accuracy: float) -> int:
    """Return how many held-out rows without an error show that an accuracy is reached.

    >>> rows_needed(0.95), rows_needed(0.99)
    (59, 299)
    """
    return math.ceil(math.log(DELTA) / math.log(accuracy))


def accuracy_shown(confidence: NDArray[np.float32], right: Bools, below: float) -> float | None:
    """Return the highest accuracy, in hundredths and lower than ``below``, that held-out rows show; None if none."""
    lower = [step / 100 for step in range(99, 0, -1) if step / 100 < below]
    return next((accuracy for accuracy in lower if lowest_threshold(confidence, right, accuracy) is not None), None)


def most_shown_by(n: int) -> float:
    """Return the highest accuracy, in hundredths, that ``n`` rows without an error show; 0 if none.

    >>> most_shown_by(59), most_shown_by(58)
    (0.95, 0.94)
    """
    return math.floor(DELTA ** (1 / n) * 100) / 100 if n else 0.0


@lru_cache(maxsize=_CACHED)
def abstention_threshold(scores: HeldOutScores, accuracy: float) -> float:
    """Return the lowest probability at and above which the predictions reach an accuracy; 0 if all of them do.

    Raises:
        InputError: the held-out rows are too few to show it, or show that no threshold reaches it.

    """
    threshold = lowest_threshold(scores.confidence, scores.right, accuracy)
    if threshold is None:
        raise _unsupported(scores, accuracy)
    return threshold


@lru_cache(maxsize=_CACHED)
def class_abstention_thresholds(scores: HeldOutScores, accuracy: float, n_classes: int) -> Floats:
    """Return such a threshold for the predictions of each class, (n_classes,): the precision of each is guaranteed.

    It is infinite where the held-out rows cannot show it: that class is never answered.

    Raises:
        InputError: this is so for all classes.

    """
    thresholds = np.full(n_classes, np.inf)
    for k in np.unique(scores.predicted).tolist():
        rows = scores.predicted == k
        found = lowest_threshold(scores.confidence[rows], scores.right[rows], accuracy)
        thresholds[k] = np.inf if found is None else found
    if not np.isfinite(thresholds).any():
        raise InputError(
            f"The {len(scores):,} held-out rows guarantee an accuracy of {_percent(accuracy)} for no class: a class "
            f"needs at least {rows_needed(accuracy):,} predictions, and few errors among them. Train on more rows, ask "
            "for less, or leave out `by_class`."
        )
    thresholds.flags.writeable = False
    return thresholds


@dataclass(frozen=True)
class Answered:
    """The share of the held-out rows that thresholds answer, and of these the share that is right; None of none."""

    share: float
    accuracy: float | None


def answered(scores: HeldOutScores, threshold: float | Floats) -> Answered:
    """Return what a threshold, or one for the predictions of each class, (n_classes,), gives on the held-out rows."""
    rows = scores.confidence >= (threshold if isinstance(threshold, float) else threshold[scores.predicted])
    return Answered(float(rows.mean()), float(scores.right[rows].mean()) if rows.any() else None)


def lowest_threshold(confidence: NDArray[np.float32], right: Bools, accuracy: float) -> float | None:
    """Return the lowest threshold whose error rate is at most ``1 - accuracy`` with probability 1 - `DELTA`.

    Thresholds are tested in a fixed sequence, each by the binomial tail of its errors, until a test fails: none needs a
    correction for the others. The confidences alone choose where it starts, where success is most likely: at the
    highest ones few rows decide, and a wrong label among them would end the search. None if the first test fails.

    Source: Y. Geifman, R. El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017; A. Angelopoulos
    et al., Learn then test, Annals of Applied Statistics 19 (2025), on fixed-sequence testing of risks.
    """
    from scipy.special import bdtr

    n, alpha, least = len(confidence), 1 - accuracy, rows_needed(accuracy)
    if n < least:
        return None
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order].astype(np.float64)
    rows = np.arange(1, n + 1)
    spare = (alpha * rows - np.cumsum(1 - ranked)) / np.sqrt(rows)  # expected, in standard errors but for a factor
    start = least + int(np.argmax(spare[least - 1 :]))
    ends = np.append(np.flatnonzero(np.diff(ranked)), n - 1) + 1  # rows with a confidence of at least each value
    sizes = np.unique(ends[np.searchsorted(ends, _tested_sizes(start, n))])
    errors = np.cumsum(~right[order])[sizes - 1]
    n_kept = int(np.argmin(np.append(bdtr(errors, sizes, alpha) <= DELTA, False)))
    if n_kept == 0:
        return None
    last = int(sizes[n_kept - 1])
    return 0.0 if last == n else float(ranked[last - 1])


def _tested_sizes(start: int, n: int) -> list[int]:
    sizes, size = [], start
    while size < n:
        sizes.append(size)
        size = max(int(size * _STEP), size + 1)
    return [*sizes, n]


def _unsupported(scores: HeldOutScores, accuracy: float) -> InputError:
    n, needed = len(scores), rows_needed(accuracy)
    if n < needed:
        most = most_shown_by(n)
        enough = f", enough for {most:g}" if most > 0 else ""
        return InputError(
            f"A guarantee of {accuracy:.12g} needs at least {needed:,} held-out rows; this model has {n:,}{enough}. "
            "Train on more rows, or ask for less."
        )
    reached = accuracy_shown(scores.confidence, scores.right, accuracy)
    lower = "less" if reached is None else f"{reached:g} or less"
    return InputError(
        f"The {n:,} held-out rows guarantee an accuracy of {_percent(accuracy)} with no threshold. Ask for {lower}, or "
        "train on more rows."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.12g} %"
