"""Tables inside a JSON document: arrays of objects, wrapped ones, and the orients of pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagline.data.frames import frame_of_columns, frame_of_dicts
from tagline.data.splits import SPLIT_NAMES
from tagline.data.wording import listed
from tagline.errors import DataError

_SPLIT = "split"


def table_of_document(document: Any, name: str) -> pl.DataFrame:
    """Return the table of a document; raise `DataError` that says what the document holds if there is none."""
    if isinstance(document, list):
        return _table_of_list(document, name)
    if not isinstance(document, dict):
        raise DataError(f"`{name}` holds a single value: {_WANTED}.")
    for orient in (_of_split, _of_records_by_index, _of_columns):
        table = orient(document)
        if table is not None:
            return table
    lists = _lists_of_objects(document)
    if len(lists) > 1 and all(key.casefold() in SPLIT_NAMES for key in lists):
        return frame_of_dicts([{**row, _SPLIT: key} for key, rows in lists.items() for row in rows])
    if len(lists) == 1:
        return frame_of_dicts(next(iter(lists.values())))
    if lists:
        raise DataError(f"`{name}` holds several lists of objects, {listed(lists)}: save the one to read as a file.")
    if nested := _only_object(document):
        return table_of_document(nested, name)
    if any(isinstance(value, str) for value in document.values()):
        return frame_of_dicts([document])
    keys = f"one object with the keys {listed(document)}" if document else "an empty object"
    raise DataError(f"`{name}` holds {keys}: {_WANTED}.")


_WANTED = 'a list of objects such as `[{"text": …, "label": …}]` is needed, alone or inside an object'


def _table_of_list(rows: list[Any], name: str) -> pl.DataFrame:
    if rows and all(isinstance(row, list) for row in rows) and len({len(row) for row in rows}) == 1:
        return frame_of_columns({f"column_{k + 1}": list(cells) for k, cells in enumerate(zip(*rows, strict=True))})
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f'`{name}` must hold an array of objects, such as `[{{"text": …, "label": …}}]`.')
    return frame_of_dicts(rows)


def _lists_of_objects(document: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(row, dict) for row in value)
    }


def _only_object(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the value that is an object, if there is one such value: ``{"result": {"items": […]}}``."""
    inner = [value for value in document.values() if isinstance(value, dict) and value]
    return inner[0] if len(inner) == 1 else None


def _of_split(document: Mapping[str, Any]) -> pl.DataFrame | None:
    """Orients ``split`` and ``table``: the names of the columns, and rows as lists or objects."""
    rows = document.get("data")
    if not isinstance(rows, list) or not rows:
        return None
    schema = document.get("schema")
    if isinstance(schema, dict) and all(isinstance(row, dict) for row in rows):
        key = schema.get("primaryKey") or []
        return frame_of_dicts(rows).drop([name for name in key if name == "index"], strict=False)
    names = document.get("columns")
    if not isinstance(names, list) or not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return frame_of_columns({str(name): [row[k] for row in rows] for k, name in enumerate(names)})


def _of_records_by_index(document: Mapping[str, Any]) -> pl.DataFrame | None:
    """Orient ``index``: an object of rows that have the same keys, at least two."""
    rows = list(document.values())
    if len(rows) < 2 or not all(isinstance(row, dict) and row for row in rows):
        return None
    keys = set(rows[0])
    return (
        frame_of_dicts(rows)
        if len(keys) > 1 and len(keys) < len(rows) and all(set(row) == keys for row in rows)
        else None
    )


def _of_columns(document: Mapping[str, Any]) -> pl.DataFrame | None:
    """Orient ``columns``, and ``DataFrame.to_dict("list")``: an object of equally long columns, at least two."""
    columns = list(document.values())
    if len(columns) < 2:
        return None
    if all(isinstance(column, dict) and column for column in columns):
        index = list(columns[0])
        if any(set(column) != set(index) for column in columns):
            return None
        return frame_of_columns({name: [column[k] for k in index] for name, column in document.items()})
    if all(_is_list_of_scalars(column) for column in columns) and len({len(column) for column in columns}) == 1:
        return frame_of_columns(document)
    return None


def _is_list_of_scalars(column: Any) -> bool:
    return isinstance(column, Sequence) and not isinstance(column, str) and not any(isinstance(v, dict) for v in column)
