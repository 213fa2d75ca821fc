"""CSV and TSV: a fast path for valid blocks, and a line reader for the others.

A block of whole lines goes to polars first, which is strict: a row too long, a stray quote or a byte that is
not UTF-8 is an error. polars fills rows that are too *short* without an error, so a block with gaps in its last
column is suspect too. A suspect block is read again by `read_records`, which implements the grammar of RFC 4180
and returns line and reason of each rejected row. Both readers give the same rows (a property in the tests).

Every cell is a string: ``007`` stays ``007``. An empty cell is the empty string. A row of nothing but empty,
unquoted cells is no row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
import polars as pl

from tagline.data.formats.base import Source, not_utf8, split_lines
from tagline.data.rows import EXCERPT_CHARS, Rejected, Rows
from tagline.data.wording import listed
from tagline.errors import DataError

#: A quoted field may span lines; one that has not closed after this many bytes never will.
MAX_RECORD_BYTES = 1 << 28
PIECE_BYTES = 1 << 22
DELIMITERS = (",", "\t", ";", "|")
#: A header cell longer than this is a text, not a name.
LONGEST_NAME = 60


@dataclass(frozen=True)
class Dialect:
    """Separator, quoting and column names of a file."""

    separator: str
    quoted: bool
    columns: tuple[str, ...]
    #: Number of lines of the header; 0 if the first line is data.
    header_lines: int


@dataclass(frozen=True)
class Record:
    """One row of the line reader; ``reason`` is why it cannot be read, or None."""

    line: int
    cells: list[str]
    reason: str | None
    raw: str


def sniff_dialect(source: Source, *, tabs: bool) -> Dialect:
    """Find separator, quoting and header from the first bytes of a file.

    With ``tabs`` the separator is a tab. The first line is data when none of its cells is one of the header names
    of ``source`` and one of them looks like data: longer than 60 characters, empty, a number (but not 0, 1, 2, …,
    which pandas writes), or repeated below. Tab-separated files often hold bare quotes: quoting is on only where
    the sample can be read without a fault that way.
    """
    sample, file, known = source.sample, source.name, source.header_names
    if b"\r" in sample and b"\n" not in sample:
        raise DataError(f"`{file}` ends its lines with a bare carriage return: save it with LF or CR LF line ends.")
    lines = _sample_lines(sample, source.sample_is_whole)
    first = lines[0].decode("utf-8", "replace") if lines else ""
    separator = "\t" if tabs else "," if "," in first else max(DELIMITERS, key=first.count)
    quoted = True
    if separator == "\t":
        quoted = all(record.reason is None for record in read_records(Lines(lines), separator, quoted=True))
    counted = Lines(lines)
    records = read_records(counted, separator, quoted=quoted)
    head = next(records, None)
    if head is None:
        raise DataError(f"`{file}` is empty: it has no rows.")
    header_lines = counted.number
    if head.reason is not None:
        raise DataError(f"`{file}`: the header, line {head.line}, cannot be read: {head.reason}.")
    cells = [cell.strip() for cell in head.cells]
    body = [record.cells for record in islice(records, 50) if record.reason is None]
    if _is_header(cells, body, known):
        return Dialect(separator, quoted, tuple(_distinct(cells)), header_lines)
    return Dialect(separator, quoted, tuple(f"column_{i + 1}" for i in range(len(cells))), 0)


def has_header_cell(line: str, separator: str, header_names: frozenset[str]) -> bool:
    """Say whether one of the cells of a line is a known column name."""
    return any(cell.strip(' "\r').casefold() in header_names for cell in line.split(separator))


def note_missing_header(rows: Rows) -> Rows:
    """Add a note with the names that the columns of a file without a header have been given."""
    columns = rows.frame.columns
    if columns != [f"column_{i + 1}" for i in range(len(columns))]:
        return rows
    return replace(
        rows, notes=(*rows.notes, f"`{rows.source}` has no header: its columns are called {listed(columns)}.")
    )


def _sample_lines(sample: bytes, whole: bool) -> list[bytes]:
    lines = sample.split(b"\n")
    # The last line of a sample may be incomplete; if it is the only one, it is all there is.
    if not whole and len(lines) > 1:
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _is_header(cells: list[str], body: list[list[str]], known: frozenset[str]) -> bool:
    if any(cell.casefold() in known for cell in cells):
        return True
    if cells == [str(i) for i in range(len(cells))]:
        return True

    def looks_like_data(i: int, cell: str) -> bool:
        repeated = any(len(row) > i and row[i].strip() == cell for row in body)
        return not cell or len(cell) > LONGEST_NAME or _is_number(cell) or repeated

    return not any(looks_like_data(i, cell) for i, cell in enumerate(cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _distinct(names: list[str]) -> list[str]:
    """Return distinct column names: empty and repeated ones get a number."""
    taken: set[str] = set()
    result = []
    for i, name in enumerate(names):
        candidate = name or f"column_{i + 1}"
        while candidate in taken:
            candidate = f"{candidate}_{i + 1}"
        taken.add(candidate)
        result.append(candidate)
    return result


class Lines:
    """Numbered lines without line ends, with push-back; blocks are split when they are needed."""

    def __init__(self, lines: list[bytes], blocks: Iterator[bytes] | None = None, first_line: int = 1) -> None:
        self._waiting = lines[::-1]
        self._blocks = iter(()) if blocks is None else blocks
        #: The number of the last line taken, from 1.
        self.number = first_line - 1

    def next(self) -> bytes | None:
        """Return the next line, or None at the end."""
        while not self._waiting:
            block = next(self._blocks, None)
            if block is None:
                return None
            self._waiting = split_lines(block)[::-1]
        self.number += 1
        return self._waiting.pop()

    def give_back(self, lines: list[bytes]) -> None:
        """Push lines back; the first of them is the next."""
        self._waiting.extend(reversed(lines))
        self.number -= len(lines)

    def rest(self) -> bytes:
        """Return the remaining lines of the current block."""
        return b"".join(line + b"\n" for line in reversed(self._waiting))


def read_records(source: Lines, separator: str, *, quoted: bool, width: int | None = None) -> Iterator[Record]:
    """Read rows from lines, one `Record` each, bad ones included.

    A field is quoted when it *begins* with a quote; inside, ``""`` is a quote. A row that cannot be read
    is rejected with its first line only: reading continues at the next line. ``width`` is the number of cells that a
    row must have, if it is given.
    """
    while (line := source.next()) is not None:
        number = source.number
        cells: list[str] | None = None
        reason = None
        raw = line[:-1] if line.endswith(b"\r") else line
        if quoted and b'"' in line:
            raw, cells, reason = _split_quoted(line, source, separator)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            yield Record(number, [], not_utf8(raw, error), raw[:EXCERPT_CHARS].decode("utf-8", "replace"))
            continue
        if cells is None:
            cells = text.split(separator)
            if not any(cells):
                continue
        if reason is None and width is not None and len(cells) != width:
            reason = f"{width} fields expected, {len(cells)} found"
        yield Record(number, cells, reason, text[:EXCERPT_CHARS])


def _split_quoted(line: bytes, source: Lines, separator: str) -> tuple[bytes, list[str], str | None]:
    """Split a row that holds quotes, taking further lines while a quoted field is open.

    Returns the bytes of the row, its cells, and the reason why it cannot be read, if any: then only the first
    line is used and the others are given back.
    """
    delimiter = separator.encode()
    used = [line]
    size = len(line)
    cells: list[bytes] = []
    pieces: list[bytes] = []
    position, open_quote = 0, False
    while True:
        if not open_quote and line[position : position + 1] != b'"':
            end = line.find(delimiter, position)
            if end < 0:
                cells.append(line[position:].removesuffix(b"\r"))
                return b"\n".join(used), _decoded(cells), None
            cells.append(line[position:end])
            position = end + 1
            continue
        if not open_quote:
            open_quote, position, pieces = True, position + 1, []
        end = line.find(b'"', position)
        if end < 0:
            pieces.append(line[position:] + b"\n")
            following = source.next() if size < MAX_RECORD_BYTES else None
            if following is None:
                source.give_back(used[1:])
                return used[0], [], "a quote is opened and never closed"
            line, position = following, 0
            used.append(line)
            size += len(line)
            continue
        pieces.append(line[position:end])
        after = line[end + 1 : end + 2]
        position = end + 2
        if after == b'"':
            pieces.append(b'"')
        elif after == delimiter:
            cells.append(b"".join(pieces))
            open_quote = False
        elif line[end + 1 :] in (b"", b"\r"):
            cells.append(b"".join(pieces))
            return b"\n".join(used), _decoded(cells), None
        else:
            source.give_back(used[1:])
            return used[0], [], "a closing quote is followed by something other than the separator"


def _decoded(cells: list[bytes]) -> list[str]:
    # The caller checks the encoding of the whole row.
    return [cell.decode("utf-8", "replace") for cell in cells]


def read_delimited(
    blocks: Iterator[bytes], dialect: Dialect, file: str, rejected: list[Rejected]
) -> Iterator[pl.DataFrame]:
    """Read blocks of whole lines into frames of string columns; append unreadable rows to ``rejected``.

    A quoted field may continue in the next block: the line reader then takes lines from there.
    """
    names = dialect.columns
    number = 1
    block = next(blocks, None)
    if block is not None and dialect.header_lines:
        end = 0
        for _ in range(dialect.header_lines):
            end = block.find(b"\n", end) + 1 or len(block)
        block = block[end:]
        number += dialect.header_lines
    while block is not None:
        frame = _strict_frame(block, dialect)
        if frame is not None:
            yield frame
            number += block.count(b"\n")
            block = next(blocks, None)
            continue
        pieces = _pieces(block)
        if len(pieces) > 1:
            blocks = chain(pieces, blocks)
            block = next(blocks)
            continue
        lines = split_lines(block)
        last = number + len(lines) - 1
        source = Lines(lines, blocks, number)
        rows: list[list[str]] = []
        for record in read_records(source, dialect.separator, quoted=dialect.quoted, width=len(names)):
            if record.reason is None:
                rows.append(record.cells)
            else:
                rejected.append(Rejected(file, record.line, record.reason, record.raw))
            if source.number >= last:
                break
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        yield pl.DataFrame([pl.Series(n, c, dtype=pl.String) for n, c in zip(names, columns, strict=True)])
        number = source.number + 1
        block = source.rest() or next(blocks, None)


def _pieces(block: bytes) -> list[bytes]:
    """Cut a large block at line ends, so that a bad row slows down only the rows near it."""
    pieces = []
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        pieces.append(block[start:end])
        start = end
    return pieces


def _strict_frame(block: bytes, dialect: Dialect) -> pl.DataFrame | None:
    """Read a block with polars, or return None if one of its rows is suspect."""
    if not block.strip(b"\r\n"):
        return pl.DataFrame(schema=dict.fromkeys(dialect.columns, pl.String))
    # polars accepts an extra field in a last line without a line end.
    if not block.endswith(b"\n"):
        block += b"\n"
    if dialect.quoted and not _quotes_are_sound(block, dialect.separator):
        return None
    try:
        frame = pl.read_csv(
            block,
            has_header=False,
            schema=dict.fromkeys(dialect.columns, pl.String),
            separator=dialect.separator,
            quote_char='"' if dialect.quoted else None,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame[:, -1].null_count():
        frame = frame.filter(~pl.all_horizontal(pl.all().is_null()))
        if frame[:, -1].null_count():
            return None
    return frame.with_columns(pl.all().fill_null(""))


def _quotes_are_sound(block: bytes, separator: str) -> bool:
    """Return whether every quote of a block opens, closes or is doubled as in RFC 4180.

    polars reads ``"a "b" c"`` without an error. All quotes are checked at once: a run of quotes that starts
    outside a quoted field must start a cell, and one that ends outside must end it. The
    block ends with a newline.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord('"'))  # (n_quotes,)
    if not len(quotes):
        return True
    if len(quotes) % 2:
        return False
    first = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)  # the quote that begins each run, (n_runs,)
    last = np.append(first[1:], len(quotes)) - 1
    before, after = quotes[first] - 1, quotes[last] + 1
    ends = np.zeros(256, dtype=bool)
    ends[[ord(separator), ord("\n")]] = True
    begins_cell = (before < 0) | ends[text[before]]
    carriage_return = (text[after] == ord("\r")) & (text[np.minimum(after + 1, len(text) - 1)] == ord("\n"))
    ends_cell = ends[text[after]] | carriage_return
    outside_before, outside_after = first % 2 == 0, last % 2 == 1
    return bool((begins_cell | ~outside_before).all() and (ends_cell | ~outside_after).all())
