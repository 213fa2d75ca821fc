"""Write the Unicode tables of the compiled tokenizer, `src/tagline/features/_core/*_tables.h`.

The tables are those of polars, character by character, so that the compiled tokenizer and the one in polars give the
same tokens: the classes of its regular expressions, its lower case, its NFC. Saved models name the version of the
tables, `tagline.features.tokenizer.UNICODE`: if a newer polars gives other tables, add them beside these.

    python tools/unicode_tables.py
"""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.export.html.characters import class_flags
from tagline.features.tokenizer import INVISIBLE

FOLDER = Path(__file__).parents[1] / "src/tagline/features/_core"
_HEADER = "/* Written by tools/unicode_tables.py. */\n#include <stdint.h>\n"

_N_POINTS = 0x110000
_PAGE = 256
_HANGUL = range(0xAC00, 0xD7A4)  # composed and decomposed by arithmetic
#: A mark of each canonical combining class that a character may have, as of Unicode 17.
_MARK_OF_CLASS = {
    1: 0x334, 6: 0x16FF0, 7: 0x93C, 8: 0x3099, 9: 0x94D, **{n: 0x5B0 + n - 10 for n in range(10, 20)}, 20: 0x5BB,
    21: 0x5BC, 22: 0x5BD, 23: 0x5BF, 24: 0x5C1, 25: 0x5C2, 26: 0xFB1E, **{n: 0x64B + n - 27 for n in range(27, 35)},
    35: 0x670, 36: 0x711, 84: 0xC55, 91: 0xC56, 103: 0xE38, 107: 0xE48, 118: 0xEB8, 122: 0xEC8, 129: 0xF71, 130: 0xF72,
    132: 0xF74, 202: 0x321, 214: 0x1DCE, 216: 0x31B, 218: 0x302A, 220: 0x316, 222: 0x59A, 224: 0x302E, 226: 0x1D16D,
    228: 0x5AE, 230: 0x300, 232: 0x315, 233: 0x35C, 234: 0x35D, 240: 0x345,
}  # fmt: skip

#: Flag of a combining rank: NFC changes the character, or composes it with one before it.
UNSTABLE = 0x80

Numbers = NDArray[np.integer]


def character_tables() -> str:
    """Return the header of the classes and lower-case forms."""
    points, chars = _characters()
    lower = chars.str.to_lowercase()
    several = (lower.str.len_chars() > 1).arg_true().to_list()
    (pair,) = several  # İ
    first, second = map(ord, lower[pair])
    steps = np.array([ord(char[0]) for char in lower], dtype=np.int64) - points
    flags = class_flags(chars)
    changed = (steps != 0) | chars.is_in([*INVISIBLE, "’"]).to_numpy()
    return "\n".join(
        [
            _HEADER,
            *_trie("classes", "uint8_t", _spread(points, _without_word(flags, changed))),
            *_trie("lower_steps", "int32_t", _spread(points, steps)),
            f"enum {{ LOWER_PAIR_OF = {points[pair]}, LOWER_FIRST = {first}, LOWER_SECOND = {second} }};",
            "",
        ]
    )


def _without_word(flags: Numbers, changed: NDArray[np.bool_]) -> Numbers:
    """Return the classes with the highest bit for the characters that cleaning changes, instead of those of words."""
    return (flags & 0x7F) | np.where(changed, 0x80, 0).astype(np.uint8)


def composition_tables() -> str:
    """Return the header of the normal form NFC."""
    points, chars = _characters()
    nfd, nfc = chars.str.normalize("NFD"), chars.str.normalize("NFC")
    syllables = np.isin(points, list(_HANGUL))
    split = ((nfd != chars).to_numpy() & ~syllables).nonzero()[0]
    parts = [[ord(char) for char in text] for text in nfd.gather(split)]
    pairs = _pairs(chars.gather(split), nfd.gather(split), nfc.gather(split))
    ranks = _ranks(chars)
    vowels_and_finals = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    seconds = {key & 0x1FFFFF for key, _ in pairs} | vowels_and_finals
    unstable = (nfc != chars).to_numpy() | np.isin(points, list(seconds))
    combining = _spread(points, ranks | np.where(unstable, UNSTABLE, 0).astype(np.uint8))
    ends = np.cumsum([len(each) for each in parts])
    return "\n".join(
        [
            _HEADER,
            *_trie("combining", "uint8_t", combining),
            f"enum {{ N_DECOMPOSED = {len(split)}, N_COMPOSED = {len(pairs)} }};",
            *_array("decomposed", "uint32_t", points[split]),
            *_array("part_ends", "uint16_t", ends),
            *_array("parts", "uint32_t", np.concatenate(parts)),
            *_array("pairs", "uint64_t", np.array([key for key, _ in pairs])),
            *_array("composed", "uint32_t", np.array([point for _, point in pairs])),
            "",
        ]
    )


def _characters() -> tuple[NDArray[np.int64], pl.Series]:
    """Return the code points that are characters, and the characters."""
    points = np.array([p for p in range(_N_POINTS) if not 0xD800 <= p < 0xE000], dtype=np.int64)
    return points, pl.Series([chr(p) for p in points], dtype=pl.String)


def _spread(points: Numbers, values: Numbers) -> Numbers:
    """Return the values of all code points, 0 for surrogates, (n_points,)."""
    every = np.zeros(_N_POINTS, dtype=values.dtype)
    every[points] = values
    return every


def _ranks(chars: pl.Series) -> NDArray[np.uint8]:
    """Return the rank of each character's canonical combining class among these, 0 for starters, (n_chars,).

    Decomposition swaps two marks if the class of the first is greater. Compared with a mark of each class, a character
    that is a mark stays where it is before and after that of its own class only.
    """
    ranks = np.zeros(len(chars), dtype=np.uint8)
    alone = chars.str.normalize("NFD") == chars
    low, high = chr(_MARK_OF_CLASS[1]), chr(_MARK_OF_CLASS[230])
    marks = ((chars + low).str.normalize("NFD") != chars + low) | ((high + chars).str.normalize("NFD") != high + chars)
    for at in (marks & alone).arg_true():
        char = chars[at]
        both = pl.DataFrame({"mark": [chr(point) for point in _MARK_OF_CLASS.values()]}).select(
            before=(char + pl.col("mark")).str.normalize("NFD") == char + pl.col("mark"),
            after=(pl.col("mark") + char).str.normalize("NFD") == pl.col("mark") + char,
        )
        (rank,) = (both["before"] & both["after"]).arg_true()
        ranks[at] = rank + 1
    return ranks


def _pairs(chars: pl.Series, nfd: pl.Series, nfc: pl.Series) -> list[tuple[int, int]]:
    """Return (first << 21 | second, composed) of the characters that two others compose to, ascending."""
    stays = nfc == chars
    found = []
    for char, parts in zip(chars.filter(stays), nfd.filter(stays), strict=True):
        first, second = pl.Series([parts[:-1], parts[-1]]).str.normalize("NFC")
        assert len(first) == 1, f"{ord(char):x} does not end with the second character of its pair"
        found.append((ord(first) << 21 | ord(second), ord(char)))
    return sorted(found)


def _trie(name: str, kind: str, values: Numbers) -> list[str]:
    """Return the declarations of ``name_page``, by the upper bits of a code point, and of the distinct pages."""
    pages, page_of = np.unique(values.reshape(-1, _PAGE), axis=0, return_inverse=True)
    return [*_array(f"{name}_page", "uint16_t", page_of.ravel()), *_array(name, kind, pages.ravel())]


def _array(name: str, kind: str, values: Numbers) -> list[str]:
    lines, line = [], ""
    for value in values.tolist():
        if len(line) + len(str(value)) > 118:
            lines.append(line)
            line = ""
        line += f"{value},"
    return [f"static const {kind} {name}[{len(values)}] = {{", *lines, line, "};"]


TABLES = {"character_tables.h": character_tables, "composition_tables.h": composition_tables}


def main() -> None:
    """Write the headers."""
    for name, table in TABLES.items():
        (FOLDER / name).write_text(table(), encoding="ascii")


if __name__ == "__main__":
    main()
