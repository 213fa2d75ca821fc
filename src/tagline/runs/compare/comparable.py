"""Finished runs, and files of predictions, of the same test rows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.atomic import recover
from tagline.data.sources.files import is_readable
from tagline.errors import InputError
from tagline.run_folder import PREDICTIONS, RunFolder
from tagline.runs.compare.predictions_file import read_predictions
from tagline.task import Ints, Task


@dataclass(frozen=True)
class FinishedRun:
    """A finished run or a file of predictions: its name among the others, and the predictions of the test rows.

    ``predictions`` has the columns of ``predictions.parquet``, in the order of the first run; ``order``, (n,), are the
    places of these rows in the run itself, None if they are the same. ``folder`` is None for a file of predictions.
    """

    path: Path
    name: str
    predictions: pl.DataFrame
    classes: Sequence[str]
    folder: RunFolder | None = None
    order: Ints | None = None

    @property
    def record(self) -> dict[str, Any]:
        """Return ``run.json``; empty for a file of predictions."""
        return {} if self.folder is None else self.folder.record

    @property
    def metrics(self) -> dict[str, Any]:
        """Return ``metrics.json``; empty for a file of predictions."""
        return {} if self.folder is None else self.folder.metrics

    @property
    def test(self) -> dict[str, Any]:
        """Return the fingerprints of the test rows; empty for runs older than the test ledger."""
        return {} if self.folder is None else self.folder.test

    @property
    def text_columns(self) -> list[str] | None:
        """Return the text columns; None if they are unknown."""
        facts = (self.record.get("dataset") or {}).get("facts") or {}
        return facts.get("text_columns")

    @property
    def has_probabilities(self) -> bool:
        """Whether there are probabilities, which a file of predictions may lack."""
        return any(f"proba:{name}" in self.predictions.columns for name in self.classes)

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """Return ``mistakes.json``; empty if it is damaged, or the run keeps no texts."""
        with suppress(InputError):
            return [] if self.folder is None else self.folder.mistakes
        return []


def read_comparable(runs: Sequence[str | Path]) -> list[FinishedRun]:
    """Read runs that were measured on the same test rows, and files of predictions for these rows.

    The first run gives the order of the rows.

    Raises:
        InputError: there are not two, none of them is a run, or they have different test rows.

    """
    named = _named(runs)
    found = {path: _read(path, name) for path, name in named if not _is_file_of_predictions(path)}
    if not found:
        raise InputError("Name at least one run: a file of predictions has no labels to compare them with.")
    first = next(iter(found.values()))
    return [
        _of_file(first, path, name)
        if path not in found
        else (first if found[path] is first else _paired(first, found[path]))
        for path, name in named
    ]


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
    return FinishedRun(path, name, predictions, classes)


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
    return FinishedRun(path, name, predictions, folder.metrics["classes"], folder)


def _whole_predictions(folder: RunFolder) -> pl.DataFrame | None:
    with suppress(InputError, KeyError, TypeError):
        columns = {"label", "prediction", *(f"proba:{name}" for name in folder.metrics["classes"])}
        predictions = folder.predictions
        return predictions if predictions is not None and columns <= set(predictions.columns) else None
    return None


def _paired(one: FinishedRun, other: FinishedRun) -> FinishedRun:
    """Return the other run with its rows in the order of the first.

    Raises:
        InputError: they were not measured on the same test rows; the message names the difference.

    """
    names = f"`{one.name}` and `{other.name}` cannot be compared"
    tasks = [run.metrics.get("task") for run in (one, other)]
    if tasks[0] != tasks[1]:
        raise InputError(f"{names}: the task of one is {tasks[0]}, of the other {tasks[1]}.")
    about = [run.record.get("dataset") or {} for run in (one, other)]
    if all(run.test for run in (one, other)):
        same = one.test.get("fingerprint") == other.test.get("fingerprint")
        in_order = one.test.get("ordered") == other.test.get("ordered")
    else:
        same = in_order = about[0].get("fingerprint") == about[1].get("fingerprint") is not None
    if same and in_order:
        if one.predictions["label"].equals(other.predictions["label"]):
            return other
        raise InputError(f"{names}: their `predictions.parquet` do not hold the same labels; one of them is damaged.")
    if same:
        order = _places(one.predictions, other.predictions)
        if order is None or (order == np.arange(len(order))).all():
            raise InputError(
                f"{names}: they were measured on the same test rows in another order; train one of them again."
            )
        return _reordered(one, other, order, names)
    folds = [bool(run.metrics.get("folds")) for run in (one, other)]
    if folds[0] != folds[1]:
        crossed = one if folds[0] else other
        raise InputError(f"{names}: `{crossed.name}` was measured by cross-validation, the other on test rows.")
    # Other text columns make other fingerprints of the same rows.
    if one.text_columns != other.text_columns and all("row_hash" in run.predictions for run in (one, other)):
        order = _places(one.predictions, other.predictions)
        if order is None:
            raise InputError(f"{names}: {_unpaired(one, other)}")
        return _reordered(one, other, order, names)
    raise InputError(f"{names}: they were not measured on the same test rows. {_what_differs(one, other, about)}")


def _places(one: pl.DataFrame, other: pl.DataFrame) -> Ints | None:
    """Return the place of each row of ``one`` in ``other``, (n,), by the hash of its source row; None if they differ.

    Rows that are copies of each other are paired in their order.
    """
    if "row_hash" not in one or "row_hash" not in other or one.height != other.height:
        return None
    keys = [
        frame.select("row_hash", copy=pl.col("row_hash").cum_count().over("row_hash")).with_row_index("place")
        for frame in (one, other)
    ]
    found = keys[0].join(keys[1], on=["row_hash", "copy"], how="left", maintain_order="left")["place_right"]
    return None if found.null_count() else found.cast(pl.Int64).to_numpy()


def _reordered(one: FinishedRun, other: FinishedRun, order: Ints, names: str) -> FinishedRun:
    predictions = other.predictions[order]
    differ = int((one.predictions["label"] != predictions["label"]).sum())
    if differ:
        raise InputError(
            f"{names}: {differ:,} of the {len(order):,} test rows have another label in `{other.name}`: train both "
            "with the same label column and spelling."
        )
    return replace(other, predictions=predictions, order=order)


def _unpaired(one: FinishedRun, other: FinishedRun) -> str:
    """Say which test rows two runs with other text columns do not share."""
    lost = one.predictions.join(other.predictions, on="row_hash", how="anti")
    place = ""
    if lost.height:
        file, line = lost.select("file", "line").row(0)
        place = f"; the first is line {line:,}" + ("" if file is None else f" of `{file}`")
    return (
        f"{lost.height:,} of the {one.predictions.height:,} test rows of `{one.name}` are not among the "
        f"{other.predictions.height:,} of `{other.name}`{place}. Other text columns change which rows are copies or "
        "empty, and so the split: give both runs the same test rows with `--test`, or a column `split`."
    )


def _what_differs(one: FinishedRun, other: FinishedRun, about: Sequence[dict[str, Any]]) -> str:
    if about[0].get("name") != about[1].get("name"):
        return f"One is of `{about[0].get('name')}`, the other of `{about[1].get('name')}`."
    seeds = [run.record.get("seed") for run in (one, other)]
    counts = [run.predictions.height for run in (one, other)]
    if seeds[0] != seeds[1] and not (about[0].get("facts") or {}).get("official"):
        return (
            f"Their rows were split with the seeds {seeds[0]} and {seeds[1]}: train one of them again with the other's."
        )
    if counts[0] != counts[1]:
        return f"One has {counts[0]:,}, the other {counts[1]:,}."
    return "The data has changed between them, or was divided otherwise: train both again on the same."
