"""A text with the words that decided marked in it, long ones cut to what matters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tagline.report.markup.html_tags import without_tags

# Characters that could end the document early, reorder the text around them, or are not text at all.
# One is replaced by one, so that spans keep their places.
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_WHOLE = 640  # characters; a longer text is shown as excerpts
_BEGINNING = 200  # characters of a text of which only the beginning is shown
_AROUND = 90  # characters of context on each side of a strong word
_STRONGEST = 6
_WEAKEST_SHOWN = 0.25  # of the strongest contribution: weaker words are not marked, so that the strongest stand out


@dataclass(frozen=True)
class Piece:
    """A stretch of text and its contribution to the prediction.

    Attributes:
        text: Without characters that could harm the page.
        contribution: Positive is evidence for the prediction, negative against it, 0 is unmarked.
        strength: Between 0 and 1, relative to the strongest word of the text.
        cut: Whether text was left out before this piece.

    """

    text: str
    contribution: float = 0.0
    strength: float = 0.0
    cut: bool = False


def harmless(text: str) -> str:
    r"""Replace control and direction characters, one by one, so that offsets stay true.

    >>> harmless("a\x00b")
    'a�b'
    """
    return _HOSTILE.sub("\N{REPLACEMENT CHARACTER}", text)


def excerpt(text: str) -> str:
    """Return the beginning of a text in one line, without HTML tags.

    >>> excerpt("A<br />dull   film")
    'A dull film'
    """
    readable, _ = without_tags(text, ())
    line = harmless(" ".join(readable.split()))
    end = _word_end(line, _BEGINNING)
    return line if end == len(line) else f"{line[:end]} …"


def pieces(text: str, spans: Sequence[tuple[int, int, float]]) -> tuple[list[Piece], bool]:
    """Split a text at its spans; return the pieces, and whether the text goes on after the last.

    HTML tags are left out, see `without_tags`.
    Contributions of spans that overlap (a word and a pair of words with it) add up where they do.

    Args:
        text: The text the offsets refer to.
        spans: ``(start, end, contribution)`` in characters.

    >>> [(piece.text, piece.contribution) for piece in pieces("so bad", [(3, 6, -1.0)])[0]]
    [('so ', 0.0), ('bad', -1.0)]

    """
    valid = [(start, end, value) for start, end, value in spans if 0 <= start < end <= len(text)]
    readable, moved = without_tags(text, valid)
    clean, summed = harmless(readable), _summed(moved)
    strongest = max((abs(value) for _, _, value in summed), default=0.0)
    found: list[Piece] = []
    windows = _windows(clean, summed)
    for low, high in windows:
        cut = low > 0
        position = low
        for start, end, value in summed:
            start, end = max(start, low), min(end, high)
            if start >= end or not value or abs(value) < _WEAKEST_SHOWN * strongest:
                continue
            if position < start:
                found.append(Piece(clean[position:start], cut=cut))
                cut = False
            found.append(Piece(clean[start:end], value, abs(value) / strongest, cut))
            cut, position = False, end
        if position < high:
            found.append(Piece(clean[position:high], cut=cut))
    return found, bool(windows) and windows[-1][1] < len(clean)


def _summed(spans: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Return stretches that do not overlap, in order, with the sums of the spans that cover them."""
    changes: dict[int, float] = {}
    cover: dict[int, int] = {}
    for start, end, value in spans:
        changes[start] = changes.get(start, 0.0) + value
        changes[end] = changes.get(end, 0.0) - value
        cover[start] = cover.get(start, 0) + 1
        cover[end] = cover.get(end, 0) - 1
    total, covered, stretches = 0.0, 0, []
    for start, end in pairwise(sorted(changes)):
        total += changes[start]
        covered += cover[start]
        if covered:
            stretches.append((start, end, total))
    return stretches


def _windows(text: str, stretches: list[tuple[int, int, float]]) -> list[tuple[int, int]]:
    """Return the parts of a text to show: all of a short one, else the context of its strongest words."""
    if len(text) <= _WHOLE:
        return [(0, len(text))]
    strongest = sorted(stretches, key=lambda stretch: -abs(stretch[2]))[:_STRONGEST]
    if not strongest:
        return [(0, _word_end(text, _WHOLE))]
    windows: list[tuple[int, int]] = []
    for start, end, _ in sorted(strongest):
        # A stretch is usually one or a few words; of a whole text only the beginning is shown.
        low, high = max(0, start - _AROUND), min(len(text), min(end, start + _WHOLE) + _AROUND)
        low, high = _word_start(text, low), _word_end(text, high)
        if windows and low <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(high, windows[-1][1]))
        else:
            windows.append((low, high))
    return windows


def _word_start(text: str, at: int) -> int:
    """Move forward to the next start of a word, if one is near."""
    if at == 0:
        return 0
    space = text.find(" ", at, at + 20)
    return at if space < 0 else space + 1


def _word_end(text: str, at: int) -> int:
    """Move back to the last end of a word, if one is near."""
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", at - 20, at)
    return at if space < 0 else space
