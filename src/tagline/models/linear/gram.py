"""`GramMatrix`: products with X X', by compiled code. Import it only if ``tagline.compiled.COMPILED``."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.linear._solvers import Rows, add_gram_products, add_transposed_products
from tagline.models.linear.side_by_side import output_groups, width_of, zero_weights
from tagline.parallel import checkpoint, in_threads
from tagline.task import Floats

_PARTS = 4  # of the columns, added up by themselves: so many on any machine, as sums depend on it


class GramMatrix:
    """X X' for rows X, (n_rows, n_columns); products run in threads and in single precision."""

    def __init__(self, X: sp.csr_matrix) -> None:
        by_column = X.astype(np.float32).tocsc()
        self._columns = Rows.of(by_column.T)
        ends = np.linspace(0, by_column.nnz, _PARTS + 1)
        bounds = np.searchsorted(by_column.indptr, ends)
        bounds[0], bounds[-1] = 0, X.shape[1]
        self._parts = list(pairwise(bounds.tolist()))

    def times(self, A: Floats) -> Floats:
        """Return X X' A, (n_rows, n_outputs)."""
        inputs = {group: _packed(A[:, slice(*group)]) for group in output_groups(A.shape[1])}
        jobs = [(group, part) for group in inputs for part in self._parts]

        def product(job: tuple[tuple[int, int], tuple[int, int]]) -> NDArray[np.float32]:
            group, (first, stop) = job
            a = inputs[group]
            products = zero_weights(*a.shape)
            _in_steps(lambda at: add_gram_products(self._columns, a, products, at, stop), first, stop)
            return products

        products = dict(zip(jobs, in_threads(product, jobs), strict=True))
        result = np.zeros(A.shape)
        for (group, _), of_part in products.items():
            result[:, slice(*group)] += of_part[:, : group[1] - group[0]]
        return result

    def weights(self, A: Floats) -> NDArray[np.float32]:
        """Return X' A, (n_columns, n_outputs)."""
        result = np.empty((self._columns.size, A.shape[1]), dtype=np.float32)

        def product(group: tuple[int, int]) -> None:
            a = _packed(A[:, slice(*group)])
            products = zero_weights(len(result), a.shape[1])
            stop = len(result)
            _in_steps(lambda at: add_transposed_products(self._columns, a, products, at, stop), 0, stop)
            result[:, slice(*group)] = products[:, : group[1] - group[0]]

        in_threads(product, output_groups(A.shape[1]))
        return result


def _in_steps(step: Callable[[int], int], first: int, stop: int) -> None:
    at = first
    while at < stop:
        at = step(at)
        checkpoint()


def _packed(A: Floats) -> NDArray[np.float32]:
    packed = zero_weights(len(A), width_of(A.shape[1]))
    packed[:, : A.shape[1]] = A
    return packed
