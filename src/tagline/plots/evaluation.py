"""All plots of predictions, drawn and saved: SVG and PNG files with the same bytes for the same arrays."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from tagline.metrics.block import positive_class
from tagline.plots.registry import PLOTS, Predictions
from tagline.plots.style import save
from tagline.task import Task


def save_plots(
    folder: Path,
    y_true: ArrayLike,
    y_pred: ArrayLike,
    proba: ArrayLike | None,
    classes: Sequence[str],
    *,
    task: str,
    positive: str | None = None,
    threshold: float = 0.5,
) -> dict[str, dict[str, str]]:
    """Draw all plots of the registry that these predictions allow and write each as SVG and PNG.

    Of more than 500 classes only the calibration is drawn, and nothing of more than 500 labels.

    Args:
        folder: Created if it does not exist.
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None``: then only the confusion matrix is drawn.
        classes: Names in the order of the indices.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.
        positive: The positive one of two classes, see ``positive_class``.
        threshold: The probability above which the positive one of two classes is predicted.

    Returns:
        File names in ``folder`` by plot and format:
        ``{"confusion_matrix": {"svg": "confusion_matrix.svg", "png": …}, "roc": …, "precision_recall": …,
        "calibration": …, "scores": …}``.

    """
    task = Task(task)
    predictions = Predictions(
        np.asarray(y_true),
        np.asarray(y_pred),
        None if proba is None else np.asarray(proba, float),
        classes,
        task,
        positive_class(classes, positive) if task is Task.BINARY else None,
        threshold,
    )
    folder.mkdir(parents=True, exist_ok=True)
    figures = {name: plot.draw(predictions) for name, plot in PLOTS.items() if plot.applies(predictions)}
    return {name: save(figure, folder, name) for name, figure in figures.items() if figure is not None}
