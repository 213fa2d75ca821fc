"""Training curves: loss and accuracy over epochs, on training and on validation rows.

A history is a mapping of columns of equal length: ``epoch``, ``loss``, ``accuracy`` and, if there are validation rows,
``val_loss`` and ``val_accuracy``; other columns are ignored. Epochs with values that are not finite, as of a training
that diverged, are marked at the lower edge.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tagline.plots.colours import BLUE, FAINT, INK, PAPER, QUIET, VERMILION
from tagline.plots.registry import PlotData, TrainingHistory
from tagline.plots.save import save_plots
from tagline.plots.style import axes_in_inches, axes_side_by_side, style

History = Mapping[str, Sequence[float]]

_SIZE = (4.1, 2.9)  # inches
_MARGINS = {"left": 0.74, "bottom": 0.55, "top": 0.62}
_MOST_POINTS = 25  # epochs; with more, the markers would overlap
_DIVERGED = 100.0  # with a loss above it, the axis is logarithmic
_MARGIN = 0.06  # of the range, above and below
_ROOM_FOR_LABEL = 0.15  # of the range, above the curves, for the label of the best epoch
_INFINITE = 1e100  # losses are single precision, up to 3.4e38; axes of much larger numbers overflow
_STEPS = (1, 2, 5, 10)  # between ticks, times powers of ten


def save_history_plots(folder: Path, history: History, best_epoch: int | None = None) -> dict[str, dict[str, str]]:
    """Draw loss and accuracy over epochs and write both as SVG and PNG, the same bytes for the same history.

    Args:
        folder: Created if it does not exist.
        history: Columns of equal length, see the module. Nothing is drawn if there are no epochs, and only the loss
            without ``accuracy``.
        best_epoch: One of ``history["epoch"]``; it is marked.

    Returns:
        File names in ``folder`` by plot and format:
        ``{"training_loss": {"svg": "training_loss.svg", "png": …}, "training_accuracy": …}``.

    """
    return save_plots(folder, PlotData(history=TrainingHistory(history, best_epoch)))


def plot_history(history: History, what: str, best_epoch: int | None = None) -> Figure:
    """Draw ``"loss"`` or ``"accuracy"`` of each epoch, on training and, if there are any, on validation rows."""
    with style():
        figure, axes = axes_in_inches(*_SIZE, **_MARGINS)
        _draw_column(axes, history, what, best_epoch)
    return figure


def plot_training(history: History, best_epoch: int | None = None) -> Figure:
    """Draw loss and, if it was measured, accuracy side by side, each as `plot_history` does."""
    columns = [what for what in ("loss", "accuracy") if what in history]
    with style():
        figure, all_axes = axes_side_by_side(len(columns), *_SIZE, **_MARGINS)
        for axes, what in zip(all_axes, columns, strict=True):
            _draw_column(axes, history, what, best_epoch)
    return figure


def _draw_column(axes: Axes, history: History, what: str, best_epoch: int | None) -> None:
    epochs = np.asarray(history["epoch"], float)  # (n_epochs,)
    curves = {
        name: np.asarray(history[column], float)
        for name, column in (("training", what), ("validation", f"val_{what}"))
        if column in history
    }
    values = np.stack(list(curves.values()))  # (n_curves, n_epochs)
    finite = np.abs(values) < _INFINITE
    # With a single epoch there is no best one to mark.
    marked = best_epoch if len(epochs) > 1 and best_epoch in epochs else None
    if marked is not None:
        _mark_best(axes, epochs, marked)
    for (name, curve), colour in zip(curves.items(), (BLUE, VERMILION), strict=False):
        _draw_curve(axes, epochs, curve, name, colour)
    broken = epochs[~finite.all(axis=0)]
    if len(broken):
        _mark_broken(axes, broken)
    _scale_epochs(axes, epochs)
    _scale_values(axes, values[finite], room=_MARGIN if marked is None else _ROOM_FOR_LABEL, share=what == "accuracy")
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("Epoch")
    axes.set_ylabel(what.capitalize())
    several = len(axes.get_legend_handles_labels()[0]) > 1
    title = f"Training and validation {what}" if len(curves) > 1 else f"Training {what}"
    axes.set_title(title, pad=24 if several else None)
    if several:
        axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3, borderaxespad=0.2, handlelength=2.2)


def _draw_curve(axes: Axes, epochs: NDArray[Any], values: NDArray[Any], name: str, colour: str) -> None:
    """Draw training dashed with hollow markers and validation solid with filled ones, distinct even without colour."""
    training = name == "training"
    shown = np.abs(values) < _INFINITE
    axes.plot(
        epochs,
        np.where(shown, values, np.nan),
        color=colour,
        linewidth=1.5,
        linestyle=(0, (4, 2)) if training else "-",
        marker="o" if len(epochs) <= _MOST_POINTS else "",
        markersize=4.0,
        markerfacecolor=PAPER if training else colour,
        label=name,
    )


def _mark_best(axes: Axes, epochs: NDArray[Any], best: int) -> None:
    axes.axvline(best, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)), zorder=1)
    late = best > (epochs[0] + epochs[-1]) / 2
    axes.annotate(
        f"best epoch: {best}",
        (best, 0.975),
        xycoords=axes.get_xaxis_transform(),
        xytext=(-4 if late else 4, 0),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        color=QUIET,
        fontsize=8.0,
    )


def _mark_broken(axes: Axes, epochs: NDArray[Any]) -> None:
    axes.plot(
        epochs,
        np.zeros(len(epochs)),
        transform=axes.get_xaxis_transform(),
        clip_on=False,
        linestyle="",
        marker="x",
        markersize=4.5,
        color=INK,
        label="no finite value",
    )


def _scale_epochs(axes: Axes, epochs: NDArray[Any]) -> None:
    first, last = epochs[0], epochs[-1]
    room = max(0.5 if len(epochs) < 10 else 0.0, 0.03 * (last - first))
    axes.set_xlim(first - room, last + room)
    ticks = MaxNLocator(10, integer=True, min_n_ticks=1, steps=_STEPS).tick_values(first, last)
    axes.set_xticks(ticks[(ticks >= first) & (ticks <= last)])


def _scale_values(axes: Axes, finite: NDArray[Any], *, room: float, share: bool) -> None:
    """Fit the value axis to the values, with ``room`` above as a share of the range."""
    if not len(finite):
        axes.set_ylim(0, 1)
        axes.set_yticks([])
        return
    if finite.max() > _DIVERGED:
        low, high = np.log10(finite[finite > 0].min()), np.log10(finite.max())
        span = max(high - low, 1.0)
        axes.set_ylim(10 ** (low - _MARGIN * span), 10 ** (high + room * span))
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # the default formatter writes TeX, which is off
        axes.minorticks_off()
        return
    low, high = finite.min(), finite.max()
    span = high - low
    if span < 1e-6 * max(abs(high), 1e-3):  # one epoch without validation, or a constant curve
        span = max(0.2 * abs(high), 0.02)
        low, high = low - span / 2, high + span / 2
    bottom, top = low - _MARGIN * span, high + room * span
    axes.set_ylim(bottom, top)
    if share:
        ticks = MaxNLocator(6, steps=_STEPS).tick_values(bottom, top)
        axes.set_yticks(ticks[(ticks >= max(bottom, 0.0)) & (ticks <= min(top, 1.0 + 1e-9))])
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g} %")
