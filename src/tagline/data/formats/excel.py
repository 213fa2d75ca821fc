"""Excel workbooks: the first visible sheet with a table, read whole; no empty row is kept.

Its header is the first row that is not empty, or the one below a title; both choices are noted where there was one.
"""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.formats.delimited.header import MOST_LINES_ABOVE, is_header, is_no_row, n_known
from tagline.data.streams.compression import check_decompressed_size
from tagline.data.wording import listed
from tagline.errors import DataError

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_ROW = "\0row"


def _read(source: Source) -> Iterator[pl.DataFrame]:
    import fastexcel

    file = source.binary()
    book = file if isinstance(file, Path) else file.read()
    _check_size(book, source.name)
    try:
        reader = fastexcel.read_excel(book)
        sheet, top, n_rows = _find_sheet(reader, source)
        header = _header_row(top, source)
        options = {} if header is None else {"header_row": header}
        frame = pl.read_excel(
            book,
            sheet_name=sheet,
            engine="calamine",
            raise_if_empty=False,
            drop_empty_rows=False,
            read_options=options,
        )
    except Exception as error:
        # fastexcel's exceptions have no common base class.
        raise DataError(f"`{source.name}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error
    first_line = n_rows - frame.height + 1
    numbered = frame.with_row_index(_ROW, first_line).filter(~pl.all_horizontal(pl.all().exclude(_ROW).is_null()))
    source.number_rows(numbered[_ROW])
    yield numbered.drop(_ROW)


def _check_size(book: Path | bytes, name: str) -> None:
    """Raise `DataError` for a workbook that claims to hold far more than its size when it is decompressed."""
    try:
        with zipfile.ZipFile(book if isinstance(book, Path) else io.BytesIO(book)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError):
        return  # the reader says what is wrong
    check_decompressed_size(
        sum(member.file_size for member in members), sum(member.compress_size for member in members), name
    )


def _find_sheet(reader: "ExcelReader", source: Source) -> tuple[str, list[list[str]], int]:
    """Return the first visible sheet with a table: its name, its first rows, and its number of rows.

    The rows include the empty ones above the header, which polars skips. A table has several rows and columns; without
    one the sheet with the most rows is read. Sheets below the table are not loaded, which takes time.
    """
    found: list[tuple[str, list[list[str]], int]] = []
    filled: list[tuple[str, list[list[str]], int]] = []
    names = reader.sheet_names
    for i, name in enumerate(names):
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=MOST_LINES_ABOVE + 2, dtypes="string")
        top = [[cell or "" for cell in row] for row in sheet.to_polars().rows()]
        found.append((name, top, sheet.total_height))
        if sheet.visible != "visible" or not any(map(any, top)):
            continue
        filled.append(found[-1])
        if len(top) > 1 and sum(map(bool, map(any, zip(*top, strict=True)))) > 1:
            _note_others(name, [*(each[0] for each in filled[:-1]), *names[i + 1 :]], source)
            return found[-1]
    chosen = max(filled or found, key=lambda each: each[2])
    _note_others(chosen[0], [each[0] for each in filled if each[0] != chosen[0]], source)
    return chosen


def _note_others(chosen: str, others: list[str], source: Source) -> None:
    if others:
        source.log.notes.append(f"`{source.name}`: sheet `{chosen}` is read, not {listed(others)}.")


def _header_row(top: list[list[str]], source: Source) -> int | None:
    """Return the index of the header if it stands below a title, else None: it is the first row with cells."""
    width = len(top[0]) if top else 0
    first = next((i for i, cells in enumerate(top) if any(cells)), 0)
    for i in range(first, len(top)):
        cells = [cell.strip() for cell in top[i]]
        if not any(cells):
            continue
        body = [row for row in top[i + 1 :] if any(row)]
        named = n_known(cells, source.header_names, body) > 0
        if (named and sum(map(bool, cells)) > 1) or (all(cells) and width > 1 and is_header(cells, body, frozenset())):
            if i > first:
                source.log.notes.append(f"`{source.name}`: the table begins in row {i + 1}; what is above is not read.")
            return i if i > first else None
        if width < 2 or not is_no_row(cells, width):
            return None
    return None


FORMAT = Format("excel", (".xlsx",), _read, binary=True, requires="fastexcel", extra="xlsx")
