"""The choice between calibration methods: the one with the lowest log loss in a cross-validation of held-out rows."""

from collections.abc import Sequence

import numpy as np

from tagline.calibration.base import Calibrator
from tagline.task import Bools, Floats, Task

_FOLDS = 5
_LEAST = 1e-15
_MOST_LOGITS = 2_000_000  # that are compared: of very many classes those of fewer rows


def choose_calibrator(
    methods: Sequence[type[Calibrator]],
    logits: Floats,
    Y: Bools,
    task: Task,
    weights: Floats | None = None,
    absent: Bools | None = None,
) -> Calibrator:
    """Return the best of the methods for a task, fitted on all held-out rows; the first of several that are as good.

    Arguments are those of `Calibrator.fit`.
    """
    usable = [method for method in methods if task in method.tasks]
    fitted = [method.fit(logits, Y, task, weights, absent) for method in usable]
    compared = np.arange(0, len(logits), 1 + logits.size // _MOST_LOGITS)
    if len(fitted) == 1 or len(compared) < 2 * _FOLDS:
        return fitted[0]
    w = np.ones(len(logits)) if weights is None else weights
    missing = None if absent is None else absent[compared]
    losses = _losses(fitted, logits[compared], Y[compared], task, w[compared], missing)
    return fitted[int(np.argmin(losses))]


def _losses(
    fitted: Sequence[Calibrator], logits: Floats, Y: Bools, task: Task, w: Floats, absent: Bools | None
) -> Floats:
    """Return the log loss, (n_methods,), of rows that calibrators like the ones ``fitted`` have not seen."""
    scored = w if absent is None else w * ~(absent & Y).any(axis=1)
    fold = np.random.default_rng(0).permutation(len(logits)) % _FOLDS
    losses = np.zeros(len(fitted))
    for k in range(_FOLDS):
        seen, other = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        rows = logits[seen], Y[seen], task, w[seen], None if absent is None else absent[seen]
        of_other, truth = logits[other], Y[other]
        for number, near in enumerate(fitted):
            calibrated = near.fit(*rows, near).apply(of_other)
            losses[number] += scored[other] @ _log_losses(calibrated, truth, task)
    return losses


def _log_losses(logits: Floats, Y: Bools, task: Task) -> Floats:
    """Return the log loss of each row, (n,); that of several labels is the mean of theirs."""
    if task is not Task.MULTILABEL:
        return -np.log(np.maximum(task.probabilities(logits)[Y], _LEAST))
    x = np.where(Y, logits, -logits)
    losses = np.log1p(np.exp(-np.abs(x))) - np.minimum(x, 0.0)
    return np.asarray(np.minimum(losses, -np.log(_LEAST)).mean(axis=1))
