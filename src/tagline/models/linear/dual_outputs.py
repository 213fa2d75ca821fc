"""Outputs of linear SVMs that are learned side by side: what dual coordinate descent keeps of them between passes.

Import it only if ``tagline.compiled.COMPILED``. `tagline.models.linear.svm` describes the method.
"""

import numpy as np
from numpy.typing import NDArray

from tagline.models.linear._solvers import DualDescent
from tagline.models.linear.side_by_side import width_of, zero_weights
from tagline.parallel import checkpoint
from tagline.task import Bools, Floats

_LEAST_RIDGE = 1e-30  # so that single precision holds it, its inverse, and sums of these


class DualOutputs:
    """Some outputs, one to `WIDTHS[-1]`.

    Attributes:
        coef: (n_columns, width), 0 at first.
        intercept: (width,), 0 at first.
        learning: the outputs that are not finished, (width,).
        verifying: those whose gap the next pass verifies, without steps, (width,).

    """

    def __init__(self, n_columns: int, n_outputs: int) -> None:
        self.n_outputs, width = n_outputs, width_of(n_outputs)
        self.coef, self.intercept = zero_weights(n_columns, width), np.zeros(width, dtype=np.float32)
        self.learning, self.verifying = np.arange(width) < n_outputs, np.zeros(width, dtype=bool)
        self.threshold, self.progress = np.full(width, np.inf), np.zeros((3, width))

    @property
    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Coefficients and intercepts, as `DualDescent` takes them."""
        return self.coef, self.intercept

    @property
    def followed(self) -> tuple[Floats, Floats]:
        """The threshold of each output and its progress, as `DualDescent` takes them."""
        return self.threshold, self.progress

    @property
    def stepping(self) -> int:
        """The bits of the outputs that take steps in this pass."""
        return int(self.bits(~self.verifying))

    def bits(self, outputs: Bools) -> np.uint16:
        """Return the bits of some outputs, (width,)."""
        return np.uint16((1 << np.arange(len(outputs)))[outputs].sum())

    def targets(self, Y: Bools) -> NDArray[np.int8]:
        """Return 1 or -1 for each row and output, (n_rows, width)."""
        targets = np.full((len(Y), len(self.learning)), -1, dtype=np.int8)
        targets[:, : self.n_outputs][Y] = 1
        return targets

    def begin_pass(self) -> None:
        """Forget what the last pass met."""
        self.progress[1:] = 0

    def end_pass(self, most: float, verified: float | None = None) -> bool:
        """Decide what the next pass does; return whether there is none, as all outputs are finished.

        The estimate of the gap must be at most ``most`` P, and the verified gap ``verified`` P, by default the same.
        """
        dual, gap, gradient = self.progress
        shares = np.where(self.verifying, most if verified is None else verified, most)
        reached = self.learning & (gap <= shares * (dual + gap))
        self.learning &= ~(self.verifying & reached)
        self.verifying = self.learning & reached
        self.threshold[:] = np.where(gradient > 0, gradient, np.inf)
        return not self.learning.any()

    def update_active(self, active: NDArray[np.uint16]) -> None:
        """Take finished outputs out of the active ones of rows, (n_rows,), and put those to be verified in."""
        active &= self.bits(self.learning)
        active |= self.bits(self.verifying)


def ridges(C: float, weights: Floats) -> NDArray[np.float32]:
    """Return 1 / (2 C weight) of each row, (n_rows,)."""
    with np.errstate(over="ignore", divide="ignore"):
        return np.clip(0.5 / (C * weights), _LEAST_RIDGE, 1 / _LEAST_RIDGE).astype(np.float32)


def sweep(descent: DualDescent, visits: NDArray[np.int32], stepping: int) -> None:
    """Visit rows once."""
    at = 0
    while at < len(visits):
        at = descent.sweep(visits, at, stepping)
        checkpoint()
