"""Log loss and Brier score of single rows: their mean is the metric, for evaluation and for search."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.many_classes import Probabilities, TopProbabilities, probability_array
from tagline.task import Floats, Task

RowLosses = Callable[[NDArray[Any], Probabilities, Task], Floats]

# The smallest probability in a log loss, as in scikit-learn: the spacing of floats at 1.
_EPSILON = float(np.finfo(np.float64).eps)
_CELLS_AT_ONCE = 1_000_000


def log_losses(y_true: NDArray[Any], proba: Probabilities, task: Task) -> Floats:
    """Return minus the log of the probability of the true class, ``(n,)``, in nats; multi-label: the mean over labels.

    Args:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        proba: Probabilities ``(n, n_classes)``.
        task: What the labels are.

    """
    return _in_blocks(_log_losses, y_true, proba, task)


def brier_losses(y_true: NDArray[Any], proba: Probabilities, task: Task) -> Floats:
    """Return the squared error of each row, ``(n,)``.

    Two classes: (p - y)², 0 to 1. Several: Σ_k (p_k - y_k)², 0 to 2. Multi-label: the mean over labels. Arguments are
    those of ``log_losses``.
    """
    return _in_blocks(_brier_losses, y_true, proba, task)


def _log_losses(truth: NDArray[Any], p: Probabilities, task: Task) -> Floats:
    if task is Task.MULTILABEL:
        p = probability_array(p)
        of_truth = np.clip(np.where(truth, p, 1 - p), _EPSILON, 1)
        return np.asarray(-np.log(of_truth).mean(1))
    return np.asarray(-np.log(np.clip(p[np.arange(len(p)), truth], _EPSILON, 1)))


def _brier_losses(truth: NDArray[Any], p: Probabilities, task: Task) -> Floats:
    if isinstance(p, TopProbabilities):
        return np.asarray(p.sums_of_squares() - 2 * p[np.arange(len(p)), truth] + 1)
    if task is Task.MULTILABEL:
        return np.asarray(((p - truth) ** 2).mean(1))
    if task is Task.BINARY:
        return np.asarray((p[:, 1] - truth) ** 2)
    of_truth = p[np.arange(len(p)), truth]
    return np.asarray((p * p).sum(1) - 2 * of_truth + 1)


def _in_blocks(losses: RowLosses, truth: NDArray[Any], p: Probabilities, task: Task) -> Floats:
    """Compute in blocks of rows, because ``losses`` makes copies of ``p``."""
    step = max(1, _CELLS_AT_ONCE // p.shape[1])
    starts = range(0, len(p), step)
    return np.concatenate([losses(truth[i : i + step], p[i : i + step], task) for i in starts])
