"""Scales of columns, see `tagline.features.weighting`, from sums over rows that are not in memory."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tagline.features.weighting import Scale
from tagline.features.weighting.scale import idf
from tagline.out_of_core.budget import Budget
from tagline.task import Bools, Floats, Ints

_COLUMNS = 1 << 20  # whose ratios are computed together


class SummedRows(Protocol):
    """Rows of counts, (n_rows, n_columns), somewhere."""

    @property
    def n_columns(self) -> int:
        """The number of columns."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        ...

    def column_sums(self, Y: Bools) -> Floats:
        """Return the weight of the rows of each class that have a column, (n_classes, n_columns)."""
        ...

    def total_weight(self) -> float:
        """Return the weight of all rows."""
        ...


def column_scales(
    rows: SummedRows, df: Ints, Y: Bools, scale: Scale, floor: float, budget: Budget, *, weighted: bool
) -> NDArray[np.float32]:
    """Return the scale of each column, (n_columns,), in half precision, as `scale_columns` does in memory.

    ``Y`` is the class matrix of the label codes, (n_codes, n_classes); ``df``, (n_columns,), says in how many rows each
    column occurs. ``weighted``: rows have weights.
    """
    if scale == "none":
        return np.ones(rows.n_columns, dtype=np.float32)
    frequency, n_texts = df.astype(np.float64), float(rows.n_rows)
    if weighted:
        everything = np.ones((len(Y), 1), dtype=bool)
        frequency = rows.column_sums(everything)[0]
        n_texts = rows.total_weight()
    values = idf(frequency, n_texts)
    if scale == "discriminative":
        exclusive = bool((Y.sum(axis=1) <= 1).all())
        members = Y[:, :1] if exclusive and Y.shape[1] == 2 else Y
        values *= np.sqrt(floor**2 + _squared_ratios(rows, frequency, members, budget) / members.shape[1])
    return values.astype(np.float16).astype(np.float32)


def _squared_ratios(rows: SummedRows, df: Floats, Y: Bools, budget: Budget) -> Floats:
    """Return the sum over the classes of the squared log-count ratios, (n_columns,), some classes in each pass."""
    squares = np.zeros(rows.n_columns)
    n_together = max(1, budget.working // 3 // (8 * rows.n_columns))
    for start in range(0, Y.shape[1], n_together):
        for p in rows.column_sums(Y[:, start : start + n_together]):
            q = np.maximum(df - p, 0.0)
            shift = np.log((p + 1.0).sum()) - np.log((q + 1.0).sum())
            for first in range(0, rows.n_columns, _COLUMNS):
                part = slice(first, first + _COLUMNS)
                squares[part] += np.square(np.log(p[part] + 1.0) - np.log(q[part] + 1.0) - shift)
    return squares
