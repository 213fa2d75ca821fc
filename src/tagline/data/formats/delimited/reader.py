"""CSV and TSV: a fast path for valid blocks, and a line reader for the others.

A block of whole lines goes to polars first, which is strict: a row too long, a stray quote or a byte that is
not UTF-8 is an error. polars fills rows that are too *short* without an error, so a block with gaps in its last
column is suspect too. A suspect block is read again by `read_records`, which implements the grammar of RFC 4180
and returns line and reason of each rejected row. Both readers give the same rows (a property in the tests).

Every cell is a string: ``007`` stays ``007``. An empty cell is the empty string. A row of nothing but empty, unquoted
cells is no row, except in a stream, of which every row is kept. One that repeats the header, as in files that were
joined, is left out and noted; in a stream it is rejected, but counts as no fault.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import polars as pl

from tagline.data.formats.base import REASON, Source, split_lines
from tagline.data.formats.delimited.dialect import Dialect
from tagline.data.formats.delimited.formulas import texts_of
from tagline.data.formats.delimited.header import repeats
from tagline.data.formats.delimited.records import Grammar, Lines, read_records
from tagline.data.rows import REPEATED_HEADER

PIECE_BYTES = 1 << 22
_REMEDY = "If cells are separated or quoted in another way, give `--separator` or `--quote`."


def read_delimited(blocks: Iterator[bytes], dialect: Dialect, source: Source) -> Iterator[pl.DataFrame]:
    """Read blocks of whole lines into frames of string columns; ``source`` rejects rows that cannot be read."""
    for frame in _read_frames(blocks, dialect, source):
        yield frame.with_columns(map(texts_of, dialect.formulas))


def _read_frames(blocks: Iterator[bytes], dialect: Dialect, source: Source) -> Iterator[pl.DataFrame]:
    """Read blocks of whole lines into frames of cells as they are written.

    A quoted field may continue in the next block: the line reader then takes lines from there.
    """
    names = dialect.columns
    source.check_names(names)
    number = 1
    headers: list[int] = []
    block = next(blocks, None)
    if block is not None and dialect.header_lines:
        end = 0
        for _ in range(dialect.header_lines):
            end = block.find(b"\n", end) + 1 or len(block)
        block = block[end:]
        number += dialect.header_lines
    while block is not None:
        n_lines = block.count(b"\n")
        strict = _strict_frame(block, n_lines, dialect, keep_empty=source.streamed)
        if strict is not None:
            frame, lines_read = strict
            lines_read += number
            repeated = _repeats_header(frame, dialect)
            if repeated is not None:
                headers.extend(lines_read.filter(repeated))
                if source.streamed:
                    _reject_headers(lines_read.filter(repeated), dialect, source)
                    frame = frame.with_columns(pl.when(repeated).then(pl.lit(REPEATED_HEADER)).alias(REASON))
                else:
                    frame, lines_read = frame.filter(~repeated), lines_read.filter(~repeated)
            source.number_rows(lines_read)
            yield frame
            number += n_lines
            block = next(blocks, None)
            continue
        pieces = _pieces(block)
        if len(pieces) > 1:
            blocks = chain(pieces, blocks)
            block = next(blocks)
            continue
        lines = split_lines(block)
        last = number + len(lines) - 1
        waiting = Lines(lines, blocks, number)
        rows: list[list[str | None]] = []
        reasons: list[str | None] = []
        numbers: list[int] = []
        for record in read_records(waiting, dialect.grammar, width=len(names), keep_empty=source.streamed):
            reason = record.reason
            if reason is not None:
                source.reject(record.line, reason, record.raw, "" if "UTF-8" in reason else _REMEDY)
            elif len(names) > 1 and repeats(record.cells, dialect.header):
                headers.append(record.line)
                if source.streamed:
                    _reject_headers([record.line], dialect, source)
                reason = REPEATED_HEADER
            if reason is None or source.streamed:
                rows.append([*record.cells, *(len(names) - len(record.cells)) * [None]][: len(names)])
                reasons.append(reason)
                numbers.append(record.line)
            if waiting.number >= last:
                break
        columns = list(zip(*rows, strict=True)) or [()] * len(names)
        frame = pl.DataFrame([pl.Series(n, c, dtype=pl.String) for n, c in zip(names, columns, strict=True)])
        source.number_rows(pl.Series(numbers, dtype=pl.UInt32))
        yield frame.with_columns(pl.Series(REASON, reasons, dtype=pl.String)) if any(reasons) else frame
        number = waiting.number + 1
        block = waiting.rest() or next(blocks, None)
    if headers and not source.streamed:
        rows_are = (
            "1 row repeats the header and is"
            if len(headers) == 1
            else f"{len(headers):,} rows repeat the header and are"
        )
        source.log.notes.append(f"`{source.name}`: {rows_are} left out (first: line {headers[0]}).")


def _reject_headers(lines: Iterable[int], dialect: Dialect, source: Source) -> None:
    for line in lines:
        source.reject(line, REPEATED_HEADER, dialect.grammar.separator.join(dialect.header))


def _repeats_header(frame: pl.DataFrame, dialect: Dialect) -> pl.Series | None:
    """Say which rows repeat the header, (n_rows,); None if none does. A text may well be the name of one column."""
    header = dialect.header
    if len(header) < 2:
        return None
    candidates = (frame[:, -1] == header[-1]) & frame[:, 0].str.contains(header[0], literal=True)
    found = [i for i in candidates.arg_true() if repeats(frame.row(i), header)]
    return pl.Series(range(frame.height), dtype=pl.UInt32).is_in(found) if found else None


def _pieces(block: bytes) -> list[bytes]:
    """Cut a large block at line ends, so that a bad row slows down only the rows near it."""
    pieces = []
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + PIECE_BYTES) + 1 or len(block)
        pieces.append(block[start:end])
        start = end
    return pieces


def _strict_frame(
    block: bytes, n_lines: int, dialect: Dialect, *, keep_empty: bool
) -> tuple[pl.DataFrame, pl.Series] | None:
    """Read a block of ``n_lines`` line ends with polars: return its rows and their lines, from 0.

    It is None if one of its rows is suspect.
    """
    if block[:1] in (b"", b"\r", b"\n") and not block.strip(b"\r\n"):  # which copies the block
        return pl.DataFrame(schema=dict.fromkeys(dialect.columns, pl.String)), pl.Series([], dtype=pl.UInt32)
    # polars accepts an extra field in a last line without a line end.
    if not block.endswith(b"\n"):
        block += b"\n"
        n_lines += 1
    grammar = dialect.grammar
    if (grammar.escape and b"\\" in block) or grammar.initial_space or not (grammar.quote or "").isascii():
        return None  # polars has neither escapes nor such spaces nor typographic quotes
    if grammar.quote and not _quotes_are_sound(block, grammar):
        return None
    try:
        frame = pl.read_csv(
            b"\n" + block,  # polars decompresses what begins like a compressed stream, as `x^2` does
            skip_lines=1,
            has_header=False,
            schema=dict.fromkeys(dialect.columns, pl.String),
            separator=grammar.separator,
            quote_char=grammar.quote,
        )
    except pl.exceptions.PolarsError:
        return None
    lines = _first_lines(block, n_lines, grammar.quote, frame.height)
    if len(lines) != frame.height:
        return None
    if frame[:, -1].null_count():
        is_row = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
        if keep_empty and not is_row.all() and re.search(rf"(?m)^{re.escape(grammar.separator)}+\r?$".encode(), block):
            return None
        frame, lines = frame.filter(is_row), lines.filter(is_row)
        if frame[:, -1].null_count():
            return None
    return frame.with_columns(pl.all().fill_null("")), lines


def _first_lines(block: bytes, n_lines: int, quote: str | None, n_rows: int) -> pl.Series:
    """Return the line, from 0, on which each row of a block begins: after a line end outside quotes, (n_rows,)."""
    if quote is None or n_lines == n_rows:
        return pl.arange(n_lines, eager=True, dtype=pl.UInt32)
    text = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord(quote))  # (n_quotes,)
    within = np.searchsorted(quotes, np.flatnonzero(text == ord("\n"))) % 2 == 1  # (n_lines,)
    return pl.Series(np.flatnonzero(np.r_[True, ~within[:-1]]).astype(np.uint32))


def _quotes_are_sound(block: bytes, grammar: Grammar) -> bool:
    """Return whether every quote of a block opens, closes or is doubled as in RFC 4180.

    polars reads ``"a "b" c"`` without an error. All quotes are checked at once: a run of quotes that starts
    outside a quoted field must start a cell, and one that ends outside must end it. The
    block ends with a newline.
    """
    text = np.frombuffer(block, dtype=np.uint8)
    quotes = np.flatnonzero(text == ord(grammar.quote or ""))  # (n_quotes,)
    if not len(quotes):
        return True
    if len(quotes) % 2:
        return False
    first = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)  # the quote that begins each run, (n_runs,)
    last = np.append(first[1:], len(quotes)) - 1
    before, after = quotes[first] - 1, quotes[last] + 1
    ends = np.zeros(256, dtype=bool)
    ends[[ord(grammar.separator), ord("\n")]] = True
    begins_cell = (before < 0) | ends[text[before]]
    carriage_return = (text[after] == ord("\r")) & (text[np.minimum(after + 1, len(text) - 1)] == ord("\n"))
    ends_cell = ends[text[after]] | carriage_return
    outside_before, outside_after = first % 2 == 0, last % 2 == 1
    return bool((begins_cell | ~outside_before).all() and (ends_cell | ~outside_after).all())
