"""Sparse matrices: rows counted without sorting, and sliced without copying."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

_BLOCK = 512  # rows ordered together: random writes stay in the cache


def count_columns(columns: NDArray[np.int32], lengths: NDArray[np.int64], n_columns: int) -> sp.csr_matrix:
    """Return the counts of each column in each row: CSR float32, (n_rows, n_columns), indices sorted and unique.

    ``columns`` holds the columns of all rows one after the other, ``lengths`` the number of each row, (n_rows,).

    A conversion to CSC and back is a counting sort, several times faster than sorting each row.

    >>> count_columns(np.array([2, 0, 2, 1], np.int32), np.array([3, 1]), 3).toarray()
    array([[1., 0., 2.],
           [0., 1., 0.]], dtype=float32)
    """
    ends = np.concatenate([[0], np.cumsum(lengths)])
    blocks = []
    for low in range(0, len(lengths), _BLOCK):
        bounds = ends[low : low + _BLOCK + 1]
        ids = columns[bounds[0] : bounds[-1]]
        block = sp.csr_matrix(
            (np.ones(len(ids), np.float32), ids, bounds - bounds[0]), shape=(len(bounds) - 1, n_columns)
        )
        block = block.tocsc().tocsr()
        block.sum_duplicates()
        blocks.append(block)
    return sp.vstack(blocks, format="csr") if blocks else sp.csr_matrix((0, n_columns), dtype=np.float32)


def view_rows(X: sp.csr_matrix, start: int, stop: int) -> sp.csr_matrix:
    """Return ``X[start:stop]`` on the same memory; SciPy's own slice is a copy."""
    low, high = X.indptr[start], X.indptr[stop]
    view = sp.csr_matrix((stop - start, X.shape[1]), dtype=X.dtype)
    view.data, view.indices = X.data[low:high], X.indices[low:high]  # the constructor would copy so small a part
    view.indptr = X.indptr[start : stop + 1] - low
    return view
