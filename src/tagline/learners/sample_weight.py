"""How much each row counts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.data.weights import LEAST_TOTAL, MOST_TOTAL
from tagline.errors import InputError, nearest
from tagline.inputs.labels import label_text
from tagline.many_classes import ClassMatrix, OneHot
from tagline.task import Floats


def row_weights(
    classes: NDArray[Any],
    Y: ClassMatrix,
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: ArrayLike | None,
    n_train: int,
) -> tuple[Floats | None, Floats | None]:
    """Return the sample weight and the loss weight of each row, (n_rows,), see `TrainingData`; None: all are 1.

    Args:
        classes: (n_classes,).
        Y: the class matrix, (n_rows, n_classes).
        class_weight: None; ``"balanced"``, every class has the same total weight; or a weight for each class. A row of
            several labels counts as its rarest or heaviest one.
        sample_weight: of the first ``n_train`` rows, or of all; validation rows follow, which count 1 by default.
        n_train: how many rows are learned from.

    Raises:
        InputError: a weight is invalid, or the weight of an unknown class.

    """
    if sample_weight is None and class_weight is None:
        return None, None
    sample = np.ones(len(Y))
    if sample_weight is not None:
        sample = checked_weights(sample_weight, n_train, len(Y) - n_train)
    loss = sample
    if class_weight is not None:
        by_class = _class_weights(classes, Y, class_weight, sample)
        if isinstance(Y, OneHot):
            of_rows = by_class[Y.classes]
        else:  # rows without a label count 1
            of_rows = np.where(Y, by_class, 0.0).max(axis=1) + (~Y.any(axis=1))
        loss = sample * of_rows
    if not loss[:n_train].any():
        raise InputError("All weights are zero: there is nothing to learn from.")
    return sample, np.asarray(loss / loss[loss > 0].mean())


def checked_weights(values: ArrayLike, n_texts: int, n_more: int = 0) -> Floats:
    """Return sample weights as an array, (n_texts + n_more,); those of ``n_more`` validation texts are 1 by default.

    Raises:
        InputError: they are not so many finite numbers of 0 or more, all are 0, or they add up to too little or much.

    """
    try:
        weights = np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan)
    except (TypeError, ValueError, OverflowError):
        weights = np.empty(0)
    if weights.shape == (n_texts,):
        weights = np.append(weights, np.ones(n_more))
    if weights.shape != (n_texts + n_more,) or not np.isfinite(weights).all() or (weights < 0).any():
        n = f"{n_texts:,} or {n_texts + n_more:,}" if n_more else f"{n_texts:,}"
        raise InputError(f"`sample_weight` must be {n} finite numbers of 0 or more.")
    for of, part in (("", weights[:n_texts]), (" of the validation texts", weights[n_texts:])):
        if len(part) and not part.any():
            raise InputError(f"All weights{of} are zero.")
        with np.errstate(over="ignore"):
            total = part.sum()
        if len(part) and not LEAST_TOTAL <= total <= MOST_TOTAL:
            raise InputError(f"`sample_weight` adds up to {total:g} texts: scale the weights to a mean of 1.")
    return weights


def _class_weights(
    classes: NDArray[Any], Y: ClassMatrix, class_weight: str | Mapping[Any, float], sample_weights: Floats
) -> Floats:
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise InputError('`class_weight` is None, "balanced" or a weight for each class.')
        if isinstance(Y, OneHot):
            members = np.asarray(np.bincount(Y.classes, sample_weights, Y.n_classes), dtype=np.float64)
        else:
            members = sample_weights @ Y
        return np.asarray(members.sum() / (len(classes) * np.where(members > 0, members, 1.0)))
    if not isinstance(class_weight, Mapping):
        raise InputError('`class_weight` is None, "balanced" or a weight for each class.')
    given = {label_text(name): _number(weight) for name, weight in class_weight.items()}
    known = [label_text(name) for name in classes]
    for name in given:
        if name not in known:
            raise InputError(f"`class_weight` names an unknown class `{name}`.{nearest(name, known)}")
    by_class = np.array([given.get(name, 1.0) for name in known])
    if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
        raise InputError("The weights in `class_weight` must be numbers of 0 or more, not all 0.")
    return by_class


def _number(weight: Any) -> float:
    """Return a weight as a float, NaN if it is none."""
    try:
        return float(weight)
    except (TypeError, ValueError, OverflowError):
        return float("nan")
