"""Parquet: typed columns, streamed from a file and read whole from standard input.

Hugging Face `datasets` writes class numbers, and their names into the metadata of the file: read whole, such columns
hold names.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.frames import frame_of_columns
from tagline.data.labels.class_labels import class_names, named_column
from tagline.errors import DataError

#: Columns of a constant hold some 500 values per byte of a small file, texts hardly one.
_MOST_VALUES, _MOST_VALUES_PER_BYTE = 20_000_000, 100


def _read(source: Source) -> Iterator[pl.DataFrame]:
    file = source.binary()
    try:
        _check_size(file, source.name)
        if isinstance(file, Path) and source.batch_rows is not None:
            for frame in pl.scan_parquet(file, glob=False).collect_batches(chunk_size=source.batch_rows):
                yield _with_maps_as_json(frame)
        else:
            frame = _with_maps_as_json(pl.read_parquet(file, glob=False))
            yield frame if source.streamed else _with_class_names(frame, file, source.name)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"`{source.name}` is not a whole Parquet file: {str(error).splitlines()[0]}.") from error


def _check_size(file: Path | BinaryIO, name: str) -> None:
    """Raise `DataError` for a file with far more values than bytes: run lengths may stand for billions of rows."""
    if isinstance(file, Path):
        n_bytes = file.stat().st_size
    else:
        n_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
    scan = pl.scan_parquet(file, glob=False)
    n_columns, n_rows = len(scan.collect_schema()), int(scan.select(pl.len()).collect().item())
    if not isinstance(file, Path):
        file.seek(0)
    if n_rows * n_columns > max(_MOST_VALUES, _MOST_VALUES_PER_BYTE * n_bytes):
        raise DataError(f"`{name}` claims to hold {n_rows:,} rows in {n_bytes:,} bytes: such a file is not read.")


def _with_class_names(frame: pl.DataFrame, file: Path | BinaryIO, source: str) -> pl.DataFrame:
    """Replace class numbers by the names in the metadata of `datasets`; -1, "no label", by null.

    Raises:
        DataError: a number has no name; ``source`` is for the message.

    """
    if not isinstance(file, Path):
        file.seek(0)
    metadata = pl.read_parquet_metadata(file).get("huggingface")
    try:
        features = json.loads(metadata or "{}").get("info", {}).get("features") or {}
    except (ValueError, RecursionError, AttributeError):
        return frame
    for column, feature in features.items() if isinstance(features, dict) else ():
        names = class_names(feature)
        if names is None or column not in frame.columns:
            continue
        numbers = frame[column]
        dtype = numbers.dtype.inner if isinstance(numbers.dtype, pl.List) else numbers.dtype
        if not dtype.is_integer():
            continue
        flat = numbers.explode() if isinstance(numbers.dtype, pl.List) else numbers
        if (flat >= len(names)).any():
            named_column(numbers.to_list(), names, column, source)  # raises, and names the row
        of_lists = pl.col(column).list.eval(_named(pl.element(), names))
        frame = frame.with_columns(of_lists if isinstance(numbers.dtype, pl.List) else _named(pl.col(column), names))
    return frame


def _with_maps_as_json(frame: pl.DataFrame) -> pl.DataFrame:
    """Write maps, which polars can neither cast nor write to CSV, as JSON objects in strings."""
    maps = [column for column in frame if type(column.dtype).__name__ == "Map"]  # polars has the type since 2.1
    return frame.with_columns(frame_of_columns({column.name: column.to_list() for column in maps})) if maps else frame


def _named(number: pl.Expr, names: list[str]) -> pl.Expr:
    return number.replace_strict(list(range(len(names))), names, default=None, return_dtype=pl.String)


FORMAT = Format("parquet", (".parquet", ".pq"), _read, magic=b"PAR1", binary=True)
