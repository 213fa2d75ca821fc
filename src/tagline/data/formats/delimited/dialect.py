"""The dialect of a CSV or TSV file, found from its first bytes: separator, quotes, header."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from tagline.data.formats.base import Source
from tagline.data.formats.delimited.records import Grammar, Lines, read_records
from tagline.data.rows import Rows
from tagline.data.wording import listed
from tagline.errors import DataError

DELIMITERS = (",", "\t", ";", "|")
#: A header cell longer than this is a text, not a name.
LONGEST_NAME = 60
_QUOTES = ('"', "'", "`")
_MOST_BAD = 20  # rows that a grammar cannot read before the rest of the sample is left out
_QUOTE_LINES = 200
_MOST = 0.9  # the share of rows, or of cells, that settles a question
_EXCEL_SEPARATOR = re.compile(rb'"?sep=(.)"?\r?', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """Grammar and column names of a file; ``header_lines``: lines before the data, 0 if the first line is data."""

    grammar: Grammar
    columns: tuple[str, ...]
    header_lines: int


@dataclass(frozen=True)
class _Fit:
    """How well a grammar reads the sample: the share of rows as wide as the first one, and that width."""

    grammar: Grammar
    share: float
    width: int


def sniff_dialect(source: Source, *, tabs: bool) -> Dialect:
    """Find separator, quotes and header from the first bytes of a file.

    With ``tabs`` the separator is a tab. A line such as ``sep=;``, which Excel reads, names it. The first line is
    data when none of its cells is one of the header names of ``source`` and one of them looks like data: longer than
    60 characters, empty, a number (but not 0, 1, 2, …, which pandas writes), or repeated below.
    """
    lines = _sample_lines(source)
    stated = _EXCEL_SEPARATOR.fullmatch(lines[0]) if lines else None
    skipped = 0 if stated is None else 1
    lines = lines[skipped:]
    separator = source.layout.separator or (stated[1].decode("latin-1") if stated else "\t" if tabs else None)
    grammar = _best_grammar(lines, separator, source.layout.quote)
    counted = Lines(lines)
    records = read_records(counted, grammar)
    head = next(records, None)
    if head is None:
        raise DataError(f"`{source.name}` is empty: it has no rows.")
    header_lines = counted.number
    if head.reason is not None:
        raise DataError(f"`{source.name}`: the header, line {head.line + skipped}, cannot be read: {head.reason}.")
    source.log.separator = grammar.separator
    cells = [cell.strip() for cell in head.cells]
    body = [record.cells for record in islice(records, 50) if record.reason is None]
    if _is_header(cells, body, source.header_names):
        return Dialect(grammar, tuple(_distinct(cells)), skipped + header_lines)
    return Dialect(grammar, tuple(f"column_{i + 1}" for i in range(len(cells))), skipped)


def has_header_cell(line: str, separator: str, header_names: frozenset[str]) -> bool:
    """Say whether one of the cells of a line is a known column name."""
    return any(cell.strip(" \"'\r").casefold() in header_names for cell in line.split(separator))


def is_table(source: Source, separator: str, n_rows: int) -> bool:
    """Say whether the sample of a file has that many rows or more, all with the same number of cells, at least two."""
    lines = _sample_lines(source)
    fit = _fit(lines, Grammar(separator))
    return len(lines) >= n_rows and fit.width > 1 and fit.share == 1.0


def note_missing_header(rows: Rows) -> Rows:
    """Add a note with the names that the columns of a file without a header have been given."""
    columns = rows.frame.columns
    if columns != [f"column_{i + 1}" for i in range(len(columns))]:
        return rows
    return replace(
        rows, notes=(*rows.notes, f"`{rows.source}` has no header: its columns are called {listed(columns)}.")
    )


def _best_grammar(lines: list[bytes], separator: str | None, quote: str | None) -> Grammar:
    """Return the grammar that reads most rows of the sample."""
    first = lines[0].decode("utf-8", "replace") if lines else ""
    separators = [separator] if separator else _by_count(first)
    quotes = _quote_candidates(lines, separators[0]) if quote is None else [quote or None]
    candidates = [Grammar(each, mark) for each in separators for mark in quotes]
    if any(b'\\"' in line for line in lines):
        candidates += [Grammar(each, mark, escape=True) for each in separators for mark in quotes if mark]
    fits = [_fit(lines, candidate) for candidate in candidates]

    def rank(fit: _Fit) -> tuple[bool, bool, bool, float]:
        # A separator that the file lacks reads every row as one cell, which is right only where no other fits and the
        # header is a single name. A few bad rows are no reason for unusual quotes, or for none: those are common only
        # where tabs separate.
        columns = fit.width > 1 or not any(each in first for each in DELIMITERS)
        usual = fit.grammar.quote == quotes[0] or (fit.grammar.separator == "\t" and fit.grammar.quote is None)
        return columns and fit.share >= _MOST, fit.width > 1, usual, fit.share

    return max(fits, key=rank).grammar


def _by_count(first: str) -> list[str]:
    """Return the separators, the most likely first: a comma if the first line has one, else the most frequent."""
    return sorted(DELIMITERS, key=lambda each: (not (each == "," and "," in first), -first.count(each)))


def _quote_candidates(lines: list[bytes], separator: str) -> list[str | None]:
    """Return the quote characters to try: first those around the names of the header or most cells of a column."""
    rows = [
        [cell.strip(" \r") for cell in line.decode("utf-8", "replace").split(separator)]
        for line in lines[:_QUOTE_LINES]
    ]
    marks = sorted(_QUOTES, key=lambda mark: not _surrounds(mark, rows))
    return [*marks, None]


def _surrounds(mark: str, rows: list[list[str]]) -> bool:
    def is_inside(cell: str) -> bool:
        return len(cell) > 1 and cell[0] == cell[-1] == mark

    header, *body = rows or [[]]
    if header and all(map(is_inside, header)):
        return True
    for column in (0, -1):
        cells = [row[column] for row in body]
        if sum(map(is_inside, cells)) >= max(2, _MOST * len(cells)):
            return True
    return False


def _fit(lines: list[bytes], grammar: Grammar) -> _Fit:
    width, n, n_bad = 0, 0, 0
    for record in read_records(Lines(lines), grammar):
        width = width or len(record.cells)
        n += 1
        n_bad += record.reason is not None or len(record.cells) != width
        if n_bad > _MOST_BAD:
            break
    return _Fit(grammar, 1 - n_bad / max(1, n), width)


def _sample_lines(source: Source) -> list[bytes]:
    lines = source.sample.split(b"\n")
    # The last line of a sample may be incomplete; if it is the only one, it is all there is.
    if not source.sample_is_whole and len(lines) > 1:
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
