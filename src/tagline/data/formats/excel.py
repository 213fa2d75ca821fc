"""Excel workbooks: the first visible sheet with a table, read whole; no empty row is kept.

Its header is the first row that is not empty, or the one below a title; both choices are noted where there was one. As
in CSV there may be none. Cells are read as they are written, but numbers or booleans that fill a column keep their
type. Where a whole file is read, numbers such as 1 and 2.5, which may be labels, are text too: not 1.0 and 2.5.
"""

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tagline.data.formats.base import Format, Source
from tagline.data.formats.delimited.dialect import note_missing_header
from tagline.data.formats.delimited.header import (
    MOST_LINES_ABOVE,
    distinct_names,
    is_header,
    is_no_row,
    n_known,
    recurs,
)
from tagline.data.streams.compression import check_decompressed_size
from tagline.data.wording import listed
from tagline.errors import DataError

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_TOP_ROWS = MOST_LINES_ABOVE + 50  # rows that show where the table begins, and whether it has a header
# Excel stores a date as midnight of a day, and a time as a time of day 0 or 1.
_DATE_AND_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?$")
_MIDNIGHT, _DAY_ZERO = " 00:00:00", r"^1899-12-3[01] "


def _read(source: Source) -> Iterator[pl.DataFrame]:
    import fastexcel

    logging.getLogger("fastexcel").setLevel(logging.ERROR)  # it warns of columns that hold nothing but errors
    file = source.binary()
    book = file if isinstance(file, Path) else file.read()
    _check_size(book, source.name)
    try:
        reader = fastexcel.read_excel(book)
        sheet, top = _find_sheet(reader, source)
        first, has_header = _beginning(top, source)
        first_row = first + has_header
        texts = reader.load_sheet(sheet, header_row=None, skip_rows=first_row, dtypes="string").to_polars()
        columns = _typed_columns(reader, sheet, first_row, texts)
    except Exception as error:
        # fastexcel's exceptions have no common base class.
        raise DataError(f"`{source.name}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error
    if not source.streamed:
        columns = [_as_written(column) if column.dtype.is_float() else column for column in columns]
    cells = [cell.strip() for cell in top[first]] if has_header else [""] * len(columns)
    names = distinct_names(cells)
    frame = pl.DataFrame(
        [
            column.alias(name)
            for cell, name, column in zip(cells, names, columns, strict=True)
            if cell or column.null_count() < len(column)
        ]
    )
    is_row = texts.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    source.number_rows(pl.Series(is_row.arg_true() + first_row + 1))
    yield frame.filter(is_row)


def _typed_columns(reader: "ExcelReader", sheet: str, first_row: int, texts: pl.DataFrame) -> list[pl.Series]:
    """Return the columns of a sheet below its header: with a type of their own, or as the ``texts`` of their cells."""
    import fastexcel

    try:
        values = reader.load_sheet(sheet, header_row=None, skip_rows=first_row, schema_sample_rows=None).to_polars()
    except fastexcel.UnsupportedColumnTypeCombinationError:
        values = texts
    return [_typed(written, typed) for written, typed in zip(texts, values, strict=True)]


def _typed(written: pl.Series, typed: pl.Series) -> pl.Series:
    """Return numbers or booleans if a column has nothing else, and otherwise what is written in its cells."""
    whole = typed.null_count() == written.null_count()
    if whole and typed.dtype in (pl.Boolean, pl.Duration):
        return typed
    if whole and typed.dtype.is_numeric() and not written.is_in(["true", "false"]).any():
        integers = typed.cast(pl.Int64, strict=False)
        return integers if integers.null_count() == typed.null_count() and (integers == typed).all() else typed
    dates = written.filter(written.str.contains(_DATE_AND_TIME.pattern))
    if dates.str.ends_with(_MIDNIGHT).all():
        written = pl.select(
            pl.when(written.str.contains(_DATE_AND_TIME.pattern))
            .then(written.str.strip_suffix(_MIDNIGHT))
            .otherwise(written)
        ).to_series()
    return written.str.replace(_DAY_ZERO, "")


def _as_written(numbers: pl.Series) -> pl.Series:
    """Return numbers as Excel shows them: whole ones without ``.0``."""
    return numbers.cast(pl.String).str.strip_suffix(".0")


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


def _find_sheet(reader: "ExcelReader", source: Source) -> tuple[str, list[list[str]]]:
    """Return the name of the first visible sheet with a table, and its first rows, with the empty ones above.

    A table has several rows and columns; without one the sheet with the most rows is read. Sheets below the table are
    not loaded, which takes time.
    """
    found: list[tuple[str, list[list[str]], int]] = []
    filled: list[tuple[str, list[list[str]], int]] = []
    names = reader.sheet_names
    for i, name in enumerate(names):
        sheet = reader.load_sheet(name, header_row=None, skip_rows=0, n_rows=_TOP_ROWS, dtypes="string")
        top = [[cell or "" for cell in row] for row in sheet.to_polars().rows()]
        found.append((name, top, sheet.total_height))
        if sheet.visible != "visible" or not any(map(any, top)):
            continue
        filled.append(found[-1])
        if len(top) > 1 and sum(map(bool, map(any, zip(*top, strict=True)))) > 1:
            _note_others(name, [*(each[0] for each in filled[:-1]), *names[i + 1 :]], source)
            return name, top
    chosen = max(filled or found, key=lambda each: each[2])
    _note_others(chosen[0], [each[0] for each in filled if each[0] != chosen[0]], source)
    return chosen[:2]


def _note_others(chosen: str, others: list[str], source: Source) -> None:
    if others:
        source.log.notes.append(f"`{source.name}`: sheet `{chosen}` is read, not {listed(others)}.")


def _beginning(top: list[list[str]], source: Source) -> tuple[int, bool]:
    """Return the index of the row in which the table begins, below a title if there is one; and if it is a header."""
    width = len(top[0]) if top else 0
    first = next((i for i, cells in enumerate(top) if any(cells)), 0)
    for i in range(first, min(len(top), MOST_LINES_ABOVE + 2)):
        cells = [cell.strip() for cell in top[i]]
        if not any(cells):
            continue
        body = [row for row in top[i + 1 :] if any(row)]
        named = n_known(cells, source.header_names, body) > 0
        if (named and sum(map(bool, cells)) > 1) or (all(cells) and width > 1 and is_header(cells, body, frozenset())):
            if i > first:
                source.log.notes.append(f"`{source.name}`: the table begins in row {i + 1}; what is above is not read.")
            return i, True
        if width < 2 or not is_no_row(cells, width):
            break
    return first, bool(top) and _is_header(top[first], top[first + 1 :], source)


def _is_header(cells: list[str], body: list[list[str]], source: Source) -> bool:
    """Say whether a row is a header: most in Excel are, unless one of its cells recurs as those of data do.

    Any cell of a header in Excel may be empty.
    """
    filled = [i for i, cell in enumerate(cells) if cell.strip()]
    rows = [[row[i].strip() for i in filled] for row in body]
    names = [cells[i].strip() for i in filled]
    return is_header(names, rows, source.header_names) or not any(recurs(i, name, rows) for i, name in enumerate(names))


FORMAT = Format("excel", (".xlsx",), _read, binary=True, finish=note_missing_header, requires="fastexcel", extra="xlsx")
