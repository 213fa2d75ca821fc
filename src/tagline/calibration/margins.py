"""Logits of independent outputs, such as labels, and their log loss.

Rows are added up in blocks that stay in the processor's cache; outputs and blocks share the cores. The blocks, and so
the last digits of a sum, are the same on any number of cores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.parallel import in_threads
from tagline.task import Bools, Floats

if COMPILED:
    from tagline.calibration import _log_loss

_TOGETHER = 16_384  # logits in a block
_PART, _FEWEST = 16, 100  # of the rows, every so many; how many they are at least


@dataclass(frozen=True, eq=False)
class LogLoss:
    """Value, gradient by slope and intercept, (2,), and curvature: by the slope, mixed, by the intercept, (3,)."""

    value: float
    gradient: Floats
    curvature: Floats


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
        z = np.ascontiguousarray(logits.T, dtype=np.float64)
        w = np.ascontiguousarray(weights, dtype=np.float64)
        w = np.broadcast_to(w, z.shape)
        if absent is not None:
            w = np.where(np.ascontiguousarray(absent.T), 0.0, w)
        return Margins(z, np.ascontiguousarray(Y.T, dtype=bool), w)

    def output(self, k: int) -> "Margins":
        """Return the margins of one output."""
        return Margins(self.z[k : k + 1], self.y[k : k + 1], self.w[k : k + 1])

    def part(self) -> "Margins | None":
        """Return the margins of some rows, whose optimum is a start that is near that of all; None if these are few."""
        some = slice(None, None, _PART)
        if self.z.shape[1] < _PART * _FEWEST or not self.w[:, some].any():
            return None
        z, y, w = self.z[:, some], self.y[:, some], self.w[:, some]
        return Margins(np.ascontiguousarray(z), np.ascontiguousarray(y), np.ascontiguousarray(w))

    def log_loss(self, slope: float, intercept: float, targets: tuple[float, float]) -> LogLoss:
        """Return the log loss of ``σ(slope z + intercept)``; ``targets`` are those of true outputs and of others."""
        sums = _log_loss.log_loss_sums if COMPILED else log_loss_sums

        def of_output(k: int) -> Floats:
            z, y, w = self.z[k], self.y[k], self.w[k]
            return sum_blocks(lambda b: sums(z[b], y[b], w[b], slope, intercept, *targets), self.z.shape[1])

        found = np.array(in_threads(of_output, range(len(self.z)))).sum(axis=0)
        return LogLoss(float(found[0]), found[1:3], found[3:])


def sum_blocks(sums: Callable[[slice], Sequence[float]], n_rows: int, n_columns: int = 1) -> Floats:
    """Return the sums of what ``sums`` returns for blocks of rows of so many columns."""
    size = max(1, _TOGETHER // n_columns)
    blocks = [slice(first, first + size) for first in range(0, n_rows, size)]
    total: Floats = np.array(in_threads(sums, blocks)).sum(axis=0)
    return total


def log_loss_sums(
    z: Floats, y: Bools, w: Floats, slope: float, intercept: float, true: float, false: float
) -> tuple[float, float, float, float, float, float]:
    """Return the sums over some rows of one output, (n,) each, that are a `LogLoss`."""
    x, target = slope * z + intercept, np.where(y, true, false)
    e = np.exp(-np.abs(x))
    larger = 1.0 / (1.0 + e)
    smaller = e * larger
    error, curve = w * (np.where(x < 0, smaller, larger) - target), w * (smaller * larger)
    of_z = curve * z
    value = w @ (np.maximum(x, 0.0) - target * x + np.log1p(e))
    return float(value), float(error @ z), float(error.sum()), float(of_z @ z), float(of_z.sum()), float(curve.sum())
