"""What lines of text without columns begin with, where that may be their labels."""

import re
import shlex
from itertools import takewhile

import polars as pl

_LINES = 1000
_FEWEST_LINES = 10
_BEFORE_COLON = re.compile(r"([^\s:]{1,40}): ")


def beginning_hint(texts: pl.Series) -> str:
    """Return a sentence on the option that reads the labels with which all lines seem to begin; "" if none do."""
    lines = [line.strip() for line in texts.drop_nulls().head(_LINES) if line.strip()]
    if len(lines) < _FEWEST_LINES:
        return ""
    # What the first and the last line in alphabetical order begin with, all lines do.
    both = takewhile(lambda pair: pair[0] == pair[1], zip(min(lines), max(lines), strict=False))
    common = "".join(one for one, _ in both)
    prefix = common.rstrip("".join({character for character in common if character.isalnum()}))
    if prefix and not any(character.isspace() for character in prefix):
        words = [word for line in lines for word in line[len(prefix) :].split(maxsplit=1)[:1]]
        if _may_be_labels(words, len(lines)):
            option = f"--label-prefix {shlex.quote(prefix)}"
            return f"No `__label__` was found, but every line begins with `{prefix}`: give `{option}`."
    found = [match[1] for match in map(_BEFORE_COLON.match, lines) if match]
    if _may_be_labels(found, len(lines)):
        return "No `__label__` was found, but every line begins with a word and a colon: give `--separator :`."
    return ""


def _may_be_labels(words: list[str], n_lines: int) -> bool:
    return len(words) == n_lines and 2 <= len(set(words)) <= n_lines // 2
