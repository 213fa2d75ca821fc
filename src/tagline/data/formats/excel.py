"""Excel workbooks: the first sheet, read whole."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.errors import DataError


def _read(source: Source) -> Iterator[pl.DataFrame]:
    try:
        yield pl.read_excel(source.binary(), engine="calamine", raise_if_empty=False)
    except Exception as error:
        # fastexcel's exceptions have no common base class.
        raise DataError(f"`{source.name}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error


FORMAT = Format("excel", (".xlsx",), _read, binary=True, requires="fastexcel", extra="xlsx")
