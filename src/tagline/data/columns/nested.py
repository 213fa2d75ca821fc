"""Objects in the cells of a column: their keys, and a column of the values under one of them, named ``body.title``."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagline.data.frames import frame_of_columns
from tagline.data.json_values import parse_json

_SAMPLE_ROWS = 20


def object_keys(column: pl.Series) -> list[str]:
    """Return the keys of the objects in the first cells, as JSON or typed; none if a cell holds anything else.

    >>> object_keys(pl.Series(['{"title": "a"}', None, '{"body": "b"}'])), object_keys(pl.Series(['{"a": 1}', "b"]))
    (['title', 'body'], [])
    """
    if isinstance(column.dtype, pl.Struct):
        return [field.name for field in column.dtype.fields]
    if column.dtype != pl.String:
        return []
    found: dict[str, None] = {}
    for cell in column.drop_nulls().head(_SAMPLE_ROWS).to_list():
        value = _object(cell)
        if value is None:
            return []
        found |= dict.fromkeys(value)
    return list(found)


def nested_names(frame: pl.DataFrame) -> list[str]:
    """Return the names of the values in all columns of objects."""
    return [f"{column.name}.{key}" for column in frame for key in object_keys(column)]


def with_nested(frame: pl.DataFrame, names: Sequence[str | None]) -> pl.DataFrame:
    """Add columns of values inside objects, for those names that are no columns: ``body.title``, ``a.b.c``."""
    columns = {}
    for name in names:
        if not name or name in frame.columns:
            continue
        keys = name.split(".")
        parents = (".".join(keys[:k]) for k in range(len(keys) - 1, 0, -1))
        parent = next((parent for parent in parents if parent in frame.columns), None)
        if parent is not None and object_keys(frame[parent]):
            path = name.removeprefix(f"{parent}.").split(".")
            columns[name] = [_value(cell, path) for cell in frame[parent].to_list()]
    return frame.with_columns(frame_of_columns(columns)) if columns else frame


def _value(cell: Any, path: Sequence[str]) -> Any:
    value = _object(cell) if isinstance(cell, str) else cell
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _object(cell: str) -> dict[str, Any] | None:
    if not cell.lstrip().startswith("{"):
        return None
    try:
        value = parse_json(cell)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
