"""The plots of a run, as the report embeds them; those that are missing are drawn again."""

import base64
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tagline.metrics.counts import MANY_CLASSES
from tagline.plots.registry import HISTORY_CAPTIONS, PLOTS, SEARCH_CAPTIONS
from tagline.run_folder import RunFolder, probabilities

TRAINING_PLOTS, SEARCH_PLOTS = tuple(HISTORY_CAPTIONS), tuple(SEARCH_CAPTIONS)
_PIXELS_IN_A_POINT = 96 / 72


@dataclass(frozen=True)
class Plot:
    """A plot as the report holds it.

    Attributes:
        source: A ``data:`` address with the whole SVG, which in an ``img`` can neither run nor load anything.
        width: Natural width in CSS pixels.
        height: Natural height in CSS pixels.

    """

    source: str
    width: int
    height: int


def read_plots(run: RunFolder) -> dict[str, Plot]:
    """Return the plots of a run by name, drawn from its predictions and its history if they are missing.

    Raises:
        InputError: a file of the run is missing or damaged.

    """
    record, metrics, history = run.record, run.metrics, run.history
    plots = {name: run.plots / f"{name}.svg" for name in PLOTS}
    drawable = metrics.get("task") != "multilabel" or len(metrics.get("classes") or []) <= MANY_CLASSES
    if run.predictions is not None and drawable and not any(path.exists() for path in plots.values()):
        _draw_again(run, run.predictions)
    measured = [name for name in TRAINING_PLOTS if name.removeprefix("training_") in (history or {})]
    curves = {name: run.plots / f"{name}.svg" for name in measured}
    if history is not None and not all(path.exists() for path in curves.values()):
        from tagline.plots.history import save_history_plots  # as slow to import as the other plots

        save_history_plots(run.plots, history, (record.get("training") or {}).get("best_epoch"))
    searches = {name: run.plots / f"{name}.svg" for name in SEARCH_PLOTS if record.get("search")}
    if searches and not all(path.exists() for path in searches.values()):
        from tagline.plots.tune import save_search_plot

        found = record["search"]
        save_search_plot(run.plots, found["course"], found["metric"], larger_is_better=found["larger_is_better"])
    return {name: plot_of(path.read_bytes()) for name, path in (plots | curves | searches).items() if path.exists()}


def plot_of(content: bytes) -> Plot:
    """Return an SVG as a report holds it."""
    head = content[:2000].decode("utf-8", errors="replace")
    sizes = [re.search(rf'<svg[^>]*?\b{side}="([\d.]+)pt"', head) for side in ("width", "height")]
    width, height = (round(float(size[1]) * _PIXELS_IN_A_POINT) if size else 640 for size in sizes)
    return Plot("data:image/svg+xml;base64," + base64.b64encode(content).decode("ascii"), width, height)


def _draw_again(run: RunFolder, predictions: pl.DataFrame) -> None:
    from tagline.plots.evaluation import save_plots  # takes a third of a second, and is rarely needed

    metrics = run.metrics
    classes, task = list(metrics["classes"]), metrics["task"]
    truth, prediction = (_indices(predictions[name], classes, task) for name in ("label", "prediction"))
    save_plots(
        run.plots,
        truth,
        prediction,
        probabilities(predictions, classes),
        classes,
        task=task,
        positive=(metrics.get("test") or {}).get("positive"),
        threshold=float((run.record.get("chosen") or {}).get("threshold") or 0.5),
    )


def _indices(labels: pl.Series, classes: list[str], task: str) -> np.ndarray[Any, np.dtype[Any]]:
    if task == "multilabel":
        return np.stack([labels.list.contains(name).to_numpy() for name in classes], axis=1)
    return labels.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
