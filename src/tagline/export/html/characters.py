"""The character tables of a page: which code points are letters, marks, spaces, emoji, and their lower-case forms.

They come from polars, whose engine tokenized the training texts, one code point at a time, and are part of every page:
the Unicode tables of a browser may have another version.
"""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.features.tokenizer import UNSPACED_PATTERN

LETTER, UNSPACED, MARK, SPACE, PICTOGRAPH, CASED, IGNORED_BY_CASE, WORD = (1 << bit for bit in range(8))

_SURROGATES = range(0xD800, 0xE000)  # not characters
_SIGMA, _FINAL = "Σ", "ς"


@cache
def character_tables() -> dict[str, Any]:
    """Return the tables that tokenizer.js reads.

    ``classes`` has [first, last, flags] of each run of code points, flattened; ``lower`` has [first, last, step,
    difference] of each run with the same difference to lower case; ``special`` lists [code point, its lower-case code
    points] if these are several.
    """
    points = np.array([p for p in range(0x110000) if p not in _SURROGATES], dtype=np.int64)
    chars = pl.Series([chr(p) for p in points], dtype=pl.String)
    lower, special = _lower_case(points, chars)
    return {"classes": _runs(points, class_flags(chars)), "lower": lower, "special": special}


def class_flags(chars: pl.Series) -> NDArray[np.uint8]:
    """Return the classes of each character as bits, (n_chars,)."""
    word, unspaced = chars.str.contains(r"\w"), chars.str.contains(UNSPACED_PATTERN)
    # Σ becomes ς after a cased letter, with any number of case-ignorable characters between; nothing else in polars
    # shows which characters these are.
    ends_word = (chars + _SIGMA).str.to_lowercase().str.ends_with(_FINAL)
    seen_through = ("A" + chars + _SIGMA).str.to_lowercase().str.ends_with(_FINAL)
    classes = {
        LETTER: word & ~unspaced,
        UNSPACED: unspaced,
        MARK: chars.str.contains(r"\p{M}"),
        SPACE: chars.str.contains(r"\s"),
        PICTOGRAPH: chars.str.contains(r"\p{Extended_Pictographic}"),
        CASED: ends_word,
        IGNORED_BY_CASE: seen_through & ~ends_word,
        WORD: word,
    }
    flags = np.zeros(len(chars), dtype=np.uint8)
    for flag, members in classes.items():
        flags |= np.where(members.to_numpy(), np.uint8(flag), np.uint8(0))
    return flags


def _runs(points: NDArray[np.int64], flags: NDArray[np.uint8]) -> list[int]:
    new = np.flatnonzero((np.diff(flags, prepend=flags[0] ^ 1) != 0) | (np.diff(points, prepend=-2) != 1))
    ends = np.append(new[1:], len(points)) - 1
    runs = np.column_stack([points[new], points[ends], flags[new]])  # (n_runs, 3)
    return [int(value) for value in runs[runs[:, 2] > 0].ravel()]


def _lower_case(points: NDArray[np.int64], chars: pl.Series) -> tuple[list[int], list[tuple[int, list[int]]]]:
    small = chars.str.to_lowercase()
    changed = (small != chars).to_numpy()
    runs: list[list[int]] = []
    special = []
    for point, to in zip(points[changed].tolist(), small.filter(pl.Series(changed)), strict=True):
        if len(to) > 1:
            special.append((point, [ord(char) for char in to]))
            continue
        difference = ord(to) - point
        run = runs[-1] if runs else None
        # Runs of every letter, as A to Z, or of every other one, as Ā to Į.
        if run and run[3] == difference and point - run[1] in ((1, 2) if run[0] == run[1] else (run[2],)):
            run[1], run[2] = point, point - run[1]
        else:
            runs.append([point, point, 1, difference])
    return [value for run in runs for value in run], special
