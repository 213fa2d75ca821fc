"""Scales of columns: inverse document frequency and naive Bayes log-count ratios.

Matrices are CSR, (n_texts, n_columns); counts are float32. ``Y`` is the boolean class matrix, (n_texts, n_classes).
"""

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.features.weighting import arrays
from tagline.task import Bools, Floats, Ints

if COMPILED:
    from tagline.features.weighting import native

Scale = Literal["discriminative", "idf", "none"]


def scale_columns(
    counts: sp.csr_matrix,
    df: Ints,
    Y: Bools,
    scale: Scale,
    floor: float,
    min_df: int,
    weights: Floats | None = None,
    *,
    rows: Ints | None = None,
) -> NDArray[np.float32]:
    """Return the scale of each column fitted on ``rows``, or all, (n_columns,), 0 below ``min_df``.

    A column with scale 0 is ignored, so no vocabulary leaks from held-out rows. ``weights``, (n_texts,), are the number
    of times that each row counts, except for ``min_df``. Scales are rounded to half precision here, so that a bundle
    stores exactly the scales that the model was fitted with. ``df``, the `document_frequency`, ``Y`` and ``weights``
    are those of the rows.
    """
    known = df >= min_df
    n_texts = len(Y) if weights is None else float(weights.sum())
    if scale == "none":
        values = np.ones(counts.shape[1])
    else:
        frequency = df if weights is None else _weighted_document_frequency(counts, rows, weights)
        values = idf(frequency, n_texts)
        if scale == "discriminative":
            values *= discrimination(counts, Y, frequency, floor, known, weights, rows=rows)
    return np.where(known, values, 0.0).astype(np.float16).astype(np.float32)


def document_frequency(counts: sp.csr_matrix, rows: Ints | None = None) -> Ints:
    """Return in how many of ``rows``, or of all, each column occurs, (n_columns,)."""
    if COMPILED and counts.indices.dtype == np.int32:
        return native.document_frequency(counts, rows)
    return arrays.document_frequency(counts, rows)


def _weighted_document_frequency(counts: sp.csr_matrix, rows: Ints | None, weights: Floats) -> Floats:
    """Return the total weight, of (n_texts,), of the texts in which each column occurs, (n_columns,)."""
    selected = counts if rows is None else counts[rows]
    of_entries = np.repeat(weights, np.diff(selected.indptr))
    return np.asarray(np.bincount(selected.indices, of_entries, counts.shape[1]), dtype=np.float64)


def spread(df: Ints | Floats, n_texts: int) -> NDArray[np.float16]:
    """Return the standard deviation of the occurrence, 0 or 1, of each column, in half precision: sqrt(p (1 - p))."""
    p = df / max(1, n_texts)
    return np.sqrt(p * (1.0 - p)).astype(np.float16)


def idf(df: Ints | Floats, n_texts: float) -> Floats:
    """Return the smoothed inverse document frequency, ln((1 + n) / (1 + df)) + 1, as scikit-learn defines it."""
    return np.asarray(np.log((1.0 + n_texts) / (1.0 + df)) + 1.0)


def discrimination(
    counts: sp.csr_matrix,
    Y: Bools,
    df: Ints | Floats,
    floor: float,
    known: Bools,
    weights: Floats | None = None,
    *,
    rows: Ints | None = None,
) -> Floats:
    """Return how well each column separates the classes, (n_columns,): sqrt(floor² + mean over classes of r_fc²).

    r_fc are log-count ratios, see `arrays.log_count_ratios` for the other arguments. One scale serves all classes:
    times the idf it is the kernel sum of TF-IDF (weighted by ``floor``) and NB-weighted features; ``floor`` 0 gives the
    NB-SVM of Wang and Manning for two classes, a large one plain TF-IDF.
    """
    n_classes = Y.shape[1]
    if n_classes == 2 and bool((Y.sum(axis=1) == 1).all()):
        Y, n_classes = Y[:, :1], 1  # the ratios of the two classes differ only in sign
    if COMPILED and weights is None and counts.indices.dtype == np.int32:
        squares = native.squared_ratios(counts, rows, Y, df.astype(np.int64, copy=False), known)
    else:
        squares = arrays.squared_ratios(counts, rows, Y, df, known, weights)
    return np.asarray(np.sqrt(floor**2 + squares / n_classes))
