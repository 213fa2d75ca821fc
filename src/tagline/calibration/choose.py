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
    compared = np.arange(0, len(logits), 1 + logits.size // _MOST_LOGITS)
    if len(usable) > 1 and len(compared) >= 2 * _FOLDS:
        w = np.ones(len(logits)) if weights is None else weights
        some = (logits[compared], Y[compared], task, w[compared], None if absent is None else absent[compared])
        usable = [min(usable, key=lambda method: _loss(method, *some))]
    return usable[0].fit(logits, Y, task, weights, absent)


def _loss(method: type[Calibrator], logits: Floats, Y: Bools, task: Task, w: Floats, absent: Bools | None) -> float:
    """Return the log loss of rows that a calibrator was not fitted on."""
    if absent is not None:
        w = w * ~(absent & Y).any(axis=1)
    fold = np.random.default_rng(0).permutation(len(logits)) % _FOLDS
    total = 0.0
    for k in range(_FOLDS):
        fitted, other = fold != k, fold == k
        calibrator = method.fit(logits[fitted], Y[fitted], task, w[fitted], None if absent is None else absent[fitted])
        p = task.probabilities(calibrator.apply(logits[other]))
        if task is Task.MULTILABEL:
            p = np.where(Y[other], p, 1 - p)
            losses = -np.log(np.maximum(p, _LEAST)).mean(axis=1)
        else:
            losses = -np.log(np.maximum(p[Y[other]], _LEAST))
        total += float(w[other] @ losses)
    return total
