"""The header of a table: which row it is, and the names that it gives to the columns."""

from collections.abc import Sequence

from tagline.data.formats.delimited.grammar import MOST
from tagline.data.formats.delimited.records import DELIMITERS

#: A header cell longer than this is a text, not a name.
LONGEST_NAME = 60
_FEWEST_WORDS = 4  # of a sentence
#: Lines above a header that may hold a title or comments.
MOST_LINES_ABOVE = 20
#: Rows below a first line that show whether it is a header.
HEADER_ROWS = 1000
_FEW_COPIES = 0.02
_FIRST_ROWS = 50  # in which a value of the first line hardly recurs by chance
_ID_NAMES = ("id", "ids", "index", "idx", "key", "nr", "no", "number")
_MOST_DISTINCT = 0.5  # the share of distinct values in a column of which all rows tell whether one recurs


def is_header(cells: Sequence[str], body: Sequence[Sequence[str]], known: frozenset[str]) -> bool:
    """Say whether a row is a header, ``known`` being names that make it one; ``body`` are the rows below."""
    if n_known(cells, known, body):
        return True
    body = without_copies(cells, body)
    if list(cells) == [str(i) for i in range(len(cells))]:
        return True
    if len(cells) == 1 and _is_sentence(cells[0], body):
        return False

    def looks_like_data(i: int, cell: str) -> bool:
        return not cell or len(cell) > LONGEST_NAME or is_number(cell) or recurs(i, cell, body)

    return not any(looks_like_data(i, cell) for i, cell in enumerate(cells))


def without_copies(cells: Sequence[str], body: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """Return rows without the few that repeat a possible header, as in files that were joined."""
    others = [row for row in body if [cell.strip() for cell in row] != list(cells)]
    return others if len(cells) > 1 and len(body) - len(others) <= _FEW_COPIES * len(body) else body


def recurs(i: int, cell: str, body: Sequence[Sequence[str]]) -> bool:
    """Say whether a cell recurs in its column: in many rows, one of the texts may well be the name of the column."""
    values = [row[i].strip() for row in body if len(row) > i]
    recurring = len({*values}) <= _MOST_DISTINCT * len(values)
    return cell in (values if recurring else values[:_FIRST_ROWS])


def is_doubtful(cells: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Say whether a header without a known name may be a row: one of its cells is several words, as those below it.

    There is no doubt if nine in ten of those below have more than twice as many words, as messages below ``Customer
    message`` have. That is too little to read it as a row, for which a single column needs `_is_sentence`: it is worth
    a note.
    """
    for i, cell in enumerate(cells):
        n_words = sorted(len(row[i].split()) for row in body if len(row) > i)
        if not n_words or n_words[len(n_words) // 2] < 2:
            continue
        if len(cell.split()) > 1 and 2 * len(cell.split()) >= n_words[len(n_words) // 10]:
            return True
    return False


def _is_sentence(cell: str, body: Sequence[Sequence[str]]) -> bool:
    """Say whether the first of a column of texts is a text as well: it has several words, and not far fewer."""
    n_words = len(cell.split())
    others = sorted(len(row[0].split()) for row in body if row)
    return bool(others) and n_words >= _FEWEST_WORDS and 2 * n_words >= others[len(others) // 2]


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


def unnamed_column(cells: Sequence[str], body: Sequence[Sequence[str]]) -> int | None:
    """Return which column a header that is one cell short does not name; None if it names all, or if that is not clear.

    It is the first one if it holds row names, as `write.table` of R writes them, or the last one if it is empty.
    """
    rows = [row for row in body if len(row) == len(cells) + 1]
    if not rows or len(rows) < MOST * len(body):
        return None
    if not any(row[-1].strip() for row in rows):
        return len(cells)

    def are_names(i: int) -> bool:
        return len({row[i] for row in rows}) == len(rows) and not any(" " in row[i] or not row[i] for row in rows)

    # A comma in a text would make a row longer too: mostly a space follows it, and an id in front has a name.
    if any(cell.startswith(" ") for row in rows for cell in row) or not are_names(0):
        return None
    return 0 if cells[0].casefold() not in _ID_NAMES or are_names(1) else None


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
