"""Rows of Python objects: frames, Hugging Face datasets, lists.

pandas, pyarrow and `datasets` are never imported: their objects are recognised by their attributes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from tagline.data.frames import check_filled, concat, frame_of_columns, frame_of_dicts
from tagline.data.labels.class_labels import named_values
from tagline.data.rows import Rows
from tagline.data.sources.folders import SPLIT_COLUMN
from tagline.data.splits import SPLIT_NAMES
from tagline.errors import DataError

NAME = "data"


def read_object(data: Any) -> Rows:
    """Read a pandas, polars or Arrow table, a Hugging Face ``Dataset`` or ``DatasetDict``, or plain Python data.

    Plain data is a list of ``(text, label)`` pairs, a list of dictionaries, a dictionary of columns, a pair
    of equally long lists ``(texts, labels)``, or a dictionary of any of these by split name. Raises
    `DataError` for anything else.
    """
    if isinstance(data, Mapping) and _is_by_split(data):
        return _read_splits(data)
    return _read_one(data)


def _is_by_split(data: Mapping[Any, Any]) -> bool:
    names = [SPLIT_NAMES.get(str(key).casefold()) for key in data]
    return "train" in names and None not in names


def _read_splits(data: Mapping[Any, Any]) -> Rows:
    parts = {str(name): _read_one(part) for name, part in data.items()}
    first = next(iter(parts.values()))
    column = SPLIT_COLUMN
    while any(column in part.frame.columns for part in parts.values()):
        column += "_"
    frame = concat(part.frame.with_columns(pl.lit(name).alias(column)) for name, part in parts.items())
    split = column if len(parts) > 1 else None
    return Rows(frame, NAME, type(data).__name__, text=first.text, label=first.label, split=split)


def _read_one(data: Any) -> Rows:
    kind = type(data).__name__
    if isinstance(data, pl.LazyFrame):
        return Rows(data.collect(), NAME, kind)
    if isinstance(data, pl.DataFrame):
        return Rows(data, NAME, kind)
    if hasattr(data, "features") and hasattr(data, "column_names"):
        return Rows(_huggingface_frame(data), NAME, f"Hugging Face {kind}")
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        columns = {str(name): _values(data.iloc[:, i]) for i, name in enumerate(data.columns)}
        return Rows(frame_of_columns(columns), NAME, f"pandas {kind}")
    if hasattr(data, "__arrow_c_stream__"):  # tables and readers of pyarrow, relations of DuckDB
        return Rows(pl.DataFrame(data), NAME, kind)
    if isinstance(data, Mapping):
        return Rows(frame_of_columns({str(name): _values(column) for name, column in data.items()}), NAME, kind)
    if isinstance(data, tuple) and len(data) == 2 and all(_is_column(part) for part in data):
        return _pairs_rows(_values(data[0]), _values(data[1]), kind)
    if isinstance(data, Iterable) and not isinstance(data, str | bytes):
        rows = list(data)
        if rows and all(isinstance(row, Mapping) for row in rows):
            check_filled(len(set().union(*rows)), len(rows), sum(map(len, rows)), kind)
            return Rows(frame_of_dicts(rows), NAME, f"{kind} of dictionaries")
        if rows and all(isinstance(row, Sequence) and not isinstance(row, str) and len(row) == 2 for row in rows):
            return _pairs_rows([row[0] for row in rows], [row[1] for row in rows], f"{kind} of pairs")
        if not rows:
            raise DataError("The data is empty: it has no rows.")
    raise DataError(
        f"Data of type `{kind}` cannot be read: give a path, a frame, a list of `(text, label)` pairs or of "
        "dictionaries, or a dictionary of columns."
    )


def _pairs_rows(texts: list[Any], labels: list[Any], source: str) -> Rows:
    return Rows(frame_of_columns({"text": texts, "label": labels}), NAME, source, text="text", label="label")


def _is_column(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, str | bytes | tuple | Mapping)


def _values(column: Any) -> list[Any]:
    # polars, pandas and NumPy columns give Python values by `to_list` or `tolist`.
    for method in ("to_list", "tolist"):
        if hasattr(column, method):
            values: list[Any] = getattr(column, method)()
            return _as_written(values, getattr(column, "dtype", None))
    return list(column)


def _as_written(values: list[Any], dtype: Any) -> list[Any]:
    """Return floats of a narrow type as the number with the fewest digits: of 0.1, a wider type shows more of them."""
    narrow = {2: np.float16, 4: np.float32}.get(getattr(dtype, "itemsize", 0))
    if getattr(dtype, "kind", None) != "f" or narrow is None:
        return values
    return [float(str(narrow(value))) if isinstance(value, float) else value for value in values]


def _huggingface_frame(data: Any) -> pl.DataFrame:
    """Make a frame of a Hugging Face dataset: class numbers become names; -1, "no label", a null or left out."""
    return frame_of_columns(
        {name: named_values(list(data[name]), data.features[name], name) for name in data.column_names}
    )
