"""What tools and people write for "not labelled"."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field

#: Marks, case-folded; ``na`` may be a word, but ``NA`` is what R writes.
_MARKS = frozenset(
    (
        "-", "--", "—", "–", "?", "??", "???", "nan", "null", "(null)", "<null>", "\\n", "n/a", "n.a.", "#n/a", "<na>",
        "k.a.", "unlabeled", "unlabelled", "not labeled", "not labelled", "unannotated", "not annotated", "(blank)",
    )
)  # fmt: skip
_MARK_EXACTLY = "NA"
#: Names that may mean "not labelled", or a class.
_LIKELY = frozenset(("unknown", "undefined", "missing", "no label", "no_label"))
_TO_DO = frozenset(("tbd", "todo", "to do", "to-do"))  # `todo`, `doing`, `done` are states of a task
_POSSIBLE = _TO_DO | {"none"}
_MINUS_ONE = "-1"
#: Codes of missing values in surveys, among the numbers of classes.
_NEGATIVE_CODES = ("-9", "-99", "-999", "-9999")
_POSITIVE_CODES = ("99", "999", "9999")
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")


@dataclass(frozen=True)
class Unlabelled:
    """Names of a column that mean "not labelled" (``marks``), or that may mean it and are read as classes.

    Of the latter, the ``likely`` ones should be looked at; the ``possible`` ones are usually classes.
    """

    marks: list[str] = field(default_factory=list)
    likely: list[str] = field(default_factory=list)
    possible: list[str] = field(default_factory=list)


def is_mark(name: str) -> bool:
    """Say whether a name means "not labelled" if it is one of several."""
    return name.casefold() in _MARKS or name == _MARK_EXACTLY


def is_unknown_flag(cell: str) -> bool:
    """Say whether a cell of a column of 0 and 1 says that the label is not known: -1, or a mark."""
    return is_mark(cell) or cell.casefold() in _TO_DO or _number(cell) in (_MINUS_ONE, *_NEGATIVE_CODES)


def unlabelled(names: Collection[str]) -> Unlabelled:
    """Return the names that mean, or may mean, "not labelled".

    Marks mean it among at least two words; -1 among the class numbers 0 up to 2 or more; other negative codes among
    class numbers.
    """
    marks = sorted(filter(is_mark, names))
    others = sorted(name for name in names if name not in marks)
    if len(others) < 2 or not all(any(character.isalnum() for character in name) for name in others):
        return Unlabelled()  # as in `+` and `-`, or `?` and `!`, or of a label and none
    codes = {name: number for name in others if (number := _number(name)) is not None}
    missing = [name for name in codes if codes[name] in (_MINUS_ONE, *_NEGATIVE_CODES, *_POSITIVE_CODES)]
    classes = {codes.get(name, name) for name in others if name not in missing}
    first = 0 if "0" in classes else 1
    numbered = len(classes) > 1 and classes == {str(first + i) for i in range(len(classes))}
    likely = [name for name in others if name.casefold() in _LIKELY and len(others) > 2]
    possible = [name for name in others if name.casefold() in _POSSIBLE and len(others) > 2]
    for name in missing:
        code = codes[name]
        if numbered and (code in _NEGATIVE_CODES or (code == _MINUS_ONE and first == 0 and len(classes) > 2)):
            marks.append(name)
        elif numbered and code == _MINUS_ONE and first == 0:
            possible.append(name)  # -1, 0, 1: negative, neutral, positive
        elif numbered and int(code) != first + len(classes):
            likely.append(name)
        elif not numbered and code not in _POSITIVE_CODES and len(classes) > 1 and len(codes) == len(missing):
            likely.append(name)  # among words
    return Unlabelled(marks, sorted(likely), possible)


def _number(name: str) -> str | None:
    """Return a whole number as it is written without decimals."""
    found = _WHOLE.fullmatch(name)
    return found[1] if found else None
