"""Characters that tests of tokens try one by one; found when a test asks for them, which takes a second."""

import unicodedata
from functools import cache

POINTS = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000]
# They differ in nothing else than their numbers; ideographs for compatibility, which decompose, have another name.
_IDEOGRAPHS = ("CJK UNIFIED IDEOGRAPH", "TANGUT IDEOGRAPH")


@cache
def distinct() -> list[str]:
    """Return all characters with a meaning, but only every eleventh of a hundred thousand ideographs."""
    meant = [char for char in map(chr, POINTS) if unicodedata.category(char) not in ("Cn", "Co")]
    ideographs = [char for char in meant if unicodedata.name(char, "").startswith(_IDEOGRAPHS)]
    return sorted({*meant}.difference(ideographs).union(ideographs[::11]))


@cache
def alike() -> list[str]:
    """Return the other characters, a million: they differ from each other in the Unicode tables if at all."""
    return sorted({*map(chr, POINTS)}.difference(distinct()))
