"""Where the tokens that a Python function returns stand in a text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

import polars as pl

from tagline.features.located import Span
from tagline.features.tokenizer import UNSPACED_PATTERN

_MOST_PLACES = 50  # of one token, those nearest to where it is expected: so time grows with the text only


def align(tokens: Sequence[str], text: str) -> list[Span | None]:
    """Return the span of each token in ``text``, (start, end), or None if it has none, such as a lemma.

    It is the longest alignment in the order of the text: a token that the text lacks, or holds only further on, has no
    span and leaves those after it in place. Tokens may overlap, as bigrams of characters do. A token starts where a
    word starts, or where the token before it ends or overlaps it.

    >>> align(["he", "run", "to", "run"], "he ran to run")
    [(0, 2), None, (7, 9), (10, 13)]
    """
    places = _places(tokens, text)
    # The longest strictly increasing sequence of spans, one of each token at most: J. W. Hunt, T. G. Szymanski, A fast
    # algorithm for computing longest common subsequences, CACM 20 (1977).
    ends: list[Span] = []  # the least last span of a sequence of each length
    links: list[int] = []  # the entry of `chain` that holds it
    chain: list[tuple[int, Span, int]] = []  # token, span, and the entry before it, or -1
    for number, spans in enumerate(places):
        for span in reversed(spans):  # the last one first, so that one token does not follow itself
            length = bisect_left(ends, span)
            entry = (number, span, links[length - 1] if length else -1)
            if length == len(ends):
                ends.append(span)
                links.append(len(chain))
            elif span < ends[length]:
                ends[length], links[length] = span, len(chain)
            else:
                continue
            chain.append(entry)
    found: list[Span | None] = [None] * len(tokens)
    at = links[-1] if links else -1
    while at >= 0:
        number, span, at = chain[at]
        found[number] = span
    return found


def _places(tokens: Sequence[str], text: str) -> list[list[Span]]:
    """Return the spans where each token may stand, in ascending order."""
    starts = {match.start() for match in re.finditer(r"\b\w", text)}
    starts.update(pl.Series(list(text), dtype=pl.String).str.contains(UNSPACED_PATTERN).arg_true().to_list())
    occurrences = {token: _occurrences(token, text) for token in set(tokens)}
    places: list[list[Span]] = []
    before: list[Span] = []
    for number, token in enumerate(tokens):
        found = occurrences[token]
        if len(found) > _MOST_PLACES:
            middle = bisect_right(found, len(text) * number // len(tokens))
            first = min(max(0, middle - _MOST_PLACES // 2), len(found) - _MOST_PLACES)
            found = found[first : first + _MOST_PLACES]
        spans = [
            (start, start + len(token))
            for start in found
            if start in starts or not token[0].isalnum() or _touches(before, start)
        ]
        places.append(spans)
        before = spans
    return places


def _touches(spans: Sequence[Span], start: int) -> bool:
    """Say whether one of some spans of one token, in ascending order, ends at a place or reaches over it."""
    at = bisect_right(spans, start, key=itemgetter(0))  # spans of one length: the last before it reaches furthest
    return at > 0 and spans[at - 1][1] >= start


def _occurrences(token: str, text: str) -> list[int]:
    """Return where a token starts in a text, in ascending order, also where it overlaps itself."""
    found = []
    start = text.find(token)
    while start >= 0:
        found.append(start)
        start = text.find(token, start + 1)
    return found
