"""Tables inside a JSON document: arrays of objects, wrapped ones, and the orients of pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tagline.data.formats.base import Source
from tagline.data.formats.delimited.header import LONGEST_NAME, n_known
from tagline.data.formats.json_text.layouts import (
    is_list_of_objects,
    labels_by_text,
    patterns_of_intents,
    served_rows,
    split_of,
    texts_by_class,
    without_envelope,
)
from tagline.data.frames import check_filled, concat, frame_of_columns, frame_of_dicts
from tagline.data.wording import listed
from tagline.errors import DataError

_SPLIT = "split"
_MOST_BELOW = 1000  # rows that show whether the first one names the columns


def table_of_document(document: Any, source: Source) -> pl.DataFrame:
    """Return the table of a document; raise `DataError` that says what the document holds if there is none."""
    if isinstance(document, list):
        return _table_of_list(document, source)
    if not isinstance(document, dict):
        raise DataError(f"`{source.name}` holds a single value: {_WANTED}.")
    parts = {key: value for key, value in document.items() if isinstance(value, list | dict) and value}
    if len(parts) > 1 and all(map(split_of, parts)):
        return _table_of_splits(parts, source)
    rows: Sequence[Mapping[str, Any]] | None = served_rows(document, source.name)
    if rows is not None:
        return frame_of_dicts(rows)
    for orient in (_of_split, _of_records_by_index):
        if (table := orient(document)) is not None:
            return table
    rows = texts_by_class(document)
    if rows is not None:
        source.log.notes.append(f"`{source.name}` holds texts by class: {listed(document, 5)}.")
        return frame_of_dicts(rows)
    if (table := _of_columns(document)) is not None:
        return table
    lists = {key: value for key, value in document.items() if is_list_of_objects(value)}
    if len(lists) == 1:
        return _table_of_list(next(iter(lists.values())), source)
    if lists:
        raise DataError(
            f"`{source.name}` holds several lists of objects, {listed(lists)}: save the one to read as a file."
        )
    rows = labels_by_text(document)
    if rows is not None:
        source.log.notes.append(f"`{source.name}` is one object: its keys are read as texts, its values as labels.")
        return frame_of_dicts(rows)
    if nested := _only_object(document):
        return table_of_document(nested, source)
    if any(isinstance(value, str) for value in document.values()):
        return frame_of_dicts([document])
    keys = f"one object with the keys {listed(document)}" if document else "an empty object"
    raise DataError(f"`{source.name}` holds {keys}: {_WANTED}.")


_WANTED = 'a list of objects such as `[{"text": …, "label": …}]` is needed, alone or inside an object'


def _table_of_splits(parts: Mapping[str, Any], source: Source) -> pl.DataFrame:
    tables = []
    for key, part in parts.items():
        table = table_of_document(part, source)
        tables.append(table.with_columns(pl.lit(split_of(key)).alias(_SPLIT)))
    return concat(tables)


def _table_of_list(rows: list[Any], source: Source) -> pl.DataFrame:
    if rows and all(isinstance(row, list) and row for row in rows) and len({len(row) for row in rows}) == 1:
        names = [f"column_{k + 1}" for k in range(len(rows[0]))]
        if len(rows) > 1 and _are_names(rows[0], rows[1:_MOST_BELOW], source):
            names, rows = rows[0], rows[1:]
            source.log.notes.append(f"`{source.name}`: the first list names the columns, {listed(names)}.")
        return frame_of_columns({name: list(cells) for name, *cells in zip(names, *rows, strict=True)})
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f'`{source.name}` must hold an array of objects, such as `[{{"text": …, "label": …}}]`.')
    check_filled(len(set().union(*rows)), len(rows), sum(map(len, rows)), source.name)
    intents = patterns_of_intents(rows)
    return frame_of_dicts([without_envelope(row) for row in rows] if intents is None else intents)


def _are_names(row: list[Any], body: list[list[Any]], source: Source) -> bool:
    """Say whether the first of several lists holds the names of the columns, as the header of a CSV file does."""
    if not all(isinstance(name, str) and 0 < len(name.strip()) <= LONGEST_NAME for name in row):
        return False
    below = [[str(cell) for cell in cells] for cells in body]
    return len({name.strip().casefold() for name in row}) == len(row) and n_known(row, source.header_names, below) > 0


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
