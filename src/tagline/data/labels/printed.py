"""Lists and objects in a cell as text: JSON, and what Python, NumPy, PyTorch, TensorFlow, pandas and R print."""

import ast
import html
import re
from typing import Any

import polars as pl

from tagline.data.json_values import parse_json, replace_surrogates

_LONGEST = 20_000  # characters of a cell that is parsed
_LONGEST_PRINTED = 2_000  # characters of a cell that is looked at for what was printed
_EMPTY = ("{}", "()", "set()")
_BRACKETS = ("[]", "{}", "()")
_IN_STRING = ('"[]"', '"{}"')
_QUOTED = r"'[^']*'|\"[^\"]*\""
#: Arrays as NumPy prints them: ``['a' 'b']``, which Python would read as one string, and ``[0 1 0]``.
_NAME = rf"(?:{_QUOTED}|nan|None)"
_NAMES_ARRAY = re.compile(rf"\[\s*{_NAME}(?:\s+{_NAME})+\s*\]")
# A number must match in one way only: several, repeated, would take exponential time.
_ITEM = r"(?:[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?|True|False)"
_NUMBERS_ARRAY = re.compile(rf"\[\s*{_ITEM}(?:\s+{_ITEM})*\s*\]")
#: A missing value among others, as Python, pandas and R print it.
_MISSING = re.compile(rf"({_QUOTED})|\b(?:nan|NaN|NaT|NA)\b|<NA>")
_ESCAPED_QUOTE = re.compile("&(?:quot|#0?3[49]|apos);")

_CALLS = "[tT]ensor|[aA]rray|Index|frozenset|deque|dict_keys|dict_values|list|tuple|OrderedDict|Counter"
_ARGUMENT = r",\s*\w+=(?:\([^()]*\)|[^\])(]*)"
_R_VECTOR = r"^c\(([\"'\d-].*)\)$"
_TENSOR = r"(?s)^<tf\.Tensor: .*\bnumpy=(.*)>$"
#: What begins a cell that a program printed instead of its value: ``tensor([0, 1])``, ``np.str_('a')``, ``b'a'``.
PRINTED = rf"^\[?(?:\w+\.)?(?:{_CALLS}|str_|u?int\d+|float\d+|bool_?)\(|^b'|{_R_VECTOR}|^character\(0\)$|^<tf\.Tensor: "

#: What cannot be read back, and why.
_UNREADABLE = (
    (
        re.compile(rf"(?s)(?:(?:\w+\.)?(?:{_CALLS})\()?[\[(].*[\d.'\"],?\s+\.\.\.,?\s+[-\d.'\"].*[\])]"),
        "it was shortened with `...` when it was printed: write all of its values",
    ),
    (re.compile(r"a:\d+:\{.*\}"), "it is an array as PHP's `serialize` writes it: write JSON, with `json_encode`"),
    (re.compile(r"<.+ at 0x[0-9a-fA-F]+>"), "it is what Python prints of an object: write its value"),
    (re.compile(r"(?s)[A-Za-z][\w.]*\((?:\[.*\]|\{.*\}).*\)"), "it is what a program prints: write a list"),
)  # fmt: skip


def parsed(text: str) -> list[Any] | dict[Any, Any] | None:
    """Return the list or object that a string is in JSON, or as Python or NumPy prints it; None if it is neither.

    Missing values of lists are None.

    >>> parsed('{"choices": ["a"]}'), parsed("['a', 'b']"), parsed("[0 1 0]"), parsed("a, b")
    ({'choices': ['a']}, ['a', 'b'], ['0', '1', '0'], None)
    """
    if text in _EMPTY:
        return []
    if len(text) > _LONGEST:
        return None
    if text[:2] + text[-2:] in _IN_STRING:
        return _in_string(text)
    if text[:1] + text[-1:] not in _BRACKETS:
        return None
    if _ESCAPED_QUOTE.search(text):
        text = html.unescape(text)
    if _NAMES_ARRAY.fullmatch(text):
        return [name[1:-1] for name in re.findall(_QUOTED, text)]
    if _NUMBERS_ARRAY.fullmatch(text):
        return [item.removesuffix(".").lower() for item in text[1:-1].split()]
    value = _evaluated(text)
    if value is None and _MISSING.sub("", text) != re.sub(_QUOTED, "", text):
        value = _evaluated(_MISSING.sub(lambda found: found[1] or "None", text))
    if isinstance(value, list):
        return [None if item != item else item for item in value]  # NaN
    return value


def _in_string(text: str) -> list[Any] | dict[Any, Any] | None:
    """Return the list or object in a JSON string, as programs that write JSON twice leave it."""
    try:
        inner = parse_json(text)
    except ValueError:
        return None
    return parsed(inner.strip()) if isinstance(inner, str) else None


def _evaluated(text: str) -> list[Any] | dict[Any, Any] | None:
    for read in (parse_json, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, set | frozenset):
            value = sorted(value, key=str)
        if isinstance(value, tuple):
            value = list(value)
        if isinstance(value, list | dict):
            return replace_surrogates(value)  # type: ignore[no-any-return]  # of the same type
    return None


def without_constructors(texts: pl.Series) -> pl.Series:
    """Return strings without the calls that programs print around the values of a list or of a scalar, (n,).

    >>> without_constructors(pl.Series(["tensor([0, 1])", "[np.str_('a')]", "b'a'", "frozenset()"])).to_list()
    ['[0, 1]', "['a']", 'a', 'set()']
    >>> without_constructors(pl.Series(['c("a", "b")', "Index(['a'], dtype='object')"])).to_list()
    ['["a", "b"]', "['a']"]
    """
    texts = texts.str.replace(_TENSOR, "$1").str.replace(_R_VECTOR, "[$1]").str.replace(r"^character\(0\)$", "[]")
    texts = texts.str.replace_all(r"\b(?:np|numpy)\.(?:\w+_|u?int\d+|float\d+|bool)\(([^()]*)\)", "$1")
    texts = texts.str.replace(rf"^(?:{_CALLS})\(\)$", "set()")
    texts = texts.str.replace(rf"(?s)^(?:\w+\.)?(?:{_CALLS})\((\s*[\[({{'\"\d-].*?)(?:{_ARGUMENT})*\)$", "$1")
    return texts.str.replace(r"^b'([^']*)'$", "$1").str.replace(r"^'([^']*)'$", "$1")


def why_unreadable(text: str) -> str | None:
    """Return why a string, which a program printed, holds no value that can be read back; None if it may be a name.

    >>> why_unreadable("[0 1 ... 0]"), why_unreadable("billing")
    ('it was shortened with `...` when it was printed: write all of its values', None)
    """
    if len(text) > _LONGEST_PRINTED:
        return None
    return next((reason for pattern, reason in _UNREADABLE if pattern.fullmatch(text)), None)


def is_structure(label: str) -> bool:
    """Say whether a label is a list or an object."""
    return parsed(label) is not None
