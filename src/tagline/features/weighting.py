"""Weights of n-grams: document frequencies, TF-IDF and naive Bayes log-count ratios.

Matrices are CSR, (n_texts, n_columns); counts are float32. ``Y`` is the boolean class matrix, (n_texts, n_classes).
"""

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.task import Bools, Floats, Ints

TermFrequency = Literal["binary", "log", "count"]
_ROWS = 1024  # weighted together, so that they fit in the processor's cache
_NOT_ZERO = 1e-300  # there may be no column


def document_frequency(counts: sp.csr_matrix) -> Ints:
    """Return in how many texts each column occurs, (n_columns,)."""
    return np.bincount(counts.indices, minlength=counts.shape[1])


def weighted_document_frequency(counts: sp.csr_matrix, weights: Floats) -> Floats:
    """Return the total weight, of (n_texts,), of the texts in which each column occurs, (n_columns,)."""
    of_entries = np.repeat(weights, np.diff(counts.indptr))
    return np.asarray(np.bincount(counts.indices, of_entries, counts.shape[1]), dtype=np.float64)


def spread(df: Ints, n_texts: int) -> NDArray[np.float16]:
    """Return the standard deviation of the occurrence, 0 or 1, of each column, in half precision: sqrt(p (1 - p))."""
    p = df / max(1, n_texts)
    return np.sqrt(p * (1.0 - p)).astype(np.float16)


def idf(df: Ints | Floats, n_texts: float) -> Floats:
    """Return the smoothed inverse document frequency, ln((1 + n) / (1 + df)) + 1, as scikit-learn defines it."""
    return np.asarray(np.log((1.0 + n_texts) / (1.0 + df)) + 1.0)


def log_count_ratios(
    counts: sp.csr_matrix,
    Y: Bools,
    df: Ints | Floats,
    alpha: float = 1.0,
    *,
    known: Bools | None = None,
    weights: Floats | None = None,
) -> Floats:
    """Return the log-count ratio of each column for each class against the rest, (n_classes, n_columns).

    With p_f the number of texts of the class that contain column f, plus ``alpha``, and q_f that of the other texts,
    r_f = ln((p_f / |p|_1) / (q_f / |q|_1)) (Wang and Manning 2012, "Baselines and bigrams").

    Args:
        counts: (n_texts, n_columns).
        Y: the class matrix, (n_texts, n_classes).
        df: the document frequency of ``counts``, weighted if there are weights, (n_columns,).
        alpha: added to p and q.
        known: the columns that the sums |.|_1 run over, (n_columns,), so that columns of other texts do not shift the
            rest; by default all.
        weights: how many times each text counts, (n_texts,); by default once.

    """
    present = sp.csr_matrix(
        (np.ones(len(counts.indices), dtype=np.float32), counts.indices, counts.indptr), shape=counts.shape
    )
    members = sp.csr_matrix(Y.T.astype(np.float32) if weights is None else (Y * weights[:, np.newaxis]).T)
    p = np.asarray((members @ present).todense(), dtype=np.float64)
    q = df[np.newaxis, :] - p
    if weights is not None:
        np.maximum(q, 0.0, out=q)  # sums in another order may differ in the last digit
    p += alpha
    q += alpha
    where = np.ones(counts.shape[1], dtype=bool) if known is None else known
    p /= p.sum(axis=1, keepdims=True, where=where, initial=_NOT_ZERO)
    q /= q.sum(axis=1, keepdims=True, where=where, initial=_NOT_ZERO)
    return np.asarray(np.log(p) - np.log(q))


def discriminative_scale(
    counts: sp.csr_matrix,
    Y: Bools,
    df: Ints | Floats,
    floor: float,
    *,
    known: Bools | None = None,
    weights: Floats | None = None,
) -> Floats:
    """Return the scale of each column, (n_columns,): idf_f * sqrt(floor² + mean over classes of r_fc²).

    One scale serves all classes. It is the kernel sum of TF-IDF (weighted by ``floor``) and NB-weighted features:
    ``floor`` 0 gives the NB-SVM of Wang and Manning for two classes, a large one plain TF-IDF. The sum over
    classes runs in blocks, so that many classes need no dense matrix of all ratios. The other arguments are those of
    `log_count_ratios`.
    """
    n_classes = Y.shape[1]
    if n_classes == 2 and bool((Y.sum(axis=1) == 1).all()):
        Y, n_classes = Y[:, :1], 1  # the ratios of the two classes differ only in sign
    squares = np.zeros(counts.shape[1])
    block = 64
    for start in range(0, n_classes, block):
        ratios = log_count_ratios(counts, Y[:, start : start + block], df, known=known, weights=weights)
        squares += np.square(ratios).sum(axis=0)
    n_texts = counts.shape[0] if weights is None else float(weights.sum())
    return np.asarray(idf(df, n_texts) * np.sqrt(floor**2 + squares / n_classes))


def weigh(counts: sp.csr_matrix, scale: NDArray[np.floating], tf: TermFrequency, *, unit: bool) -> sp.csr_matrix:
    """Return tf(counts) * scale, each row normalized if ``unit``; CSR float64 that shares its pattern."""
    data = np.empty(len(counts.data), dtype=np.float64)
    for first in range(0, counts.shape[0], _ROWS):
        ends = counts.indptr[first : first + _ROWS + 1]
        part = slice(int(ends[0]), int(ends[-1]))
        values = _frequency(counts.data[part], tf)
        values *= scale[counts.indices[part]]
        if unit:
            sizes = np.diff(ends)
            squares = np.bincount(np.repeat(np.arange(len(sizes)), sizes), np.square(values), len(sizes))
            squares[squares == 0.0] = 1.0
            values /= np.repeat(np.sqrt(squares), sizes)
        data[part] = values
    return sp.csr_matrix((data, counts.indices, counts.indptr), shape=counts.shape)


def _frequency(counts: NDArray[np.float32], tf: TermFrequency) -> Floats:
    if tf == "binary":
        return np.ones(len(counts))
    if tf == "log":
        values = np.ones(len(counts))
        repeated = np.flatnonzero(counts > 1.0)  # few: most n-grams occur once in a text
        values[repeated] += np.log(counts[repeated], dtype=np.float64)
        return values
    return counts.astype(np.float64)
