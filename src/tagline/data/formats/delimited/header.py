"""The header of a table: which row it is, and the names that it gives to the columns."""

from collections.abc import Sequence

from tagline.data.formats.delimited.records import DELIMITERS

#: A header cell longer than this is a text, not a name.
LONGEST_NAME = 60
#: Lines above a header that may hold a title or comments.
MOST_LINES_ABOVE = 20


def is_header(cells: Sequence[str], body: Sequence[Sequence[str]], known: frozenset[str]) -> bool:
    """Say whether a row is a header, ``known`` being names that make it one; ``body`` are the rows below."""
    if n_known(cells, known, body):
        return True
    if list(cells) == [str(i) for i in range(len(cells))]:
        return True

    def looks_like_data(i: int, cell: str) -> bool:
        repeated = any(len(row) > i and row[i].strip() == cell for row in body)
        return not cell or len(cell) > LONGEST_NAME or is_number(cell) or repeated

    return not any(looks_like_data(i, cell) for i, cell in enumerate(cells))


def n_known(cells: Sequence[str], known: frozenset[str], body: Sequence[Sequence[str]]) -> int:
    """Count the cells of a row that are known column names and do not recur below, as the label ``spam`` does.

    Rows that repeat the whole row, as the header of files that were joined, are no evidence.
    """
    others = [row for row in body if not repeats(row, cells)]

    def recurs(i: int, cell: str) -> bool:
        return any(len(row) > i and row[i] == cell for row in others)

    return sum(cell.strip().casefold() in known and not recurs(i, cell) for i, cell in enumerate(cells))


def repeats(row: Sequence[str], header: Sequence[str]) -> bool:
    """Say whether a row repeats the header: each of the files that were joined may begin with a byte order mark."""
    if not row or len(row) != len(header):
        return False
    first = row[0].lstrip("\ufeff").strip('"') if row[0].startswith("\ufeff") else row[0]
    return [first, *row[1:]] == [*header]


def is_no_row(cells: Sequence[str], width: int) -> bool:
    """Say whether cells above a header are a title or nothing rather than a row of the table."""
    if len(cells) != width:
        return True
    filled = [i for i, cell in enumerate(cells) if cell.strip()]
    # Of two columns, the first may be an index without a name.
    return not filled or (len(filled) == 1 and (width > 2 or filled == [0]))


def is_number(cell: str) -> bool:
    """Say whether a cell is written as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def distinct_names(names: Sequence[str]) -> list[str]:
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


def is_named(line: bytes, separator: str | None, header_names: frozenset[str]) -> bool:
    """Say whether a line has several cells, and one of them is a known name."""
    first = line.decode("utf-8", "replace")
    separators = [separator] if separator else [each for each in DELIMITERS if each in first]
    return any(each in first and has_header_cell(first, each, header_names) for each in separators)


def has_header_cell(line: str, separator: str, header_names: frozenset[str]) -> bool:
    """Say whether one of the cells of a line is a known column name."""
    return any(cell.strip(" \"'\r").casefold() in header_names for cell in line.split(separator))
