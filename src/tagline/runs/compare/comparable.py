"""Finished runs, and files of predictions, of the same test rows."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import polars as pl

from tagline.data.sources.files import is_readable
from tagline.errors import InputError
from tagline.run_folder import PREDICTIONS, RunFolder, probabilities
from tagline.runs.compare.common_rows import common_rows
from tagline.runs.compare.finished_run import FinishedRun
from tagline.runs.compare.predictions_file import read_predictions
from tagline.storage.atomic import recover
from tagline.task import Task


def read_comparable(runs: Sequence[str | Path]) -> list[FinishedRun]:
    """Read runs, and files of predictions for the test rows of the first run, with the rows that all of them tested.

    The first run gives the order of the rows.

    Raises:
        InputError: there are not two, none of them is a run, or they cannot be compared.

    """
    named = _named(runs)
    found = {path: _read(path, name) for path, name in named if not _is_file_of_predictions(path)}
    if not found:
        raise InputError("Name at least one run: a file of predictions has no labels to compare them with.")
    first = next(iter(found.values()))
    return common_rows([found[path] if path in found else _of_file(first, path, name) for path, name in named])


def _named(runs: Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Return the folders with their display names: the last part of the path, or all of it where two are equal."""
    folders = [Path(run) for run in runs]
    if len(folders) < 2:
        raise InputError("Name two runs or more to compare: `tagline compare RUN RUN`. `tagline runs` lists them.")
    resolved = [folder.resolve() for folder in folders]
    for folder, place in zip(folders, resolved, strict=True):
        if resolved.count(place) > 1:
            raise InputError(f"`{folder}` is named twice: a run cannot be compared with itself.")
    names = [place.name for place in resolved]
    return [
        (folder, name if names.count(name) == 1 else str(folder)) for folder, name in zip(folders, names, strict=True)
    ]


def _is_file_of_predictions(path: Path) -> bool:
    return path.is_file() and is_readable(path)


def _of_file(first: FinishedRun, path: Path, name: str) -> FinishedRun:
    """Read a file of predictions for the test rows of a run."""
    rows = first.predictions.select("label", *(column for column in ("file", "line") if column in first.predictions))
    multilabel = first.metrics.get("task") == Task.MULTILABEL
    predictions, classes = read_predictions(path, first.name, rows, first.classes, multilabel=multilabel)
    return FinishedRun(path, name, predictions, classes, predictions.height)


def _read(path: Path, name: str) -> FinishedRun:
    recover(path)
    if not path.is_dir():
        if path.exists():
            raise InputError(
                f"`{path}` is a file: name the folders of runs, or a CSV with the columns `row` and `prediction`; "
                f"`{path.parent}/*/` names all folders next to it."
            )
        raise InputError(f"`{path}` does not exist: name the folder of a run. `tagline runs` lists them.")
    folder = RunFolder(path)
    assert folder.record  # raises if it is damaged
    if not folder.metrics.get("test"):
        raise InputError(f"`{path}` was not measured on test rows, and validation figures must not be compared.")
    predictions = _whole_predictions(folder)
    if predictions is None:
        raise InputError(f"`{path / PREDICTIONS}` is missing or damaged: train the run again.")
    return FinishedRun(path, name, predictions, folder.metrics["classes"], predictions.height, folder)


def _whole_predictions(folder: RunFolder) -> pl.DataFrame | None:
    with suppress(InputError, KeyError, TypeError, pl.exceptions.PolarsError):
        predictions = folder.predictions
        if predictions is None or not {"label", "prediction"} <= {*predictions.columns}:
            return None
        return None if probabilities(predictions, folder.metrics["classes"]) is None else predictions
    return None
