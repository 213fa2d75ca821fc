"""Frequencies, log-count ratios and weighted rows by the compiled core, on all cores.

The functions are those of `arrays`, with the same results to the last bit.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features._core import weights as core
from tagline.parallel import cores, in_threads, thread_ranges
from tagline.sparse import check_ends, csr
from tagline.task import Bools, Floats, Ints

_ENTRIES = 1 << 20  # that one call of the compiled core reads: milliseconds
_COLUMNS = 1 << 17  # whose counts fit the processor's cache


class _Rows:
    """Some rows of a matrix of counts, as the compiled core takes them, and ranges of them with about equal work."""

    def __init__(self, counts: sp.csr_matrix, rows: Ints | None) -> None:
        self.matrix = counts
        self.ends = counts.indptr.astype(np.int64)
        check_ends(self.ends, len(counts.indices))
        if len(counts.data) != len(counts.indices):
            raise ValueError("the matrix has not one value for each index")
        self.numbers = np.arange(counts.shape[0]) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(self.numbers) and not (self.numbers.min() >= 0 and self.numbers.max() < counts.shape[0]):
            raise IndexError(f"the matrix has rows 0 to {counts.shape[0] - 1:,} only")
        self.lengths = self.ends[self.numbers + 1] - self.ends[self.numbers]
        self.arrays = self.ends, counts.indices, self.numbers

    def ranges(self) -> list[tuple[int, int]]:
        return thread_ranges(np.concatenate([[0], np.cumsum(self.lengths)]), _ENTRIES)


def document_frequency(counts: sp.csr_matrix, rows: Ints | None) -> Ints:
    """Return in how many rows each column occurs, (n_columns,)."""
    selected = _Rows(counts, rows)
    ranges, n_threads = selected.ranges(), cores()

    def count(thread: int) -> Ints:
        df = np.zeros(counts.shape[1], dtype=np.int64)
        for first, last in ranges[thread::n_threads]:
            core.count_rows(*selected.arrays, first, last, df)
        return df

    return np.asarray(np.sum(in_threads(count, range(n_threads)), axis=0))


def squared_ratios(counts: sp.csr_matrix, rows: Ints | None, Y: Bools, df: Ints, known: Bools) -> Floats:
    """Return the sum over the classes of the squared log-count ratios, with ``alpha`` 1, (n_columns,)."""
    selected = _Rows(counts, rows)
    of_rows = np.empty(len(selected.numbers), dtype=np.int64)  # columns that are known
    if not known.shape == df.shape == (counts.shape[1],):
        raise ValueError(f"the document frequencies are not those of {counts.shape[1]:,} columns")
    flags = known.view(np.uint8)
    in_threads(lambda part: core.count_known(*selected.arrays, *part, flags, of_rows), selected.ranges())
    # ln |p|_1 - ln |q|_1 of each class, with 1 added to the count of each known column.
    n_known, total = np.count_nonzero(known), int(df[known].sum())
    p = np.array([of_rows[members].sum() for members in Y.T], dtype=np.int64)  # (n_classes,)
    shifts = np.log(np.maximum(p + n_known, 1)) - np.log(np.maximum(total - p + n_known, 1))
    logs = np.log(np.arange(1.0, len(of_rows) + 2.0))  # of each count, with 1 added
    members, of_class = np.nonzero(Y.T)
    class_ends = np.concatenate([[0], np.cumsum(np.bincount(members, minlength=Y.shape[1]))])
    rows_of_classes = selected.numbers[of_class]
    squares = np.zeros(counts.shape[1])

    def add(first: int) -> None:
        last = min(first + _COLUMNS, counts.shape[1])
        core.add_squared_ratios(
            selected.ends, counts.indices, rows_of_classes, class_ends, first, last, df, logs, shifts, squares
        )

    in_threads(add, range(0, counts.shape[1], _COLUMNS))
    return squares


def weigh(
    counts: Sequence[sp.csr_matrix],
    rows: Ints | None,
    scales: Sequence[NDArray[np.float32]],
    frequencies: Floats,
    *,
    unit: bool,
    dtype: type[np.floating],
) -> sp.csr_matrix:
    """Return ``frequencies[count] * scale`` of each entry of the rows, each normalized if ``unit``; CSR.

    Blocks of columns are side by side, and normalized by themselves.
    """
    blocks = [_Rows(block, rows) for block in counts]
    before = np.cumsum([np.zeros(len(blocks[0].numbers), dtype=np.int64), *(block.lengths for block in blocks)], axis=0)
    ends = np.concatenate([[0], np.cumsum(before[-1])])
    places = ends[:-1] + before[:-1]  # (n_blocks, n_rows)
    offsets = np.cumsum([0, *map(len, scales)])
    data = np.empty(int(ends[-1]), dtype=dtype)
    shared = len(blocks) == 1 and rows is None
    indices = counts[0].indices if shared else np.empty(len(data), dtype=np.int32)

    def write(job: tuple[int, tuple[int, int]]) -> None:
        b, part = job
        block = blocks[b]
        core.weigh(
            *block.arrays[:2], block.matrix.data, block.numbers, *part, scales[b], frequencies, unit, places[b], data
        )
        if not shared:
            core.copy_columns(*block.arrays, *part, int(offsets[b]), places[b], indices)

    jobs = [(b, part) for b, block in enumerate(blocks) for part in block.ranges()]
    if len(jobs) == len(blocks):  # of few entries each, such as those of one text
        for job in jobs:
            write(job)
    else:
        in_threads(write, jobs)
    return csr(data, indices, ends, (len(ends) - 1, int(offsets[-1])))
