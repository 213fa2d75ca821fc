"""Excel workbooks: the first sheet, read whole; its header is row 1, and empty rows are left out."""

from collections.abc import Iterator

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.errors import DataError

_ROW = "\0row"


def _read(source: Source) -> Iterator[pl.DataFrame]:
    try:
        frame = pl.read_excel(source.binary(), engine="calamine", raise_if_empty=False, drop_empty_rows=False)
    except Exception as error:
        # fastexcel's exceptions have no common base class.
        raise DataError(f"`{source.name}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error
    numbered = frame.with_row_index(_ROW, 2).filter(~pl.all_horizontal(pl.all().exclude(_ROW).is_null()))
    source.number_rows(numbered[_ROW])
    yield numbered.drop(_ROW)


FORMAT = Format("excel", (".xlsx",), _read, binary=True, requires="fastexcel", extra="xlsx")
