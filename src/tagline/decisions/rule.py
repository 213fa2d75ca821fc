"""`DecisionRule`: which labels given probabilities become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.task import Floats, Task


@dataclass(frozen=True)
class DecisionRule:
    """The probability above which a label is predicted: one threshold, or one for each label of a set.

    ``threshold`` is a number, or a tuple of numbers in the order of the classes; of several classes, the most probable
    one is predicted, whatever it is.

    >>> import numpy as np
    >>> DecisionRule((0.5, 0.2)).decide(np.array([[0.4, 0.4]]), Task.MULTILABEL).tolist()
    [[False, True]]
    """

    threshold: float | tuple[float, ...] = 0.5

    @classmethod
    def of(cls, threshold: ArrayLike) -> "DecisionRule":
        """Return the rule of a number, or of a sequence or array of them, (n_classes,)."""
        values = np.asarray(threshold, dtype=np.float64)
        return cls(float(values)) if values.ndim == 0 else cls(tuple(values.tolist()))

    @property
    def value(self) -> float | Floats:
        """Return the threshold as arrays of probabilities are compared with it: a number, or (n_classes,)."""
        return np.array(self.threshold) if isinstance(self.threshold, tuple) else self.threshold

    def decide(self, proba: Floats, task: Task, positive: int = 1) -> NDArray[Any]:
        """Return the prediction for each text, see `Task.decide`."""
        return task.decide(proba, self.value, positive)

    def to_json(self) -> float | list[float]:
        """Return the threshold, or a list of them."""
        return list(self.threshold) if isinstance(self.threshold, tuple) else self.threshold


def describe_threshold(threshold: float | Sequence[float] | Floats) -> str:
    """Return one threshold, or the range of several, in words.

    >>> describe_threshold(0.25), describe_threshold([0.2, 0.55])
    ('0.25', '0.2 to 0.55')
    """
    values = np.atleast_1d(np.asarray(threshold, dtype=np.float64))
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"
