"""Sparse matrices: rows counted without sorting, and sliced without copying."""

from typing import Any

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


def csr(
    data: NDArray[Any], indices: NDArray[np.integer], ends: NDArray[np.int64], shape: tuple[int, int]
) -> sp.csr_matrix:
    """Return the matrix of these arrays, without a copy; ``ends``, (n_rows + 1,), is its ``indptr``.

    SciPy's constructor reads all indices to choose their type, which is int32 if their number fits in 31 bits.
    """
    of_index = np.int32 if ends[-1] < 2**31 else np.int64
    matrix = sp.csr_matrix(shape, dtype=data.dtype)
    matrix.indptr = ends.astype(of_index)
    matrix.indices = indices.astype(of_index, copy=False)
    matrix.data = data
    return matrix


def check_ends(ends: NDArray[np.integer], n_entries: int) -> None:
    """Check that ``ends``, an ``indptr``, (n_rows + 1,), divides so many entries into rows.

    Raises:
        ValueError: it does not.

    """
    if not len(ends) or ends[0] != 0 or ends[-1] != n_entries or bool((ends[1:] < ends[:-1]).any()):
        raise ValueError(f"the ends of the rows do not divide {n_entries:,} entries")


def view_rows(X: sp.csr_matrix, start: int, stop: int) -> sp.csr_matrix:
    """Return ``X[start:stop]`` on the same memory; SciPy's own slice is a copy."""
    low, high = X.indptr[start], X.indptr[stop]
    return csr(X.data[low:high], X.indices[low:high], X.indptr[start : stop + 1] - low, (stop - start, X.shape[1]))
