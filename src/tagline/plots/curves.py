"""ROC and precision-recall curves: of one class, of a few, or of many with the extremes named."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from tagline.metrics.ranking import Ranking, average_precision, precision_recall_curve, roc_auc, roc_curve
from tagline.plots.colours import BLUE, INK, OTHERS, PALETTE, QUIET, VERMILION
from tagline.plots.style import axes_in_inches, label, style, unit_square
from tagline.task import Floats

_POINTS_OF_A_CURVE = 400
_POINTS_OF_ONE_OF_MANY = 80
_COLOURS = (VERMILION, *(colour for colour in PALETTE if colour != VERMILION))
_NAMED = len(_COLOURS)  # classes
_WORST, _BEST = 3, 2
_HEIGHT = 3.75  # inches
_LEGEND_LINE = 0.18  # inches


def plot_roc(rankings: Mapping[str, Ranking]) -> Figure:
    """Draw true against false positive rate: of one class, of a few, or of many with the extremes named."""
    areas = {name: roc_auc(ranking)[0] for name, ranking in rankings.items()}
    curves = {name: roc_curve(ranking) for name, ranking in rankings.items()}
    with style():
        figure, axes = axes_in_inches(4.1, _HEIGHT, left=0.6, bottom=0.55 + _legend_height(len(areas)))
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        _draw_curves(axes, rankings, curves, areas, "AUC")
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
        figure, axes = axes_in_inches(4.1, _HEIGHT, left=0.6, bottom=0.55 + _legend_height(len(areas)))
        if len(rankings) == 1:
            ranking = next(iter(rankings.values()))
            share = ranking.n_positive / (ranking.n_positive + ranking.n_negative)
            axes.axhline(share, color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        _draw_curves(axes, rankings, curves, areas, "AP")
        axes.set_xlabel("Recall")
        axes.set_ylabel("Precision")
        axes.set_title(_title("Precision and recall", areas, "AP"))
        if len(areas) > 1:
            _legend_below(axes)
    return figure


def _draw_curves(
    axes: Axes,
    rankings: Mapping[str, Ranking],
    curves: Mapping[str, tuple[Floats, Floats]],
    areas: Mapping[str, float],
    what: str,
) -> None:
    """Draw one curve, a few in colours, or all of many in grey with the mean and the extremes named.

    The same classes are named in both plots, in the same order and colours.
    """
    unit_square(axes)
    if len(curves) == 1:
        x, y = _thinned(*next(iter(curves.values())), _POINTS_OF_A_CURVE)
        axes.plot(x, y, color=BLUE, linewidth=1.8)
        axes.fill_between(x, y, color=BLUE, alpha=0.08, linewidth=0)
        return
    named = _named(rankings)
    if len(curves) > _NAMED:
        others = [np.stack(_thinned(*curve, _POINTS_OF_ONE_OF_MANY), 1) for curve in curves.values()]
        axes.add_collection(LineCollection(others, colors=OTHERS, linewidths=0.5, alpha=0.8))
    for name, colour in zip(named, _COLOURS, strict=False):
        x, y = _thinned(*curves[name], _POINTS_OF_A_CURVE // 2)
        axes.plot(x, y, color=colour, linewidth=1.2, label=f"{label(name)}, {what} {areas[name]:.3f}")
    if len(curves) > _NAMED:
        axes.plot([], [], color=OTHERS, linewidth=1.2, label=f"the other {len(curves) - len(named)}, not named")
    grid = np.linspace(0, 1, 201)
    mean = np.mean([np.interp(grid, *curve) for curve in curves.values()], axis=0)
    average = sum(areas.values()) / len(areas)
    axes.plot(grid, mean, color=INK, linewidth=2.0, label=f"mean of {len(areas)}, {what} {average:.3f}")


def _named(rankings: Mapping[str, Ranking]) -> list[str]:
    """Return the classes that are named, by average precision: all of a few, the worst and the best of many."""
    precision = {name: average_precision(ranking)[0] for name, ranking in rankings.items()}
    by_precision = sorted(precision, key=lambda name: precision[name])
    return by_precision if len(by_precision) <= _NAMED else [*by_precision[:_WORST], *by_precision[-_BEST:]]


def _legend_height(n_curves: int) -> float:
    """Return the inches that the legend below a plot of curves takes: one line for each that is named."""
    if n_curves == 1:
        return 0.0
    n_lines = 1 + (n_curves if n_curves <= _NAMED else _WORST + _BEST + 1)
    return 0.1 + _LEGEND_LINE * n_lines


def _legend_below(axes: Axes) -> None:
    """Name the curves below the axes: in any corner, one of many curves would run under the names."""
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.5 / _HEIGHT), borderaxespad=0, borderpad=0, handlelength=1.4)


def _thinned(x: Floats, y: Floats, n_points: int) -> tuple[Floats, Floats]:
    """Keep at most ``n_points`` of a curve, evenly along its length, so that no bend is lost."""
    if len(x) <= n_points:
        return x, y
    way = np.r_[0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))]
    keep = np.unique(np.searchsorted(way, np.linspace(0, way[-1], n_points)).clip(0, len(x) - 1))
    return x[keep], y[keep]


def _title(what: str, areas: Mapping[str, float], area: str) -> str:
    if len(areas) > 1:
        return f"{what}: each class against the rest"
    name, value = next(iter(areas.items()))
    return f"{what} for “{label(name, 18)}”, {area} {value:.3f}"
