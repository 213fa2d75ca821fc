"""The header of a table: which row it is, and the names that it gives to the columns."""

from collections.abc import Sequence

#: A header cell longer than this is a text, not a name.
LONGEST_NAME = 60
#: Lines above a header that may hold a title or comments.
MOST_LINES_ABOVE = 20


def is_header(cells: Sequence[str], body: Sequence[Sequence[str]], known: frozenset[str]) -> bool:
    """Say whether a row is a header, ``known`` being names that make it one; ``body`` are the rows below."""
    if n_known(cells, known):
        return True
    if list(cells) == [str(i) for i in range(len(cells))]:
        return True

    def looks_like_data(i: int, cell: str) -> bool:
        repeated = any(len(row) > i and row[i].strip() == cell for row in body)
        return not cell or len(cell) > LONGEST_NAME or _is_number(cell) or repeated

    return not any(looks_like_data(i, cell) for i, cell in enumerate(cells))


def n_known(cells: Sequence[str], known: frozenset[str]) -> int:
    """Count the cells of a row that are known column names."""
    return sum(cell.strip().casefold() in known for cell in cells)


def is_no_row(cells: Sequence[str], width: int) -> bool:
    """Say whether cells above a header are a title, a comment or nothing rather than a row of the table."""
    return len(cells) != width or sum(map(bool, map(str.strip, cells))) <= 1 or cells[0].startswith("#")


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


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
