"""Contributions of words, for models of word ids."""

from typing import Any

import numpy as np

from tagline.explain.explanation import START_OF_TEXT, UNKNOWN_WORDS, Attribution, Contribution, Span, WordContribution
from tagline.features.encoder import Encoder
from tagline.features.located import Located
from tagline.features.sequences import START, UNKNOWN
from tagline.models.base import Contributions
from tagline.task import Floats


def attribute_words(encoder: Encoder, text: str, X: Any, found: Contributions) -> Attribution:
    """Return what each word of ``text`` adds, from the contributions of the columns of ``X``, its row."""
    located = encoder.locate(text)
    added = np.zeros(X.shape[1])
    added[found.columns] = found.values
    start: float | None
    if encoder.kind == "multihot":
        values = added[located.columns] / np.bincount(located.columns, minlength=len(added))[located.columns]
        start = float(added[START])
    else:
        values = added[located.columns]
        is_start = X[0] == START
        start = float(added[is_start].sum()) if is_start.any() else None
    contributions = _by_word(encoder, located, values)
    if start is not None:
        contributions.append(Contribution(START_OF_TEXT, start, ()))
    contributions.sort(key=lambda part: -abs(part.value))
    shares = np.zeros(len(located.tokens))
    shares[located.first] = values
    words = tuple((*span, share) for span, share in zip(located.tokens, shares.tolist(), strict=True))
    by_word = tuple(WordContribution(part.name, part.value, part.spans, (part,)) for part in contributions)
    return Attribution(found.intercept, found.score, tuple(contributions), by_word, words)


def _by_word(encoder: Encoder, located: Located, values: Floats) -> list[Contribution]:
    """Return the contribution of each word over all its occurrences; to the network all unknown words are one."""
    ids, which = np.unique(located.features, return_inverse=True)
    sums = np.bincount(which, values, len(ids))
    spans: list[list[Span]] = [[] for _ in ids]
    for word, span in zip(which.tolist(), located.spans, strict=True):
        spans[word].append(span)
    names = [UNKNOWN_WORDS if i == UNKNOWN else name for i, name in zip(ids, encoder.names(ids), strict=True)]
    return [Contribution(*part) for part in zip(names, sums.tolist(), map(tuple, spans), strict=True)]
