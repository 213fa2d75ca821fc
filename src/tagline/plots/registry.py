"""The plots of a run: what each is drawn from, what draws it, and its caption.

A new plot is one entry of ``PLOTS`` and the function that draws it: training saves it, the report embeds it with its
caption, and draws it if it is missing. Drawing functions are imported when they are needed, because importing
matplotlib takes a third of a second.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.many_classes import Probabilities, probability_array
from tagline.metrics.block import positive_class
from tagline.metrics.counts import MANY_CLASSES, confusion_matrix
from tagline.metrics.ranking import rank_classes
from tagline.metrics.selective import AnsweredLevel, SelectiveCurve, selective_curve
from tagline.task import Floats, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Section(Enum):
    """The section of the report that holds a plot, by what it is drawn from."""

    PREDICTIONS = "predictions"
    CONFIDENCE = "confidence"
    TRAINING = "training"
    SEARCH = "search"


@dataclass(frozen=True)
class Predictions:
    """The predictions of the test rows.

    Attributes:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None``.
        classes: Names in the order of the indices.
        task: What the labels are.
        positive: The positive one of two classes.
        threshold: The probability above which the positive class, or each label, is predicted.
        unit: The unit of each row, ``(n,)``, see ``measure``; ``None`` if it is not known.
        levels: The accuracies that the model guarantees where it may abstain, and what was found on these rows.

    """

    y_true: NDArray[Any]
    y_pred: NDArray[Any]
    proba: Probabilities | None
    classes: Sequence[str]
    task: Task
    positive: str | None = None
    threshold: float | Floats = 0.5
    unit: NDArray[Any] | None = None
    levels: Sequence[AnsweredLevel] = ()

    def __post_init__(self) -> None:
        """Find the positive one of two classes if it is not given, see ``positive_class``."""
        if self.task is Task.BINARY:
            object.__setattr__(self, "positive", positive_class(self.classes, self.positive))

    @cached_property
    def coverage(self) -> SelectiveCurve | None:
        """The accuracy by the share of rows answered; ``None`` of few rows, of label sets, without probabilities."""
        if self.proba is None or self.task is Task.MULTILABEL:
            return None
        confidence = self.proba[np.arange(len(self.y_pred)), self.y_pred]
        return selective_curve(confidence, self.y_pred == self.y_true, self.unit)


@dataclass(frozen=True)
class Caption:
    """A title, and a sentence or two on how to read the plot."""

    title: str
    text: str


@dataclass(frozen=True)
class TrainingHistory:
    """The training of a network.

    Attributes:
        columns: Of equal length: ``epoch``, ``loss``, and if measured ``accuracy``, ``val_loss``, ``val_accuracy``.
        best_epoch: One of ``columns["epoch"]``, or ``None``.

    """

    columns: Mapping[str, Sequence[float]]
    best_epoch: int | None = None


@dataclass(frozen=True)
class SearchCourse:
    """The recipes that a search scored.

    Attributes:
        trials: Mappings with ``seconds``, ``value``, ``family`` and ``whole``, which is false if it was pruned.
        metric: What ``value`` is.
        larger_is_better: The direction of the metric.

    """

    trials: Sequence[Mapping[str, Any]]
    metric: str
    larger_is_better: bool

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "SearchCourse | None":
        """Return the search that ``run.json`` describes, ``None`` if there was none."""
        search = record.get("search")
        return cls(search["course"], search["metric"], search["larger_is_better"]) if search else None


@dataclass(frozen=True)
class PlotData:
    """All that the plots of a run are drawn from; ``None`` is what the run does not have."""

    task: Task | None = None
    predictions: Predictions | None = None
    history: TrainingHistory | None = None
    search: SearchCourse | None = None


@dataclass(frozen=True)
class ReportPlot:
    """A plot of the report.

    Attributes:
        name: Of its files, without suffix.
        section: Where the report shows it.
        draw: Returns the figure, or ``None`` if the data do not allow it.
        applies: Whether the plot is drawn from such data.
        caption: Returns its caption, or ``None`` if there is no such plot for the task.

    """

    name: str
    section: Section
    draw: "Callable[[PlotData], Figure | None]"
    applies: Callable[[PlotData], bool]
    caption: Callable[[PlotData], Caption | None]


def predictions_plot(
    name: str,
    draw: "Callable[[Predictions], Figure | None]",
    captions: Mapping[Task, Caption],
    *,
    section: Section = Section.PREDICTIONS,
    needs_proba: bool = True,
    many_classes: tuple[Task, ...] = (),
) -> ReportPlot:
    """Return the entry of a plot of predictions.

    Args:
        name: Of its files, without suffix.
        draw: Returns the figure, or ``None`` if the predictions do not allow it.
        captions: By task, for the tasks for which it is drawn.
        section: Where the report shows it.
        needs_proba: Whether it is drawn from probabilities.
        many_classes: The tasks for which it is drawn even if there are more than 500 classes.

    """

    def applies(data: PlotData) -> bool:
        of = data.predictions
        if of is None or of.task not in captions or (needs_proba and of.proba is None):
            return False
        return len(of.classes) <= MANY_CLASSES or of.task in many_classes

    def draw_predictions(data: PlotData) -> "Figure | None":
        assert data.predictions is not None
        return draw(data.predictions)

    def caption(data: PlotData) -> Caption | None:
        return None if data.task is None else captions.get(data.task)

    return ReportPlot(name, section, draw_predictions, applies, caption)


def _history_plot(column: str, with_validation: Caption, without: Caption) -> ReportPlot:
    """Return the entry of a plot of a column of the history over epochs, with its captions."""

    def applies(data: PlotData) -> bool:
        return data.history is not None and column in data.history.columns and len(data.history.columns["epoch"]) > 0

    def draw(data: PlotData) -> "Figure":
        from tagline.plots.history import plot_history

        assert data.history is not None
        return plot_history(data.history.columns, column, data.history.best_epoch)

    def caption(data: PlotData) -> Caption:
        return with_validation if data.history and "val_loss" in data.history.columns else without

    return ReportPlot(f"training_{column}", Section.TRAINING, draw, applies, caption)


def _search(data: PlotData) -> "Figure":
    from tagline.plots.searches.tune import plot_search

    assert data.search is not None
    return plot_search(data.search)


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

    assert of.proba is not None
    return plot_calibration(of.y_true, of.proba, of.classes, positive=of.positive, unit=of.unit)


def _scores(of: Predictions) -> "Figure":
    from tagline.plots.scores import plot_scores

    threshold = 0.5 if isinstance(of.threshold, np.ndarray) else of.threshold
    return plot_scores(of.y_true, _proba(of), of.classes, positive=of.positive, threshold=threshold)


def _coverage_accuracy(of: Predictions) -> "Figure | None":
    from tagline.plots.selective import plot_selective

    return None if of.coverage is None else plot_selective(of.coverage, of.levels)


def _proba(of: Predictions) -> Floats:
    assert of.proba is not None
    return probability_array(of.proba)


def _all_tasks(title: str, text: str) -> dict[Task, Caption]:
    return {task: Caption(title, text) for task in Task}


PLOTS: dict[str, ReportPlot] = {
    plot.name: plot
    for plot in (
        predictions_plot(
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
        predictions_plot(
            "roc",
            _roc,
            _all_tasks(
                "ROC curve",
                "The closer a curve comes to the upper left corner, the more is found at the same rate of false "
                "positives. The dashed diagonal is guessing.",
            ),
        ),
        predictions_plot(
            "precision_recall",
            _precision_recall,
            _all_tasks(
                "Precision and recall",
                "To the right, more of a class is found. The higher the curve, the fewer of the predictions are wrong.",
            ),
        ),
        predictions_plot(
            "calibration",
            _calibration,
            _all_tasks(
                "Calibration",
                "On the dashed diagonal, probabilities equal observed frequencies. Below it, probabilities are "
                "too high; above it, too low. Grey bars count the rows.",
            ),
            many_classes=(Task.BINARY, Task.MULTICLASS),
        ),
        predictions_plot(
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
        predictions_plot(
            "coverage_accuracy",
            _coverage_accuracy,
            {
                task: Caption(
                    "Coverage and accuracy",
                    "Accuracy if only the most confident predictions are given, and the other texts are left to "
                    "people. At the right all texts are answered. The band is the 95 % interval of each point; a mark "
                    "is a guaranteed accuracy.",
                )
                for task in (Task.BINARY, Task.MULTICLASS)
            },
            section=Section.CONFIDENCE,
            many_classes=(Task.BINARY, Task.MULTICLASS),
        ),
        _history_plot(
            "loss",
            Caption(
                "Loss",
                "Lower is better. If validation loss rises while training loss still falls, the network overfits.",
            ),
            Caption(
                "Loss",
                "Lower is better. Without validation rows, this shows how closely the training rows are fitted, not "
                "how well new texts are classified.",
            ),
        ),
        _history_plot(
            "accuracy",
            Caption("Accuracy", "The gap between the curves is overfitting to the training rows."),
            Caption("Accuracy", "On training rows; on new texts it is usually lower."),
        ),
        ReportPlot(
            "search",
            Section.SEARCH,
            _search,
            lambda data: data.search is not None and len(data.search.trials) > 0,
            lambda _: Caption(
                "The search over time",
                "Each point is a recipe at the time at which it was scored. Hollow points were pruned, and so scored "
                "on fewer rows.",
            ),
        ),
    )
}


def captions(data: PlotData) -> dict[str, Caption]:
    """Return the captions of the plots of a run by name."""
    found = {name: plot.caption(data) for name, plot in PLOTS.items()}
    return {name: caption for name, caption in found.items() if caption is not None}
