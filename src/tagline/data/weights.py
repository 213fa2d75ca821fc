"""Weights of rows: a column of numbers that say how many times each row counts in training."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tagline.data.frames import as_strings
from tagline.data.labels.equal_values import value_of
from tagline.data.wording import kind_of_values, row_place
from tagline.errors import DataError
from tagline.task import Floats

#: Limits of the sum of all weights, in rows. On less evidence, calibration gives every class the same probability.
LEAST_TOTAL, MOST_TOTAL = 1e-6, 1e12
_REMEDY = "Give each row a number of 0 or more; 0 leaves it out of training."


@dataclass(frozen=True, eq=False)
class WeightCells:
    """A column of weights as it was read.

    ``weight``, Float64 (n_rows,), is null where a cell is not a number; ``cell``, String (n_rows,), is the text of the
    cell, null where it is empty.
    """

    weight: pl.Series
    cell: pl.Series


def read_weights(column: pl.Series, source: str) -> WeightCells:
    """Return the weights of a column of numbers, or of numbers as text, such as ``1.5``, `` 2 `` or ``1,5``.

    Raises:
        DataError: its values are neither.

    """
    cells = as_strings(column) if not isinstance(column.dtype, pl.List | pl.Array) else None
    if cells is None or column.dtype.is_temporal():
        raise DataError(
            f"`{source}`: column `{column.name}` holds {kind_of_values(column.dtype)}, not weights. {_REMEDY}"
        )
    cells = cells.str.strip_chars().replace("", None)
    if column.dtype.is_numeric():
        return WeightCells(column.cast(pl.Float64), cells)
    if column.dtype == pl.Boolean:
        return WeightCells(pl.repeat(None, len(column), dtype=pl.Float64, eager=True), cells)
    weights = cells.cast(pl.Float64, strict=False)
    others = cells.filter(weights.is_null()).drop_nulls().unique()
    values = {cell: value for cell in others.to_list() if not isinstance(value := value_of(cell), str | None)}
    if values:
        written = cells.replace_strict(
            list(values), [float(value) for value in values.values()], default=None, return_dtype=pl.Float64
        )
        weights = weights.fill_null(written)
    return WeightCells(weights, cells)


def check_weights(table: pl.DataFrame, column: str) -> None:
    """Raise `DataError` that names the first row whose weight is missing, no number, negative or not finite.

    The table has ``weight`` and ``weight_cell``, see `WeightCells`, and the place of each row.
    """
    weight = table["weight"]
    fails = (weight.is_null() | ~weight.is_finite() | (weight < 0)).fill_null(value=True)
    row = fails.arg_max()
    if row is None or not fails[row]:
        return
    value, cell, n = weight[row], table["weight_cell"][row], int(fails.sum())
    others = f", the first of {n:,} such rows" if n > 1 else ""
    place = f"{row_place(table, row)}{others}"
    if cell is None:
        raise DataError(f"The weight in column `{column}` is empty ({place}). {_REMEDY}")
    if value is not None:
        problem = "is negative" if value < 0 and np.isfinite(value) else "is not a finite number"
    elif value_of(cell.replace(",", ".")) is not None and cell.count(",") == 1:
        problem = f"may be {cell.replace(',', '')} or {cell.replace(',', '.')}"
    else:
        problem = "is not a number"
    shown = cell if len(cell) <= 40 else f"{cell[:40]}…"  # a column of texts may be named by mistake
    raise DataError(f"The weight `{shown}` in column `{column}` {problem} ({place}). {_REMEDY}")


def check_total(weights: Floats, column: str, source: str) -> None:
    """Raise `DataError` if the weights of the train rows, (n,), add up to nothing, or to more than can be fitted."""
    if not weights.any():
        raise DataError(
            f"`{source}`: all weights of the train rows in column `{column}` are 0: there is nothing to learn from. "
            "Give some of them a number above 0."
        )
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not LEAST_TOTAL <= total <= MOST_TOTAL:
        raise DataError(
            f"`{source}`: the weights of the train rows in column `{column}` add up to {total:g}: scale them to a "
            "mean of 1."
        )
