"""A run folder, read: what is there is used, what is missing is left out of the report."""

import base64
import csv
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.atomic import recover
from tagline.errors import InputError
from tagline.metrics.counts import MANY_CLASSES
from tagline.plots.registry import HISTORY_CAPTIONS, PLOTS, SEARCH_CAPTIONS

TRAINING_PLOTS, SEARCH_PLOTS = tuple(HISTORY_CAPTIONS), tuple(SEARCH_CAPTIONS)
History = dict[str, list[float]]  # columns of equal length, a row per epoch
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


@dataclass(frozen=True)
class RunFolder:
    """The files of a run that a report is made of; those of networks alone are ``None`` for other models.

    Attributes:
        run: ``run.json``.
        metrics: ``metrics.json``.
        mistakes: ``mistakes.json``.
        predictions: ``predictions.parquet``.
        plots: By name, those of ``PLOTS``, ``TRAINING_PLOTS`` and ``SEARCH_PLOTS`` that there are.
        history: ``history.csv``: the training in which validation rows were watched.
        refit_history: ``refit_history.csv``: the final training, where there was another.

    """

    run: dict[str, Any]
    metrics: dict[str, Any]
    mistakes: list[dict[str, Any]]
    predictions: pl.DataFrame | None
    plots: dict[str, Plot]
    history: History | None
    refit_history: History | None


def read_run(folder: Path) -> RunFolder:
    """Read a run folder; plots that are missing are drawn again from its predictions and its history.

    Raises:
        InputError: There is no run in this folder, or one of its files is damaged.

    """
    recover(folder)
    run, metrics = _read_json(folder / "run.json"), _read_json(folder / "metrics.json")
    if not isinstance(run, dict) or not isinstance(metrics, dict):
        raise InputError(f"`{folder}` is not a run: `run.json` and `metrics.json` should each hold one object.")
    mistakes = _read_json(folder / "mistakes.json") if (folder / "mistakes.json").exists() else []
    path = folder / "predictions.parquet"
    predictions = pl.read_parquet(path) if path.exists() else None
    plots = {name: folder / "plots" / f"{name}.svg" for name in PLOTS}
    drawable = metrics.get("task") != "multilabel" or len(metrics.get("classes") or []) <= MANY_CLASSES
    if predictions is not None and drawable and not any(path.exists() for path in plots.values()):
        _draw_again(folder / "plots", run, metrics, predictions)
    history = read_history(folder / "history.csv")
    measured = [name for name in TRAINING_PLOTS if name.removeprefix("training_") in (history or {})]
    courses = {name: folder / "plots" / f"{name}.svg" for name in measured}
    if history is not None and not all(path.exists() for path in courses.values()):
        from tagline.plots.history import save_history_plots  # as slow to import as the other plots

        save_history_plots(folder / "plots", history, (run.get("training") or {}).get("best_epoch"))
    searches = {name: folder / "plots" / f"{name}.svg" for name in SEARCH_PLOTS if run.get("search")}
    if searches and not all(path.exists() for path in searches.values()):
        from tagline.plots.tune import save_search_plot

        found = run["search"]
        save_search_plot(folder / "plots", found["course"], found["metric"], larger_is_better=found["larger_is_better"])
    return RunFolder(
        run,
        metrics,
        mistakes,
        predictions,
        {name: plot_of(path.read_bytes()) for name, path in (plots | courses | searches).items() if path.exists()},
        history,
        read_history(folder / "refit_history.csv"),
    )


def probabilities(predictions: pl.DataFrame, classes: list[str]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Return the probability columns in the order of ``classes``, ``(n, n_classes)``, if they are there."""
    columns = [f"proba:{name}" for name in classes]
    if not set(columns) <= set(predictions.columns):
        return None
    return predictions.select(columns).cast(pl.Float64).to_numpy()


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"`{path.parent}` is not a run: it holds no `{path.name}`.") from None
    except ValueError as error:
        raise InputError(f"`{path}` is damaged: {error}.") from None


def read_history(path: Path) -> History | None:
    """Read the course of a training; columns without any value are left out, and so is a file without rows."""
    if not path.exists():
        return None
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows, names = list(reader), [name for name in reader.fieldnames or [] if name]
        if not rows:
            return None
        told = [name for name in names if any(row[name] for row in rows)]
        history = {name: [float(row[name] or math.nan) for row in rows] for name in told}
        return history | {"epoch": [int(n) for n in history["epoch"]], "loss": history["loss"]}
    except KeyError as missing:
        raise InputError(f"`{path}` is damaged: it lacks the column `{missing.args[0]}`.") from None
    except (ValueError, csv.Error) as error:
        raise InputError(f"`{path}` is damaged: {error}.") from None


def plot_of(content: bytes) -> Plot:
    """Return an SVG as a report holds it."""
    head = content[:2000].decode("utf-8", errors="replace")
    sizes = [re.search(rf'<svg[^>]*?\b{side}="([\d.]+)pt"', head) for side in ("width", "height")]
    width, height = (round(float(size[1]) * _PIXELS_IN_A_POINT) if size else 640 for size in sizes)
    return Plot("data:image/svg+xml;base64," + base64.b64encode(content).decode("ascii"), width, height)


def _draw_again(folder: Path, run: dict[str, Any], metrics: dict[str, Any], predictions: pl.DataFrame) -> None:
    from tagline.plots.evaluation import save_plots  # takes a third of a second, and is rarely needed

    classes, task = list(metrics["classes"]), metrics["task"]
    truth, prediction = (_indices(predictions[name], classes, task) for name in ("label", "prediction"))
    save_plots(
        folder,
        truth,
        prediction,
        probabilities(predictions, classes),
        classes,
        task=task,
        positive=(metrics.get("test") or {}).get("positive"),
        threshold=float((run.get("chosen") or {}).get("threshold") or 0.5),
    )


def _indices(labels: pl.Series, classes: list[str], task: str) -> np.ndarray[Any, np.dtype[Any]]:
    if task == "multilabel":
        return np.stack([labels.list.contains(name).to_numpy() for name in classes], axis=1)
    return labels.replace_strict(classes, range(len(classes)), return_dtype=pl.Int64).to_numpy()
