"""What a model said of rows that it had not seen: the evidence for abstention and prediction sets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.many_classes import ClassMatrix, Probabilities
from tagline.task import Bools, Floats, Ints

PREFIX = "held_out."  # of the names of the arrays in a bundle
_MOST_ROWS = 50_000  # kept in a bundle; more would hardly lower a threshold
_TYPES = {"predicted": np.int32, "truth": np.int32, "confidence": np.float32, "true_probability": np.float32}


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Predictions for held-out rows of one label each, one row of each unit, (n,) each.

    Attributes:
        predicted: The index of the class predicted.
        truth: The index of the true class.
        confidence: The probability of the class predicted.
        true_probability: The probability of the true class.

    """

    predicted: NDArray[np.int32]
    truth: NDArray[np.int32]
    confidence: NDArray[np.float32]
    true_probability: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def right(self) -> Bools:
        """Whether each prediction is the true class."""
        return np.asarray(self.predicted == self.truth)

    @classmethod
    def of(cls, predicted: Ints, Y: ClassMatrix, proba: Probabilities, unit: Ints | None) -> "HeldOutScores":
        """Return the scores of rows with the class matrix ``Y`` and probabilities ``proba``, both (n, n_classes).

        Of each unit the first row counts: guarantees are for independent rows.
        """
        rows = first_of_units(unit, len(Y))
        rows = rows[:: 1 + len(rows) // (_MOST_ROWS + 1)]
        predicted, truth, proba = predicted[rows], Y[rows].argmax(axis=1), proba[rows]
        every = np.arange(len(rows))
        # Rounded before a threshold is taken from them: a saved model has the same thresholds.
        return cls(
            predicted.astype(np.int32),
            truth.astype(np.int32),
            proba[every, predicted].astype(np.float32),
            proba[every, truth].astype(np.float32),
        )

    def decided_again(self, decide: Callable[[Floats], Ints]) -> "HeldOutScores":
        """Return the scores of two classes if ``decide`` makes the predictions of probabilities, (n, 2)."""
        second = np.where(self.predicted == 1, self.confidence, 1 - self.confidence).astype(np.float64)
        proba = np.column_stack([1 - second, second])  # (n, 2)
        return HeldOutScores.of(decide(proba), np.eye(2, dtype=bool)[self.truth], proba, None)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a bundle by name."""
        return {f"{PREFIX}{name}": getattr(self, name) for name in _TYPES}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]], n_classes: int) -> "HeldOutScores | None":
        """Return the scores in the arrays of a bundle, or None: earlier versions kept none.

        Raises:
            ValueError: an array is missing, or holds other values than scores.

        """
        found = {name: arrays[f"{PREFIX}{name}"] for name in _TYPES if f"{PREFIX}{name}" in arrays}
        if not found:
            return None
        if len(found) < len(_TYPES) or len({array.shape for array in found.values()}) > 1:
            raise ValueError("the arrays of held-out rows are not complete")
        for name, array in found.items():
            most = n_classes - 1 if array.dtype == np.int32 else 1.0
            if array.ndim != 1 or array.dtype != _TYPES[name] or not np.all((array >= 0) & (array <= most)):
                raise ValueError(f"`{PREFIX}{name}` holds values that are not those of held-out rows")
        return cls(**found)


def first_of_units(unit: Ints | None, n: int) -> Ints:
    """Return the first of the ``n`` rows of each unit, in ascending order; None: each row is its own unit."""
    return np.arange(n) if unit is None else np.sort(np.unique(unit, return_index=True)[1])


def no_held_out_rows(purpose: str) -> InputError:
    """Return the error of a model without held-out rows, such as "to take a threshold from"."""
    return InputError(
        f"This model keeps no held-out rows {purpose}: it was saved by an earlier version, trained on very few texts "
        "or without validation, continued with fewer than 200 rows, or its decision rule was changed after loading. "
        "Train it again."
    )
