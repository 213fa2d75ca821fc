"""How the scores of the rows of each class are distributed."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tagline.plots.colours import BLUE, FAINT, INK, VERMILION
from tagline.plots.style import FIFTHS, axes_in_inches, label, room_for_names, style, title_and_legend_from_the_left
from tagline.task import Floats

_MOST_SPREADS = 100
_WIDTH = 4.7  # inches, with the names of the classes


def plot_scores(
    y_true: NDArray[Any],
    proba: Floats,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    threshold: float = 0.5,
) -> Figure:
    """Draw how the scores of the rows of each class are distributed.

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
        left = room_for_names(names, tick_size) + 0.5
        figure, axes = axes_in_inches(_WIDTH - left, max(1.8, step * len(spreads)), left=left, bottom=0.55, top=0.68)
        if y_true.ndim == 2:
            others = [other for _, _, other in spreads]
            _spread(axes, y - 0.2, others, VERMILION, "rows without the label")
            _spread(axes, y + 0.2, [own for _, own, _ in spreads], BLUE, "rows with the label")
            title, axis = "Scores of each label", "Probability of the label"
        else:
            _spread(axes, y, [own for _, own, _ in spreads], BLUE, "median, middle half, middle 90 %")
            title, axis = "Scores by class", "Probability given to the true label"
        axes.set_yticks(y, names, fontsize=tick_size)
        axes.tick_params(axis="y", left=False, length=0, colors=INK)
        axes.set_ylim(-0.7, len(spreads) - 0.3)
        axes.set_xticks(FIFTHS)
        axes.set_xlim(-0.02, 1.02)
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel(axis)
        axes.set_ylabel("True label")
        title_and_legend_from_the_left(axes, title + of, n_columns=2)
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
            axes.stairs(share, edges, color=colour, linewidth=1.4, label=f"true label “{label(classes[k])}”")
        axes.axvline(threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 4)))
        axes.set_xticks(FIFTHS)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
        axes.set_xlabel(f"Probability of “{label(positive)}”")
        axes.set_ylabel("Share of the class")
        axes.set_title("Scores by class", pad=24)
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, borderaxespad=0.2, handlelength=1.2)
    return figure


def _spread(axes: Axes, y: NDArray[Any], samples: Sequence[Floats], colour: str, name: str) -> None:
    marks = np.array([np.quantile(s, [0.05, 0.25, 0.5, 0.75, 0.95]) if len(s) else [0.0] * 5 for s in samples])
    axes.hlines(y, marks[:, 0], marks[:, 4], color=colour, linewidth=0.9, alpha=0.6)
    axes.hlines(y, marks[:, 1], marks[:, 3], color=colour, linewidth=3.0, alpha=0.5)
    axes.plot(marks[:, 2], y, "o", color=colour, markersize=3.6, label=name)
