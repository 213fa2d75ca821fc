"""Finished runs, read to be held against each other, which takes that they were measured on the same rows."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tagline.atomic import recover
from tagline.errors import InputError
from tagline.runs.folder import MARK


@dataclass(frozen=True)
class Finished:
    """A finished run, read: where it lies, its name among the others, ``run.json``, ``metrics.json``, its test rows."""

    folder: Path
    name: str
    run: dict[str, Any]
    metrics: dict[str, Any]
    predictions: pl.DataFrame

    @property
    def test(self) -> dict[str, Any]:
        """Return what is known of the test rows; nothing of runs that were written before there was a ledger."""
        return self.run.get("test") or {}

    @property
    def mistakes(self) -> list[dict[str, Any]]:
        """Return ``mistakes.json``; nothing of a run that keeps no texts."""
        try:
            found = json.loads((self.folder / "mistakes.json").read_bytes())
        except (OSError, ValueError):
            return []
        return found if isinstance(found, list) else []

    @property
    def keeps_texts(self) -> bool:
        """Say whether a run may show texts; of one that does not tell, whether it was made without `--no-texts`."""
        told = self.run.get("texts")
        if told is not None:
            return bool(told)
        return "--no-texts" not in self.run.get("command", []) and (
            bool(self.mistakes) or self.metrics["test"]["accuracy"] == 1
        )


def read_comparable(runs: Sequence[str | Path]) -> list[Finished]:
    """Read runs that were measured on the same test rows.

    Raises:
        InputError: there are not two, one of them is no run, or they are not of the same test rows.

    """
    finished = [_read(folder, name) for folder, name in _named(runs)]
    for other in finished[1:]:
        _check_same_rows(finished[0], other)
    return finished


def _named(runs: Sequence[str | Path]) -> list[tuple[Path, str]]:
    """Return the folders with the names they go by: their own, or the whole path where two have one name."""
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


def _read(folder: Path, name: str) -> Finished:
    recover(folder)
    if not folder.is_dir():
        if folder.exists():
            raise InputError(
                f"`{folder}` is a file: name the folders of runs; `{folder.parent}/*/` names all beside it."
            )
        raise InputError(f"`{folder}` does not exist: name the folder of a run. `tagline runs` lists them.")
    run, metrics = (_read_json(folder / file) for file in (MARK, "metrics.json"))
    if not metrics.get("test"):
        raise InputError(
            f"`{folder}` was not measured on test rows, and what it was chosen on is no ground for a comparison."
        )
    path = folder / "predictions.parquet"
    try:
        predictions = pl.read_parquet(path)
        whole = {"label", "prediction", *(f"proba:{name}" for name in metrics["classes"])} <= set(predictions.columns)
    except (OSError, pl.exceptions.PolarsError, KeyError, TypeError):
        whole = False
    if not whole:
        raise InputError(f"`{path}` is missing or damaged: train the run again.")
    return Finished(folder, name, run, metrics, predictions)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"`{path.parent}` is not a run: it holds no `{path.name}`.") from None
    except ValueError as error:
        raise InputError(f"`{path}` is damaged: {error}.") from None
    if not isinstance(content, dict):
        raise InputError(f"`{path}` is damaged: it holds no object.")
    return content


def _check_same_rows(one: Finished, other: Finished) -> None:
    """Raise `InputError` unless two runs were measured on the same test rows, and say what differs."""
    names = f"`{one.name}` and `{other.name}` cannot be compared"
    tasks = [run.metrics.get("task") for run in (one, other)]
    if tasks[0] != tasks[1]:
        raise InputError(f"{names}: the task of one is {tasks[0]}, of the other {tasks[1]}.")
    about = [run.run.get("dataset") or {} for run in (one, other)]
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


def _what_differs(one: Finished, other: Finished, about: Sequence[dict[str, Any]]) -> str:
    if about[0].get("name") != about[1].get("name"):
        return f"One is of `{about[0].get('name')}`, the other of `{about[1].get('name')}`."
    seeds = [run.run.get("seed") for run in (one, other)]
    counts = [run.predictions.height for run in (one, other)]
    if seeds[0] != seeds[1] and not (about[0].get("facts") or {}).get("official"):
        return (
            f"Their rows were split with the seeds {seeds[0]} and {seeds[1]}: train one of them again with the other's."
        )
    if counts[0] != counts[1]:
        return f"One has {counts[0]:,}, the other {counts[1]:,}."
    return "The data has changed between them, or was divided otherwise: train both again on the same."
