"""Logits of independent outputs, such as labels, and sums over their held-out rows that calibration needs.

Rows are added up in blocks that stay in the processor's cache; outputs and blocks share the cores. The blocks, and so
the last digits of a sum, are the same on any number of cores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagline.parallel import in_threads
from tagline.task import Bools, Floats

_TOGETHER = 16_384  # logits in a block
_PART, _FEWEST = 16, 100  # of the rows, every so many; how many they are at least


@dataclass(frozen=True, eq=False)
class Margins:
    """Logits ``z``, whether they are those of a true output, ``y``, and weights ``w``, (n_outputs, n_rows) each."""

    z: Floats
    y: Bools
    w: Floats

    @staticmethod
    def of(logits: Floats, Y: NDArray[np.generic], weights: Floats, absent: Bools | None) -> "Margins":
        """Return the margins of logits and truth, (n_rows, n_outputs), with the weight of each row, (n_rows,).

        ``absent`` logits, (n_rows, n_outputs), get the weight 0.
        """
        z = np.ascontiguousarray(logits.T)
        w = np.broadcast_to(weights, z.shape) if absent is None else np.where(absent.T, 0.0, weights)
        return Margins(z, np.ascontiguousarray(Y.T, dtype=bool), w)

    def output(self, k: int) -> "Margins":
        """Return the margins of one output."""
        return Margins(self.z[k : k + 1], self.y[k : k + 1], self.w[k : k + 1])

    def part(self) -> "Margins | None":
        """Return the margins of some rows, whose optimum is a start that is near that of all; None if these are few."""
        some = slice(None, None, _PART)
        if self.z.shape[1] < _PART * _FEWEST or not self.w[:, some].any():
            return None
        return Margins(np.ascontiguousarray(self.z[:, some]), self.y[:, some], self.w[:, some])

    def sum(self, sums: Callable[[Floats, Bools, Floats], Sequence[float]]) -> Floats:
        """Return the sums of what ``sums`` returns for parts of ``z``, ``y`` and ``w``, (n,) each."""
        n_outputs, n_rows = self.z.shape

        def of_output(k: int) -> Floats:
            z, y, w = self.z[k], self.y[k], self.w[k]
            return sum_blocks(lambda b: sums(z[b], y[b], w[b]), n_rows)

        total: Floats = np.array(in_threads(of_output, range(n_outputs))).sum(axis=0)
        return total


def sum_blocks(sums: Callable[[slice], Sequence[float]], n_rows: int, n_columns: int = 1) -> Floats:
    """Return the sums of what ``sums`` returns for blocks of rows of so many columns."""
    size = max(1, _TOGETHER // n_columns)
    blocks = [slice(first, first + size) for first in range(0, n_rows, size)]
    total: Floats = np.array(in_threads(sums, blocks)).sum(axis=0)
    return total


def sigmoid(x: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ``p = σ(x)``, its derivative ``p (1 - p)``, and ``exp(-|x|)``."""
    e = np.exp(-np.abs(x))
    larger = 1.0 / (1.0 + e)
    smaller = e * larger
    return np.where(x < 0, smaller, larger), smaller * larger, e
