"""HTML in texts, such as ``<br />`` in reviews from the web, as readers would see it."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from html import unescape

_BLOCKS = "article blockquote br dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li ol p pre section table tr ul"
_INLINE = (
    "a abbr acronym b big body center cite code del em font form head html i img input ins kbd label link meta nobr "
    "option s script select small span strike strong style sub sup tbody td tfoot th thead title tt u var wbr"
)
# Attributes follow the names of tags in HTML, anything in comparisons such as `a <b && c> d`: those stay in the text.
_VALUE = r"""(?:"[^"<>]{0,300}"|'[^'<>]{0,300}'|[^\s"'<>=][^\s"'<>]{0,299})"""
_SWITCH = (
    "async checked compact controls declare defer disabled hidden ismap multiple nohref noshade nowrap readonly "
    "required reversed selected"
)
_ATTRIBUTE = rf"(?:[a-z_:][\w:.-]{{0,60}}\s{{0,9}}=\s{{0,9}}{_VALUE}|(?:{'|'.join(_SWITCH.split())})(?=[\s/>]))"
_NAME = rf"(?:{'|'.join([*_BLOCKS.split(), *_INLINE.split()])})"
_TAG = rf"<{_NAME}(?:\s{{1,99}}{_ATTRIBUTE}){{0,30}}\s{{0,99}}/?>|</{_NAME}\s{{0,99}}>|<!--(?:(?!-->).){{0,300}}-->"
_TAGS = rf"(?:(?:{_TAG})\s*)+"
_ENTITY = r"&(?:[a-z]{2,8}|#\d{1,6}|#x[\da-f]{1,5});"
_HTML = re.compile(rf"(?P<tags>{_TAGS})|{_ENTITY}", re.IGNORECASE | re.DOTALL)
_BLOCK = re.compile(rf"</?(?:{'|'.join(_BLOCKS.split())})\b", re.IGNORECASE)

Span = tuple[int, int, float]


def without_tags(text: str, spans: Iterable[Span]) -> tuple[str, list[Span]]:
    r"""Return a text without HTML tags and with characters for entities, and its spans at their new places.

    What separates paragraphs becomes a line break. A span that lies within a tag is left out.

    >>> without_tags("Good.<br /><br />&quot;Fine&quot;", [(0, 4, 1.0), (6, 8, 0.5), (23, 27, 2.0)])
    ('Good.\n"Fine"', [(0, 4, 1.0), (7, 11, 2.0)])
    """
    parts: list[str] = []
    starts, ends, new_starts, new_ends = [], [], [], []
    position = length = 0
    for found in _HTML.finditer(text):
        written = _written(found, at_start=not length and found.start() == position)
        if written == found[0]:
            continue
        parts += [text[position : found.start()], written]
        length += found.start() - position
        starts.append(found.start())
        ends.append(found.end())
        new_starts.append(length)
        length += len(written)
        new_ends.append(length)
        position = found.end()
    if not parts:
        return text, list(spans)

    def moved(at: int, within: Sequence[int]) -> int:
        k = bisect_right(starts, at) - 1
        if k < 0:
            return at
        return within[k] if at < ends[k] else new_ends[k] + at - ends[k]

    places = [(moved(start, new_ends), moved(end, new_starts), value) for start, end, value in spans]
    return "".join([*parts, text[position:]]), [span for span in places if span[0] < span[1]]


def _written(found: re.Match[str], *, at_start: bool) -> str:
    """Return what stands for tags or an entity."""
    if not found["tags"]:
        return unescape(found[0])
    if at_start:
        return ""
    if _BLOCK.search(found[0]):
        return "\n"
    return " " if re.search(r">\s", found[0]) else ""
