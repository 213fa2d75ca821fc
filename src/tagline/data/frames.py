"""Frames made of Python values, and stacked."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import Any

import polars as pl

from tagline.data.json_values import replace_surrogates
from tagline.errors import DataError

_MANY_NAMES = 1000
_CELLS_PER_VALUE = 100


def check_filled(n_names: int, n_rows: int, n_values: int, source: str) -> None:
    """Refuse objects whose table would be nearly all empty: its size grows with the square of theirs."""
    if n_names > _MANY_NAMES and n_names * n_rows > _CELLS_PER_VALUE * n_values:
        raise DataError(
            f"`{source}`: {n_rows:,} objects have {n_names:,} different names of values, nearly all in few of them: "
            "give the text, and the label, the same name in each object."
        )


def frame_of_dicts(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Make a frame of a list of dictionaries; a missing key is a null, and empty ones are rows without columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        return pl.DataFrame(height=len(rows))
    return frame_of_columns({name: [row.get(name) for row in rows] for name in names})


def frame_of_columns(columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Make a frame of Python lists, each column of the one type that all its values have, else of strings."""
    if len({len(values) for values in columns.values()}) > 1:
        sizes = ", ".join(f"`{name}` {len(values):,}" for name, values in columns.items())
        raise DataError(f"The columns must be equally long, not {sizes}.")
    return pl.DataFrame([_column(str(name), values) for name, values in columns.items()])


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    try:
        return _typed_column(name, values)
    except UnicodeEncodeError:  # polars refuses lone surrogates
        return _typed_column(replace_surrogates(name), replace_surrogates([_plain(value) for value in values]))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | set | frozenset) else value


def _typed_column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds <= {list, tuple, set, frozenset}:
        # A set has no order of its own; sorted, the same rows give the same frame.
        listed = [sorted(v, key=str) if isinstance(v, set | frozenset) else v for v in values]
        return pl.Series(
            name,
            [None if v is None else [scalar_text(item) for item in v if item is not None] for v in listed],
            dtype=pl.List(pl.String),
        )
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values if v is not None):
        return pl.Series(name, values, strict=False)
    known = [value for value in values if not _is_missing(value)]
    if all(isinstance(value, datetime) and value.time() == time() for value in known):
        values = [None if _is_missing(value) else value.date() for value in values]
    return pl.Series(name, [None if _is_missing(v) else scalar_text(v) for v in values], dtype=pl.String)


def _is_missing(value: object) -> bool:
    # NaN and pandas' NaT differ from themselves; pandas' NA cannot be compared: its name identifies it.
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def scalar_text(value: object) -> str:
    """Write one value as a label or text: ``True`` as ``true``, ``1.0`` as ``1``, a structure as JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def as_strings(column: pl.Series) -> pl.Series | None:
    r"""Return values as strings, bytes as UTF-8 text and lists joined by spaces; None if they are no text.

    >>> as_strings(pl.Series([b"a"])).to_list(), as_strings(pl.Series([["a", "b"]])).to_list()
    (['a'], ['a b'])
    >>> as_strings(pl.Series([[["a"]]])), as_strings(pl.Series([{"a": 1}])), as_strings(pl.Series([b"\xff"]))
    (None, None, None)
    """
    if isinstance(column.dtype, pl.List | pl.Array):
        lists = as_string_lists(column)
        return None if lists is None else lists.list.join(" ")
    if isinstance(column.dtype, pl.Struct | pl.Object):
        return None
    if isinstance(column.dtype, pl.Datetime):
        return _times_as_text(column)
    return _cast(column, pl.String())


def _times_as_text(column: pl.Series) -> pl.Series:
    """Write times without fractions of a second, and as days, where no row has more: as other programs write them."""
    if (column.dt.time() == time()).all():
        return column.dt.date().cast(pl.String)
    written = column.cast(pl.String)
    return written if (column.dt.nanosecond() != 0).any() else written.str.replace(r"\.0+(\D.*)?$", "$1")


def as_string_lists(column: pl.Series) -> pl.Series | None:
    """Return lists as lists of strings; None if their items are no text."""
    return _cast(column, pl.List(pl.String))


def _cast(column: pl.Series, dtype: pl.DataType) -> pl.Series | None:
    try:
        return column.cast(dtype)
    except pl.exceptions.PolarsError:  # which types can be cast differs between versions of polars
        return None


def concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Stack frames of the same columns; where a column's type differs between them, it becomes text."""
    found = [frame for frame in frames if frame.width]
    if not found:
        return pl.DataFrame()
    schemas = [frame.schema for frame in found]  # polars builds it at each access
    if any(schema != schemas[0] or list(schema) != list(schemas[0]) for schema in schemas[1:]):
        kinds: dict[str, set[pl.DataType]] = {}
        for schema in schemas:
            for name, dtype in schema.items():
                kinds.setdefault(name, set()).add(dtype)
        mixed = [name for name, types in kinds.items() if len(types - {pl.Null()}) > 1]
        found = [
            frame.with_columns(_as_text(frame[name]) for name in mixed if name in schema)
            for frame, schema in zip(found, schemas, strict=True)
        ]
        return pl.concat(found, how="diagonal_relaxed", rechunk=True)
    return pl.concat(found, rechunk=True)


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(" ")
    return column.cast(pl.String)
