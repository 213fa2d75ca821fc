"""Several labels joined in one cell."""

from collections import Counter
from collections.abc import Sequence

_LONGEST_NAME = 60
#: Separators that are rare within a name; the first two may also follow the last name.
_RARE = ("|", ";", "#")
_MAY_END = ("|", ";")
#: A separator that is frequent within a name, such as ``Gaming, Betting & Lottery``.
_COMMA = ","
_COMMA_RECURRING = 0.95


def split_names(text: str, separator: str) -> list[str]:
    """Return the names that a separator joins, without spaces around them and without empty ones.

    >>> split_names("a| b|", "|")
    ['a', 'b']
    """
    return [name for part in text.split(separator) if (name := part.strip())]


def find_separator(cells: Sequence[str]) -> str | None:
    """Return the separator that joins names in some of these distinct cells, or None.

    The parts must recur: at least half of those of joined cells are also cells of their own or parts of others, and one
    of them is a cell of its own or cells have different numbers of parts. For a comma, nearly all must recur, and half
    of them must be cells of their own.

    >>> find_separator(["a", "b", "a|b"]), find_separator(["Smith, John", "Smith, Ann", "Lee, Bo"])
    ('|', None)
    """
    return next((separator for separator in (*_RARE, _COMMA) if _joins(separator, cells)), None)


def comma_joins(cells: Sequence[str]) -> bool:
    """Return whether a comma joins names in some of these distinct cells."""
    return _joins(_COMMA, cells)


def _joins(separator: str, cells: Sequence[str]) -> bool:
    joined = [cell.strip(separator) if separator in _MAY_END else cell for cell in cells if separator in cell]
    parts = [[part.strip() for part in cell.split(separator)] for cell in joined]
    if not any(len(names) > 1 for names in parts):
        return False
    if any(not part or len(part) > _LONGEST_NAME for names in parts for part in names):
        return False
    alone = {cell for cell in cells if separator not in cell} | {names[0] for names in parts if len(names) == 1}
    counts = Counter(part for names in parts for part in set(names))
    recurring = {part for part, n in counts.items() if part in alone or n > 1}
    if separator == _COMMA:
        n_recurring = sum(counts[part] for part in recurring)
        return n_recurring >= _COMMA_RECURRING * counts.total() and 2 * len(alone & set(counts)) >= len(counts)
    varied = bool(alone & set(counts)) or len({len(names) for names in parts}) > 1
    return varied and 2 * len(recurring) >= len(counts)
