"""`DecisionRule`: which labels given probabilities become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.decisions.costs import CostMatrix
from tagline.many_classes import Probabilities, TopProbabilities, check_few
from tagline.task import Floats, Task


@dataclass(frozen=True)
class DecisionRule:
    """The probability above which a label is predicted, or the costs that predictions shall keep low.

    Attributes:
        threshold: A number, or one for each label of a set, a tuple in the order of the classes.
        positive: The index of the class that the threshold decides: of two classes, the second one if it is None; of
            several, that class is predicted where its probability is above the threshold, elsewhere the most probable
            one of the others. If it is None, the most probable class is predicted, whatever the threshold.
        costs: Of several classes, the one with the smallest expected cost is predicted. Of two classes, the costs give
            the threshold and are kept to measure predictions.

    >>> import numpy as np
    >>> DecisionRule((0.5, 0.2)).decide(np.array([[0.4, 0.4]]), Task.MULTILABEL).tolist()
    [[False, True]]
    >>> DecisionRule(0.3, positive=2).decide(np.array([[0.5, 0.1, 0.4]]), Task.MULTICLASS).tolist()
    [2]
    """

    threshold: float | tuple[float, ...] = 0.5
    positive: int | None = None
    costs: CostMatrix | None = None

    @classmethod
    def of(cls, threshold: ArrayLike, positive: int | None = None, costs: CostMatrix | None = None) -> "DecisionRule":
        """Return the rule of a number, or of a sequence or array of them, (n_classes,)."""
        if isinstance(threshold, float):  # as most are: no array is made of it
            return cls(float(threshold), positive, costs)
        values = np.asarray(threshold, dtype=np.float64)
        return cls(float(values) if values.ndim == 0 else tuple(values.tolist()), positive, costs)

    @property
    def value(self) -> float | Floats:
        """Return the threshold as arrays of probabilities are compared with it: a number, or (n_classes,)."""
        return np.array(self.threshold) if isinstance(self.threshold, tuple) else self.threshold

    def has_threshold(self, task: Task) -> bool:
        """Return whether the threshold decides: between two classes, each label, or one class of several."""
        return task is not Task.MULTICLASS or (self.positive is not None and self.costs is None)

    def decide(self, proba: Probabilities, task: Task) -> NDArray[Any]:
        """Return the prediction for each text: class indices, (n_texts,); multi-label: booleans, (n_texts, n_classes).

        ``proba`` is (n_texts, n_classes). A label, or a class with a threshold, is predicted where its probability is
        above the threshold, not where it is equal.
        """
        if isinstance(proba, TopProbabilities):
            if self.costs is not None or self.positive is not None:
                check_few(proba.n_classes, "Costs and thresholds")
            return proba.argmax(axis=1)
        if task is Task.MULTILABEL:
            return np.asarray(proba > self.value)
        if task is Task.BINARY:
            positive = 1 if self.positive is None else self.positive
            above = proba[:, positive] > self.value
            return (above if positive else ~above).astype(np.int64)
        if self.costs is not None:
            return self.costs.decide(proba)
        if self.positive is None:
            return np.asarray(proba.argmax(axis=1))
        others = proba.copy()
        others[:, self.positive] = -1.0
        return np.where(proba[:, self.positive] > self.value, self.positive, others.argmax(axis=1))

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
