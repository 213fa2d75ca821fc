"""Operating points: the threshold of a class that reaches a precision or a recall on unseen texts.

The guarantee is that of abstention: it holds for texts like the training texts, in 95 of 100 trained models, and counts
held-out rows instead of trusting the probabilities.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.decisions.abstention import DELTA, accuracy_shown, lowest_threshold, most_shown_by, rows_needed
from tagline.errors import InputError, nearest
from tagline.inputs.labels import label_text
from tagline.task import Bools, Floats, Task

PRECISION, RECALL = "precision", "recall"


@dataclass(frozen=True)
class OperatingPoint:
    """The precision or recall that the predictions of one class shall have: ``metric`` is one of these words."""

    metric: str
    class_name: str
    level: float

    def threshold(self, probability: Floats, is_class: Bools) -> float:
        """Return the probability above which the class must be predicted; the arguments are of held-out rows, (n,).

        For a precision it is the lowest threshold, which gives the highest recall; for a recall the highest one.

        Raises:
            InputError: the held-out rows do not show that any threshold reaches the level.

        """
        scores = probability.astype(np.float32)
        least = self._lowest(scores, is_class) if self.metric == PRECISION else self._highest(scores[is_class])
        below = scores[scores < least]
        return (least + float(below.max(initial=0.0))) / 2

    def _lowest(self, scores: NDArray[np.float32], is_class: Bools) -> float:
        found = lowest_threshold(scores, is_class, self.level)
        if found is not None:
            return found
        shown = accuracy_shown(scores, is_class, self.level)
        best = "" if shown is None else f"; they show it for {shown:g}"
        raise InputError(
            f"The {len(scores):,} held-out rows do not show a precision of {self.level:g} for `{self.class_name}`"
            f"{best}. Train on more rows, or ask for less."
        )

    def _highest(self, scores: NDArray[np.float32]) -> float:
        """Return the highest score that enough rows of the class reach.

        With the j-th lowest score of n rows as the threshold the expected share of rows below it has the distribution
        Beta(j, n - j + 1), whatever the scores are (Wilks 1941, on tolerance limits).
        """
        from scipy.special import bdtr

        n, needed = len(scores), rows_needed(self.level)
        if n < needed:
            most = most_shown_by(n)
            enough = f", enough for {most:g}" if most > 0 else ""
            raise InputError(
                f"A recall of {self.level:g} for `{self.class_name}` needs at least {needed:,} held-out rows of that "
                f"class; this model has {n:,}{enough}. Train on more rows, or ask for less."
            )
        # With enough rows none may be missed; computed, its tail may be above `DELTA` by rounding.
        most_missed = int(np.sum(bdtr(np.arange(1, n), n, 1 - self.level) <= DELTA))
        return float(np.sort(scores)[most_missed])


def operating_points(
    precision: Mapping[Any, float] | None, recall: Mapping[Any, float] | None, classes: Sequence[str], task: Task
) -> list[OperatingPoint]:
    """Return what is asked for classes, by their names.

    Raises:
        InputError: a class is unknown, a level is not between 0 and 1, or classes would contend for a text.

    """
    points: list[OperatingPoint] = []
    for metric, levels in ((PRECISION, precision), (RECALL, recall)):
        if levels is not None and not hasattr(levels, "items"):  # a mapping, or a pandas series
            raise InputError(f'`{metric}` is {levels!r:.40}, not a mapping such as `{{"spam": 0.95}}`.')
        for given, level in () if levels is None else levels.items():
            name = label_text(given)
            if name not in classes:
                raise InputError(f"`{metric}`: `{name}` is not a class of the training rows.{nearest(name, classes)}")
            if not isinstance(level, Real) or not 0.0 < level < 1.0:
                raise InputError(f"`{metric}`: `{level!s:.40}`, that of `{name}`, is not a number between 0 and 1.")
            if any(point.class_name == name for point in points):
                raise InputError(f"`{name}` has one threshold: give its precision or its recall.")
            points.append(OperatingPoint(metric, name, float(level)))
    if task is not Task.MULTILABEL and len(points) > 1:
        raise InputError("One precision or recall of one class decides where a text has one class: give one of them.")
    return points
