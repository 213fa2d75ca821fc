"""The confusion matrix as a picture: two classes or seventy-seven; and its like for multi-label data."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from tagline.plots.colours import BLUE, FAINT, INK, ORANGE, QUIET, VERMILION
from tagline.plots.style import (
    axes_in_inches,
    label,
    readable_on,
    room_for_names,
    style,
    title_and_legend_from_the_left,
)
from tagline.task import Floats, Ints

_SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#d6e6f2", "#7fb2d6", "#2a75ad", "#0b3c63"])
_LARGEST = 22.0  # inches
_POINTS = 72.0  # in an inch
_DIGIT_WIDTH = 0.64  # of the font size
_SMALLEST_FONT = 3.4
_MOST_NAMES = 120  # along an axis; of more classes every second or third is named
_LARGEST_WITH_SHARES = 5  # classes
_LABEL_COUNTS = 5.2  # inches of width with the names of the labels


def plot_confusion_matrix(matrix: ArrayLike, classes: Sequence[str], *, positive: str | None = None) -> Figure:
    """Draw truth in rows against prediction in columns: counts as numbers, shares of the truth as colour.

    Cells without a row stay blank; counts that would not fit their cell are left to the colour. With
    ``positive``, the cells of two classes are also named TP, FP, FN and TN.

    Args:
        matrix: Counts ``(n_classes, n_classes)``.
        classes: Names in the matrix's order.
        positive: The positive one of two classes.

    """
    counts = np.asarray(matrix, np.int64)
    n_classes = len(classes)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)  # (n_classes, n_classes)
    size = min(max(3.4, 0.62 * n_classes if n_classes <= 8 else 1.6 + 0.21 * n_classes), _LARGEST)
    cell = size / n_classes
    every = -(-n_classes // _MOST_NAMES)
    tick_size = float(np.clip(0.68 * cell * every * _POINTS, 2.5, 8.5))
    names = [label(name) for name in classes]
    room = room_for_names(names, tick_size)
    upright = n_classes > 4 or room > cell
    with style():
        figure, axes = axes_in_inches(
            size, size, left=room + 0.5, bottom=(room if upright else 0.2) + 0.5, right=1.0, top=0.42
        )
        image = axes.imshow(share, cmap=_SHADES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        named = range(0, n_classes, every)
        axes.set_xticks(named, [names[k] for k in named], fontsize=tick_size, rotation=90 if upright else 0)
        axes.set_yticks(named, [names[k] for k in named], fontsize=tick_size)
        axes.tick_params(left=False, bottom=False, length=0, pad=4, colors=INK)
        axes.set_xlabel("Predicted label", labelpad=7)
        axes.set_ylabel("True label", labelpad=7)
        axes.set_title("Confusion matrix")
        for spine in axes.spines.values():
            spine.set(visible=True, color=FAINT)
        edges, last = np.arange(n_classes + 1) - 0.5, n_classes - 0.5
        line = 0.4 if n_classes > 10 else 0.7  # points
        axes.hlines(edges, -0.5, last, color=FAINT, linewidth=line)
        axes.vlines(edges, -0.5, last, color=FAINT, linewidth=line)
        axes.set(xlim=(-0.5, last), ylim=(last, -0.5))

        _write_counts(axes, counts, share, cell, classes, positive)
        _add_colour_bar(figure, axes, image)
    return figure


def _write_counts(
    axes: Axes, counts: Ints, share: Floats, cell: float, classes: Sequence[str], positive: str | None
) -> None:
    longest = len(f"{counts.max():,}")
    font = min(11.0, 0.5 * cell * _POINTS, 0.92 * cell * _POINTS / (_DIGIT_WIDTH * longest))
    if font < _SMALLEST_FONT:
        return
    for row, column in zip(*np.nonzero(counts), strict=True):
        text = f"{counts[row, column]:,}"
        if len(classes) <= _LARGEST_WITH_SHARES:
            text += f"\n{100 * share[row, column]:.1f} %"
        if positive is not None and len(classes) == 2:
            text = f"{_quadrant(classes[row] == positive, classes[column] == positive)}\n{text}"
        colour = readable_on(_SHADES(share[row, column])[:3])
        axes.text(column, row, text, ha="center", va="center", fontsize=font, color=colour)


def _quadrant(is_positive: bool, predicted_positive: bool) -> str:
    if is_positive:
        return "TP" if predicted_positive else "FN"
    return "FP" if predicted_positive else "TN"


def _add_colour_bar(figure: Figure, axes: Axes, image: AxesImage) -> None:
    box = axes.get_position()
    width = 0.16 / figure.get_figwidth()
    bar = figure.colorbar(
        image, cax=figure.add_axes((box.x1 + width, box.y0, width, box.height)), ticks=[0, 0.25, 0.5, 0.75, 1]
    )
    bar.ax.set_yticklabels(["0 %", "25 %", "50 %", "75 %", "100 %"])
    bar.ax.tick_params(length=0, pad=4)
    bar.set_label("Share of the true label", color=QUIET, labelpad=6)
    bar.outline.set_visible(False)


def plot_label_counts(matrices: ArrayLike, classes: Sequence[str]) -> Figure:
    """Draw for each label of multi-label data what was found, what was missed and what was made up.

    Args:
        matrices: ``[[tn, fp], [fn, tp]]`` of each label, ``(n_classes, 2, 2)``.
        classes: Names in the same order.

    """
    table = np.asarray(matrices, np.int64)
    order = np.argsort(table[:, 1].sum(1), kind="stable")  # rarest first, so that the most frequent is on top
    found, missed, made_up = table[order, 1, 1], table[order, 1, 0], table[order, 0, 1]
    names = [label(classes[k]) for k in order]
    tick_size = float(np.clip(_LARGEST / len(names) * 0.7 * _POINTS, 4, 8))
    height = min(max(1.2, len(names) * tick_size / _POINTS * 1.65), _LARGEST)
    y = np.arange(len(names))
    with style():
        left = room_for_names(names, tick_size) + 0.45
        figure, axes = axes_in_inches(_LABEL_COUNTS - left, height, left=left, bottom=0.5, top=0.68)
        axes.barh(y, found, color=BLUE, height=0.72, label="found (TP)")
        axes.barh(y, missed, left=found, color=ORANGE, height=0.72, label="missed (FN)")
        axes.barh(y, -made_up, color=VERMILION, height=0.72, label="false (FP)")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(y, names, fontsize=tick_size)
        axes.tick_params(axis="y", left=False, length=0, colors=INK)
        axes.set_ylim(-0.6, len(names) - 0.4)
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):,.0f}")
        axes.set_xlabel("Rows")
        axes.set_ylabel("True label")
        title_and_legend_from_the_left(axes, "Found, missed and false labels", n_columns=3)
    return figure
