"""Accuracy against cost: models as points, with the Pareto front."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tagline.metrics.comparison.compare import dominated
from tagline.plots.colours import BLUE, FAINT, INK, PAPER, QUIET
from tagline.plots.style import axes_in_inches, style

_NEAR = 0.035  # of the width and of the height: points nearer than that share a label
_STEPS = (1, 2, 5)  # between ticks, times powers of ten
_ROOM = 1.6  # around the outermost points, as a factor


def plot_pareto(
    labels: Sequence[str],
    accuracies: Sequence[float],
    intervals: Sequence[Sequence[float] | None],
    costs: Sequence[float],
    *,
    cost: str,
    accuracy: str = "Accuracy",
) -> Figure:
    """Draw accuracy with its interval against a cost, on a logarithmic axis; towards the upper left is better.

    Filled points are Pareto optimal: no other model is as accurate and as cheap. A line joins them.

    Args:
        labels: Letters of the points; names would not fit.
        accuracies: From 0 to 1.
        intervals: ``[low, high]`` of each, or ``None``.
        costs: Above 0.
        cost: The name of the cost with its unit, for the axis.
        accuracy: The name of the other axis.

    """
    is_dominated = [bool(by) for by in dominated(accuracies, costs)]
    with style():
        figure, axes = axes_in_inches(4.1, 2.9, left=0.74, bottom=0.55)
        _scale(axes, accuracies, intervals, costs)
        front = sorted((x, y) for x, y, hollow in zip(costs, accuracies, is_dominated, strict=True) if not hollow)
        axes.plot(
            [x for x, _ in front], [y for _, y in front], color=FAINT, linewidth=1.6, drawstyle="steps-post", zorder=1
        )
        for x, y, interval, hollow in zip(costs, accuracies, intervals, is_dominated, strict=True):
            if interval is not None:
                axes.vlines(
                    x, interval[0], interval[1], color=QUIET if hollow else BLUE, linewidth=1.2, alpha=0.55, zorder=2
                )
            axes.plot(
                x,
                y,
                marker="o",
                markersize=6.0,
                color=QUIET if hollow else BLUE,
                markerfacecolor=PAPER if hollow else BLUE,
                zorder=3,
            )
        for name, x, y in _shared(axes, labels, costs, accuracies):
            axes.annotate(name, (x, y), xytext=(6, 4), textcoords="offset points", fontweight="bold", color=INK)
        axes.grid(color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(cost)
        axes.set_ylabel(accuracy)
        axes.set_title(f"{accuracy} and {cost.partition(',')[0].lower()}")
    return figure


def _scale(
    axes: Axes, accuracies: Sequence[float], intervals: Sequence[Sequence[float] | None], costs: Sequence[float]
) -> None:
    low, high = min(costs) / _ROOM, max(costs) * _ROOM
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [step * 10.0**power for power in range(-9, 10) for step in _STEPS if low <= step * 10.0**power <= high]
    axes.set_xticks(ticks[:: max(1, round(len(ticks) / 7))])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")  # the default formatter writes TeX, which is off
    axes.minorticks_off()
    ends = [*accuracies, *(end for interval in intervals if interval is not None for end in interval)]
    room = 0.1 * (max(ends) - min(ends)) or 0.02
    axes.set_ylim(min(ends) - room, max(ends) + room)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")


def _shared(
    axes: Axes, labels: Sequence[str], costs: Sequence[float], accuracies: Sequence[float]
) -> list[tuple[str, float, float]]:
    """Return the labels with their places; points that overlap share a label."""
    to_axes = axes.transData + axes.transAxes.inverted()
    places = to_axes.transform(list(zip(costs, accuracies, strict=True)))  # (n_models, 2)
    taken: list[tuple[list[str], int]] = []
    for i, name in enumerate(labels):
        beside = next((names for names, k in taken if abs(places[k] - places[i]).max() < _NEAR), None)
        if beside is None:
            taken.append(([name], i))
        else:
            beside.append(name)
    return [(", ".join(names), costs[k], accuracies[k]) for names, k in taken]
