"""`CostMatrix`: what a wrong prediction costs, and the prediction of the smallest expected cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagline.errors import InputError, nearest
from tagline.many_classes import check_few
from tagline.task import Floats, Ints


@dataclass(frozen=True)
class CostMatrix:
    """Costs of predictions: ``costs[k][j]`` where the class is ``classes[k]`` and ``classes[j]`` is predicted.

    >>> import numpy as np
    >>> spam = CostMatrix(("ham", "spam"), ((0.0, 10.0), (1.0, 0.0)))  # ham called spam costs ten
    >>> spam.decide(np.array([[0.2, 0.8], [0.05, 0.95]])).tolist()
    [0, 1]
    """

    classes: tuple[str, ...]
    costs: tuple[tuple[float, ...], ...]

    def decide(self, proba: Floats) -> Ints:
        """Return the class of the smallest expected cost, (n_texts,), of probabilities, (n_texts, n_classes).

        The expected cost of a prediction j is the sum over the classes k of p_k times the cost (Elkan 2001, The
        foundations of cost-sensitive learning). Of equal costs the most probable class is taken.
        """
        expected = proba @ self.matrix()  # (n_texts, n_classes)
        least = expected <= expected.min(axis=1, keepdims=True) * (1 + 1e-12)
        return np.asarray(np.where(least, proba, -1.0).argmax(axis=1))

    def threshold(self, positive: int) -> float:
        """Return the probability of one of two classes above which predicting it has the smaller expected cost.

        It is 0.5 if no prediction costs more than another, as of two of several classes that alone were learned.
        """
        false_negative, false_positive = (self.costs[k][1 - k] - self.costs[k][k] for k in (positive, 1 - positive))
        both = false_positive + false_negative
        return false_positive / both if both else 0.5

    def matrix(self) -> Floats:
        """Return the costs as an array, (n_classes, n_classes)."""
        return np.array(self.costs)

    def of_classes(self, classes: Sequence[str]) -> "CostMatrix":
        """Return the costs of some classes, in their order."""
        place = [self.classes.index(name) for name in classes]
        return CostMatrix(tuple(classes), tuple(tuple(self.costs[k][j] for j in place) for k in place))

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> "CostMatrix":
        """Return the costs of a table with the names of the fields."""
        return cls(tuple(table["classes"]), tuple(tuple(row) for row in table["costs"]))

    def in_order(self, classes: Sequence[str], source: str = "`costs`") -> "CostMatrix":
        """Return the costs in the order of a model's classes.

        Raises:
            InputError: a class is missing, or unknown to the model; ``source`` names the costs in the message.

        """
        check_few(len(classes), "Costs")
        for name in self.classes:
            if name not in classes:
                raise InputError(f"{source}: `{name}` is not a class of the model.{nearest(name, classes)}")
        for name in classes:
            if name not in self.classes:
                raise InputError(f"{source}: the class `{name}` is missing: add its row and column.")
        return self.of_classes(classes)
