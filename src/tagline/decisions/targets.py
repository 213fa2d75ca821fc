"""`Targets`: what the decisions of a classifier shall reach, and the decision rule that reaches it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tagline.decisions.cost_table import as_costs
from tagline.decisions.costs import CostMatrix
from tagline.decisions.held_out import first_of_units
from tagline.decisions.operating_point import PRECISION, RECALL, OperatingPoint, operating_points
from tagline.decisions.rule import DecisionRule
from tagline.errors import InputError
from tagline.many_classes import ClassMatrix, Probabilities, as_array, check_few, probability_array
from tagline.task import Ints, Task


@dataclass(frozen=True)
class Targets:
    """Low costs, or operating points of classes; with neither, decisions stay as the recipe makes them."""

    costs: CostMatrix | None = None
    points: tuple[OperatingPoint, ...] = ()

    @classmethod
    def of(
        cls,
        costs: Any,
        precision: Mapping[Any, float] | None,
        recall: Mapping[Any, float] | None,
        classes: Sequence[str],
        task: Task,
    ) -> "Targets":
        """Return the targets for a model with these classes; see `as_costs` and `operating_points`.

        Raises:
            InputError: they are invalid, or contradict each other.

        """
        if precision is not None or recall is not None:
            check_few(len(classes), "Levels of precision and recall")
        points = tuple(operating_points(precision, recall, classes, task))
        if costs is None:
            return cls(None, points)
        if points:
            raise InputError("Costs decide by themselves: leave out precision and recall.")
        if task is Task.MULTILABEL:
            raise InputError("Costs are for one class a text, and these texts have several labels: take thresholds.")
        return cls(as_costs(costs, classes), ())

    def __bool__(self) -> bool:
        return self.costs is not None or bool(self.points)

    def rule(
        self,
        by_default: DecisionRule,
        classes: Sequence[str],
        task: Task,
        held_out: tuple[ClassMatrix, Probabilities, Ints | None] | None,
    ) -> DecisionRule:
        """Return the decision rule that reaches the targets.

        Args:
            by_default: the rule without targets; of two classes, with the positive one.
            classes: the names of the classes.
            task: the task.
            held_out: class matrix and probabilities, (n, n_classes), and units, (n,), of held-out rows; None if there
                are none.

        Raises:
            InputError: the held-out rows do not show that a target can be reached.

        """
        if self.costs is not None:
            if by_default.positive is None:
                return replace(by_default, costs=self.costs)
            return replace(by_default, threshold=self.costs.threshold(by_default.positive), costs=self.costs)
        if not self.points:
            return by_default
        if held_out is None:
            raise InputError("A precision or recall needs held-out rows, and there are none: train on more rows.")
        Y, proba, unit = as_array(held_out[0]), probability_array(held_out[1]), held_out[2]
        rows = first_of_units(unit, len(Y))
        thresholds = np.array(np.broadcast_to(by_default.value, len(classes)))
        positive = by_default.positive
        for point in self.points:
            k = classes.index(point.class_name)
            thresholds[k] = point.threshold(proba[rows, k], Y[rows, k])
            if task is Task.MULTICLASS:
                positive = k
            elif task is Task.BINARY and k != positive:
                thresholds[1 - k] = 1 - thresholds[k]
        return DecisionRule.of(thresholds if positive is None else thresholds[positive], positive)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the targets for ``chosen`` of a run or bundle, which describes how a model was made."""
        if self.costs is not None:
            return [{"metric": "cost", "classes": list(self.costs.classes), "costs": [*map(list, self.costs.costs)]}]
        return [{"metric": point.metric, "class": point.class_name, "level": point.level} for point in self.points]


def levels_of(targets: Any) -> dict[str, dict[str, float]]:
    """Return the levels of classes, by metric, in the JSON of `Targets`; what is not a list of these has none."""
    levels: dict[str, dict[str, float]] = {}
    for target in targets if isinstance(targets, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            if target["metric"] in (PRECISION, RECALL):
                levels.setdefault(target["metric"], {})[str(target["class"])] = float(target["level"])
    return levels
