"""The dialect of a CSV or TSV file, found from its first bytes: separator, quotes, header, and lines above it."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from tagline.data.formats.base import Source
from tagline.data.formats.delimited.formulas import formula_columns, without_formula
from tagline.data.formats.delimited.grammar import MOST, best_grammar, fit_of
from tagline.data.formats.delimited.header import (
    HEADER_ROWS,
    MOST_LINES_ABOVE,
    distinct_names,
    is_doubtful,
    is_header,
    is_named,
    n_known,
    unnamed_column,
)
from tagline.data.formats.delimited.lines_above import n_lines_above
from tagline.data.formats.delimited.records import Grammar, Lines, read_records
from tagline.data.rows import Rows
from tagline.data.wording import listed
from tagline.errors import DataError

# The line under the header of psql and Markdown: three dashes somewhere, or in each cell one, with bars or colons.
# The lookahead for the whole line, and `*+`, keep the time linear: the line may be long and begin alike.
_RULE = re.compile(
    rb"(?=[\s|+:=-]*+\Z).*?[-=]{3}.*|(?=\s*\||[^:]*:)\s*+\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?\s*",
    re.DOTALL,
)
_MANY_LINES = 20  # of which a few may be bad in a table
_EXCEL_SEPARATOR = re.compile(rb'"?sep=(.)"?\r?', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """Grammar and column names of a file.

    ``header_lines``: lines before the data, 0 if the first line is data. ``header``: the cells of the header as they
    are written, none without one. ``formulas``: columns of nothing but formulas such as `="007"`, which Excel reads as
    texts.
    """

    grammar: Grammar
    columns: tuple[str, ...]
    header_lines: int
    header: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()


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
    n_above = n_lines_above(lines[skipped:], separator, source)
    if any(line.strip() for line in lines[skipped : skipped + n_above]):
        source.log.table_line = skipped + n_above + 1
        place = f"the table begins in line {source.log.table_line}"
        above = "the line above it is" if n_above == 1 else f"the {n_above} lines above it are"
        source.log.notes.append(f"`{source.name}`: {place}; {above} not read.")
    skipped += n_above
    lines = lines[skipped:]
    grammar = best_grammar(lines, separator, source.layout.quote)
    if source.layout.quote is None and _is_quoted_whole(lines, grammar):
        if is_named(lines[0], grammar.separator, source.header_names):
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
    cells = [without_formula(cell.strip()) for cell in written]
    body = [record.cells for record in islice(records, HEADER_ROWS) if record.reason is None]
    unnamed = unnamed_column(cells, body)
    named = [row[1:] for row in body] if unnamed == 0 else body
    if not is_header(cells, named, source.header_names):
        columns = [f"column_{i + 1}" for i in range(len(cells))]
        return Dialect(grammar, tuple(columns), skipped, formulas=formula_columns(columns, body))
    if not n_known(cells, source.header_names, named) and is_doubtful(cells, named):
        source.log.notes.append(
            f"`{source.name}`: the first line is read as the header: {listed(cells)}. If it is a row, add a header "
            "above it."
        )
    if len(lines) > header_lines and _RULE.fullmatch(lines[header_lines]):
        header_lines += 1
    if unnamed is not None:
        cells.insert(unnamed, "")
    columns = distinct_names(cells)
    _note_repeated_names(cells, columns, source)
    return Dialect(grammar, tuple(columns), skipped + header_lines, written, formula_columns(columns, body))


def _note_repeated_names(cells: list[str], columns: list[str], source: Source) -> None:
    """Note known names of which a header has several, such as two labels: only the first is found by its name."""
    renamed = {new: cell for cell, new in zip(cells, columns, strict=True) if cell and cell != new}
    renamed = {new: cell for new, cell in renamed.items() if cell.casefold() in source.header_names}
    if renamed:
        source.log.notes.append(
            f"`{source.name}`: the header repeats {listed(dict.fromkeys(renamed.values()))}: the further columns are "
            f"called {listed(renamed)}. To use them, name them with `--text` or `--label`."
        )


def _is_quoted_whole(lines: list[bytes], grammar: Grammar) -> bool:
    """Say whether a grammar has several columns only because it splits rows that are one quoted cell."""
    if grammar.quote == '"' or not lines or not lines[0].startswith(b'"'):
        return False
    whole = fit_of(lines, Grammar(grammar.separator))
    return whole.width == 1 and whole.share == 1.0 and fit_of(lines, grammar).share >= MOST


def head_line(sample: bytes) -> str:
    """Return the first line that is neither blank nor a comment."""
    lines = (line for line in sample.split(b"\n", MOST_LINES_ABOVE) if line.strip() and not line.startswith(b"#"))
    return next(lines, b"").partition(b"\n")[0].decode("utf-8", "replace")


def is_table(source: Source, separator: str, n_rows: int) -> bool:
    """Say whether the sample of a file has that many rows or more, all with the same number of cells, at least two.

    Tabs are rare in prose: there a few rows among many may be bad, and a text may begin with a quote.
    """
    lines = _sample_lines(source)
    if separator == "\t":
        fit = fit_of(lines, best_grammar(lines, separator, source.layout.quote))
        fits = fit.share >= (MOST if len(lines) >= _MANY_LINES else 1.0)
    else:
        fit = fit_of(lines, Grammar(separator))
        fits = fit.share == 1.0
    return len(lines) >= n_rows and fit.width > 1 and fits


def note_missing_header(rows: Rows) -> Rows:
    """Add a note with the names that the columns of a file without a header have been given."""
    columns = rows.frame.columns
    if columns != [f"column_{i + 1}" for i in range(len(columns))]:
        return rows
    return replace(
        rows, notes=(*rows.notes, f"`{rows.source}` has no header: its columns are called {listed(columns)}.")
    )


def _sample_lines(source: Source) -> list[bytes]:
    lines = source.sample.split(b"\n")
    # The last line of a sample may be incomplete; if it is the only one, it is all there is.
    if not source.sample_is_whole and len(lines) > 1:
        lines.pop()
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
