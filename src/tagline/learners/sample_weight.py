"""How much each row counts for a model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError, nearest

Floats = NDArray[np.float64]


def row_weights(
    classes: NDArray[Any],
    Y: NDArray[np.bool_],
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: ArrayLike | None,
    n_train: int,
) -> Floats:
    """Return the weight of each row, (n_rows,); those above 0 have mean 1.

    Args:
        classes: (n_classes,).
        Y: which classes each row has, (n_rows, n_classes).
        class_weight: None; ``"balanced"``, every class has the same say; or a weight for each class. A row of several
            labels counts as its rarest or heaviest one.
        sample_weight: of the first ``n_train`` rows; validation rows follow, are given without weights, and count 1.
        n_train: how many rows are learnt from.

    Raises:
        InputError: weights that are no weights, or for a class that is not there.

    """
    weights = np.ones(len(Y))
    if sample_weight is not None:
        given = np.asarray(sample_weight, dtype=np.float64)
        if given.shape != (n_train,) or not np.isfinite(given).all() or (given < 0).any() or not given.any():
            raise InputError(f"`sample_weight` must be {n_train:,} numbers of 0 or more, not all 0.")
        weights[:n_train] = given
    if class_weight is not None:
        # Rows without a label count 1.
        weights *= np.where(Y, _class_weights(classes, Y, class_weight), 0.0).max(axis=1) + (~Y.any(axis=1))
    return np.asarray(weights / weights[weights > 0].mean())


def _class_weights(classes: NDArray[Any], Y: NDArray[np.bool_], class_weight: str | Mapping[Any, float]) -> Floats:
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise InputError('`class_weight` is None, "balanced" or a weight for each class.')
        members = np.maximum(1, Y.sum(axis=0))
        return np.asarray(Y.sum() / (len(classes) * members))
    given = {str(name): float(weight) for name, weight in class_weight.items()}
    known = [str(name) for name in classes]
    for name in given:
        if name not in known:
            raise InputError(f"`class_weight` names an unknown class `{name}`.{nearest(name, known)}")
    by_class = np.array([given.get(name, 1.0) for name in known])
    if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
        raise InputError("The weights in `class_weight` must be numbers of 0 or more, not all 0.")
    return by_class
