"""Parquet: typed columns, streamed from a file and read whole from standard input."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.errors import DataError


def _read(source: Source) -> Iterator[pl.DataFrame]:
    file = source.binary()
    try:
        if isinstance(file, Path) and source.batch_rows is not None:
            yield from pl.scan_parquet(file, glob=False).collect_batches(chunk_size=source.batch_rows)
        else:
            yield pl.read_parquet(file, glob=False)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"`{source.name}` is not a whole Parquet file: {str(error).splitlines()[0]}.") from error


FORMAT = Format("parquet", (".parquet", ".pq"), _read, magic=b"PAR1", binary=True)
