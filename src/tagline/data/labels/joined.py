"""Several labels joined in one cell."""

import re
from collections import Counter
from collections.abc import Sequence

from tagline.data.labels.characters import visible

_LONGEST_NAME = 60
#: Separators that are rare within a name; some may also follow the last name.
_RARE = ("&amp;", "<SEP>", "[SEP]", "||", "|", "¦", ";;", "｜", ";", "；", "#", "\n", "\t", "<br>", "<br/>", "&&", "•")
_COMMA = ","
_MAY_END = ("||", "|", "｜", ";", "；", _COMMA)
#: Separators that are frequent within a name, such as ``Gaming, Betting & Lottery``.
_FREQUENT = (_COMMA, "、", "，")
#: Separators that occur in single names, such as ``I/O``, ``R&D`` and ``x^2``: clear evidence is needed.
_IN_NAMES = ("/", "+", "&", "~", "^", "·", "*")
#: Separators that are only asked about: they are parts of most names.
_IN_MOST_NAMES = ("->", ">", "::", ":", " and ", " or ", " - ", "\\", "@", "_", "-", " ")
#: Halves and quarters with a decimal comma, such as ratings from 1 to 5.
_DECIMALS = re.compile(r"-?\d+,(?:0+|50?|25|75)")
_QUOTED = re.compile("\"([^\"]*)\"|'([^']*)'")
#: The shares of parts that must recur: for separators that are frequent within names, for a question, and otherwise.
_RECURRING = 0.95
_RECURRING_TO_ASK = 0.75
_RECURRING_OF_RARE = 0.5
#: More different cells are texts, or are not asked about.
_MOST_NAMES = 10_000


def split_names(text: str, separator: str) -> list[str]:
    """Return the names that a separator joins, without spaces around them and without empty ones.

    Quotes are removed if all names have them.

    >>> split_names("a| b|", "|"), split_names('"a", "b"', ",")
    (['a', 'b'], ['a', 'b'])
    """
    names = [name for part in text.split(separator) if (name := part.strip())]
    if all(map(_QUOTED.fullmatch, names)):
        return [name[1:-1].strip() for name in names if name[1:-1].strip()]
    return names


def find_separator(cells: Sequence[str]) -> str | None:
    """Return the separator that joins names in some of these distinct cells, or None.

    The parts must recur: at least half of those of joined cells are also cells of their own or parts of others, and one
    of them is a cell of its own or cells have different numbers of parts. For separators that are frequent within
    names, nearly all must recur, and half of them must be cells of their own, or far fewer than the joined cells, which
    have different numbers of parts. Those that occur in single names, such as `/` and `&`, must also join several
    cells, and most cells if some of the parts are single characters.

    >>> find_separator(["a", "b", "a|b"]), find_separator(["Smith, John", "Smith, Ann", "Lee, Bo"])
    ('|', None)
    """
    everything = "\0".join(cells)
    for separator in (*_RARE, *_FREQUENT):
        if separator in everything and _joins(separator, cells):
            return separator
    return next((sep for sep in _IN_NAMES if _joins(sep, cells) and _joins_clearly(sep, cells)), None)


def find_possible_separator(cells: Sequence[str]) -> str | None:
    """Return what may join names in some of these distinct cells, though `find_separator` finds nothing.

    >>> find_possible_separator(["yes", "no", "yes/no"]), find_possible_separator(["I/O", "CPU"])
    ('/', None)
    """
    if len(cells) > _MOST_NAMES:
        return None
    for separator in _IN_NAMES:
        several = _number_of_joined(separator, cells) > 1 or not _has_initials(separator, cells)
        if several and _joins(separator, cells, few_alone=True):
            return separator
    return next((sep for sep in _IN_MOST_NAMES if _joins(sep, cells) and _number_of_joined(sep, cells) > 2), None)


def find_list_separator(cells: Sequence[str], *, spaces: bool = True) -> str | None:
    """Return what joins the names of lists without quotes, whose brackets were removed: with ``spaces``, a space may.

    >>> find_list_separator(["a; b", "b", "a"]), find_list_separator(["PAD", "UNK"])
    (';', None)
    """
    separators = (_COMMA, find_separator(cells), " " if spaces else None)
    return next((separator for separator in separators if separator and _joins(separator, cells)), None)


def joined_example(separator: str, names: Sequence[str]) -> str:
    """Return the first name with a separator, as messages show it."""
    return visible(next(name for name in names if separator in name))


def question(column: str, separator: str, names: Sequence[str]) -> str:
    """Say that the names in a column are read as single ones, though a separator may join several."""
    return (
        f"Labels of column `{column}` such as `{joined_example(separator, names)}` are read as single names. If they "
        f"are several joined by `{separator}`, give `--label-separator '{separator}'`."
    )


def are_decimals(cells: Sequence[str]) -> bool:
    """Return whether all cells are numbers with a decimal comma, such as ``1,0`` and ``2,5``."""
    return all(map(_DECIMALS.fullmatch, cells))


def _joins_clearly(separator: str, cells: Sequence[str]) -> bool:
    """Return whether several cells are joined, and most of them if some parts are single characters."""
    n_joined = _number_of_joined(separator, cells)
    return n_joined > 1 and (2 * n_joined > len(cells) or not _has_initials(separator, cells))


def _has_initials(separator: str, cells: Sequence[str]) -> bool:
    """Return whether a part of a joined cell is a single character, as in ``R&D``."""
    return any(len(part.strip()) == 1 for cell in cells if separator in cell for part in cell.split(separator))


def _number_of_joined(separator: str, cells: Sequence[str]) -> int:
    return sum(separator in cell for cell in cells)


def _joins(separator: str, cells: Sequence[str], *, few_alone: bool = False) -> bool:
    joined = [cell.strip(separator) if separator in _MAY_END else cell for cell in cells if separator in cell]
    parts = [[part.strip() for part in cell.split(separator)] for cell in joined]
    if not any(len(names) > 1 for names in parts):
        return False
    if separator == _COMMA and are_decimals(joined):
        return False
    if any(not part or len(part) > _LONGEST_NAME for names in parts for part in names):
        return False
    alone = {cell for cell in cells if separator not in cell} | {names[0] for names in parts if len(names) == 1}
    counts = Counter(part for names in parts for part in set(names))
    recurring = {part for part, n in counts.items() if part in alone or n > 1}
    several_lengths = len({len(names) for names in parts}) > 1
    if separator not in _RARE and not few_alone:
        n_recurring = sum(counts[part] for part in recurring)
        half_alone = 2 * len(alone & set(counts)) >= len(counts)
        are_few = several_lengths and 3 * len(counts) <= len(joined)
        return n_recurring >= _RECURRING * counts.total() and (half_alone or are_few)
    varied = bool(alone & set(counts)) or several_lengths
    return varied and len(recurring) >= (_RECURRING_TO_ASK if few_alone else _RECURRING_OF_RARE) * len(counts)
