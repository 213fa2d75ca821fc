"""Calibration: observed frequencies against predicted probabilities."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tagline.many_classes import Probabilities, probability_array
from tagline.metrics.calibration_error import bin_index, reliability_curve, top_label
from tagline.plots.colours import BLUE, FAINT, QUIET
from tagline.plots.style import FIFTHS, axes_in_inches, label, style, unit_square
from tagline.task import Floats

_LABEL_X = -0.155  # of both labels of the y axes


def plot_calibration(
    y_true: NDArray[Any],
    proba: Probabilities,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    n_bins: int = 15,
    unit: NDArray[Any] | None = None,
) -> Figure:
    """Draw the observed frequency against the predicted probability, with the rows of each bin below.

    Two classes: the probability of ``positive``; several: the confidence in the most probable class;
    multi-label: the probabilities of all labels. Bars are 95 % Wilson intervals (E. Wilson, 1927); where
    several rows form a ``unit``, ``(n,)``, of their effective number (L. Kish, 1965).
    """
    if y_true.ndim == 2:
        probability, outcome = probability_array(proba).ravel(), y_true.ravel().astype(bool)
        predicted = "Probability of a label"
    elif positive is not None:
        column = list(classes).index(positive)
        probability, outcome = probability_array(proba)[:, column], y_true == column
        predicted = f"Probability of “{label(positive)}”"
    else:
        probability, outcome = top_label(y_true, proba)
        predicted = "Confidence in the predicted label"
    curve = reliability_curve(probability, outcome, n_bins)
    filled = curve.count > 0
    x, y, n = curve.confidence[filled], curve.accuracy[filled], curve.count[filled]
    low, high = _wilson(y, n if unit is None else _effective(probability, unit, n_bins)[filled])
    with style():
        figure, axes = axes_in_inches(4.1, 2.75, left=0.8, bottom=1.55)
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.8, linestyle=(0, (4, 4)))
        axes.vlines(x, low, high, color=BLUE, linewidth=1.2, alpha=0.55)
        axes.plot(x, y, color=BLUE, linewidth=1.4, marker="o", markersize=4.5, markeredgecolor="white")
        unit_square(axes)
        axes.tick_params(labelbottom=False)
        axes.set_ylabel("Observed frequency")
        axes.yaxis.set_label_coords(_LABEL_X, 0.5)
        axes.set_title("Calibration")
        width, height = figure.get_size_inches()
        below = figure.add_axes((0.8 / width, 0.55 / height, 4.1 / width, 0.85 / height))
        below.bar(curve.edges[:-1], curve.count, width=1 / n_bins, align="edge", color=FAINT, edgecolor="white")
        below.set_xticks(FIFTHS)
        below.set_xlim(-0.02, 1.02)
        below.set_ylabel("Rows" if y_true.ndim == 1 else "Labels")
        below.yaxis.set_label_coords(_LABEL_X, 0.5)
        below.set_xlabel(predicted)
        below.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        below.locator_params(axis="y", nbins=3, integer=True)
    return figure


def _effective(probability: Floats, unit: NDArray[Any], n_bins: int) -> Floats:
    """Return n² / Σ size² of the units in each bin, 0 if it is empty, ``(n_bins,)``; labels are told apart."""
    n_labels = len(probability) // len(unit)
    of_label = np.repeat(unit, n_labels) * n_labels + np.tile(np.arange(n_labels), len(unit))
    cells, sizes = np.unique(of_label * n_bins + bin_index(probability, n_bins), return_counts=True)
    n, squares = (np.bincount(cells % n_bins, weights=weights, minlength=n_bins) for weights in (sizes, sizes**2))
    return np.asarray(n**2 / np.maximum(squares, 1))


def _wilson(share: Floats, n: NDArray[Any]) -> tuple[Floats, Floats]:
    z = 1.96
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half
