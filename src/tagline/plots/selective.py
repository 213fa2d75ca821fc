"""The coverage-accuracy curve: how accurate the answers are if only the most confident predictions are given."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from tagline.metrics.formatting import text_width
from tagline.metrics.selective import AnsweredLevel, SelectiveCurve
from tagline.plots.colours import BLUE, FAINT, VERMILION
from tagline.plots.style import axes_in_inches, style

_WIDTH, _HEIGHT = 4.1, 3.75  # of the axes, in inches
_ROOM = 0.08  # of the height of the axes, below the lowest point
_LEAST_RANGE = 0.05  # of accuracies
_CHARACTER, _LINE = 5.2, 10.0  # points
# Below and to the left the room beside a falling curve is free, and above and to the right.
_BESIDE = ((-4.0, -7.0), (4.0, 5.0), (-4.0, -18.0), (4.0, 16.0))  # points


def plot_selective(curve: SelectiveCurve, levels: Sequence[AnsweredLevel] = ()) -> Figure:
    """Draw the accuracy against the share of texts answered, with its 95 % interval, and mark guaranteed levels."""
    marks = _marks(levels)
    lowest = float(np.nanmin([*curve.low, *curve.accuracy, *(y for _, y in marks)]))
    range_ = max(1 - lowest, _LEAST_RANGE)
    with style():
        figure, axes = axes_in_inches(_WIDTH, _HEIGHT, left=0.7, bottom=0.55)
        axes.fill_between(curve.answered, curve.low, curve.high, color=BLUE, alpha=0.16, linewidth=0)
        axes.plot(curve.answered, curve.accuracy, color=BLUE, linewidth=1.8)
        placed: list[Bbox] = []
        for (x, y), name in marks.items():
            axes.plot(x, y, color=VERMILION, marker="o", markersize=6, markeredgecolor="white", linestyle="none")
            right, up = _place(x * _WIDTH * 72, y / range_ * _HEIGHT * 72, text_width(name) * _CHARACTER, placed)
            axes.annotate(
                name,
                (x, y),
                xytext=(right, up),
                textcoords="offset points",
                ha="left" if right > 0 else "right",
                va="bottom" if up > 0 else "top",
                fontsize=8,
            )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(1 - range_ * (1 + _ROOM), 1 + range_ * _ROOM / 2)
        axes.grid(color=FAINT, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} %")
        axes.locator_params(axis="y", nbins=6)
        axes.set_xlabel("Texts answered, the most confident first")
        axes.set_ylabel("Accuracy of the answers")
        axes.set_title("Coverage and accuracy")
    return figure


def _marks(levels: Sequence[AnsweredLevel]) -> dict[tuple[float, float], str]:
    """Return what is written at each point: several levels may have the same."""
    marks: dict[tuple[float, float], list[str]] = {}
    for level in levels:
        marks.setdefault((level.answered, level.accuracy), []).append(f"{100 * level.level:.4g}")
    return {point: f"≥ {', '.join(percents)} %" for point, percents in marks.items()}


def _place(x: float, y: float, width: float, placed: list[Bbox]) -> tuple[float, float]:
    """Return where a label of a point is within the axes and not on others, and add it to these; all in points."""
    for right, up in _BESIDE:
        left, bottom = x + right - width * (right < 0), y + up - _LINE * (up < 0)
        box = Bbox.from_bounds(left, bottom, width, _LINE)
        if left >= 0 and left + width <= _WIDTH * 72 and not any(box.overlaps(other) for other in placed):
            break
    placed.append(box)
    return right, up
