r"""JSON from anybody: bounded in depth, and without lone surrogates, which no UTF-8 text can hold.

JSON can write half of a character, ``"\ud83d"``: programs that cut strings by UTF-16 units leave such halves. They
become U+FFFD, the replacement character.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from tagline.data.reading import ReadLog

#: Data is hardly ever nested deeper, and neither polars nor recursive functions are made for much more.
MAX_DEPTH = 64
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


def parse_json(text: str, log: ReadLog | None = None) -> Any:
    """Return the value of a JSON text; ``log`` counts the lone surrogates that are replaced.

    Raises:
        ValueError: the text is no JSON, or nested deeper than `MAX_DEPTH`.

    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError) as error:
        raise ValueError(why_not_read(error)) from None
    if text.count("[") + text.count("{") > MAX_DEPTH:
        check_depth(value)
    return replace_surrogates(value, log) if _ESCAPED_SURROGATE.search(text) else value


def why_not_read(error: Exception) -> str:
    """Say why Python does not read a JSON text: its message about numbers advises a change of its settings."""
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    return "a number has too many digits" if "set_int_max_str_digits" in str(error) else str(error)


def check_depth(value: Any) -> None:
    """Raise `ValueError` for a value that is nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item) if isinstance(child, list | dict)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def replace_surrogates(value: Any, log: ReadLog | None = None) -> Any:
    r"""Return a value whose strings have U+FFFD for each surrogate; ``log`` counts them.

    >>> replace_surrogates(["a\ud83d", {"b\ud83d": 1}]) == ["a\ufffd", {"b\ufffd": 1}]
    True
    """
    if isinstance(value, str):
        text, n = _SURROGATE.subn("\ufffd", value)
        if log is not None:
            log.n_surrogates += n
        return text
    if isinstance(value, dict):
        return {replace_surrogates(key, log): replace_surrogates(item, log) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_surrogates(item, log) for item in value]
    return value
