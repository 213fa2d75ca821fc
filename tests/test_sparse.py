"""Sparse rows are what NumPy and SciPy say they are."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tagline.sparse import count_columns, view_rows


@given(st.lists(st.lists(st.integers(0, 9), max_size=12), max_size=8))
def test_columns_are_counted(lists: list[list[int]]) -> None:
    columns = np.array([column for row in lists for column in row], dtype=np.int32)
    counts = count_columns(columns, np.array([len(row) for row in lists], dtype=np.int64), 10)
    expected = np.array([np.bincount(row, minlength=10) for row in lists]).reshape(-1, 10)
    np.testing.assert_array_equal(counts.toarray(), expected)
    assert counts.has_canonical_format
    assert counts.nnz == (expected > 0).sum()
    assert counts.dtype == np.float32


def test_many_rows_are_counted_as_few() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(0, 9, 1500)
    columns = rng.integers(0, 30, lengths.sum()).astype(np.int32)
    whole = count_columns(columns, lengths, 30)
    ends = np.cumsum(lengths)
    for row in (0, 511, 512, 1023, 1024, 1499):
        alone = count_columns(columns[ends[row] - lengths[row] : ends[row]], lengths[row : row + 1], 30)
        assert (whole[row] != alone).nnz == 0


def test_a_view_is_the_slice_on_the_same_memory() -> None:
    X = sp.random(20, 7, 0.3, format="csr", dtype=np.float32, rng=0)
    for start, stop in ((0, 20), (3, 11), (5, 5), (19, 20)):
        view = view_rows(X, start, stop)
        assert (view != X[start:stop]).nnz == 0
        assert view.shape == (stop - start, 7)
    assert np.shares_memory(view_rows(X, 3, 11).data, X.data)
