"""Lines above the header of a CSV file, which are not read: a title, comments, blank lines.

Exports and reports often begin with them. A row of the table, or its header, must never be taken for one.
"""

from dataclasses import dataclass

from tagline.data.formats.base import Source
from tagline.data.formats.delimited.grammar import MOST, Fit, best_grammar, fit_of
from tagline.data.formats.delimited.header import MOST_LINES_ABOVE, is_header, is_named, is_no_row, is_number, n_known
from tagline.data.formats.delimited.records import DELIMITERS, Lines, read_records

_EMPTY_CELLS = b"".join(each.encode() for each in DELIMITERS) + b" \r"
_ROWS_BELOW = 200  # rows that show where the header is
_ROWS_OF_TEXTS = 5  # that show that a line above them is a header


@dataclass(frozen=True)
class _Table:
    """What a table would be that begins in a certain line: its header and the rows below.

    ``is_clear_header``: it is a header even without a known name; ``n_names``: how many known names it has.
    """

    fit: Fit
    names: list[str]
    body: list[list[str]]
    is_clear_header: bool
    n_names: int


def n_lines_above(lines: list[bytes], separator: str | None, source: Source) -> int:
    """Return how many lines stand above the table: a title, comments, blank lines.

    They have other cells than the table, mostly fewer, or are all comments. Where some could be rows, only known names
    may follow, or two known names if the first line is no header and the last one no row. A header without a known name
    needs rows enough below it that all fit.
    """
    known = source.header_names
    n_comments = _n_comments(lines)
    if n_comments and _is_below_comments(lines, n_comments, separator, source):
        return n_comments
    if not lines or is_named(lines[0], separator, known):
        return 0
    separators = [separator] if separator else DELIMITERS
    is_name = n_known([lines[0].decode("utf-8", "replace")], known, ()) > 0
    is_among_rows = False
    for n in range(1, min(MOST_LINES_ABOVE + 1, len(lines) - 1)):
        rest = lines[n : n + 1 + _ROWS_BELOW]
        if not any(each.encode() in rest[0] for each in separators) or not rest[0].strip(_EMPTY_CELLS):
            continue
        if is_among_rows and not is_named(rest[0], separator, known):
            continue
        table = _read_table(rest, separator, source)
        if table is None:
            continue
        above = [record.cells for record in read_records(Lines(lines[:n]), table.fit.grammar) if record.cells]
        if _are_comments(lines[:n], above, table):
            return n
        rows = [cells for cells in above if not is_no_row(cells, table.fit.width)]
        is_among_rows = is_among_rows or bool(rows)
        if rows:
            if _is_below_rows(table, rows, above[-1]):
                return n
        elif _is_below_title(table, above, lines[n - 1], is_name=is_name):
            return n
    return 0


def _n_comments(lines: list[bytes]) -> int:
    """Return how many lines in front of the first other one are comments, or blank among comments."""
    first = lines[: MOST_LINES_ABOVE + 1]
    n = next((i for i, line in enumerate(first) if line.strip() and not line.startswith(b"#")), 0)
    return n if any(line.startswith(b"#") for line in first[:n]) else 0


def _is_below_comments(lines: list[bytes], n: int, separator: str | None, source: Source) -> bool:
    """Say whether a header stands below ``n`` comments, of which the last may be a header itself, such as ``#id,text``.

    It has as many known names, or else it is a single word above texts of several words.
    """
    table = _read_table(lines[n : n + 1 + _ROWS_BELOW], separator, source)
    if table is None or not table.is_clear_header:
        return False
    above = [record.cells for record in read_records(Lines(lines[:n]), table.fit.grammar)]
    in_comments = max(n_known([cell.strip("# ") for cell in cells], source.header_names, ()) for cells in above)
    if table.n_names > 0:
        return table.n_names >= in_comments
    return in_comments == 0 and len(table.body) >= _ROWS_OF_TEXTS and _is_above_texts(table)


def _is_above_texts(table: _Table) -> bool:
    """Say whether a name is a single word, and most cells below it are several."""
    for i, name in enumerate(table.names):
        cells = [row[i].strip() for row in table.body if len(row) > i]
        if name and " " not in name and sum(" " in cell for cell in cells) >= MOST * len(table.body):
            return True
    return False


def _read_table(lines: list[bytes], separator: str | None, source: Source) -> _Table | None:
    """Return the table that begins in the first of some lines; None if they are none."""
    fit = fit_of(lines, best_grammar(lines, separator, source.layout.quote))
    if fit.width < 2 or fit.share < MOST:
        return None
    head, *body = [record.cells for record in read_records(Lines(lines), fit.grammar)]
    names = [cell.strip() for cell in head]
    return _Table(fit, names, body, is_header(names, body, frozenset()), n_known(names, source.header_names, body))


def _are_comments(lines: list[bytes], above: list[list[str]], table: _Table) -> bool:
    """Say whether all lines above are comments: as wide as the table, they need a clear header with a known name."""
    if not all(line.startswith(b"#") or not line.strip() for line in lines):
        return False
    return all(len(cells) < table.fit.width for cells in above) or (table.is_clear_header and table.n_names > 0)


def _is_below_rows(table: _Table, rows: list[list[str]], last: list[str]) -> bool:
    """Say whether a header stands below lines of which some could be rows."""
    first = [cell.strip() for cell in rows[0]]
    is_apart = not _is_row(last, table.body, table.fit.width)
    is_head = is_apart and not is_header(first, [*rows[1:], table.names, *table.body], frozenset())
    return table.is_clear_header and (table.n_names == table.fit.width or (table.n_names > 1 and is_head))


def _is_below_title(table: _Table, above: list[list[str]], last: bytes, *, is_name: bool) -> bool:
    """Say whether a header stands below a title; ``is_name``: the first line is a known name itself."""
    fit = table.fit
    separator = fit.grammar.separator
    last = last.strip(b" \r" + separator.encode())
    # Prose has commas too, though hardly the same number in each of many lines.
    enough = 5 if separator != "," else 20
    apart = separator != "," or not last or last.startswith(b"#")
    # Of two columns, one may have no name.
    apart = apart and not (fit.width == 2 and any(len(cells) == 2 and any(cells) for cells in above))
    shorter = all(sum(map(bool, cells)) < fit.width for cells in above)
    sure = shorter and apart and fit.share == 1.0 and len(table.body) >= enough and all(table.names)
    return (table.is_clear_header and sure) or (table.n_names > (0 if shorter else 1) and not is_name)


def _is_row(cells: list[str], body: list[list[str]], width: int) -> bool:
    """Say whether cells may be a row of the table below: as many, and numbers where all others are numbers."""
    if is_no_row(cells, width):
        return False
    return not any(
        body and not is_number(cell) and all(len(row) > i and is_number(row[i]) for row in body)
        for i, cell in enumerate(cells)
    )
