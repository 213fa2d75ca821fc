"""A search as a figure: the score of every recipe when it was scored, and the best so far."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tagline.metrics.formatting import display_name
from tagline.plots.colours import INK, PALETTE, QUIET
from tagline.plots.registry import SearchCourse
from tagline.plots.style import axes_in_inches, style

_SPAN = 2.5  # of the axis, in distances from the best to the median; worse values are clipped to the edge
_MIN_SPAN = 0.01  # of the axis


def plot_search(course: SearchCourse) -> Figure:
    """Draw a point for each recipe over the seconds at which it was scored; hollow if it was pruned."""
    trials = course.trials
    seconds = np.array([each["seconds"] for each in trials], dtype=float)
    values = np.array([each["value"] for each in trials], dtype=float)
    whole = np.array([each["whole"] for each in trials], dtype=bool)
    sign = 1.0 if course.larger_is_better else -1.0
    families = list(dict.fromkeys(each["family"] for each in trials))
    best = sign * np.max(sign * (values[whole] if whole.any() else values))
    span = max(_SPAN * abs(best - float(np.median(values))), _MIN_SPAN)
    worst = best - sign * span
    shown = np.where(sign * values < sign * worst, worst, values)
    with style():
        figure, axes = axes_in_inches(4.6, 2.9, left=0.74, bottom=1.05)
        for family, colour in zip(families, PALETTE, strict=False):
            of = np.array([each["family"] == family for each in trials])
            style_of: dict[str, Any] = {"s": 15, "edgecolors": colour, "linewidths": 0.8}
            axes.scatter(seconds[of & ~whole], shown[of & ~whole], facecolors="none", alpha=0.6, **style_of)
            axes.scatter(seconds[of & whole], shown[of & whole], facecolors=colour, zorder=3, **style_of)
            axes.scatter([], [], facecolors=colour, label=display_name(family, 22), **style_of)
        if whole.any():
            order = np.argsort(seconds[whole])
            so_far = sign * np.maximum.accumulate(sign * values[whole][order])
            axes.step(seconds[whole][order], so_far, where="post", color=INK, lw=1.2, label="best so far", zorder=2)
        axes.set_title(f"{course.metric.replace('_', ' ')} on held-out rows")
        axes.set_xlabel("Seconds since the start of the search")
        low, high = sorted((worst, best))
        axes.set_ylim(low - 0.06 * span, high + 0.08 * span)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=QUIET, alpha=0.15, lw=0.6)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.19), ncol=4, columnspacing=1.2, handletextpad=0.4)
    return figure
