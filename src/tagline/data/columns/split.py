"""The column of splits: known by its name and its values."""

import polars as pl

from tagline.data.columns.names import SPLIT_COLUMNS
from tagline.data.splits import SPLIT_NAMES
from tagline.data.wording import listed

_MOST_SPLITS = 10  # values of a column that says in which split a row is


def split_column(frame: pl.DataFrame, taken: set[str | None]) -> str | None:
    """Return a column named ``split`` or alike whose values are the names of splits, train among them."""
    for column in frame.columns:
        if column.strip().casefold() in SPLIT_COLUMNS and column not in taken:
            if frame.schema[column] != pl.String:
                continue
            found = frame[column].drop_nulls().unique(maintain_order=True).head(50)
            values = {value.strip().casefold() for value in found} - {""}
            meanings = {SPLIT_NAMES.get(value) for value in values}
            if "train" in meanings and meanings & {"test", "validation"} and None not in meanings:
                return column
    return None


def unused_splits(frame: pl.DataFrame, taken: set[str], source: str) -> list[str]:
    """Return notes on columns named ``split`` or alike that hold a few values, of which some name no split."""
    notes = []
    for column in frame.columns:
        known = column.strip().casefold() in SPLIT_COLUMNS and column not in taken
        if not known or not (frame.schema[column].is_integer() or frame.schema[column] == pl.String):
            continue
        found = frame[column].drop_nulls().unique(maintain_order=True).head(_MOST_SPLITS + 1)
        values = [str(value).strip() for value in found]
        unknown = [value for value in values if value.casefold() not in SPLIT_NAMES]
        if unknown and 1 < len(values) <= _MOST_SPLITS:
            notes.append(
                f"`{source}`: column `{column}` is not used to split the rows: {listed(unknown)} name no split. Write "
                "`train`, `validation` and `test`."
            )
    return notes
