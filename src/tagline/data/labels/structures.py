"""Structures that labelling tools and libraries write into a cell: lists, and objects of indicators or choices."""

import ast
import re
from collections.abc import Sequence
from typing import Any

import polars as pl

from tagline.data.frames import scalar_text
from tagline.data.json_values import parse_json, replace_surrogates

_LONGEST = 20_000  # characters of a cell that is parsed
_EMPTY = ("{}", "()", "set()")
_BRACKETS = ("[]", "{}", "()")
_QUOTED = r"'[^']*'|\"[^\"]*\""
#: Arrays as NumPy prints them: ``['a' 'b']``, which Python would read as one string, and ``[0 1 0]``.
_NAMES_ARRAY = re.compile(rf"\[\s*(?:{_QUOTED})(?:\s+(?:{_QUOTED}))+\s*\]")
_ITEM = r"(?:-?\d+\.?\d*|True|False)"
_NUMBERS_ARRAY = re.compile(rf"\[\s*{_ITEM}(?:\s+{_ITEM})*\s*\]")

#: Keys under which an object holds its labels.
_CHOICES = ("cats", "choices", "labels", "label")
#: Keys under which each object of a list holds one label, and keys of objects that are no labels: marked spans.
_NAMES = ("label", "name", "value", "displayName", "class")
_SPAN = frozenset(("start", "end", "start_offset", "end_offset"))
#: Keys of an object with a name whose values, though 0 or 1, say nothing about other labels.
_DETAILS = frozenset(("value", "id", "index", "score", "confidence", "probability"))

#: Words for 1 and 0 in a column, or in an object, of one value for each label.
YES = frozenset(("1", "1.0", "true", "t", "yes", "y", "x", "✓", "✔", "ja", "oui", "si", "sí"))
NO = frozenset(("0", "0.0", "false", "f", "no", "n", "nein", "non"))


class NotLabelsError(Exception):
    """A value names no class; the message is the reason."""


def parsed(text: str) -> list[Any] | dict[Any, Any] | None:
    """Return the list or object that a string is in JSON, or as Python or NumPy prints it; None if it is neither.

    >>> parsed('{"choices": ["a"]}'), parsed("['a', 'b']"), parsed("[0 1 0]"), parsed("a, b")
    ({'choices': ['a']}, ['a', 'b'], ['0', '1', '0'], None)
    """
    if text in _EMPTY:
        return []
    if len(text) > _LONGEST or text[:1] + text[-1:] not in _BRACKETS:
        return None
    if _NAMES_ARRAY.fullmatch(text):
        return [name[1:-1] for name in re.findall(_QUOTED, text)]
    if _NUMBERS_ARRAY.fullmatch(text):
        return [item.removesuffix(".").lower() for item in text[1:-1].split()]
    for read in (parse_json, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, set | frozenset | tuple):
            value = sorted(value, key=str)
        if isinstance(value, list | dict):
            return replace_surrogates(value)  # type: ignore[no-any-return]  # of the same type
    return None


def without_constructors(texts: pl.Series) -> pl.Series:
    """Return strings without the calls that Python prints around values of NumPy, PyTorch and sets, (n,).

    >>> without_constructors(pl.Series(["tensor([0, 1])", "[np.str_('a')]", "b'a'", "frozenset()"])).to_list()
    ['[0, 1]', "['a']", 'a', 'set()']
    """
    texts = texts.str.replace_all(r"\b(?:np|numpy)\.(?:\w+_|u?int\d+|float\d+|bool)\(([^()]*)\)", "$1")
    texts = texts.str.replace(r"(?s)^(?:\w+\.)?(?:tensor|array)\((.*?)(?:,\s*\w+=[^\])]*)*\)$", "$1")
    texts = texts.str.replace(r"^frozenset\(\)$", "set()").str.replace(r"^frozenset\((.+)\)$", "$1")
    return texts.str.replace(r"^b'([^']*)'$", "$1").str.replace(r"^'([^']*)'$", "$1")


def is_structure(label: str) -> bool:
    """Say whether a label is a list or an object."""
    return parsed(label) is not None


def labels_in(value: Any) -> list[str]:
    """Return the labels of a list, of ``{"choices": [...]}``, ``{"name": ...}``, or of 0, 1 or a probability for each.

    >>> labels_in({"spam": 0.9, "ham": 0.1}), labels_in({"choices": ["a", "b"]}), labels_in([1, "x"])
    (['spam'], ['a', 'b'], ['1', 'x'])
    >>> labels_in({"name": "spam", "id": 3})
    ['spam']

    Raises:
        NotLabelsError: the value is anything else.

    """
    if isinstance(value, dict):
        return _labels_of_object(value)
    names = [item for item in value if item is not None]
    if names and all(isinstance(item, dict) for item in names):
        return [label for item in names for label in _label_of_item(item)]
    if any(isinstance(item, list | tuple | dict) for item in names):
        raise NotLabelsError("a list inside a list names no class")
    return [scalar_text(item) for item in names]


def _labels_of_object(value: dict[Any, Any]) -> list[str]:
    for key in _CHOICES:
        found = value.get(key)
        if isinstance(found, list | dict):
            return labels_in(found)
        if isinstance(found, str) and indicator(found) is None:
            return [found]
    numbers = {name: indicator(number) for name, number in value.items()}
    indicates = any(number is not None for name, number in numbers.items() if not _is_detail(name))
    if any(numbers[name] is None for name in _NAMES if name in value) and not indicates and not _SPAN & set(value):
        named = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
        if named is not None:
            return [named]
    if not value or any(numbers[name] is None and not _is_blank(number) for name, number in value.items()):
        raise NotLabelsError("an object must have 0, 1 or a probability for each label, or a list of `choices`")
    return [str(name) for name, number in numbers.items() if number is not None and number >= 0.5]


def _is_detail(key: Any) -> bool:
    folded = str(key).casefold()
    return folded in _DETAILS or folded.endswith("_id")


def _label_of_item(item: dict[Any, Any]) -> list[str]:
    """Return the label of an object in a list, such as ``{"label": "a"}`` or spaCy's ``{"label": "a", "value": 1}``."""
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), str)), None)
    if name is None or _SPAN & set(item):
        raise NotLabelsError("the objects of the list are no labels of whole texts")
    numbers = [indicator(item[key]) for key in ("value", "score") if isinstance(item.get(key), int | float)]
    return [name] if all(number is not None and number >= 0.5 for number in numbers) else []


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
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def positions_set(rows: Sequence[list[str] | None]) -> list[list[str] | None] | None:
    """Return, as names, the positions of ones in lists of equal length that hold 0, 1 or a probability each.

    Empty lists have no ones. Other lists of names give None.

    Raises:
        NotLabelsError: the lists hold 0 and 1 several times, but are not of equal length.

    """
    lists = [row for row in rows if row]
    numbers = {
        item: indicator(item) for row in lists for item in row if item[:1].isdigit() or item in ("true", "false")
    }
    if not lists or any(numbers.get(item) is None for row in lists for item in row):
        return None
    if len({len(row) for row in lists}) > 1:
        if any(len(set(row)) < len(row) for row in lists):
            raise NotLabelsError("lists of 0 and 1 must have one value for each label, and these differ in length")
        return None
    if len(lists[0]) < 2:
        return None
    return [
        None if row is None else [str(i) for i, item in enumerate(row) if (numbers[item] or 0) >= 0.5] for row in rows
    ]
