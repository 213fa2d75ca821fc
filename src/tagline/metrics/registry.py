"""The metrics: of which tasks each is, how it is computed, and how it is displayed.

A new metric is one entry of ``METRICS``. `measure` computes it with its interval, and the table of figures shows it
if it has a label; ``HEADLINES`` and ``TILES`` say where.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from numpy.typing import NDArray

from tagline.many_classes import Probabilities
from tagline.metrics.calibration_error import CalibrationBins
from tagline.metrics.counts import (
    Counts,
    macro_average,
    matthews,
    matthews_per_class,
    ratio,
    weighted_average,
)
from tagline.metrics.losses import RowLosses, brier_losses, log_losses
from tagline.metrics.objectives import Objective, exact_match, mean_area, mean_of_losses, of_counts
from tagline.metrics.ranking import Ranking, average_precision, average_precision_bias, roc_auc
from tagline.metrics.tally import Tally
from tagline.task import Floats, Task


@dataclass(frozen=True)
class OfCounts:
    """Computed from the counts of all classes; its interval is that of a share of rows, or of bootstrap samples.

    Attributes:
        value: To ``(...)``.
        pooled: Whether the counts of all labels together are enough; of very many labels only they are resampled.
        shares_of: The tasks of which it is the share of rows that are right.
        mean_of: The metric of each class of which it is the mean.
        means_of: The tasks of which it is a mean over classes: there it has an interval only if each has a few rows.
        lowest: Its smallest value.

    """

    value: Callable[[Tally], Floats]
    pooled: bool = False
    shares_of: tuple[Task, ...] = ()
    mean_of: str | None = None
    means_of: tuple[Task, ...] = ()
    lowest: float = 0.0


@dataclass(frozen=True)
class OfEachClass:
    """Computed for each class from its counts, ``(..., n_classes)``; of two classes, that of the positive one.

    Attributes:
        value: To ``(..., n_classes)``.
        part: What is counted.
        whole: Of what; the metric is the share ``part / whole``, or follows from it.
        of_share: Share to metric, growing.

    """

    value: Callable[[Counts], Floats]
    part: Callable[[Counts], Floats]
    whole: Callable[[Counts], Floats]
    of_share: Callable[[Floats], Floats] = lambda share: share


@dataclass(frozen=True)
class MeanOfRows:
    """The mean over rows of one loss each, at least 0; bootstrap-t interval."""

    losses: RowLosses


@dataclass(frozen=True)
class MeanCost:
    """The mean over rows of what the prediction costs, by a cost matrix; gamma interval."""


@dataclass(frozen=True)
class OfTop:
    """The share of rows whose class is among the ``k`` most probable ones of a label tree; Wilson interval."""

    k: int


@dataclass(frozen=True)
class OfBins:
    """The mean size of a bin's gap between confidence and outcome, with the level that it has by chance."""

    bins: Callable[[NDArray[Any], Probabilities], CalibrationBins]


@dataclass(frozen=True)
class Area:
    """The area under a curve, the positive class's or the mean over classes, with each row's influence on it."""

    value: Callable[[Ranking], tuple[float, Floats]]
    bias: Callable[[Ranking], float] = lambda ranking: 0.0


@dataclass(frozen=True)
class Label:
    """Name of a metric and a short description."""

    name: str
    meaning: str


@dataclass(frozen=True)
class Metric:
    """A metric of evaluation, and perhaps of search.

    Attributes:
        name: Its key in a block of ``metrics.json``; its interval is ``name_ci95``.
        compute: How it and its interval are computed.
        tasks: Those for which it is computed.
        labels: How it is displayed, by task; where there is none, it is in ``metrics.json`` only. ``{positive}``
            is replaced by the positive class.
        larger_is_better: Its direction.
        percent: Whether it is displayed as per cent.
        bounded: Whether it lies between 0 and 1, so that an interval from 0 to 1 says nothing.
        objective: How a search scores held-out rows by it, if it does.

    """

    name: str
    compute: OfCounts | OfEachClass | MeanOfRows | MeanCost | OfTop | OfBins | Area
    tasks: tuple[Task, ...] = tuple(Task)
    labels: Mapping[Task, Label] = field(default_factory=dict)
    larger_is_better: bool = True
    percent: bool = False
    bounded: bool = True
    objective: Objective | None = None


def _labels(name: str, meaning: str, tasks: tuple[Task, ...] = tuple(Task)) -> dict[Task, Label]:
    return {task: Label(name, meaning) for task in tasks}


def _macro(name: str, figure: Callable[[Counts], Floats]) -> OfCounts:
    return OfCounts(
        lambda tally: macro_average(figure(tally.counts), tally.included), mean_of=name, means_of=tuple(Task)
    )


def _weighted(
    figure: Callable[[Counts], Floats], shares_of: tuple[Task, ...] = (), means_of: tuple[Task, ...] = ()
) -> OfCounts:
    return OfCounts(
        lambda tally: weighted_average(figure(tally.counts), tally.counts.support),
        shares_of=shares_of,
        means_of=means_of,
    )


def _micro(figure: Callable[[Counts], Floats]) -> OfCounts:
    return OfCounts(lambda tally: figure(tally.counts.pooled), pooled=True, shares_of=_SINGLE)


def _hamming_loss(tally: Tally) -> Floats:
    of = tally.counts
    return ratio((of.fp + of.fn).sum(-1), (of.support + of.fp + of.tn).sum(-1))


def _matthews(tally: Tally) -> Floats:
    if tally.task is Task.MULTILABEL:
        return macro_average(matthews_per_class(tally.counts), tally.included)
    return matthews(tally.counts)


_BINARY, _MULTICLASS, _MULTILABEL = (Task.BINARY,), (Task.MULTICLASS,), (Task.MULTILABEL,)
_SEVERAL, _SINGLE = _MULTICLASS + _MULTILABEL, _BINARY + _MULTICLASS

# In the order of the keys of a block.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "accuracy",
            OfCounts(lambda tally: tally.exact, pooled=True, shares_of=tuple(Task)),
            labels=_labels("Accuracy", "correct predictions", _BINARY + _MULTICLASS)
            | _labels("Exact match", "rows with all labels right", _MULTILABEL),
            percent=True,
            objective=exact_match(),
        ),
        Metric(
            "macro_precision",
            _macro("precision", lambda counts: counts.precision),
            labels=_labels("Macro precision", "mean over classes", _SEVERAL),
        ),
        Metric(
            "weighted_precision",
            # It is too high on few rows, which weight the classes that they happen to show.
            _weighted(lambda counts: counts.precision, means_of=tuple(Task)),
        ),
        Metric(
            "macro_recall",
            _macro("recall", lambda counts: counts.recall),
            labels=_labels("Macro recall", "mean over classes", _SEVERAL),
        ),
        Metric("weighted_recall", _weighted(lambda counts: counts.recall, _SINGLE)),
        Metric(
            "macro_f1",
            _macro("f1", lambda counts: counts.f1),
            labels=_labels("Macro F1", "unweighted mean over classes"),
            objective=of_counts(lambda counts: macro_average(counts.f1, counts.seen)),
        ),
        Metric(
            "weighted_f1",
            _weighted(lambda counts: counts.f1),
            labels=_labels("Weighted F1", "mean weighted by rows", _SEVERAL),
        ),
        Metric("micro_precision", _micro(lambda counts: counts.precision)),
        Metric("micro_recall", _micro(lambda counts: counts.recall)),
        Metric(
            "micro_f1", _micro(lambda counts: counts.f1), labels=_labels("Micro F1", "all labels pooled", _MULTILABEL)
        ),
        Metric(
            "hamming_loss",
            OfCounts(_hamming_loss, pooled=True),
            tasks=_MULTILABEL,
            labels=_labels("Hamming loss", "share of labels wrong; 0 is best"),
            larger_is_better=False,
            percent=True,
        ),
        Metric(
            "mcc",
            OfCounts(_matthews, means_of=_MULTILABEL, lowest=-1.0),
            labels=_labels("MCC", "correlation; 0 is chance"),
            bounded=False,
        ),
        Metric(
            "precision",
            OfEachClass(lambda of: of.precision, lambda of: of.tp, lambda of: of.tp + of.fp),
            labels=_labels("Precision", "share of predicted {positive} that is correct", _BINARY),
            percent=True,
        ),
        Metric(
            "recall",
            OfEachClass(lambda of: of.recall, lambda of: of.tp, lambda of: of.support),
            labels=_labels("Recall", "share of true {positive} that is found", _BINARY),
            percent=True,
        ),
        Metric(
            "f1",
            # 2 J / (1 + J), where J is the share of right ones among the rows that are or are called the class.
            OfEachClass(
                lambda of: of.f1, lambda of: of.tp, lambda of: of.tp + of.fp + of.fn, lambda J: 2 * J / (1 + J)
            ),
            labels=_labels("F1", "of precision and recall", _BINARY),
        ),
        Metric(
            "specificity",
            OfEachClass(lambda of: of.specificity, lambda of: of.tn, lambda of: of.tn + of.fp),
            labels=_labels("Specificity", "recall of the other class", _BINARY),
            percent=True,
        ),
        Metric(
            "false_positive_rate",
            OfEachClass(lambda of: of.false_positive_rate, lambda of: of.fp, lambda of: of.tn + of.fp),
            labels=_labels("False positive rate", "1 - specificity; 0 is best", _BINARY),
            larger_is_better=False,
            percent=True,
        ),
        Metric(
            "log_loss",
            MeanOfRows(log_losses),
            labels=_labels("Log loss", "in nats; 0 is best"),
            larger_is_better=False,
            bounded=False,
            objective=mean_of_losses(log_losses),
        ),
        Metric(
            "brier",
            MeanOfRows(brier_losses),
            labels=_labels("Brier score", "squared error; 0 is best"),
            larger_is_better=False,
            bounded=False,
        ),
        Metric(
            "ece",
            OfBins(CalibrationBins),
            labels=_labels("Calibration error", "ECE; 0 is best"),
            larger_is_better=False,
        ),
        Metric(
            "roc_auc",
            Area(roc_auc),
            labels=_labels("ROC AUC", "ranking; 0.5 is chance"),
            objective=mean_area(roc_auc),
        ),
        Metric(
            "pr_auc",
            Area(average_precision, average_precision_bias),
            labels=_labels("PR AUC", "average precision"),
        ),
        Metric(
            "mean_cost",
            MeanCost(),
            tasks=_SINGLE,
            labels=_labels("Mean cost", "of a prediction, by the cost matrix", _SINGLE),
            larger_is_better=False,
            bounded=False,
        ),
        Metric(
            "top5_accuracy",
            OfTop(5),
            tasks=_MULTICLASS,
            labels=_labels("Top-5 accuracy", "the label is among the 5 most probable", _MULTICLASS),
            percent=True,
        ),
    )
}

# The order in which tables show metrics; those that are not named here follow.
HEADLINES = (
    *(
        "accuracy",
        "top5_accuracy",
        "mean_cost",
        "hamming_loss",
        "precision",
        "recall",
        "f1",
        "specificity",
        "false_positive_rate",
    ),
    *("macro_f1", "micro_f1", "weighted_f1", "macro_precision", "macro_recall"),
    *("roc_auc", "pr_auc", "mcc", "log_loss", "brier", "ece"),
)

# The metrics at the top of the report.
TILES: dict[Task, tuple[str, ...]] = {
    Task.BINARY: ("accuracy", "f1", "roc_auc", "log_loss", "ece"),
    Task.MULTICLASS: ("accuracy", "top5_accuracy", "macro_f1", "roc_auc", "log_loss", "ece"),
    Task.MULTILABEL: ("micro_f1", "macro_f1", "accuracy", "hamming_loss", "ece"),
}


_Kind = TypeVar("_Kind", OfCounts, OfEachClass, MeanOfRows, MeanCost, OfTop, OfBins, Area)


def metrics_of(task: Task, kind: type[_Kind]) -> list[tuple[Metric, _Kind]]:
    """Return the metrics of a task that are computed in one way, in the order of the keys of a block."""
    metrics = [metric for metric in METRICS.values() if task in metric.tasks]
    return [(metric, metric.compute) for metric in metrics if isinstance(metric.compute, kind)]
