"""Frequencies, log-count ratios and weighted rows in NumPy: the reference of `native`, whose functions these are."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.task import Bools, Floats, Ints

_ROWS = 1024  # weighted together, so that they fit in the processor's cache
_NOT_ZERO = 1e-300  # there may be no column


def document_frequency(counts: sp.csr_matrix, rows: Ints | None) -> Ints:
    """Return in how many rows each column occurs, (n_columns,)."""
    return np.bincount(_selected(counts, rows).indices, minlength=counts.shape[1])


def log_count_ratios(
    counts: sp.csr_matrix, Y: Bools, df: Ints | Floats, alpha: float, *, known: Bools, weights: Floats | None
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
            rest.
        weights: how many times each text counts, (n_texts,); None: once.

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
    sum_p, sum_q = (part.sum(axis=1, where=known, initial=_NOT_ZERO, keepdims=True) for part in (p, q))
    return np.asarray((np.log(p) - np.log(q)) - (np.log(sum_p) - np.log(sum_q)))


def squared_ratios(
    counts: sp.csr_matrix, rows: Ints | None, Y: Bools, df: Ints | Floats, known: Bools, weights: Floats | None = None
) -> Floats:
    """Return the sum over the classes of the squared log-count ratios, with ``alpha`` 1, (n_columns,).

    The sum runs over blocks of classes, so that many classes need no dense matrix of all ratios.
    """
    selected = _selected(counts, rows)
    squares = np.zeros(counts.shape[1])
    block = 64
    for start in range(0, Y.shape[1], block):
        of_block = Y[:, start : start + block]
        for ratios in log_count_ratios(selected, of_block, df, 1.0, known=known, weights=weights):
            squares += np.square(ratios)
    return squares


def weigh(
    counts: sp.csr_matrix,
    rows: Ints | None,
    scale: NDArray[np.floating],
    frequencies: Floats,
    *,
    unit: bool,
    dtype: type[np.floating],
) -> sp.csr_matrix:
    """Return ``frequencies[count] * scale`` of each entry of the rows, each normalized if ``unit``; CSR."""
    selected = _selected(counts, rows)
    data = np.empty(len(selected.data), dtype=dtype)
    for first in range(0, selected.shape[0], _ROWS):
        ends = selected.indptr[first : first + _ROWS + 1]
        part = slice(int(ends[0]), int(ends[-1]))
        values = frequencies[selected.data[part].astype(np.int64)]
        values *= scale[selected.indices[part]]
        if unit:
            sizes = np.diff(ends)
            squares = np.bincount(np.repeat(np.arange(len(sizes)), sizes), np.square(values), len(sizes))
            squares[squares == 0.0] = 1.0
            values /= np.repeat(np.sqrt(squares), sizes)
        data[part] = values
    return sp.csr_matrix((data, selected.indices, selected.indptr), shape=selected.shape)


def _selected(counts: sp.csr_matrix, rows: Ints | None) -> sp.csr_matrix:
    return counts if rows is None else counts[rows]
