"""Units: rows that say the same thing more than once, such as the copies of a text or the rows of a group.

Intervals and tests assume independent observations. Rows of one unit are not independent: 30 copies of a text are
right or wrong together. So units are drawn or counted instead of rows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.task import Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Units:
    """The units of rows, of which at least one has several.

    Attributes:
        of_rows: The unit of each row, from 0 without gaps, ``(n,)``.
        n: Units.

    """

    of_rows: Ints
    n: int

    @classmethod
    def repeated(cls, unit: ArrayLike | None) -> "Units | None":
        """Return the units of rows, ``(n,)`` integers; ``None`` if they are not known or each row is its own unit."""
        if unit is None:
            return None
        names, of_rows = np.unique(np.asarray(unit), return_inverse=True)
        return None if len(names) == len(of_rows) else cls(of_rows.ravel(), len(names))

    @cached_property
    def sizes(self) -> Ints:
        """Rows of each unit, ``(n_units,)``."""
        return np.bincount(self.of_rows)

    @cached_property
    def degrees(self) -> float:
        """The degrees of freedom of a variance between units: few if few units have most rows.

        ν = (Σ size²)² / Σ size⁴, at most n_units - 1, and at least 1.
        Source: F. Satterthwaite, An approximate distribution of estimates of variance components, Biometrics Bulletin 2
        (1946), as for clusters in R. Bell, D. McCaffrey, Bias reduction in standard errors for linear regression with
        multi-stage samples, Survey Methodology 28 (2002): the variance of the sum of a unit grows with size².
        """
        squares = self.sizes.astype(float) ** 2
        return max(1.0, min(float(squares.sum()) ** 2 / float((squares**2).sum()), self.n - 1.0))

    @cached_property
    def _members(self) -> Any:
        from scipy.sparse import csr_array  # slow to import: the process that draws the plots does without it

        n = len(self.of_rows)
        return csr_array((np.ones(n, np.float32), (self.of_rows, np.arange(n))), shape=(self.n, n))

    def sums(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return the sums of rows, ``(n,)`` or ``(n, d)``, over each unit, ``(n_units, …)``."""
        if rows.ndim == 1:
            return np.bincount(self.of_rows, rows, self.n)
        return np.asarray(self._members @ rows)

    def effective_rows(self, counted: Bools) -> float:
        """Return how many independent rows would tell as much as these about the share of ``counted`` ones, ``(n,)``.

        With c_u the counted rows of unit u it is n Σ c_u / Σ c_u²: n over the design effect of units that are counted
        as a whole. If none is counted, all are.
        Source: L. Kish, Survey Sampling (1965), section 8.2.
        """
        c = self.sums(counted) if counted.any() else self.sizes
        return float(len(self.of_rows) * c.sum() / (c.astype(float) ** 2).sum())


def sum_by_unit(rows: NDArray[Any], units: Units | None) -> NDArray[Any]:
    """Return the sums over units, ``(n_units, …)``; without units the rows themselves, ``(n, …)``."""
    return rows if units is None else units.sums(rows)


def draw_rows(n: int, units: Units | None, rng: np.random.Generator) -> Ints:
    """Return how often each of ``n`` rows comes in a bootstrap sample of rows, or of units, ``(n,)``."""
    n_units = n if units is None else units.n
    times = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
    return times if units is None else times[units.of_rows]


@dataclass(frozen=True)
class CellDraws:
    """Bootstrap samples of rows that lie in the cells of a table.

    Rows of one cell, and units with the same rows in each cell, are interchangeable. So it is drawn how often each kind
    of unit comes, which is multinomial: this is exactly the bootstrap of units, and costs as much as there are kinds.

    Attributes:
        counts: Units of each kind, ``(n_kinds,)``.
        cells: Rows of such a unit in each cell, ``(n_kinds, n_cells)`` CSR; ``None`` if a kind is a row in its cell.

    """

    counts: Ints
    cells: Any = None

    @classmethod
    def of_rows(cls, cell: Ints, n_cells: int, units: Units | None) -> "CellDraws":
        """Return what draws rows in cells, ``(n,)``, as units."""
        if units is None:
            return cls(np.bincount(cell, minlength=n_cells))
        from scipy.sparse import csr_array

        table = csr_array((np.ones(len(cell)), (units.of_rows, cell)), shape=(units.n, n_cells))
        # The kind of a unit is the sum of a random number for each of its rows: sums of 64 bits differ if kinds do.
        numbers = np.random.default_rng(0).integers(2**63, size=n_cells, dtype=np.uint64)
        kind = np.zeros(units.n, np.uint64)
        np.add.at(kind, units.of_rows, numbers[cell])
        _, first, counts = np.unique(kind, return_index=True, return_counts=True)
        return cls(counts, table[first])

    def draw(self, n_samples: int, rng: np.random.Generator) -> Floats:
        """Return the rows in each cell of bootstrap samples, ``(n_samples, n_cells)``."""
        n = int(self.counts.sum())
        drawn = rng.multinomial(n, self.counts / n, size=n_samples).astype(float)  # (n_samples, n_kinds)
        return drawn if self.cells is None else np.asarray(drawn @ self.cells)
