"""The rows that all runs of a comparison tested, paired by the rows of the source.

A random split is drawn among the units of the rows that are read, so one copy or one empty text more makes another
split. Runs with other text columns therefore share some of their test rows only. None of these was in the training set
of any of the runs, because no run tests a row that it was trained on; an evaluation may, see `_check_unseen`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.data.wording import counted
from tagline.errors import InputError
from tagline.metrics.comparison.mcnemar import smallest_difference
from tagline.run_folder import RunData, RunFolder
from tagline.runs.compare.finished_run import FinishedRun
from tagline.task import Ints

_MISSING = -1


def common_rows(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """Return the runs with the rows that all of them tested, in the order of the first run that is not a file.

    Files of predictions have the rows of that run, in its order.

    Raises:
        InputError: two runs cannot be compared, or no difference on so few common rows could be significant.

    """
    first = next(run for run in runs if run.folder is not None)
    places = [_places(first, run) for run in runs]
    common = reduce(np.logical_and, [place != _MISSING for place in places])  # (n_rows of the first,)
    n, n_pairs = int(common.sum()), len(runs) * (len(runs) - 1) // 2
    found = [_at(run, place[common]) for run, place in zip(runs, places, strict=True)]
    if any(run.n_left_out for run in found):
        if smallest_difference(n, 1.0, n_pairs) is None:
            raise InputError(_too_few(first, runs, n))
        for run in found:
            _check_unseen(run)
    for run in found:
        _check_labels(first, run, first.predictions["label"].filter(pl.Series(common)))
    return found


def _at(run: FinishedRun, order: Ints) -> FinishedRun:
    if len(order) == run.predictions.height and (order == np.arange(len(order))).all():
        return run
    return replace(run, predictions=run.predictions[order], order=order)


def _places(one: FinishedRun, other: FinishedRun) -> Ints:
    """Return the place of each test row of the first run in another, -1 if it did not test the row, (n,).

    Raises:
        InputError: they cannot be compared; the message names the difference.

    """
    in_order = np.arange(one.predictions.height)
    if other is one or other.folder is None:
        return in_order
    names = _cannot(one, other)
    tasks = [run.metrics.get("task") for run in (one, other)]
    if tasks[0] != tasks[1]:
        raise InputError(f"{names}: the task of one is {tasks[0]}, of the other {tasks[1]}.")
    about = [run.record.get("dataset") or {} for run in (one, other)]
    if all(run.test for run in (one, other)):
        same = one.test.get("fingerprint") == other.test.get("fingerprint")
        same_order = one.test.get("ordered") == other.test.get("ordered")
    else:
        same = same_order = about[0].get("fingerprint") == about[1].get("fingerprint") is not None
    if same and same_order:
        if one.predictions["label"].equals(other.predictions["label"]):
            return in_order
        raise InputError(f"{names}: their `predictions.parquet` do not hold the same labels; one of them is damaged.")
    hashed = all("row_hash" in run.predictions for run in (one, other))
    if same:
        places = _places_by_hash(one.predictions, other.predictions) if hashed else in_order
        if (places == _MISSING).any() or (places == in_order).all():
            raise InputError(
                f"{names}: they were measured on the same test rows in another order; train one of them again."
            )
        return places
    folds = [bool(run.metrics.get("folds")) for run in (one, other)]
    if folds[0] != folds[1]:
        crossed = one if folds[0] else other
        raise InputError(f"{names}: `{crossed.name}` was measured by cross-validation, the other on test rows.")
    if hashed and _read_otherwise(one, other):
        return _places_by_hash(one.predictions, other.predictions)
    raise InputError(f"{names}: they were not measured on the same test rows. {_what_differs(one, other, about)}")


def _cannot(one: FinishedRun, other: FinishedRun) -> str:
    return f"`{one.name}` and `{other.name}` cannot be compared"


def _places_by_hash(one: pl.DataFrame, other: pl.DataFrame) -> Ints:
    """Return the place of each row of ``one`` in ``other`` by the hash of its source row, -1 if it is missing, (n,).

    Rows that are copies of each other are paired in their order.
    """
    keys = [
        frame.select("row_hash", copy=pl.col("row_hash").cum_count().over("row_hash")).with_row_index("place")
        for frame in (one, other)
    ]
    found = keys[0].join(keys[1], on=["row_hash", "copy"], how="left", maintain_order="left")["place_right"]
    return found.cast(pl.Int64).fill_null(_MISSING).to_numpy()


def _read_otherwise(one: FinishedRun, other: FinishedRun) -> bool:
    """Whether the runs have other text columns, or read or split their rows with other options."""
    return one.text_columns != other.text_columns or _options(one) != _options(other)


def _options(run: FinishedRun) -> RunData | None:
    """Return how a run read its rows, without what `FinishedRun.text_columns` and its labels tell."""
    with suppress(InputError):
        return None if run.folder is None else replace(run.folder.data, source=None, text=(), label=())
    return None


def _check_labels(first: FinishedRun, run: FinishedRun, labels: pl.Series) -> None:
    differ = int((labels != run.predictions["label"]).sum())
    if differ:
        raise InputError(
            f"{_cannot(first, run)}: {differ:,} of the {len(labels):,} test rows have another label in `{run.name}`: "
            "train both with the same label column and spelling."
        )


def _check_unseen(run: FinishedRun) -> None:
    """Raise `InputError` if the common rows may be among those that the model of an evaluation was trained on.

    Without official test rows an evaluation measures all rows of its data. Those that the model was trained on are
    recognised by their texts, which only texts of the same columns allow.
    """
    facts = (run.record.get("dataset") or {}).get("facts") or {}
    if "evaluated" not in run.record or facts.get("official"):
        return
    trained = None
    with suppress(InputError, KeyError, TypeError):
        model = RunFolder(Path(run.record["evaluated"]["model"]).parent)
        trained = model.record["dataset"]["facts"]["text_columns"]
    if trained is None or trained != run.text_columns or run.metrics.get("rows_seen_in_training") != 0:
        raise InputError(
            f"The evaluation `{run.name}` cannot be compared on a part of its rows: its model may have been trained on "
            "them. Compare the run of the model instead."
        )


def _too_few(first: FinishedRun, runs: Sequence[FinishedRun], n: int) -> str:
    """Say that the runs have too few test rows in common, and what gives them the same ones."""
    others = [run for run in runs if run.folder is not None and run is not first]
    tested = ", ".join(f"{run.n_tested:,} of `{run.name}`" for run in others)
    names = [(run.record.get("dataset") or {}).get("name") for run in (first, *others)]
    why = "Other text columns or options of reading make other texts empty or copies, and so another random split"
    if len(set(names)) > 1:
        why = f"Their data is {', '.join(f'`{name}`' for name in dict.fromkeys(names))}"
    return (
        f"The runs have {counted(n, 'test row')} in common, too few to compare them: `{first.name}` tested "
        f"{first.n_tested:,} rows, and {tested}. {why}: give all runs the same test rows with `--test` or a column "
        "`split`, or test every row with `--folds 5`."
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
