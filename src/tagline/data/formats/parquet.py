"""Parquet: typed columns, streamed from a file and read whole from standard input.

Hugging Face `datasets` writes class numbers, and their names into the metadata of the file: read whole, such columns
hold names.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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
        n_rows, n_done = _check(file, source), 0
        source.log.share_read = lambda: n_done / max(1, n_rows)
        if isinstance(file, Path) and source.batch_rows is not None:
            scan, frame = pl.scan_parquet(file, glob=False), None
            for frame in scan.collect_batches(chunk_size=source.batch_rows):
                n_done += frame.height
                yield _with_maps_as_json(frame)
            if frame is None:  # no rows are no batch, but there are columns
                yield _with_maps_as_json(scan.collect())
        else:
            frame = _with_maps_as_json(pl.read_parquet(file, glob=False))
            yield frame if source.streamed else _with_class_names(frame, file, source.name)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(f"`{source.name}` is not a whole Parquet file: {str(error).splitlines()[0]}.") from error


def _check(file: Path | BinaryIO, source: Source) -> int:
    """Return the number of rows.

    Raises `DataError` for a file with far more values than bytes: run lengths may stand for billions of rows.
    """
    if isinstance(file, Path):
        n_bytes = file.stat().st_size
    else:
        n_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
    scan = pl.scan_parquet(file, glob=False)
    names = scan.collect_schema().names()
    source.check_names(names)
    n_columns, n_rows = len(names), int(scan.select(pl.len()).collect().item())
    if not isinstance(file, Path):
        file.seek(0)
    if n_rows * n_columns > max(_MOST_VALUES, _MOST_VALUES_PER_BYTE * n_bytes):
        raise DataError(
            f"`{source.name}` claims to hold {n_rows:,} rows in {n_bytes:,} bytes: such a file is not read."
        )
    return n_rows


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
        if column in frame.columns:
            frame = frame.with_columns(_with_names(frame[column], feature, source))
    return frame


def _with_names(values: pl.Series, feature: Any, source: str) -> pl.Series:
    """Return a column with names in place of class numbers, also in its lists and objects."""
    names = class_names(feature)
    if names is None:
        if not isinstance(values.dtype, pl.Struct) or not isinstance(feature, dict):
            return values
        fields = [_with_names(values.struct.field(key), feature.get(key), source) for key in values.struct.fields]
        known = pl.lit(values.is_not_null())
        return pl.DataFrame(fields).select(pl.when(known).then(pl.struct(pl.all())).alias(values.name)).to_series()
    dtype = values.dtype.inner if isinstance(values.dtype, pl.List) else values.dtype
    if not dtype.is_numeric():
        return values
    flat = values.explode() if isinstance(values.dtype, pl.List) else values
    if (flat >= len(names)).any() or not (dtype.is_integer() or (flat.fill_nan(None).drop_nulls() % 1 == 0).all()):
        named_column(values.to_list(), names, values.name, source)  # raises, and names the row
    if isinstance(values.dtype, pl.List):
        return values.list.eval(_named(pl.element(), names))
    return values.to_frame().select(_named(pl.col(values.name), names)).to_series()


def _with_maps_as_json(frame: pl.DataFrame) -> pl.DataFrame:
    """Write maps, which polars can neither cast nor write to CSV, as JSON objects in strings."""
    maps = [column for column in frame if type(column.dtype).__name__ == "Map"]  # polars has the type since 2.1
    return frame.with_columns(frame_of_columns({column.name: column.to_list() for column in maps})) if maps else frame


def _named(number: pl.Expr, names: list[str]) -> pl.Expr:
    return number.cast(pl.Int64, strict=False).replace_strict(
        list(range(len(names))), names, default=None, return_dtype=pl.String
    )


#: Behind the first four bytes, with which a text may begin, follow a page or the footer; both begin with this byte.
_MAGIC = b"PAR1\x15"

FORMAT = Format("parquet", (".parquet", ".pq"), _read, magic=_MAGIC, binary=True)
