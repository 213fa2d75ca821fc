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
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

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
from tagline.data.streams.chunks import CHUNK_BYTES, chunks_of
from tagline.data.streams.compression import MAX_DECOMPRESSED, check_decompressed_size, readable
from tagline.data.wording import listed
from tagline.errors import DataError

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_TOP_ROWS = MOST_LINES_ABOVE + 50  # rows that show where the table begins, and whether it has a header
# A table takes some 30 bytes per cell, also of empty ones.
_MOST_CELLS, _MOST_PER_FILLED = 20_000_000, 50
# A tag and what is behind it, up to the next one: `>` may stand in attributes. Cells may have no place of their own.
_ROW_OR_CELL = re.compile(
    rb"<(?:[^\s<>/:]{1,50}:)?(row|c)(?=[\s/>])(?:[^<]*?\sr\s*=\s*[\"']([A-Za-z]{0,4})(\d{1,10}))?([^<]*)"
)
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
    yield frame.filter(is_row) if frame.width else frame


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
    if written.null_count() == len(written):
        return written
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
    """Raise `DataError` for a workbook that holds far more than its size, or that needs far more memory.

    The reader makes a table of every sheet: two cells at its corners may stand for billions.
    """
    try:
        archive = zipfile.ZipFile(book if isinstance(book, Path) else io.BytesIO(book))
    except (zipfile.BadZipFile, OSError):
        return  # the reader says what is wrong
    compressed = book.stat().st_size if isinstance(book, Path) else len(book)
    size = 0
    with archive, readable(name):
        check_decompressed_size(sum(member.file_size for member in archive.infolist()), compressed, name)
        for member in archive.infolist():
            if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                continue  # the reader reads none of these
            member.file_size = MAX_DECOMPRESSED  # what is claimed may be less than what the reader finds
            spans = _Spans()
            with archive.open(member) as file:
                for part in chunks_of(cast(BinaryIO, file)):
                    size += len(part)
                    check_decompressed_size(size, compressed, name)
                    spans.add(part)
            if spans.n_rows * spans.n_columns > max(_MOST_CELLS, _MOST_PER_FILLED * spans.n_filled):
                raise DataError(
                    f"`{name}` has a sheet of {spans.n_rows:,} rows and {spans.n_columns:,} columns, nearly all empty: "
                    "delete the cells that stand far from the table."
                )


class _Spans:
    """How many rows and columns the filled cells of a sheet span, whose XML comes in parts; of other files, none."""

    def __init__(self) -> None:
        self._rows: tuple[int, ...] = ()  # the first and the last one
        self._columns: set[int] = set()
        self.n_filled = self._row = self._column = 0
        self._rest = b""

    @property
    def n_rows(self) -> int:
        return self._rows[-1] - self._rows[0] + 1 if self._rows else 0

    @property
    def n_columns(self) -> int:
        return max(self._columns) - min(self._columns) + 1 if self._columns else 0

    def add(self, part: bytes) -> None:
        """Take a part of the file, and keep the tag at its end for the next one."""
        text = self._rest + part
        end = max(0, text.rfind(b"<"))
        self._rest = text[end : end + CHUNK_BYTES]
        row, column, rows = self._row, self._column, set(self._rows)
        for kind, letters, digits, rest in _ROW_OR_CELL.findall(text, 0, end):
            if kind == b"row":
                row, column = int(digits) if digits else row + 1, 0
                continue
            row, column = (int(digits), _column(letters)) if digits else (row, column + 1)
            if not rest.endswith(b"/>"):
                self.n_filled += 1
                self._columns.add(column)
                rows.add(row)
        self._row, self._column = row, column
        self._rows = (min(rows), max(rows)) if rows else ()


@cache
def _column(letters: bytes) -> int:
    """Return the number of a column, from 1.

    >>> _column(b"A"), _column(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - ord("A") + 1
    return number


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
