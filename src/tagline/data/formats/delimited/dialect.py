"""The dialect of a CSV or TSV file, found from its first bytes: separator, quotes, header, and lines above it."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from tagline.data.formats.base import Source
from tagline.data.formats.delimited.header import (
    MOST_LINES_ABOVE,
    distinct_names,
    is_header,
    is_no_row,
    is_number,
    n_known,
)
from tagline.data.formats.delimited.records import CLOSING_QUOTES, Grammar, Lines, read_records
from tagline.data.rows import Rows
from tagline.data.wording import listed
from tagline.errors import DataError

DELIMITERS = (",", "\t", ";", "|")
_QUOTES = ('"', "'", "`")
# Tried only where they enclose cells of nearly all lines.
_UNUSUAL_QUOTES = ("~", "^", "|", *CLOSING_QUOTES, "”")
_MOST_BAD = 20  # rows that a grammar cannot read before the rest of the sample is left out
_QUOTE_LINES = 200
_FIRST_LINES = 20  # in which a grammar shows how wide its rows are
_MOST = 0.9  # the share of rows, or of cells, that settles a question
_EMPTY_CELLS = b"".join(each.encode() for each in DELIMITERS) + b" \r"
_ROWS_BELOW = 200  # rows that show where the header is
_RULE = re.compile(rb"[\s|+:=-]*[-=]{3}[\s|+:=-]*")  # the line under the header of psql and Markdown
_EXCEL_SEPARATOR = re.compile(rb'"?sep=(.)"?\r?', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """Grammar and column names of a file.

    ``header_lines``: lines before the data, 0 if the first line is data. ``header``: the cells of the header as they
    are written, none without one.
    """

    grammar: Grammar
    columns: tuple[str, ...]
    header_lines: int
    header: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Fit:
    """How well a grammar reads the sample: the share of rows as wide as the first one, and that width.

    ``clean``: no cell begins with a space and a quote.
    """

    grammar: Grammar
    share: float
    width: int
    clean: bool


def sniff_dialect(source: Source, *, tabs: bool) -> Dialect:
    """Find separator, quotes and header from the first bytes of a file.

    With ``tabs`` the separator is a tab. A line such as ``sep=;``, which Excel reads, names it. Titles and comments
    above the header are not read, which is noted, nor are blank lines. The first line is data when none of its cells is
    one of the header names of ``source`` that does not recur below, and one of them looks like data: longer than 60
    characters, empty, a number (but not 0, 1, 2, …, which pandas writes), or repeated below.
    """
    lines = _sample_lines(source)
    stated = _EXCEL_SEPARATOR.fullmatch(lines[0]) if lines else None
    skipped = 0 if stated is None else 1
    separator = source.layout.separator or (stated[1].decode("latin-1") if stated else "\t" if tabs else None)
    n_above = _n_lines_above(lines[skipped:], separator, source)
    if any(line.strip() for line in lines[skipped : skipped + n_above]):
        source.log.table_line = skipped + n_above + 1
        place = f"the table begins in line {source.log.table_line}"
        above = "the line above it is" if n_above == 1 else f"the {n_above} lines above it are"
        source.log.notes.append(f"`{source.name}`: {place}; {above} not read.")
    skipped += n_above
    lines = lines[skipped:]
    grammar = _best_grammar(lines, separator, source.layout.quote)
    if source.layout.quote is None and _is_quoted_whole(lines, grammar):
        if _is_named(lines[0], grammar.separator, source.header_names):
            raise DataError(
                f"`{source.name}`: every row is one quoted cell, as Excel writes a table that stands in a single "
                "column: split the column there, or give `--quote ''`."
            )
        grammar = Grammar(grammar.separator)
    counted = Lines(lines)
    records = read_records(counted, grammar)
    head = next(records, None)
    if head is None:
        raise DataError(f"`{source.name}` is empty: it has no rows.")
    header_lines = counted.number
    if head.reason is not None:
        raise DataError(f"`{source.name}`: the header, line {head.line + skipped}, cannot be read: {head.reason}.")
    source.log.separator = grammar.separator
    written = tuple(cell.lstrip("\ufeff") for cell in head.cells)
    cells = [cell.strip() for cell in written]
    body = [record.cells for record in islice(records, 50) if record.reason is None]
    if not is_header(cells, body, source.header_names):
        return Dialect(grammar, tuple(f"column_{i + 1}" for i in range(len(cells))), skipped)
    if len(lines) > header_lines and _RULE.fullmatch(lines[header_lines]):
        header_lines += 1
    return Dialect(grammar, tuple(distinct_names(cells)), skipped + header_lines, written)


def _is_quoted_whole(lines: list[bytes], grammar: Grammar) -> bool:
    """Say whether a grammar has several columns only because it splits rows that are one quoted cell."""
    if grammar.quote == '"' or not lines or not lines[0].startswith(b'"'):
        return False
    whole = _fit(lines, Grammar(grammar.separator))
    return whole.width == 1 and whole.share == 1.0 and _fit(lines, grammar).share >= _MOST


def has_header_cell(line: str, separator: str, header_names: frozenset[str]) -> bool:
    """Say whether one of the cells of a line is a known column name."""
    return any(cell.strip(" \"'\r").casefold() in header_names for cell in line.split(separator))


def head_line(sample: bytes) -> str:
    """Return the first line that is neither blank nor a comment."""
    lines = (line for line in sample.split(b"\n", MOST_LINES_ABOVE) if line.strip() and not line.startswith(b"#"))
    return next(lines, b"").partition(b"\n")[0].decode("utf-8", "replace")


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


def _n_lines_above(lines: list[bytes], separator: str | None, source: Source) -> int:
    """Return how many lines stand above the table: a title, comments, blank lines.

    They have other cells than the table, mostly fewer. Where some could be rows, only known names may follow, or two
    known names if the first line is no header and the last one no row. A header without a known name needs rows enough
    below it that all fit.
    """
    known = source.header_names
    if not lines or _is_named(lines[0], separator, known):
        return 0
    separators = [separator] if separator else DELIMITERS
    is_name = n_known([lines[0].decode("utf-8", "replace")], known, ()) > 0
    is_among_rows = False
    for n in range(1, min(MOST_LINES_ABOVE + 1, len(lines) - 1)):
        rest = lines[n : n + 1 + _ROWS_BELOW]
        if not any(each.encode() in rest[0] for each in separators) or not rest[0].strip(_EMPTY_CELLS):
            continue
        if is_among_rows and not _is_named(rest[0], separator, known):
            continue
        fit = _fit(rest, _best_grammar(rest, separator, source.layout.quote))
        if fit.width < 2 or fit.share < _MOST:
            continue
        head, *body = [record.cells for record in read_records(Lines(rest), fit.grammar)]
        names = [cell.strip() for cell in head]
        is_sure_header = is_header(names, body, frozenset())
        n_names = n_known(names, known, body)
        above = [record.cells for record in read_records(Lines(lines[:n]), fit.grammar) if record.cells]
        comments = all(line.startswith(b"#") or not line.strip() for line in lines[:n])
        rows = [cells for cells in above if not is_no_row(cells, fit.width)]
        if comments and (all(len(cells) < fit.width for cells in above) or (is_sure_header and n_names)):
            return n
        is_among_rows = is_among_rows or bool(rows)
        if rows:
            first = [cell.strip() for cell in rows[0]]
            is_apart = not _is_row(above[-1], body, fit.width)
            is_head = is_apart and not is_header(first, [*rows[1:], head, *body], frozenset())
            if is_sure_header and (n_names == fit.width or (n_names > 1 and is_head)):
                return n
            continue
        last = lines[n - 1].strip(b" \r" + fit.grammar.separator.encode())
        # Prose has commas too, though hardly the same number in each of many lines.
        enough = 5 if fit.grammar.separator != "," else 20
        apart = fit.grammar.separator != "," or not last or last.startswith(b"#")
        # Of two columns, one may have no name.
        apart = apart and not (fit.width == 2 and any(len(cells) == 2 and any(cells) for cells in above))
        shorter = all(sum(map(bool, cells)) < fit.width for cells in above)
        sure = shorter and apart and fit.share == 1.0 and len(body) >= enough and all(names)
        if (is_sure_header and sure) or (n_names > (0 if shorter else 1) and not is_name):
            return n
    return 0


def _is_row(cells: list[str], body: list[list[str]], width: int) -> bool:
    """Say whether cells may be a row of the table below: as many, and numbers where all others are numbers."""
    if is_no_row(cells, width):
        return False
    return not any(
        body and not is_number(cell) and all(len(row) > i and is_number(row[i]) for row in body)
        for i, cell in enumerate(cells)
    )


def _is_named(line: bytes, separator: str | None, header_names: frozenset[str]) -> bool:
    """Say whether a line has several cells, and one of them is a known name."""
    first = line.decode("utf-8", "replace")
    separators = [separator] if separator else [each for each in DELIMITERS if each in first]
    return any(each in first and has_header_cell(first, each, header_names) for each in separators)


def _best_grammar(lines: list[bytes], separator: str | None, quote: str | None) -> Grammar:
    """Return the grammar that reads most rows of the sample."""
    first = lines[0].decode("utf-8", "replace") if lines else ""
    separators = [separator] if separator else _by_count(first)
    quotes = _quote_candidates(lines, separators[0]) if quote is None else [quote or None]
    candidates = [Grammar(each, mark) for each in separators for mark in quotes]
    if any(b'\\"' in line for line in lines):
        candidates += [Grammar(each, mark, escape=True) for each in separators for mark in quotes if mark]
    candidates = [grammar for each in candidates for grammar in _with_initial_spaces(each, lines)]

    def rank(fit: _Fit) -> tuple[bool, bool, bool, float, bool]:
        # A separator that the file lacks reads every row as one cell, which is right only where no other fits and the
        # header is a single name. A few bad rows are no reason for unusual quotes, or for none: those are common only
        # where tabs separate.
        columns = fit.width > 1 or not any(each in first for each in DELIMITERS)
        usual = fit.grammar.quote == quotes[0] or (fit.grammar.separator == "\t" and fit.grammar.quote is None)
        return columns and fit.share >= _MOST, fit.width > 1, usual, fit.share, fit.clean

    best = _fit(lines, candidates[0])
    for candidate in candidates[1:]:
        if all(value == 1 for value in rank(best)):
            break  # no other can be better
        # The first lines show the width, and so whether reading all of them is worth its time.
        at_best = replace(_fit(lines[:_FIRST_LINES], candidate), share=1.0, clean=True)
        if rank(at_best) > rank(best):
            best = max(best, _fit(lines, candidate), key=rank)
    return best.grammar


def _with_initial_spaces(grammar: Grammar, lines: list[bytes]) -> list[Grammar]:
    """Return a grammar, and the one without spaces before its quotes if there are any."""
    before, behind = f"{grammar.separator} {grammar.quote}".encode(), f"{grammar.closing} {grammar.separator}".encode()
    spaced = grammar.quote is not None and any(before in line or behind in line for line in lines)
    return [grammar, replace(grammar, initial_space=True)] if spaced else [grammar]


def _by_count(first: str) -> list[str]:
    """Return the separators, the most likely first: a comma if the first line has one, else the most frequent."""
    return sorted(DELIMITERS, key=lambda each: (not (each == "," and "," in first), -first.count(each)))


def _quote_candidates(lines: list[bytes], separator: str) -> list[str | None]:
    """Return the quote characters to try: first those around the names of the header or most cells of a column."""
    texts = [line.decode("utf-8", "replace").removesuffix("\r") for line in lines[:_QUOTE_LINES]]
    rows = [[cell.strip(" ") for cell in text.split(separator)] for text in texts]
    marks = sorted(_QUOTES, key=lambda mark: not _surrounds(mark, rows))
    around_names = [mark for mark in _UNUSUAL_QUOTES if rows and all(_is_inside(cell, mark) for cell in rows[0])]
    others = [mark for mark in _UNUSUAL_QUOTES if mark not in (separator, *around_names)]
    return [*around_names, *marks, *(mark for mark in others if _encloses(mark, separator, texts[1:])), None]


def _is_inside(cell: str, mark: str) -> bool:
    return len(cell) > 1 and cell[0] == mark and cell[-1] == CLOSING_QUOTES.get(mark, mark)


def _encloses(mark: str, separator: str, lines: list[str]) -> bool:
    """Say whether nearly all lines have a cell that begins with a quote, and one that ends with it."""
    closing = CLOSING_QUOTES.get(mark, mark)
    begin, end = separator + mark, closing + separator
    n = sum(
        (line.startswith(mark) or begin in line) and (line.endswith(closing) or end in line)
        for line in lines
        if line.strip()
    )
    return n >= max(2, _MOST * len(lines))


def _surrounds(mark: str, rows: list[list[str]]) -> bool:
    header, *body = rows or [[]]
    if header and all(_is_inside(cell, mark) for cell in header):
        return True
    for column in (0, -1):
        cells = [row[column] for row in body]
        if sum(_is_inside(cell, mark) for cell in cells) >= max(2, _MOST * len(cells)):
            return True
    return False


def _fit(lines: list[bytes], grammar: Grammar) -> _Fit:
    width, n, n_bad, clean = 0, 0, 0, True
    spaced = f" {grammar.quote}"
    for record in read_records(Lines(lines), grammar):
        width = width or len(record.cells)
        n += 1
        n_bad += record.reason is not None or len(record.cells) != width
        clean = clean and not any(cell.startswith(spaced) for cell in record.cells)
        if n_bad > _MOST_BAD:
            break
    return _Fit(grammar, 1 - n_bad / max(1, n), width, clean)


def _sample_lines(source: Source) -> list[bytes]:
    lines = source.sample.split(b"\n")
    # The last line of a sample may be incomplete; if it is the only one, it is all there is.
    if not source.sample_is_whole and len(lines) > 1:
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
