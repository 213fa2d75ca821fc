"""What n-grams add to the score of a linear model, a tree or a forest, exactly."""

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.explain.explanation import Attribution, Contribution
from tagline.features.vectorizer import Vectorizer
from tagline.models import Classic, LinearModel, TreeModel


def attribute_ngrams(
    model: Classic, vectorizer: Vectorizer, text: str, output: int, sign: float, temperature: float
) -> Attribution:
    """Return what each n-gram of ``text`` adds to ``sign`` times the output with this number."""
    row = vectorizer.transform(pl.Series([text], dtype=pl.String))
    if isinstance(model, LinearModel):
        factor = sign / temperature
        columns = row.indices.astype(np.int64)
        values = row.data * model.coef[row.indices, output].astype(np.float64) * factor
        intercept = float(model.intercept[output]) * factor
    else:
        columns, values, intercept = _path(model, row, output, sign)
    located = vectorizer.locate(text)
    positions, first, last, spans = located.columns, located.first, located.last, located.tokens
    order = np.argsort(-np.abs(values), kind="stable")
    at = np.argsort(positions, kind="stable")
    sorted_positions = positions[at]
    low = np.searchsorted(sorted_positions, columns, side="left")
    high = np.searchsorted(sorted_positions, columns, side="right")
    contributions = []
    shares = np.zeros(len(spans))
    for name, i in zip(vectorizer.names(columns[order]), order, strict=True):
        places = at[low[i] : high[i]]
        covered = int((last[places] - first[places] + 1).sum())
        for place in places:
            shares[first[place] : last[place] + 1] += values[i] / covered
        where = {(spans[first[place]][0], spans[last[place]][1]) for place in places}
        contributions.append(Contribution(name, float(values[i]), tuple(sorted(where))))
    words = tuple((start, end, float(share)) for (start, end), share in zip(spans, shares, strict=True))
    return Attribution(intercept, intercept + float(values.sum()), tuple(contributions), words)


def _path(
    model: TreeModel, row: sp.csr_matrix, output: int, sign: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Return the columns that were asked for, what the answers added, and the share at the roots."""
    root, added = model.path_contributions(row)
    columns = np.array(sorted(added), dtype=np.int64)
    values = np.array([sign * added[column][output] for column in columns.tolist()], dtype=np.float64)
    share = float(root[output])
    return columns, values, share if sign > 0 else 1.0 - share
