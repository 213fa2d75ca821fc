"""The plots of a run, as the report embeds them; missing ones are drawn."""

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from tagline.decisions.rule import DecisionRule
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.selective import answered_levels
from tagline.plots.registry import PLOTS, PlotData, Predictions, SearchCourse, Section, TrainingHistory
from tagline.report.markup.inline_svg import InlineSvg, read_svg
from tagline.run_folder import RunFolder, probabilities
from tagline.task import Task


def read_plots(run: RunFolder) -> dict[str, InlineSvg]:
    """Return the plots of a run by name; those that are missing are drawn first.

    Raises:
        InputError: a file of the run is missing or damaged.

    """
    missing = {plot.section for name, plot in PLOTS.items() if not (run.plots / f"{name}.svg").exists()}
    data = _plot_data(run, missing)
    if any(plot.applies(data) for plot in PLOTS.values()):
        from tagline.plots.save import save_plots  # importing matplotlib takes a third of a second

        save_plots(run.plots, data, skip_existing=True)
    return {
        name: read_svg(path, name.replace("_", "-")) for name in PLOTS if (path := run.plots / f"{name}.svg").exists()
    }


def _plot_data(run: RunFolder, sections: Collection[Section]) -> PlotData:
    """Return what the plots of these sections are drawn from."""
    history = run.history if Section.TRAINING in sections else None
    best_epoch = (run.record.get("training") or {}).get("best_epoch")
    return PlotData(
        predictions=_predictions(run) if {Section.PREDICTIONS, Section.CONFIDENCE} & {*sections} else None,
        history=None if history is None else TrainingHistory(history, best_epoch),
        search=SearchCourse.of_record(run.record) if Section.SEARCH in sections else None,
    )


def _predictions(run: RunFolder) -> Predictions | None:
    metrics, frame = run.metrics, run.predictions
    if frame is None:
        return None
    classes, task = list(metrics["classes"]), Task(metrics["task"])
    if task is Task.MULTILABEL and len(classes) > MANY_CLASSES:  # arrays that nothing is drawn from
        return None
    threshold = (run.record.get("chosen") or {}).get("threshold")
    return Predictions(
        _indices(frame["label"], classes, task),
        _indices(frame["prediction"], classes, task),
        probabilities(frame, classes),
        classes,
        task,
        (metrics.get("test") or {}).get("positive"),
        DecisionRule.of(0.5 if threshold is None else threshold).value,
        frame["unit"].to_numpy() if "unit" in frame.columns else None,
        answered_levels(metrics.get("guarantees")),
    )


def _indices(labels: pl.Series, classes: list[str], task: Task) -> np.ndarray[Any, np.dtype[Any]]:
    if task is Task.MULTILABEL:
        return np.stack([labels.list.contains(name).to_numpy() for name in classes], axis=1)
    return labels.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
