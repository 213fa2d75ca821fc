"""Arrays in, matplotlib figures out: ROC, precision-recall, calibration, scores by class; and all saved.

``save_plots`` writes SVG and PNG files that are the same bytes for the same arrays.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from tagline.metrics.block import positive_class
from tagline.metrics.calibration_error import reliability_curve, top_label
from tagline.metrics.counts import MANY_CLASSES, Floats, confusion_matrix
from tagline.metrics.ranking import (
    Ranking,
    average_precision,
    precision_recall_curve,
    rank,
    roc_auc,
    roc_curve,
)
from tagline.plots.confusion_matrix import plot_confusion_matrix, plot_label_counts
from tagline.plots.style import (
    BLUE,
    FAINT,
    INK,
    PALETTE,
    QUIET,
    VERMILION,
    axes_in_inches,
    label,
    save,
    style,
)

_POINTS_OF_A_CURVE = 400
_POINTS_OF_ONE_OF_MANY = 80
_NAMED = 6  # as many classes as there are colours
_WORST, _BEST = 3, 2
_MOST_SPREADS = 100
_CURVES_HEIGHT = 3.75  # inches
_LEGEND_LINE = 0.18  # inches
_LABEL_X = -0.155  # where both labels of the calibration plot's y axes stand
_ROOM_FOR_NAMES = 0.062  # inches a character takes at 8 points

__all__ = [
    "plot_calibration",
    "plot_confusion_matrix",
    "plot_label_counts",
    "plot_precision_recall",
    "plot_roc",
    "plot_scores",
    "rank_classes",
    "save_plots",
]


def save_plots(
    folder: Path,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    proba: ArrayLike | None,
    classes: Sequence[str],
    *,
    task: str,
    positive: str | None = None,
    threshold: float = 0.5,
) -> dict[str, dict[str, str]]:
    """Draw everything that these predictions allow and write each plot as SVG and PNG.

    Of more than 500 classes only the calibration is drawn, and nothing of more than 500 labels.

    Args:
        folder: Made if it is missing.
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None``: then only the confusion matrix is drawn.
        classes: Names in the order of the indices.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.
        positive: The positive one of two classes, see ``positive_class``.
        threshold: From which probability on two classes are decided for the positive one.

    Returns:
        File names in ``folder`` by plot and format:
        ``{"confusion_matrix": {"svg": "confusion_matrix.svg", "png": …}, "roc": …, "precision_recall": …,
        "calibration": …, "scores": …}``.

    """
    truth, prediction = np.asarray(y_true), np.asarray(y_pred)
    folder.mkdir(parents=True, exist_ok=True)
    positive = positive_class(classes, positive) if task == "binary" else None
    figures: dict[str, Figure] = {}
    if len(classes) > MANY_CLASSES:
        if proba is not None and task != "multilabel":
            figures["calibration"] = plot_calibration(truth, np.asarray(proba, float), classes)
        return {name: save(figure, folder, name) for name, figure in figures.items()}
    if task == "multilabel":
        cells = [confusion_matrix(truth[:, k], prediction[:, k], 2) for k in range(len(classes))]
        figures["confusion_matrix"] = plot_label_counts(np.stack(cells), classes)
    else:
        matrix = confusion_matrix(truth, prediction, len(classes))
        figures["confusion_matrix"] = plot_confusion_matrix(matrix, classes, positive=positive)
    if proba is not None:
        p = np.asarray(proba, float)
        rankings = rank_classes(truth, p, classes, positive=positive)
        if rankings:
            figures["roc"] = plot_roc(rankings)
            figures["precision_recall"] = plot_precision_recall(rankings)
        figures["calibration"] = plot_calibration(truth, p, classes, positive=positive)
        figures["scores"] = plot_scores(truth, p, classes, positive=positive, threshold=threshold)
    return {name: save(figure, folder, name) for name, figure in figures.items()}


def rank_classes(
    y_true: NDArray[Any], proba: Floats, classes: Sequence[str], *, positive: str | None = None
) -> dict[str, Ranking]:
    """Rank the rows for each class, or only for ``positive``; classes that cannot be ranked are left out.

    Args:
        y_true: Class indices ``(n,)``, or booleans ``(n, n_classes)``.
        proba: ``(n, n_classes)``.
        classes: Names in the order of the columns.
        positive: Of two classes, the one whose curve is drawn.

    """
    rankings = {}
    for k, name in enumerate(classes):
        if positive in (None, name):
            ranking = rank(y_true[:, k].astype(bool) if y_true.ndim == 2 else y_true == k, proba[:, k])
            if ranking is not None:
                rankings[name] = ranking
    return rankings


def plot_roc(rankings: Mapping[str, Ranking]) -> Figure:
    """Draw true against false positive rate: of one class, of a few, or of many with the extremes named."""
    areas = {name: roc_auc(ranking)[0] for name, ranking in rankings.items()}
    curves = {name: roc_curve(ranking) for name, ranking in rankings.items()}
    with style():
        figure, axes = axes_in_inches(4.1, _CURVES_HEIGHT, left=0.6, bottom=0.55 + _legend_height(len(areas)))
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        _curves(axes, curves, areas, "AUC")
        axes.set_xlabel("False positive rate")
        axes.set_ylabel("True positive rate")
        axes.set_title(_title("ROC curve", areas, "AUC"))
        if len(areas) > 1:
            _legend_below(axes)
    return figure


def plot_precision_recall(rankings: Mapping[str, Ranking]) -> Figure:
    """Draw precision against recall: of one class, of a few, or of many with the extremes named."""
    areas = {name: average_precision(ranking)[0] for name, ranking in rankings.items()}
    curves = {}
    for name, ranking in rankings.items():
        recall, precision = precision_recall_curve(ranking)
        curves[name] = np.r_[0.0, recall], np.r_[precision[0], precision]
    with style():
        figure, axes = axes_in_inches(4.1, _CURVES_HEIGHT, left=0.6, bottom=0.55 + _legend_height(len(areas)))
        if len(rankings) == 1:
            ranking = next(iter(rankings.values()))
            share = ranking.n_positive / (ranking.n_positive + ranking.n_negative)
            axes.axhline(share, color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        _curves(axes, curves, areas, "AP")
        axes.set_xlabel("Recall")
        axes.set_ylabel("Precision")
        axes.set_title(_title("Precision and recall", areas, "AP"))
        if len(areas) > 1:
            _legend_below(axes)
    return figure


def plot_calibration(
    y_true: NDArray[Any],
    proba: Floats,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    n_bins: int = 15,
) -> Figure:
    """Draw the share that came true against the promised probability, with the rows of each bin below.

    Two classes: the probability of ``positive``; several: the confidence in the most probable class;
    multi-label: the probabilities of all labels. Bars are 95 % Wilson intervals (E. Wilson, 1927).
    """
    if y_true.ndim == 2:
        probability, outcome, promised = proba.ravel(), y_true.ravel().astype(bool), "Probability of a label"
    elif positive is not None:
        column = list(classes).index(positive)
        probability, outcome = proba[:, column], y_true == column
        promised = f"Probability of “{label(positive)}”"
    else:
        probability, outcome = top_label(y_true, proba)
        promised = "Confidence in the predicted label"
    curve = reliability_curve(probability, outcome, n_bins)
    filled = curve.count > 0
    x, y, n = curve.confidence[filled], curve.accuracy[filled], curve.count[filled]
    low, high = _wilson(y, n)
    with style():
        figure, axes = axes_in_inches(4.1, 2.75, left=0.8, bottom=1.55)
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        axes.vlines(x, low, high, color=BLUE, linewidth=1.2, alpha=0.55)
        axes.plot(x, y, color=BLUE, linewidth=1.4, marker="o", markersize=4.5, markeredgecolor="white")
        _unit_square(axes)
        axes.tick_params(labelbottom=False)
        axes.set_ylabel("Share that came true")
        axes.yaxis.set_label_coords(_LABEL_X, 0.5)
        axes.set_title("Calibration: promised against true")
        width, height = figure.get_size_inches()
        below = figure.add_axes((0.8 / width, 0.55 / height, 4.1 / width, 0.85 / height))
        below.bar(curve.edges[:-1], curve.count, width=1 / n_bins, align="edge", color=FAINT, edgecolor="white")
        below.set_xlim(-0.02, 1.02)
        below.set_ylabel("Rows" if y_true.ndim == 1 else "Labels")
        below.yaxis.set_label_coords(_LABEL_X, 0.5)
        below.set_xlabel(promised)
        below.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        below.locator_params(axis="y", nbins=3, integer=True)
    return figure


def plot_scores(
    y_true: NDArray[Any],
    proba: Floats,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    threshold: float = 0.5,
) -> Figure:
    """Draw how the scores of rows of each class are spread.

    Two classes: histograms of the probability of ``positive`` by true class. Several: the probability given
    to the true class, by class. Multi-label: each label's probability where it is true and where it is not.
    """
    if positive is not None:
        return _plot_two_histograms(y_true, proba, classes, positive, threshold)
    spreads: list[tuple[str, Floats, Floats]] = []
    for k, name in enumerate(classes):
        has = y_true[:, k].astype(bool) if y_true.ndim == 2 else y_true == k
        if has.any():
            spreads.append((name, proba[has, k], proba[~has, k]))
    spreads.sort(key=lambda spread: float(np.median(spread[1])))
    of = ""
    if len(spreads) > _MOST_SPREADS:
        of = f": the {_MOST_SPREADS} lowest of {len(spreads)}"
        spreads = spreads[:_MOST_SPREADS]
    tick_size = 8.0 if len(spreads) <= 30 else 6.5
    step = tick_size / 72 * 1.6
    y = np.arange(len(spreads))
    names = [label(name) for name, _, _ in spreads]
    with style():
        left = max((len(name) for name in names), default=0) * _ROOM_FOR_NAMES * tick_size / 8 + 0.5
        figure, axes = axes_in_inches(4.1, max(1.8, step * len(spreads)), left=left, bottom=0.55, top=0.68)
        if y_true.ndim == 2:
            others = [other for _, _, other in spreads]
            _spread(axes, y - 0.2, others, VERMILION, "rows without the label")
            _spread(axes, y + 0.2, [own for _, own, _ in spreads], BLUE, "rows with the label")
            title, promised = "Scores of each label", "Probability of the label"
        else:
            _spread(axes, y, [own for _, own, _ in spreads], BLUE, "median, middle half, middle 90 %")
            title, promised = "Scores by class", "Probability given to the true label"
        axes.set_yticks(y, names, fontsize=tick_size)
        axes.tick_params(axis="y", length=0, colors=INK)
        axes.set_ylim(-0.7, len(spreads) - 0.3)
        axes.set_xlim(-0.02, 1.02)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(promised)
        axes.set_ylabel("True label")
        axes.set_title(title + of, pad=24)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)
    return figure


def _plot_two_histograms(
    y_true: NDArray[Any], proba: Floats, classes: Sequence[str], positive: str, threshold: float
) -> Figure:
    column = list(classes).index(positive)
    score = proba[:, column]
    edges = np.linspace(0, 1, 41)
    with style():
        figure, axes = axes_in_inches(4.1, 3.55, left=0.6, bottom=0.55, top=0.62)
        for k, colour in ((1 - column, VERMILION), (column, BLUE)):
            mine = score[y_true == k]
            share = np.histogram(mine, edges)[0] / max(len(mine), 1)
            axes.stairs(share, edges, fill=True, color=colour, alpha=0.22)
            axes.stairs(share, edges, color=colour, linewidth=1.4, label=f"truly “{label(classes[k])}”")
        axes.axvline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 4)))
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.set_xlabel(f"Probability of “{label(positive)}”")
        axes.set_ylabel("Share of the class")
        axes.set_title("Scores by class", pad=24)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)
    return figure


def _curves(axes: Axes, curves: Mapping[str, tuple[Floats, Floats]], areas: Mapping[str, float], what: str) -> None:
    """Draw one curve, a few in colours, or all of many in grey with the mean and the extremes named."""
    _unit_square(axes)
    if len(curves) == 1:
        x, y = _thinned(*next(iter(curves.values())), _POINTS_OF_A_CURVE)
        axes.plot(x, y, color=BLUE, linewidth=1.8)
        axes.fill_between(x, y, color=BLUE, alpha=0.08, linewidth=0)
        return
    by_area = sorted(areas, key=lambda name: areas[name])
    named = by_area if len(by_area) <= _NAMED else [*by_area[:_WORST], *by_area[-_BEST:]]
    if len(by_area) > _NAMED:
        others = [np.stack(_thinned(*curve, _POINTS_OF_ONE_OF_MANY), 1) for curve in curves.values()]
        axes.add_collection(LineCollection(others, colors="#b4bcc8", linewidths=0.5, alpha=0.8))
    for name, colour in zip(named, (VERMILION, *(c for c in PALETTE if c != VERMILION)), strict=False):
        x, y = _thinned(*curves[name], _POINTS_OF_A_CURVE // 2)
        axes.plot(x, y, color=colour, linewidth=1.2, label=f"{label(name, 22)}, {what} {areas[name]:.3f}")
    grid = np.linspace(0, 1, 201)
    mean = np.mean([np.interp(grid, *curve) for curve in curves.values()], axis=0)
    average = sum(areas.values()) / len(areas)
    axes.plot(grid, mean, color=INK, linewidth=2.0, label=f"mean of {len(areas)}, {what} {average:.3f}")


def _legend_height(n_curves: int) -> float:
    """Return the inches that the legend below a plot of curves takes: one line for each that is named."""
    if n_curves == 1:
        return 0.0
    n_lines = 1 + (n_curves if n_curves <= _NAMED else _WORST + _BEST)
    return 0.1 + _LEGEND_LINE * n_lines


def _legend_below(axes: Axes) -> None:
    """Name the curves below the axes: in any corner, one of many curves would run under the names."""
    axes.legend(
        loc="upper left", bbox_to_anchor=(0, -0.5 / _CURVES_HEIGHT), borderaxespad=0, borderpad=0, handlelength=1.4
    )


def _thinned(x: Floats, y: Floats, n_points: int) -> tuple[Floats, Floats]:
    """Keep at most ``n_points`` of a curve, evenly along its length, so that no bend is lost."""
    if len(x) <= n_points:
        return x, y
    way = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], n_points)).clip(0, len(x) - 1))
    return x[keep], y[keep]


def _spread(axes: Axes, y: NDArray[Any], samples: Sequence[Floats], colour: str, name: str) -> None:
    marks = np.array([np.quantile(s, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(s) else [0.0] * 5 for s in samples])
    axes.hlines(y, marks[:, 0], marks[:, 4], color=colour, linewidth=0.9, alpha=0.6)
    axes.hlines(y, marks[:, 1], marks[:, 3], color=colour, linewidth=3.0, alpha=0.5)
    axes.plot(marks[:, 2], y, "o", color=colour, markersize=3.6, label=name)


def _wilson(share: Floats, n: NDArray[Any]) -> tuple[Floats, Floats]:
    z = 1.96
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def _title(what: str, areas: Mapping[str, float], area: str) -> str:
    if len(areas) > 1:
        return f"{what}: each class against the rest"
    name, value = next(iter(areas.items()))
    return f"{what} for “{label(name, 18)}”, {area} {value:.3f}"
