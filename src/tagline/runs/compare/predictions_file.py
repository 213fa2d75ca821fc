"""Predictions of any other program: a CSV with the columns ``row`` and ``prediction``, and ``proba:<class>``."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tagline.data.columns import require_column
from tagline.data.labels import LabelOptions, match_classes, read_labels
from tagline.data.rows import Rows
from tagline.data.sources.files import read_file
from tagline.data.wording import listed
from tagline.errors import InputError

_PROBA = "proba:"


def read_predictions(
    path: Path, run: str, rows: pl.DataFrame, classes: Sequence[str], *, multilabel: bool
) -> tuple[pl.DataFrame, list[str]]:
    """Read predictions for the test rows of a run, and return them with its labels and all classes.

    Args:
        path: the file. ``row`` numbers the test rows from 0, as in ``predictions.parquet``; a multi-label prediction
            is a list or joined names.
        run: the name of the run, for messages.
        rows: the test rows of the run: ``label``, and ``file`` and ``line`` if they are known.
        classes: the classes of the run; predictions may name others.
        multilabel: whether a row may have several labels.

    Raises:
        InputError: a row is missing, or occurs twice, or cannot be read.

    """
    read = read_file(path, expected=("row", "prediction"))
    if read.rejected:
        first = read.rejected[0]
        raise InputError(f"`{path}`: line {first.line:,} cannot be read: {first.reason}.")
    for name in ("row", "prediction"):
        require_column(read.frame, name, str(path))
    places = _places(read, str(path), run, rows.height)
    frame = read.frame[places.arg_sort()]
    options = LabelOptions(separator=None if multilabel else "", keep_spelling=True, multilabel=multilabel)
    predicted = read_labels(frame, ["prediction"], str(path), options).values
    if isinstance(predicted.dtype, pl.List) and not multilabel:
        raise InputError(f"`{path}`: column `prediction` holds lists, and the rows of `{run}` have one label each.")
    if multilabel and not isinstance(predicted.dtype, pl.List):
        predicted = predicted.to_frame("of").select(pl.concat_list(pl.col("of")).list.drop_nulls()).to_series()
    if empty := predicted.null_count():
        row = predicted.is_null().arg_max() or 0
        raise InputError(f"`{path}`: {empty:,} of {rows.height:,} rows have no prediction; the first is row {row:,}.")
    predicted, _ = match_classes(predicted, classes)
    named = predicted.explode().drop_nulls() if multilabel else predicted
    others = sorted(set(named.unique().to_list()) - set(classes))
    if len(others) == named.n_unique() and len(named):
        raise InputError(
            f"`{path}`: none of its predictions ({listed(others, 5)}) is a class of `{run}`, which are "
            f"{listed(classes, 5)}."
        )
    everything = [*classes, *others]
    return (
        pl.select(row=pl.int_range(rows.height))
        .hstack(rows)
        .with_columns(
            predicted.alias("prediction"), *_probabilities(frame, str(path), everything, multilabel=multilabel)
        ),
        everything,
    )


def _places(read: Rows, path: str, run: str, n_rows: int) -> pl.Series:
    """Return the column ``row`` after a check that it names every test row once, Int64 (n_rows,)."""
    assert read.place is not None
    numbers = read.frame["row"].cast(pl.String).str.strip_chars().str.strip_suffix(".0").cast(pl.Int64, strict=False)
    wrong = numbers.is_null() | (numbers < 0) | (numbers >= n_rows)
    if wrong.any():
        k = wrong.arg_max() or 0
        raise InputError(
            f"`{path}`, line {read.place['line'][k]:,}: `row` is `{read.frame['row'][k]}`, but the test rows of "
            f"`{run}` are numbered from 0 to {n_rows - 1:,}, as in its `predictions.parquet`."
        )
    twice = ~numbers.is_first_distinct()
    if twice.any():
        k = twice.arg_max() or 0
        raise InputError(f"`{path}`, line {read.place['line'][k]:,}: row {numbers[k]:,} occurs twice.")
    if len(numbers) < n_rows:
        missing = min(set(range(n_rows)) - set(numbers.to_list()))
        raise InputError(
            f"`{path}` has {len(numbers):,} of the {n_rows:,} test rows of `{run}`; the first that is missing is row "
            f"{missing:,}."
        )
    return numbers


def _probabilities(frame: pl.DataFrame, path: str, classes: Sequence[str], *, multilabel: bool) -> list[pl.Series]:
    """Return the columns of probabilities of all classes, Float64 (n_rows,); none if the file has none.

    Of two classes one is enough, unless a row may have both.
    """
    found = []
    for column in frame.columns:
        if not column.startswith(_PROBA):
            continue
        if column.removeprefix(_PROBA) not in classes:
            raise InputError(f"`{path}`: column `{column}` names none of the classes: {listed(classes)}.")
        values = frame[column].cast(pl.Float64, strict=False)
        wrong = ~values.is_between(0, 1).fill_null(value=False)
        if wrong.any():
            row = wrong.arg_max() or 0
            raise InputError(
                f"`{path}`: column `{column}` holds `{frame[column][row]}` in row {row:,}; probabilities are from 0 "
                "to 1."
            )
        found.append(values)
    missing = [name for name in classes if f"{_PROBA}{name}" not in frame.columns]
    if not found or not missing:
        return found
    if len(classes) == 2 and not multilabel:
        return [*found, (1 - found[0]).alias(f"{_PROBA}{missing[0]}")]
    raise InputError(
        f"`{path}`: column `{_PROBA}{missing[0]}` is missing: give the probabilities of all classes "
        f"({listed(classes, 5)}), or none."
    )
