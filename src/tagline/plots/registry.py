"""The plots of a run: when each can be drawn, what draws it, and its caption.

A new plot of predictions is one entry of ``PLOTS`` and the function that draws it: training saves it, and the report
embeds it with its caption. Drawing functions are imported when they are needed, because matplotlib takes its time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.metrics.counts import MANY_CLASSES, Floats, confusion_matrix
from tagline.metrics.ranking import rank_classes
from tagline.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Predictions:
    """What plots of predictions are drawn from.

    Attributes:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None``.
        classes: Names in the order of the indices.
        task: What the labels are.
        positive: The positive one of two classes.
        threshold: The probability above which the positive class is predicted.

    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    proba: Floats | None
    classes: Sequence[str]
    task: Task
    positive: str | None
    threshold: float


@dataclass(frozen=True)
class Caption:
    """A title, and a sentence or two on how to read the plot."""

    title: str
    text: str


@dataclass(frozen=True)
class ReportPlot:
    """A plot of predictions in the report.

    Attributes:
        name: Of its files, without suffix.
        draw: Returns the figure, or ``None`` if these predictions do not allow it.
        captions: By task, the tasks for which it is drawn.
        needs_proba: Whether it is drawn from probabilities.
        many_classes: The tasks for which it is drawn even of more than 500 classes.

    """

    name: str
    draw: "Callable[[Predictions], Figure | None]"
    captions: Mapping[Task, Caption]
    needs_proba: bool = True
    many_classes: tuple[Task, ...] = ()

    def applies(self, predictions: Predictions) -> bool:
        """Return whether the plot is drawn of such predictions."""
        task = predictions.task
        if task not in self.captions or (self.needs_proba and predictions.proba is None):
            return False
        return len(predictions.classes) <= MANY_CLASSES or task in self.many_classes


def _confusion_matrix(of: Predictions) -> "Figure":
    from tagline.plots.confusion_matrix import plot_confusion_matrix, plot_label_counts

    if of.task is Task.MULTILABEL:
        cells = [confusion_matrix(of.y_true[:, k], of.y_pred[:, k], 2) for k in range(len(of.classes))]
        return plot_label_counts(np.stack(cells), of.classes)
    matrix = confusion_matrix(of.y_true, of.y_pred, len(of.classes))
    return plot_confusion_matrix(matrix, of.classes, positive=of.positive)


def _roc(of: Predictions) -> "Figure | None":
    from tagline.plots.curves import plot_roc

    rankings = rank_classes(of.y_true, _proba(of), of.classes, positive=of.positive)
    return plot_roc(rankings) if rankings else None


def _precision_recall(of: Predictions) -> "Figure | None":
    from tagline.plots.curves import plot_precision_recall

    rankings = rank_classes(of.y_true, _proba(of), of.classes, positive=of.positive)
    return plot_precision_recall(rankings) if rankings else None


def _calibration(of: Predictions) -> "Figure":
    from tagline.plots.calibration import plot_calibration

    return plot_calibration(of.y_true, _proba(of), of.classes, positive=of.positive)


def _scores(of: Predictions) -> "Figure":
    from tagline.plots.scores import plot_scores

    return plot_scores(of.y_true, _proba(of), of.classes, positive=of.positive, threshold=of.threshold)


def _proba(of: Predictions) -> Floats:
    assert of.proba is not None
    return of.proba


def _all_tasks(title: str, text: str) -> dict[Task, Caption]:
    return {task: Caption(title, text) for task in Task}


PLOTS: dict[str, ReportPlot] = {
    plot.name: plot
    for plot in (
        ReportPlot(
            "confusion_matrix",
            _confusion_matrix,
            _all_tasks(
                "Confusion matrix",
                "Each row holds the texts of one true label. The darker the diagonal, the more of them are predicted "
                "correctly.",
            )
            | {
                Task.MULTILABEL: Caption(
                    "Found, missed and false labels",
                    "One bar per label: blue is found (TP), yellow is missed (FN), and orange, to the left, is "
                    "predicted wrongly (FP).",
                )
            },
            needs_proba=False,
        ),
        ReportPlot(
            "roc",
            _roc,
            _all_tasks(
                "ROC curve",
                "The closer a curve comes to the upper left corner, the more is found at the same rate of false "
                "positives. The dashed diagonal is guessing.",
            ),
        ),
        ReportPlot(
            "precision_recall",
            _precision_recall,
            _all_tasks(
                "Precision and recall",
                "To the right, more of a class is found. The higher the curve, the fewer of the predictions are wrong.",
            ),
        ),
        ReportPlot(
            "calibration",
            _calibration,
            _all_tasks(
                "Calibration",
                "On the dashed diagonal, probabilities equal observed frequencies. Below it, the model is "
                "overconfident; above it, underconfident. Grey bars count the rows.",
            ),
            many_classes=(Task.BINARY, Task.MULTICLASS),
        ),
        ReportPlot(
            "scores",
            _scores,
            {
                Task.BINARY: Caption(
                    "Scores by class",
                    "The less the two distributions overlap, the better the model separates the classes. Rows on the "
                    "wrong side of the dashed threshold are errors.",
                ),
                Task.MULTICLASS: Caption(
                    "Scores by class",
                    "The probability of the true label, class by class. Marks far to the left are classes that the "
                    "model seldom recognises.",
                ),
                Task.MULTILABEL: Caption(
                    "Scores by label",
                    "The further apart blue (rows with the label) and orange (rows without it), the better the model "
                    "separates them.",
                ),
            },
        ),
    )
}

# Of the training of a network, by name; with and without validation rows.
HISTORY_CAPTIONS: dict[str, tuple[Caption, Caption]] = {
    "training_loss": (
        Caption(
            "Loss", "Lower is better. If validation loss rises while training loss still falls, the network overfits."
        ),
        Caption(
            "Loss",
            "Lower is better. Without validation rows, this shows how closely the training rows are fitted, not how "
            "well new texts are classified.",
        ),
    ),
    "training_accuracy": (
        Caption("Accuracy", "The gap between the curves is overfitting to the training rows."),
        Caption("Accuracy", "On training rows; on new texts it is usually lower."),
    ),
}

SEARCH_CAPTIONS: dict[str, Caption] = {
    "search": Caption(
        "The search over time",
        "Each point is a recipe at the time at which it was scored. Hollow points were pruned, and so scored on fewer "
        "rows.",
    )
}


def captions(task: Task, *, has_validation: bool) -> dict[str, Caption]:
    """Return the captions of all plots of a run by name; ``has_validation``: the training had validation rows."""
    found = {name: plot.captions[task] for name, plot in PLOTS.items() if task in plot.captions}
    found |= {name: pair[0 if has_validation else 1] for name, pair in HISTORY_CAPTIONS.items()}
    return found | SEARCH_CAPTIONS
