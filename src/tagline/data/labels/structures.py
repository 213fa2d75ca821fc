"""Structures that labelling tools and libraries write into a cell: lists, and objects of indicators or choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tagline.data.frames import scalar_text

#: Keys under which an object holds its labels, and a list of their probabilities.
_CHOICES = ("cats", "choices", "labels", "label")
_SCORES = ("scores", "score", "probabilities", "probs", "confidences", "confidence")
#: Keys under which each object of a list holds one label, and keys of objects that are no labels: marked spans.
_NAMES = ("label", "name", "value", "displayName", "class")
_SPAN = frozenset(("start", "end", "start_offset", "end_offset"))
#: Keys under which an object with a name says whether it applies.
_APPLIES = ("value", "score", "confidence", "probability", "prob", "proba", "selected", "checked", "applies", "active")
_OF_LABELS = ("value", "score")  # others may be those of an annotator, in per cent
#: Keys of an object with a name whose values, though 0 or 1, say nothing about other labels.
_DETAILS = frozenset(("id", "index", *_APPLIES))

#: Words for 1 and 0 in a column, or in an object, of one value for each label.
YES = frozenset(
    (
        "1", "+1", "1.0", "true", "t", "yes", "y", "on", "x", "✓", "✔", "✅", "☑", "☒", "●", "*", "ja", "wahr", "oui",
        "vrai", "si", "sí", "sì", "verdadero", "vero", "sim", "verdadeiro", "tak", "prawda", "evet", "да", "是",
    )
)  # fmt: skip
NO = frozenset(
    (
        "0", "0.0", "-0.0", "false", "f", "no", "n", "off", "✗", "✘", "❌", "☐", "○", "nein", "falsch", "non", "faux",
        "falso", "não", "nao", "nie", "fałsz", "hayır", "nej", "нет", "否",
    )
)  # fmt: skip
#: Probabilities that add up to 1 in each row, in spite of rounding.
_ROUNDING = 0.02


class NotLabelsError(Exception):
    """A value names no class; the message is the reason."""


@dataclass(frozen=True)
class Applying:
    """The labels that apply to each row, None for an unlabelled one, and whether they were chosen by probabilities.

    ``has_largest``: the probabilities of each row add up to 1, and its label is the one with the largest.
    """

    labels: list[list[str] | None]
    has_probabilities: bool
    has_largest: bool


def labels_in(value: Any) -> dict[str, float]:
    """Return the labels of a list, of ``{"choices": [...]}``, ``{"name": ...}``, or of a number for each label.

    Each has the number from 0 to 1 that says whether it applies, and 1 without one.

    >>> labels_in({"spam": 0.9, "ham": 0.1}), labels_in({"choices": ["a", "b"]}), labels_in([1, "x"])
    ({'spam': 0.9, 'ham': 0.1}, {'a': 1.0, 'b': 1.0}, {'1': 1.0, 'x': 1.0})
    >>> labels_in({"name": "spam", "id": 3}), labels_in([["spam", 1], ["ham", 0]]), labels_in(["spam", 0.93])
    ({'spam': 1.0}, {'spam': 1.0, 'ham': 0.0}, {'spam': 1.0})

    Raises:
        NotLabelsError: the value is anything else.

    """
    if isinstance(value, dict):
        return _labels_of_object(value)
    names = [item for item in value if item is not None]
    if is_scored_name(names):
        return {names[0]: 1.0}
    if names and all(isinstance(item, dict) for item in names):
        if len(names) == 1 and not set(names[0]).intersection(_OF_LABELS):
            return {_label_of_item(names[0])[0]: 1.0}  # the annotator was not certain, but chose no other label
        return _labels_of_items([_label_of_item(item) for item in names])
    if names and all(isinstance(item, list | tuple) and _is_pair(item) for item in names):
        return _labels_of_items([(name, indicator(number)) for name, number in names])
    if any(isinstance(item, list | tuple | dict) for item in names):
        raise NotLabelsError("a list inside a list names no class")
    return dict.fromkeys(map(scalar_text, names), 1.0)


def applying(rows: Sequence[Mapping[str, float] | None], *, several: bool) -> Applying:
    """Return the labels that apply: from 0.5, or the most probable one where all rows are probabilities of classes.

    With ``several``, a row may have any number of labels, and 0.5 always counts.

    >>> applying([{"a": 0.4, "b": 0.3, "c": 0.3}, {"a": 0.9, "b": 0.1}], several=False).labels
    [['a'], ['a']]
    >>> applying([{"a": 0.4, "b": 0.3}, {"a": 0.9, "b": 0.6}, None], several=False).labels
    [[], ['a', 'b'], None]
    """
    known = [row for row in rows if row]
    has_probabilities = any(0 < number < 1 for row in known for number in row.values())
    tied = any(number == 0.5 for row in known for number in row.values())
    add_up = not tied and all(len(row) > 1 and abs(sum(row.values()) - 1) <= _ROUNDING for row in known)
    if has_probabilities and add_up and not several:
        largest = [None if row is None else [max(row, key=row.__getitem__)] if row else [] for row in rows]
        return Applying(largest, has_probabilities=True, has_largest=True)
    chosen = [None if row is None else [name for name, number in row.items() if number >= 0.5] for row in rows]
    return Applying(chosen, has_probabilities, has_largest=False)


def is_scored_name(value: Any) -> bool:
    """Say whether a list is one name and its score, such as ``('billing', 0.98)``, and not two names."""
    return isinstance(value, list) and _is_pair(value) and isinstance(value[1], float)


def _is_pair(value: Sequence[Any]) -> bool:
    return len(value) == 2 and isinstance(value[0], str) and not value[0][:1].isdigit() and _is_number(value[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _labels_of_items(items: Sequence[tuple[str, float | None]]) -> dict[str, float]:
    """Return the labels of pairs, the largest number of those that occur several times."""
    found: dict[str, float] = {}
    for name, number in items:
        found[name] = max(found.get(name, 0.0), number or 0.0)
    return found


def _labels_of_object(value: dict[Any, Any]) -> dict[str, float]:
    for key in _CHOICES:
        found = value.get(key)
        if isinstance(found, list):
            scores = next((value[name] for name in _SCORES if isinstance(value.get(name), list)), None)
            return labels_in(found) if scores is None else scored(found, scores)
        if isinstance(found, dict):
            return labels_in(found)
        if isinstance(found, str) and (
            indicator(found) is None or all(_is_detail(name) for name in value.keys() - {key})
        ):
            return {found: 1.0}
    numbers = {name: indicator(number) for name, number in value.items()}
    indicates = any(number is not None for name, number in numbers.items() if not _is_detail(name))
    if any(numbers[name] is None for name in _NAMES if name in value) and not indicates and not _SPAN & set(value):
        named = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
        if named is not None:
            return {named: 1.0}
    if not value or any(numbers[name] is None and not _is_blank(number) for name, number in value.items()):
        raise NotLabelsError("an object must have 0, 1 or a probability for each label, or a list of `choices`")
    return {str(name): number for name, number in numbers.items() if number is not None}


def scored(names: Sequence[Any], scores: Sequence[Any]) -> dict[str, float]:
    """Return the labels of a list with a list of their probabilities.

    Raises:
        NotLabelsError: one is longer, or a score is not a number from 0 to 1.

    """
    numbers = [indicator(score) for score in scores]
    if len(names) != len(scores) or None in numbers or any(isinstance(name, list | dict) for name in names):
        raise NotLabelsError("each label must have a score from 0 to 1")
    return _labels_of_items(list(zip(map(scalar_text, names), numbers, strict=True)))


def _is_detail(key: Any) -> bool:
    folded = str(key).casefold()
    return folded in _DETAILS or folded.endswith("_id")


def _label_of_item(item: dict[Any, Any]) -> tuple[str, float]:
    """Return the label of an object in a list, such as ``{"label": "a", "score": 0.9}``, and whether it applies."""
    key = next((key for key in _NAMES if isinstance(item.get(key), str)), None)
    if key is None or _SPAN & set(item):
        raise NotLabelsError("the objects of the list are no labels of whole texts")
    numbers = []
    for name in _APPLIES:
        given = item.get(name) if name != key else None
        number = indicator(given)
        if number is not None:
            numbers.append(number)
        elif isinstance(given, int | float) and name in _OF_LABELS:
            raise NotLabelsError(f"`{name}` of a label must be 0, 1 or a probability, and one is {given:g}")
    return item[key], min(numbers, default=1.0)


def indicator(value: Any) -> float | None:
    """Return 0, 1 or the probability that a value says whether a label applies; None if it says neither."""
    if isinstance(value, str):
        word = value.strip().casefold()
        if word in YES or word in NO:
            return float(word in YES)
        try:
            value = float(word)
        except ValueError:
            return None
    return float(value) if _is_number(value) else None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def numbers_by_position(rows: Sequence[list[str | None] | None]) -> list[dict[str, float] | None] | None:
    """Return, by position, the numbers of lists of equal length that hold 0, 1 or a probability for each label.

    Lists of ``1`` and ``-1``, and of one word each for yes and no, are such lists. An empty list has no numbers.
    Other lists of names give None.

    >>> numbers_by_position([["1", "-1"], ["-1", "-1"]]), numbers_by_position([["a", "b"]])
    ([{'0': 1.0, '1': 0.0}, {'0': 0.0, '1': 0.0}], None)

    Raises:
        NotLabelsError: the lists hold 0 and 1 several times, but are not of equal length, or also hold -1.

    """
    lists = [row for row in rows if row]
    numbers = _numbers_of({item for row in lists for item in row if item is not None})
    if not lists or numbers is None:
        return None
    several = any(len(set(row)) < len(row) for row in lists)
    if len({len(row) for row in lists}) > 1:
        if several:
            raise NotLabelsError("lists of 0 and 1 must have one value for each label, and these differ in length")
        return None
    if len(lists[0]) < 2:
        return None
    found = [None if row is None else {str(i): item and numbers[item] for i, item in enumerate(row)} for row in rows]
    known = [
        None if row is None else {name: number for name, number in row.items() if isinstance(number, float)}
        for row in found
    ]
    if known == found:
        return known
    if several:
        raise NotLabelsError("a value of a list of 0 and 1 is missing or -1, not known: leave such rows out")
    return None


def _numbers_of(items: set[str]) -> dict[str, float | None] | None:
    """Return what the items of lists mean, None for -1 beside 0; None for names."""
    words = {item.casefold() for item in items}
    if len(words) == 2 and words & YES and words & NO:
        return {item: indicator(item) for item in items}
    negative = {item for item in items if item in ("-1", "-1.0")}
    others = {
        item: indicator(item) for item in items - negative if item[:1].isdigit() or item in ("+1", "true", "false")
    }
    if len(others) < len(items - negative) or None in others.values() or not others:
        return None
    opposite = 0.0 if set(others.values()) == {1.0} else None
    return others | dict.fromkeys(negative, opposite)


def scored_lists(names: Sequence[Any], scores: Sequence[Any]) -> list[dict[str, float] | None] | None:
    """Return the numbers of lists of labels with lists of their scores; None if a row has no score for each label."""
    rows: list[dict[str, float] | None] = []
    for row, numbers in zip(names, scores, strict=True):
        if row is None:
            rows.append(None)
            continue
        if not isinstance(row, list) or not isinstance(numbers, list):
            return None
        try:
            rows.append(scored(row, numbers))
        except NotLabelsError:
            return None
    return rows if any(rows) else None
