"""Sweeps as figures: the accuracy of each value of each setting, and accuracy by the number of training rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from tagline.plots.colours import BLUE, FAINT, PALETTE, PAPER, QUIET
from tagline.plots.style import axes_in_inches, label, style
from tagline.task import Floats

_IN_A_ROW = 3  # panels
_PANEL, _PANEL_HEIGHT = 2.35, 2.1  # inches
_GAP, _GAP_BELOW, _ROTATED = 0.35, 0.4, 0.6
_LEFT, _RIGHT, _TOP = 0.72, 0.15, 0.45
_MAX_CHARACTERS = 30  # characters of all names of a panel; longer names are rotated
_ROOM = 0.06  # of the range, above and below
_STEPS = (1, 2, 2.5, 5, 10)
_MARKERS = "osD^vP"
_MIN_SPAN = 0.004  # of the accuracy axis


@dataclass(frozen=True)
class SettingValue:
    """A value of a setting: mean accuracy, the ends of its interval, and the accuracy of each trial with it."""

    name: str
    mean: float
    low: float
    high: float
    trials: Sequence[float]


@dataclass(frozen=True)
class LearningCurve:
    """A learning curve: accuracy, the ends of its intervals and that of each seed by number of training rows.

    ``sizes``, ``mean``, ``low`` and ``high`` are (n_sizes,); ``trials`` holds (size, accuracy) pairs. ``law``: rows and
    the accuracy that the fitted power law predicts for them, drawn as a line, or None.
    """

    name: str
    sizes: Floats
    mean: Floats
    low: Floats
    high: Floats
    trials: Sequence[tuple[int, float]]
    law: tuple[Floats, Floats] | None


def plot_settings(settings: Mapping[str, Sequence[SettingValue]]) -> Figure:
    """Draw a panel for each setting: mean and 95 % interval of its values, and its trials as points, on one scale."""
    n = len(settings)
    columns = n if n <= _IN_A_ROW else 2 if n == 4 else _IN_A_ROW
    rows = -(-n // columns)
    below = _GAP_BELOW + (_ROTATED if any(_is_rotated(values) for values in settings.values()) else 0.0)
    width = _LEFT + columns * _PANEL + (columns - 1) * _GAP + _RIGHT
    height = rows * (_TOP + _PANEL_HEIGHT + below)
    every = [value for values in settings.values() for value in values]
    low, high = _range([end for value in every for end in (value.low, value.high, *value.trials)])
    with style():
        figure = Figure(figsize=(width, height))
        for k, (key, values) in enumerate(settings.items()):
            row, column = divmod(k, columns)
            left = _LEFT + column * (_PANEL + _GAP)
            bottom = height - (row + 1) * (_TOP + _PANEL_HEIGHT + below) + below
            axes = figure.add_axes((left / width, bottom / height, _PANEL / width, _PANEL_HEIGHT / height))
            _draw_values(axes, values)
            axes.set_title(label(key))
            _scale_accuracy(axes, low, high)
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel("Accuracy")
    return figure


def plot_curves(curves: Sequence[LearningCurve], rows: int) -> Figure:
    """Draw accuracy by the number of training rows, on a logarithmic axis; ``rows``: the most there are."""
    ends = [end for curve in curves for end in (*curve.low, *curve.high)]
    predicted = [end for curve in curves if curve.law is not None for end in curve.law[1]]
    low, high = _range([*ends, *predicted])
    several = len(curves) > 1
    with style():
        legend = 0.2 * len(curves) if several else 0.0
        figure, axes = axes_in_inches(5.6, 3.4, left=_LEFT, bottom=0.55, top=0.5 + legend)
        for curve, colour, marker in zip(curves, PALETTE, _MARKERS, strict=False):
            _draw_curve(axes, curve, colour, marker)
        axes.axvline(rows, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
        axes.annotate(
            "all rows",
            (rows, 0.02),
            xycoords=axes.get_xaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            color=QUIET,
            fontsize=8.0,
        )
        sizes = sorted({int(size) for curve in curves for size in curve.sizes} | {2 * rows})
        axes.set_xscale("log")
        axes.set_xlim(sizes[0] / 1.2, 2.25 * rows)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30 if len(sizes) > 6 else 0)
        _scale_accuracy(axes, low, high)
        axes.set_xlabel("Training rows")
        axes.set_ylabel("Accuracy")
        axes.set_title("Learning curve", pad=9 + 72 * legend)
        if several:
            axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), borderaxespad=0.2)
    return figure


def _draw_values(axes: Axes, values: Sequence[SettingValue]) -> None:
    for place, value in enumerate(values):
        n = len(value.trials)
        # Evenly spaced instead of jittered, so that the same trials give the same figure.
        offset = 0.16 + 0.2 * (np.arange(n) + 0.5) / max(n, 1)
        axes.plot(place + offset, value.trials, linestyle="", marker=".", markersize=4, color=QUIET, alpha=0.55)
        axes.errorbar(
            place,
            value.mean,
            [[value.mean - value.low], [value.high - value.mean]],
            fmt="o",
            color=BLUE,
            markersize=5.5,
            capsize=3,
            linewidth=1.4,
        )
    axes.plot(range(len(values)), [value.mean for value in values], color=BLUE, linewidth=0.8, alpha=0.5)
    names = [label(value.name) for value in values]
    rotated = _is_rotated(values)
    axes.set_xticks(range(len(values)), names, rotation=30 if rotated else 0, ha="right" if rotated else "center")
    axes.set_xlim(-0.4, len(values) - 0.4)


def _is_rotated(values: Sequence[SettingValue]) -> bool:
    return sum(len(label(value.name)) for value in values) > _MAX_CHARACTERS


def _draw_curve(axes: Axes, curve: LearningCurve, colour: str, marker: str) -> None:
    if curve.law is not None:
        axes.plot(*curve.law, color=colour, linewidth=1.0, linestyle=(0, (4, 2)))
    x, y = [size for size, _ in curve.trials], [accuracy for _, accuracy in curve.trials]
    axes.plot(x, y, linestyle="", marker=".", markersize=4, color=colour, alpha=0.4)
    axes.errorbar(
        curve.sizes,
        curve.mean,
        [curve.mean - curve.low, curve.high - curve.mean],
        fmt=marker,
        color=colour,
        markerfacecolor=PAPER,
        markersize=5.5,
        capsize=3,
        linewidth=1.2,
        linestyle="" if curve.law is not None else "-",
        label=label(curve.name, 60),
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max(_ROOM * (high - low), (_MIN_SPAN - (high - low)) / 2)
    return low - room, high + room


def _scale_accuracy(axes: Axes, low: float, high: float) -> None:
    axes.set_ylim(low, high)
    ticks = np.asarray(MaxNLocator(6, steps=_STEPS).tick_values(low, high))
    axes.set_yticks(ticks[(ticks >= max(low, 0.0)) & (ticks <= min(high, 1.0 + 1e-9))])
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
    axes.grid(color=FAINT, linewidth=0.6, axis="y")
    axes.set_axisbelow(True)
