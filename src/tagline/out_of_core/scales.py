"""Scales of columns, see `tagline.features.weighting`, from sums over the blocks of a matrix on disk."""

import numpy as np
from numpy.typing import NDArray

from tagline.features.weighting import Scale
from tagline.features.weighting.scale import idf
from tagline.models.linear import _products
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.matrix import Block, BlockMatrix
from tagline.parallel import checkpoint, row_ranges
from tagline.task import Bools, Floats, Ints

_ENTRIES = 1 << 22  # that are counted in one call
_COLUMNS = 1 << 20  # whose ratios are computed together


def column_scales(
    matrix: BlockMatrix, df: Ints, Y: Bools, scale: Scale, floor: float, budget: Budget, *, weighted: bool
) -> NDArray[np.float32]:
    """Return the scale of each column, (n_columns,), in half precision, as `scale_columns` does in memory.

    ``Y`` is the class matrix of the label codes, (n_codes, n_classes); ``df``, (n_columns,), says in how many rows each
    column occurs. ``weighted``: rows have weights.
    """
    if scale == "none":
        return np.ones(matrix.n_columns, dtype=np.float32)
    frequency, n_texts = df.astype(np.float64), float(matrix.n_rows)
    if weighted:
        everything = np.ones((len(Y), 1), dtype=bool)
        frequency = np.asarray(column_sums(matrix, everything)[0])
        n_texts = sum(float(block.weights.sum()) for block in matrix.blocks())
    values = idf(frequency, n_texts)
    if scale == "discriminative":
        exclusive = bool((Y.sum(axis=1) <= 1).all())
        members = Y[:, :1] if exclusive and Y.shape[1] == 2 else Y
        values *= np.sqrt(floor**2 + _squared_ratios(matrix, frequency, members, budget) / members.shape[1])
    return values.astype(np.float16).astype(np.float32)


def column_sums(matrix: BlockMatrix, Y: Bools) -> Floats:
    """Return the weight of the rows of each class that have a column, (n_classes, n_columns)."""
    sums = np.zeros((Y.shape[1], matrix.n_columns))
    for block in matrix.blocks():
        for classes, weights in _one_by_one(block, Y):
            ends = block.X.indptr.astype(np.int64)
            for first, last in row_ranges(ends, _ENTRIES):
                _products.add_class_counts(ends, block.X.indices, block.X.data, classes, weights, first, last, sums)
                checkpoint()
    return sums


def _one_by_one(block: Block, Y: Bools) -> list[tuple[Ints, Floats]]:
    """Return classes and weights of the rows of a block, (n_rows,) each, as often as a row has classes."""
    rest = Y.copy()
    found = []
    while rest.any():
        first, has = rest.argmax(axis=1), np.asarray(rest.any(axis=1))
        found.append((first[block.codes], np.where(has[block.codes], block.weights, 0.0)))
        rest[np.arange(len(rest)), first] = False
    return found


def _squared_ratios(matrix: BlockMatrix, df: Floats, Y: Bools, budget: Budget) -> Floats:
    """Return the sum over the classes of the squared log-count ratios, (n_columns,), some classes in each pass."""
    squares = np.zeros(matrix.n_columns)
    n_together = max(1, budget.working // 3 // (8 * matrix.n_columns))
    for start in range(0, Y.shape[1], n_together):
        for p in column_sums(matrix, Y[:, start : start + n_together]):
            q = np.maximum(df - p, 0.0)
            shift = np.log((p + 1.0).sum()) - np.log((q + 1.0).sum())
            for first in range(0, matrix.n_columns, _COLUMNS):
                part = slice(first, first + _COLUMNS)
                squares[part] += np.square(np.log(p[part] + 1.0) - np.log(q[part] + 1.0) - shift)
    return squares
