"""The course of a search as a figure: what every recipe was worth when it was judged, and the best so far."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tagline.metrics.formatting import display_name
from tagline.plots.style import INK, PALETTE, QUIET, axes_in_inches, save, style

_SHOWN = 2.5  # times the distance from the best to the middle: what is worse is marked at the edge
_LEAST = 0.01  # of a figure, that the axis spans

Course = Sequence[Mapping[str, Any]]  # of each recipe: seconds, value, family, whole


def save_search_plot(folder: Path, course: Course, metric: str, *, larger_is_better: bool) -> dict[str, str]:
    """Write ``search.svg`` and ``search.png`` and return their names by format; of no recipe nothing is drawn."""
    if not course:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    return save(plot_search(course, metric, larger_is_better=larger_is_better), folder, "search")


def plot_search(course: Course, metric: str, *, larger_is_better: bool) -> Figure:
    """Draw a point a recipe, over the seconds at which it was judged; hollow where it was given up before the end."""
    seconds = np.array([each["seconds"] for each in course], dtype=float)
    values = np.array([each["value"] for each in course], dtype=float)
    whole = np.array([each["whole"] for each in course], dtype=bool)
    sign = 1.0 if larger_is_better else -1.0
    families = list(dict.fromkeys(each["family"] for each in course))
    best = sign * np.max(sign * (values[whole] if whole.any() else values))
    span = max(_SHOWN * abs(best - float(np.median(values))), _LEAST)
    worst = best - sign * span
    shown = np.where(sign * values < sign * worst, worst, values)
    with style():
        figure, axes = axes_in_inches(4.6, 2.9, left=0.74, bottom=1.05)
        for family, colour in zip(families, PALETTE, strict=False):
            of = np.array([each["family"] == family for each in course])
            style_of: dict[str, Any] = {"s": 15, "edgecolors": colour, "linewidths": 0.8}
            axes.scatter(seconds[of & ~whole], shown[of & ~whole], facecolors="none", alpha=0.6, **style_of)
            axes.scatter(seconds[of & whole], shown[of & whole], facecolors=colour, zorder=3, **style_of)
            axes.scatter([], [], facecolors=colour, label=display_name(family, 22), **style_of)
        if whole.any():
            order = np.argsort(seconds[whole])
            so_far = sign * np.maximum.accumulate(sign * values[whole][order])
            axes.step(seconds[whole][order], so_far, where="post", color=INK, lw=1.2, label="best so far", zorder=2)
        axes.set_title(f"{metric.replace('_', ' ')} on rows held out")
        axes.set_xlabel("seconds of the search")
        low, high = sorted((worst, best))
        axes.set_ylim(low - 0.06 * span, high + 0.08 * span)
        axes.set_xlim(left=0)
        axes.grid(axis="y", color=QUIET, alpha=0.15, lw=0.6)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.19), ncol=4, columnspacing=1.2, handletextpad=0.4)
    return figure
