"""Abstention and prediction sets of a run: what its model does with the measured rows at the usual levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.decisions.abstention import rows_needed
from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.levels import ACCURACIES, COVERAGES, abstention_levels, set_levels
from tagline.decisions.sets import prediction_sets, rows_for_sets
from tagline.many_classes import TopProbabilities
from tagline.metrics.selective import answered_figures, set_figures
from tagline.task import Bools, Ints

if TYPE_CHECKING:
    from tagline.runs.predictions import Predicted


@dataclass(frozen=True)
class RowsAtLevels:
    """What becomes of rows at the usual levels.

    A level that the model does not support answers no row, and its sets hold every class.

    Attributes:
        answered: Which rows are answered at each of `ACCURACIES`, (n, n_accuracies).
        set_size: The number of classes in the set of each row at each of `COVERAGES`, (n, n_coverages).
        covered: Whether the true one is among them, (n, n_coverages).

    """

    answered: Bools
    set_size: NDArray[Any]
    covered: Bools

    @classmethod
    def of(cls, scores: HeldOutScores | None, predicted: "Predicted") -> "RowsAtLevels":
        """Return what a model with these held-out rows, if any, does with rows of one label that it has decided."""
        n, n_classes = predicted.proba.shape
        every = np.arange(n)
        confidence = predicted.proba[every, predicted.y_pred]
        answered = np.zeros((n, len(ACCURACIES)), dtype=bool)
        for level in abstention_levels(scores):
            answered[:, ACCURACIES.index(level.accuracy)] = confidence >= level.threshold
        size, covered = np.full((n, len(COVERAGES)), n_classes), np.ones((n, len(COVERAGES)), dtype=bool)
        if isinstance(predicted.proba, TopProbabilities):
            return cls(answered, size, covered)
        decided = np.zeros((n, n_classes), dtype=bool)
        decided[every, predicted.y_pred] = True
        for coverage in set_levels(scores):
            inside = prediction_sets(predicted.proba, decided, coverage.threshold)
            k = COVERAGES.index(coverage.coverage)
            size[:, k], covered[:, k] = inside.sum(axis=1), inside[every, predicted.y_true]
        return cls(answered, size, covered)

    @classmethod
    def of_folds(cls, parts: Sequence["RowsAtLevels"], folds: Ints) -> "RowsAtLevels":
        """Return those of all rows, each decided by the model of its fold; ``folds`` are those of the rows, (n,)."""
        back = np.argsort(np.argsort(folds, kind="stable"))
        return cls(
            np.concatenate([part.answered for part in parts])[back],
            np.concatenate([part.set_size for part in parts])[back],
            np.concatenate([part.covered for part in parts])[back],
        )


def guarantees(
    scores: HeldOutScores | None, predicted: "Predicted", rows: RowsAtLevels | None = None
) -> dict[str, Any] | None:
    """Return ``guarantees`` of ``metrics.json``: the levels of a model, and what was found on the measured rows.

    None without held-out rows, as of models of several labels a text. A label tree has no prediction sets.

    Args:
        scores: The held-out rows of the model.
        predicted: The rows measured, with its decisions.
        rows: What becomes of them at each level, if not what this model does; after cross-validation they are decided
            by the models of the folds, each with its own thresholds.

    """
    if scores is None:
        return None
    rows = rows or RowsAtLevels.of(scores, predicted)
    right = predicted.y_pred == predicted.y_true
    accuracies = {level.accuracy: level.threshold for level in abstention_levels(scores)}
    abstention, sets = [], []
    for k, accuracy in enumerate(ACCURACIES):
        found: dict[str, Any] = {"rows_needed": rows_needed(accuracy)}
        if accuracy in accuracies:
            found = answered_figures(rows.answered[:, k], right, predicted.unit)
        abstention.append({"level": accuracy, "threshold": accuracies.get(accuracy), **found})
    coverages = {level.coverage: level.threshold for level in set_levels(scores)}
    for k, coverage in enumerate(() if isinstance(predicted.proba, TopProbabilities) else COVERAGES):
        found = {"rows_needed": rows_for_sets(coverage)}
        if coverage in coverages:
            found = set_figures(rows.set_size[:, k], rows.covered[:, k], predicted.unit)
        sets.append({"level": coverage, "threshold": coverages.get(coverage), **found})
    return {"held_out_rows": len(scores), "abstention": abstention, "sets": sets}
