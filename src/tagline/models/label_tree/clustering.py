"""Classes in an order in which similar ones are neighbours, by balanced spherical k-means with two clusters at a time.

Source: Y. Prabhu, A. Kag, S. Harsola, R. Agrawal, M. Varma, Parabel (WWW 2018), section 3.1.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.parallel import in_threads
from tagline.task import Bools, Floats, Ints

_MOST_STEPS = 20
_LEAST_GAIN = 1e-4  # of the mean similarity to the centroid; with less, k-means has converged


def class_centroids(X: sp.csr_matrix, classes: Ints, n_classes: int) -> sp.csr_matrix:
    """Return the mean direction of the rows of each class, (n_classes, n_columns), of norm 1; each has a row."""
    n = len(classes)
    members = sp.csr_matrix((np.ones(n, np.float32), (classes, np.arange(n))), shape=(n_classes, n))
    return _unit_rows((members @ X).tocsr())


def ordered_groups(centroids: sp.csr_matrix, n_splits: int, seed: int) -> list[Ints]:
    """Return the classes in 2 ** ``n_splits`` groups whose sizes differ by at most 1, similar groups side by side."""
    groups = [np.arange(centroids.shape[0])]
    for _ in range(n_splits):
        seeds = np.random.default_rng((seed, len(groups))).integers(0, 2**32, len(groups)).tolist()

        def halves(item: tuple[Ints, int]) -> list[Ints]:
            group, own_seed = item
            second = _second_half(centroids[group], own_seed)
            return [group[~second], group[second]]

        groups = [half for both in in_threads(halves, zip(groups, seeds, strict=True)) for half in both]
    return groups


def _second_half(rows: sp.csr_matrix, seed: int) -> Bools:
    """Return which rows, of norm 1, are in the second of two clusters of equal size, (n_rows,)."""
    n = rows.shape[0]
    columns, places = np.unique(rows.indices, return_inverse=True)
    rows = sp.csr_matrix((rows.data, places, rows.indptr), shape=(n, len(columns)))
    first, other = np.random.default_rng(seed).choice(n, 2, replace=False).tolist()
    difference = (rows[first] - rows[other]).toarray().ravel()
    best = -np.inf
    second = np.zeros(n, dtype=bool)
    for _ in range(_MOST_STEPS):
        order = np.argsort(-(rows @ difference), kind="stable")
        second[:] = False
        second[order[(n + 1) // 2 :]] = True
        sums = [np.asarray(rows.T @ of.astype(np.float32), dtype=np.float64) for of in (~second, second)]
        norms = [float(np.linalg.norm(total)) for total in sums]
        if sum(norms) / n < best + _LEAST_GAIN:
            break
        best = sum(norms) / n
        difference = (sums[0] / max(norms[0], 1e-30) - sums[1] / max(norms[1], 1e-30)).astype(np.float32)
    return second


def _unit_rows(rows: sp.csr_matrix) -> sp.csr_matrix:
    of_entries = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    norms: Floats = np.sqrt(np.bincount(of_entries, np.square(rows.data, dtype=np.float64), rows.shape[0]))
    data: NDArray[np.float32] = (rows.data / np.maximum(norms, 1e-30)[of_entries]).astype(np.float32)
    return sp.csr_matrix((data, rows.indices, rows.indptr), shape=rows.shape)
