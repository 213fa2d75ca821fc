"""Texts with characters that a wrong encoding leaves.

UTF-8 that is read as Windows-1252 turns an accented letter into two characters, as ``é`` into ``Ã©`` and ``’`` into
``â€™``. A letter that no encoding could read becomes U+FFFD. Other wrong encodings leave control
characters, symbols or box-drawing characters inside words. Control characters in place of dashes and quotes are common
in old texts, such as IMDB's reviews, and change no word.
"""

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.labels import visible
from tagline.data.wording import row_place
from tagline.key_findings import KeyFinding, Kind

_LOST = "\N{REPLACEMENT CHARACTER}"
#: What Windows-1252 makes of the second byte of a letter in UTF-8, 80 to BF.
_SECOND = r"\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
#: Those that also follow a word in capitals, which may end with Ã: Portuguese ``IRMÃ…``.
_AFTER_WORDS = r"\u00a0«»·…‘’“”•–—‹›"
_MOJIBAKE = rf"{_LOST}|Ã[{_SECOND}--{_AFTER_WORDS}]|(?:^|\P{{Lu}})Ã[{_AFTER_WORDS}]|â€[{_SECOND}]"
_WRONG = rf"{_MOJIBAKE}|\p{{L}}[\u0080-\u0084\u0086-\u0095\u0098-\u009f]\p{{L}}|\p{{L}}[\u2500-\u259f†‡¤¦¬¶±¹]+\p{{L}}"

_KEY_SHARE = 0.001  # of the texts, below which this is no key finding


def _inspect(data: InspectedData) -> Finding:
    texts = data.table["text"]
    rows = (texts.str.len_bytes() != texts.str.len_chars()).arg_true()  # ASCII is never wrong
    wrong = rows.filter(texts.gather(rows).str.contains(_WRONG))
    n = len(wrong)
    if not n:
        return Finding()
    first = int(wrong[0])
    example = texts[first : first + 1].str.extract(f"({_WRONG})").str.replace("(?s)^.(Ã)", "$1").item()
    place = row_place(data.table, first)
    what = "text contains" if n == 1 else "texts contain"
    sentence = f"{n:,} {what} characters that a wrong encoding leaves, such as `{visible(example)}` (first: {place}). "
    if n / len(texts) < _KEY_SHARE:
        return Finding(warnings=[sentence + _remedy(data)])
    return Finding(key=[KeyFinding(Kind.ENCODING, sentence + _remedy(data), n / len(texts))])


def _remedy(data: InspectedData) -> str:
    if data.encoding:
        return f"Remove `--encoding {data.encoding}`; if they are still there, export the texts again as UTF-8."
    if data.detected:
        return f"{data.detected} was detected: name the right encoding with `--encoding`, or export the texts as UTF-8."
    return "They were decoded wrongly before they were written here: export them again as UTF-8."


INSPECTION = Inspection("wrong characters", _inspect, order=75)
