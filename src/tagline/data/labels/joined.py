"""Several labels joined in one cell."""

from collections import Counter
from collections.abc import Sequence

_LONGEST_NAME = 60
#: Separators that are rare within a name, and those that are not.
_RARE = ("|", ";", "#")
_FREQUENT = (",",)


def split_names(text: str, separator: str) -> list[str]:
    """Return the names that a separator joins, without spaces around them and without empty ones."""
    return [name for part in text.split(separator) if (name := part.strip())]


def find_separator(cells: Sequence[str]) -> str | None:
    """Return the separator that joins names in some of these distinct cells, or None.

    The parts must recur: at least half of those of joined cells are also cells of their own or parts of others, and one
    of them is a cell of its own or cells have different numbers of parts. A comma is frequent in names, such as
    ``Gaming, Betting & Lottery``: there, every part must be a cell of its own or a part of two others.
    """
    for separator in (*_RARE, *_FREQUENT):
        joined = [cell.split(separator) for cell in cells if separator in cell]
        if not joined:
            continue
        parts = [[part.strip() for part in split] for split in joined]
        if any(not part or len(part) > _LONGEST_NAME for split in parts for part in split):
            continue
        alone = {cell for cell in cells if separator not in cell}
        counts = Counter(part for split in parts for part in set(split))
        recurring = {part for part, n in counts.items() if part in alone or n > 1}
        if separator in _FREQUENT:
            if recurring == set(counts) and len(alone & set(counts)) >= len(counts) / 2:
                return separator
        elif len(recurring) >= len(counts) / 2 and (alone & set(counts) or len({len(split) for split in parts}) > 1):
            return separator
    return None
