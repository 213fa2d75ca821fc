"""Contributions of n-grams, or of whatever else the columns of a row are."""

from typing import Any

import numpy as np

from tagline.explain.explanation import Attribution, Contribution
from tagline.features.base import Featurizer
from tagline.models.base import Contributions


def attribute_columns(features: Featurizer, text: str, X: Any, found: Contributions) -> Attribution:
    """Return what each feature of ``text`` adds, from the contributions of the columns of ``X``, its row."""
    columns, values = found.columns, found.values
    located = features.locate(text)
    positions, first, last, spans = located.columns, located.first, located.last, located.tokens
    order = np.argsort(-np.abs(values), kind="stable")
    at = np.argsort(positions, kind="stable")
    sorted_positions = positions[at]
    low = np.searchsorted(sorted_positions, columns, side="left")
    high = np.searchsorted(sorted_positions, columns, side="right")
    contributions = []
    shares = np.zeros(len(spans))
    for name, i in zip(features.names(columns[order]), order, strict=True):
        places = at[low[i] : high[i]]
        covered = int((last[places] - first[places] + 1).sum())
        for place in places:
            shares[first[place] : last[place] + 1] += values[i] / covered
        where = {(spans[first[place]][0], spans[last[place]][1]) for place in places}
        contributions.append(Contribution(name, float(values[i]), tuple(sorted(where))))
    words = tuple((start, end, float(share)) for (start, end), share in zip(spans, shares, strict=True))
    return Attribution(found.intercept, found.score, tuple(contributions), words)
