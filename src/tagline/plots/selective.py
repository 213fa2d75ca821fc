"""The coverage-accuracy curve: how accurate the answers are if only the most confident predictions are given."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, Bbox

from tagline.metrics.formatting import text_width
from tagline.metrics.selective import AnsweredLevel, SelectiveCurve
from tagline.plots.colours import BLUE, FAINT, VERMILION
from tagline.plots.style import FIFTHS, axes_in_inches, style
from tagline.task import Floats

_WIDTH, _HEIGHT = 4.1, 3.75  # of the axes, in inches
_ROOM = 0.08  # of the height of the axes, below the lowest point
_LEAST_RANGE = 0.05  # of accuracies
_CHARACTER, _LINE, _MARK = 5.2, 12.0, 6.0  # points
# Below and to the left the room beside a falling curve is free, and above and to the right.
_BESIDE = tuple(
    (4.0 * right, up * (4.0 + _LINE * k)) for k in range(4) for right, up in ((-1, -1), (1, 1), (1, -1), (-1, 1))
)  # points


def plot_selective(curve: SelectiveCurve, levels: Sequence[AnsweredLevel] = ()) -> Figure:
    """Draw the accuracy against the share of texts answered, with its 95 % interval, and mark guaranteed levels."""
    marks = _marks(levels)
    lowest = float(np.nanmin([*curve.low, *curve.accuracy, *(y for _, y in marks)]))
    range_ = max(1 - lowest, _LEAST_RANGE)
    with style():
        figure, axes = axes_in_inches(_WIDTH, _HEIGHT, left=0.7, bottom=0.55)
        axes.set_xticks(FIFTHS)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(1 - range_ * (1 + _ROOM), 1 + range_ * _ROOM / 2)
        axes.fill_between(curve.answered, curve.low, curve.high, color=BLUE, alpha=0.16, linewidth=0)
        axes.plot(curve.answered, curve.accuracy, color=BLUE, linewidth=1.8)
        in_points = axes.transLimits + Affine2D().scale(_WIDTH * 72, _HEIGHT * 72)
        places = {point: in_points.transform(point) for point in marks}
        taken = [Bbox.from_bounds(x - _MARK / 2, y - _MARK / 2, _MARK, _MARK) for x, y in places.values()]
        for point, name in marks.items():
            axes.plot(*point, color=VERMILION, marker="o", markersize=_MARK, markeredgecolor="white", linestyle="none")
            right, up = _place(places[point], text_width(name) * _CHARACTER, taken)
            axes.annotate(
                name,
                point,
                xytext=(right, up),
                textcoords="offset points",
                ha="left" if right > 0 else "right",
                va="bottom" if up > 0 else "top",
                fontsize=8,
            )
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


def _place(point: Floats, width: float, taken: list[Bbox]) -> tuple[float, float]:
    """Return where a label of a point is within the axes and on as little as possible, and add it; all in points."""
    x, y = point

    def box(beside: tuple[float, float]) -> Bbox:
        right, up = beside
        return Bbox.from_bounds(x + right - width * (right < 0), y + up - _LINE * (up < 0), width, _LINE)

    def cost(beside: tuple[float, float]) -> tuple[bool, int]:
        label = box(beside)
        is_inside = label.x0 >= 0 and label.x1 <= _WIDTH * 72 and label.y0 >= 0 and label.y1 <= _HEIGHT * 72
        return not is_inside, label.count_overlaps(taken)

    best = min(_BESIDE, key=cost)
    taken.append(box(best))
    return best
