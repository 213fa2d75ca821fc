"""Weighted rows: tf(count) times the scale of the column, each row of a block of columns normalized."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.features.weighting import arrays
from tagline.task import Floats, Ints

if COMPILED:
    from tagline.features.weighting import native

TermFrequency = Literal["binary", "log", "count"]


def weigh(counts: sp.csr_matrix, scale: NDArray[np.floating], tf: TermFrequency, *, unit: bool) -> sp.csr_matrix:
    """Return tf(counts) * scale, each row normalized if ``unit``; CSR float64."""
    return weigh_blocks([counts], [scale.astype(np.float32)], tf, unit=unit)


def weigh_blocks(
    counts: Sequence[sp.csr_matrix],
    scales: Sequence[NDArray[np.float32]],
    tf: TermFrequency,
    *,
    unit: bool,
    rows: Ints | None = None,
    dtype: type[np.floating] = np.float64,
) -> sp.csr_matrix:
    """Return the weights of ``rows``, or of all, of blocks of columns side by side; each block is normalized by itself.

    A weight is computed in double precision, and rounded to ``dtype`` at the end.
    """
    largest = max((float(block.data.max()) for block in counts if block.nnz), default=0.0)
    of_counts = frequencies(int(largest), tf)
    if COMPILED and all(block.indices.dtype == np.int32 for block in counts):
        return native.weigh(counts, rows, scales, of_counts, unit=unit, dtype=dtype)
    parts = [
        arrays.weigh(block, rows, scale, of_counts, unit=unit, dtype=dtype)
        for block, scale in zip(counts, scales, strict=True)
    ]
    return parts[0] if len(parts) == 1 else sp.hstack(parts, format="csr")


def frequencies(largest: int, tf: TermFrequency) -> Floats:
    """Return the term frequency of each count from 0 to ``largest``, (largest + 1,)."""
    values: Floats = np.arange(largest + 1.0)
    if tf == "binary":
        values[1:] = 1.0
    elif tf == "log":
        values[1:] = 1.0 + np.log(values[1:])
    return values
