"""The grammar of a CSV file: the separator and the quotes that read most of its first rows."""

from dataclasses import dataclass, replace

from tagline.data.formats.delimited.records import CLOSING_QUOTES, DELIMITERS, Grammar, Lines, read_records

#: The share of rows, or of cells, that settles a question.
MOST = 0.9
_QUOTES = ('"', "'", "`")
# Tried only where they enclose cells of nearly all lines.
_UNUSUAL_QUOTES = ("~", "^", "|", *CLOSING_QUOTES, "”")
_MOST_BAD = 20  # rows that a grammar cannot read before the rest of the sample is left out
_QUOTE_LINES = 200
_FIRST_LINES = 20  # in which a grammar shows how wide its rows are


@dataclass(frozen=True)
class Fit:
    """How well a grammar reads the sample: the share of rows as wide as the first one, and that width.

    ``clean``: no cell begins with a space and a quote.
    """

    grammar: Grammar
    share: float
    width: int
    clean: bool


def best_grammar(lines: list[bytes], separator: str | None, quote: str | None) -> Grammar:
    """Return the grammar that reads most rows of the sample."""
    first = lines[0].decode("utf-8", "replace") if lines else ""
    separators = [separator] if separator else _by_count(first)
    rows = _split_plainly(lines, separators[0])
    quotes = _quote_candidates(lines, separators[0], rows) if quote is None else [quote or None]
    candidates = [Grammar(each, mark) for each in separators for mark in quotes]
    sample = b"\n".join(lines)  # one search in all of it is faster than one in each line
    escaped = [mark for mark in quotes if mark and f"\\{mark}".encode() in sample]
    candidates += [Grammar(each, mark, escape=True) for each in separators for mark in escaped]
    candidates = [grammar for each in candidates for grammar in _with_initial_spaces(each, sample)]
    # Without quotes, cells such as "so \"bad\"" would keep theirs, and no row would be bad.
    is_escaped = any(_surrounds(mark, rows) or _escapes(mark, rows) for mark in escaped)

    def rank(fit: Fit) -> tuple[bool, bool, bool, float, bool]:
        # A separator that the file lacks reads every row as one cell, which is right only where no other fits and the
        # header is a single name. A few bad rows are no reason for unusual quotes, or for none: those are common only
        # where tabs separate.
        columns = fit.width > 1 or not any(each in first for each in DELIMITERS)
        unquoted = fit.grammar.separator == "\t" and fit.grammar.quote is None and not is_escaped
        usual = fit.grammar.quote == quotes[0] or unquoted
        return columns and fit.share >= MOST, fit.width > 1, usual, fit.share, fit.clean

    best = fit_of(lines, candidates[0])
    for candidate in candidates[1:]:
        if all(value == 1 for value in rank(best)):
            break  # no other can be better
        # The first lines show the width, and so whether reading all of them is worth its time.
        at_best = replace(fit_of(lines[:_FIRST_LINES], candidate), share=1.0, clean=True)
        if rank(at_best) > rank(best):
            best = max(best, fit_of(lines, candidate), key=rank)
    return best.grammar


def _with_initial_spaces(grammar: Grammar, sample: bytes) -> list[Grammar]:
    """Return a grammar, and the one without spaces before its quotes if there are any."""
    before, behind = f"{grammar.separator} {grammar.quote}".encode(), f"{grammar.closing} {grammar.separator}".encode()
    spaced = grammar.quote is not None and (before in sample or behind in sample)
    return [grammar, replace(grammar, initial_space=True)] if spaced else [grammar]


def _by_count(first: str) -> list[str]:
    """Return the separators, the most likely first: a comma if the first line has one, else the most frequent."""
    return sorted(DELIMITERS, key=lambda each: (not (each == "," and "," in first), -first.count(each)))


def _split_plainly(lines: list[bytes], separator: str) -> list[list[str]]:
    """Return what stands between the separators of the first lines, whatever the quotes."""
    texts = (line.decode("utf-8", "replace").removesuffix("\r") for line in lines[:_QUOTE_LINES])
    return [[cell.strip(" ") for cell in text.split(separator)] for text in texts]


def _quote_candidates(lines: list[bytes], separator: str, rows: list[list[str]]) -> list[str | None]:
    """Return the quote characters to try: first those around the names of the header or most cells of a column."""
    texts = [line.decode("utf-8", "replace").removesuffix("\r") for line in lines[:_QUOTE_LINES]]
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
    return n >= max(2, MOST * len(lines))


def _surrounds(mark: str, rows: list[list[str]]) -> bool:
    header, *body = rows or [[]]
    if header and all(_is_inside(cell, mark) for cell in header):
        return True
    for column in (0, -1):
        cells = [row[column] for row in body]
        if sum(_is_inside(cell, mark) for cell in cells) >= max(2, MOST * len(cells)):
            return True
    return False


def _escapes(mark: str, rows: list[list[str]]) -> bool:
    """Say whether quotes are escaped inside of cells, and nearly all cells that begin with a quote end with one."""
    quoted = [cell for row in rows for cell in row if cell.startswith(mark)]
    inside = [cell for cell in quoted if _is_inside(cell, mark)]
    return any(f"\\{mark}" in cell[1:-1] for cell in inside) and len(inside) >= MOST * len(quoted)


def _are_rows(lines: list[bytes], grammar: Grammar, width: int) -> bool:
    """Say whether the lines that one cell spans are whole rows: then the quotes that enclose them belong to two texts.

    Only where tabs separate, as commas are frequent in prose, and where no other cell of these lines is quoted.
    """
    if len(lines) < 2 or width < 2 or grammar.separator != "\t":
        return False
    rows = _split_plainly(lines, "\t")
    quote = grammar.quote or ""
    return all(len(row) == width and not any(_is_inside(cell, quote) for cell in row) for row in rows)


def fit_of(lines: list[bytes], grammar: Grammar) -> Fit:
    """Return how well a grammar reads lines."""
    width, n, n_bad, clean = 0, 0, 0, True
    spaced = f" {grammar.quote}"
    counted = Lines(lines)
    for record in read_records(counted, grammar):
        width = width or len(record.cells)
        n += 1
        is_bad = record.reason is not None or len(record.cells) != width
        n_bad += is_bad or _are_rows(lines[record.line - 1 : counted.number], grammar, width)
        clean = clean and not any(cell.startswith(spaced) for cell in record.cells)
        if n_bad > _MOST_BAD:
            break
    return Fit(grammar, 1 - n_bad / max(1, n), width, clean)
