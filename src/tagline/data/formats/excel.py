"""Excel workbooks: the first sheet, read whole; its header is the first row that is not empty; no empty row is kept."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.errors import DataError

_ROW = "\0row"


def _read(source: Source) -> Iterator[pl.DataFrame]:
    import fastexcel

    file = source.binary()
    book = file if isinstance(file, Path) else file.read()
    try:
        frame = pl.read_excel(book, engine="calamine", raise_if_empty=False, drop_empty_rows=False)
        # With the empty rows above the header, which are skipped above.
        n_rows = fastexcel.read_excel(book).load_sheet(0, header_row=None, skip_rows=0, n_rows=1).total_height
    except Exception as error:
        # fastexcel's exceptions have no common base class.
        raise DataError(f"`{source.name}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error
    first_line = n_rows - frame.height + 1
    numbered = frame.with_row_index(_ROW, first_line).filter(~pl.all_horizontal(pl.all().exclude(_ROW).is_null()))
    source.number_rows(numbered[_ROW])
    yield numbered.drop(_ROW)


FORMAT = Format("excel", (".xlsx",), _read, binary=True, requires="fastexcel", extra="xlsx")
