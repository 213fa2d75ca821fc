"""How much of a text looks as if it had been decoded wrongly.

A wrong encoding leaves control characters, box-drawing characters, and symbols or capitals inside words; of bytes of
other languages it makes words of two scripts, or ideographs that hardly any text has.
"""

import re
from functools import cache

_LETTER = r"[^\W\d_]"
_MARKS = "¹²³ªºƒˆ˜ˇ˘˙˛˝"
# Dashes, dots and apostrophes join words. No character may match both alternatives: repeated, they would take
# exponential time.
_SYMBOL = rf"[^\w\s\x00-\x7f–—‐‑…’‘ʼ·•/\u00ad\u200b-\u200f\u3000-\u303f\uff00-\uffef{_MARKS}]|[{_MARKS}]"
_LATIN = r"[A-Za-zÀ-ÖØ-öø-ɏ]"
_BEYOND_ASCII = [chr(point) for point in (*range(0xC0, 0x180), *range(0x370, 0x530))]
_CAPITALS = "".join(filter(str.isupper, _BEYOND_ASCII))
_SMALL = "".join(filter(str.islower, _BEYOND_ASCII))
_NOT_LATIN = r"[Ͱ-ϿЀ-ӿ֐-׿؀-ۿ]"
_WRONG = (
    rf"[\x80-\x84\x86-\x9f\ufffd\ue000-\uf8ff\u2500-\u259f]|(?<={_LETTER})(?:{_SYMBOL})+(?={_LETTER})"
    rf"|(?<!\d)[¹¼¾](?={_LETTER})|(?<={_LATIN}){_NOT_LATIN}|(?<={_NOT_LATIN}){_LATIN}"
    rf"|(?<=[a-z{_SMALL}])[{_CAPITALS}]|(?<=[{_SMALL}])[A-Z]"
)
# Czech, which has ě, ř and ů, has neither ą nor ľ: those are š and ž of ISO 8859-2 in Windows-1250.
_CZECH, _NOT_CZECH = re.compile("[ěřůĚŘŮ]"), re.compile("[ąľĄĽ]")
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff]|[\U00020000-\U0003ffff]")


def implausible_share(text: str) -> float:
    """Return the share of the characters beyond ASCII that a wrong encoding may have left."""
    n = sum(not character.isascii() for character in text)
    wrong = sum(len(found) for found in re.findall(_WRONG, text))  # compiled by the first text: that takes a while
    wrong += sum(character not in _common_ideographs() for character in _IDEOGRAPH.findall(text))
    if _CZECH.search(text):
        wrong += len(_NOT_CZECH.findall(text))
    return min(1.0, wrong / max(1, n))


@cache
def _common_ideographs() -> frozenset[str]:
    """Return the usual characters of Chinese, Japanese and Korean: those of the first levels of their encodings."""
    ranges = {"gb2312": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "euc_jp": (0xB0, 0xCF), "euc_kr": (0xB0, 0xC8)}
    found: set[str] = set()
    for encoding, (first, last) in ranges.items():
        for lead in range(first, last + 1):
            for trail in range(0x40, 0xFF):
                found.update(bytes((lead, trail)).decode(encoding, "ignore"))
    return frozenset(character for character in found if not character.isascii())
