"""Finished runs, read and checked to have been measured on the same test rows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tagline.atomic import recover
from tagline.errors import InputError
from tagline.run_folder import PREDICTIONS, RunFolder


@dataclass(frozen=True)
class FinishedRun:
    """A finished run: its folder, its name among the others, and the predictions of its test rows."""

    folder: RunFolder
    name: str
    predictions: pl.DataFrame

    @property
    def record(self) -> dict[str, Any]:
        """Return ``run.json``."""
        return self.folder.record

    @property
    def metrics(self) -> dict[str, Any]:
        """Return ``metrics.json``."""
        return self.folder.metrics

    @property
    def test(self) -> dict[str, Any]:
        """Return the fingerprints of the test rows; empty for runs older than the test ledger."""
        return self.folder.test

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """Return ``mistakes.json``; empty if it is damaged, or the run keeps no texts."""
        with suppress(InputError):
            return self.folder.mistakes
        return []


def read_comparable(runs: Sequence[str | Path]) -> list[FinishedRun]:
    """Read runs that were measured on the same test rows.

    Raises:
        InputError: there are not two, one of them is not a run, or they have different test rows.

    """
    finished = [_read(folder, name) for folder, name in _named(runs)]
    for other in finished[1:]:
        _check_same_rows(finished[0], other)
    return finished


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


def _read(path: Path, name: str) -> FinishedRun:
    recover(path)
    if not path.is_dir():
        if path.exists():
            raise InputError(f"`{path}` is a file: name the folders of runs; `{path.parent}/*/` names all next to it.")
        raise InputError(f"`{path}` does not exist: name the folder of a run. `tagline runs` lists them.")
    folder = RunFolder(path)
    assert folder.record  # raises if it is damaged
    if not folder.metrics.get("test"):
        raise InputError(f"`{path}` was not measured on test rows, and validation figures must not be compared.")
    predictions = _whole_predictions(folder)
    if predictions is None:
        raise InputError(f"`{path / PREDICTIONS}` is missing or damaged: train the run again.")
    return FinishedRun(folder, name, predictions)


def _whole_predictions(folder: RunFolder) -> pl.DataFrame | None:
    with suppress(InputError, KeyError, TypeError):
        columns = {"label", "prediction", *(f"proba:{name}" for name in folder.metrics["classes"])}
        predictions = folder.predictions
        return predictions if predictions is not None and columns <= set(predictions.columns) else None
    return None


def _check_same_rows(one: FinishedRun, other: FinishedRun) -> None:
    """Raise `InputError`, which names the difference, unless two runs were measured on the same test rows."""
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
    if same and in_order and one.predictions["label"].equals(other.predictions["label"]):
        return
    if same and not in_order:
        raise InputError(
            f"{names}: they were measured on the same test rows in another order; train one of them again."
        )
    if same:
        raise InputError(f"{names}: their `predictions.parquet` do not hold the same labels; one of them is damaged.")
    folds = [bool(run.metrics.get("folds")) for run in (one, other)]
    if folds[0] != folds[1]:
        crossed = one if folds[0] else other
        raise InputError(f"{names}: `{crossed.name}` was measured by cross-validation, the other on test rows.")
    raise InputError(f"{names}: they were not measured on the same test rows. {_what_differs(one, other, about)}")


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
