"""Linear SVMs with squared hinge loss, one for each output against the rest.

With targets y_i of 1 or -1 and C_i = C weight_i, the weights w, whose last component is the intercept, minimise

    P = |w|² / 2 + sum C_i max(0, 1 - y_i w·(x_i, 1))².

Dual coordinate descent (Hsieh et al. 2008, as in liblinear) maximises the dual objective D, see `DualDescent`, over one
alpha_i after the other, in a random order in each pass. Rows whose alpha is 0 and whose gradient is above the largest
one of the last pass are left out ("shrinking"). A pass adds up the duality gap P - D of an output row by row, between
steps. If that estimate is at most `GAP` P, the next pass is over all rows and takes no steps, so that the gap is exact:
the output is finished if it is at most `GAP` P, too, otherwise learning goes on. The rows are passed at most
`_MOST_PASSES` times, or more often if they are few; the gap may then be larger.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.models.estimators import fit_linear
from tagline.models.linear_problem import LinearProblem, LinearSolution
from tagline.parallel import checkpoint, in_threads
from tagline.task import Bools, Floats

if COMPILED:
    from tagline.models._linear import DualDescent, Rows, shuffle
    from tagline.models.side_by_side import output_groups, width_of, zero_weights

GAP = 3e-4  # relative: the objective is within it, and 99.9 % of predictions are those of a converged fit
_MOST_PASSES = 100
_MOST_PASSES_OF_FEW = 2_000  # if these read at most `_FEW_ENTRIES`, which takes no time
_FEW_ENTRIES = 100_000_000
_LEAST_RIDGE = 1e-30  # so that single precision holds it, its inverse, and sums of these
# liblinear's own default tolerance: on reviews it takes a tenth of the passes of 1e-3, for the same accuracy.
_LIBLINEAR_TOLERANCE = 0.1
_LIBLINEAR_PASSES = 60


def fit_linear_svm(problem: LinearProblem, fitted: Callable[[int], None] = lambda n: None) -> LinearSolution:
    """Fit linear SVMs with squared hinge loss, in threads."""
    if not COMPILED:
        from sklearn.svm import LinearSVC

        model = LinearSVC(
            C=problem.C,
            tol=_LIBLINEAR_TOLERANCE,
            max_iter=_LIBLINEAR_PASSES,
            dual=True,
            random_state=problem.seed,
        )
        return fit_linear(model, problem, fitted)
    rows = Rows.of(problem.X)
    with np.errstate(over="ignore", divide="ignore"):
        ridge = np.clip(0.5 / (problem.C * problem.weights), _LEAST_RIDGE, 1 / _LEAST_RIDGE).astype(np.float32)
    n_outputs = problem.Y.shape[1]
    coef = np.empty((rows.n_columns, n_outputs), dtype=np.float32)
    intercept = np.empty(n_outputs)

    def fit_group(bounds: tuple[int, int]) -> None:
        outputs = slice(*bounds)
        coef[:, outputs], intercept[outputs] = _descend(rows, problem.Y[:, outputs], ridge, problem.seed)
        fitted(bounds[1] - bounds[0])

    in_threads(fit_group, output_groups(n_outputs))
    return LinearSolution(coef, intercept)


def _descend(rows: "Rows", Y: Bools, ridge: NDArray[np.float32], seed: int) -> tuple[NDArray[np.float32], Floats]:
    """Return the coefficients and the intercepts of some outputs, one to `WIDTHS[-1]`."""
    n, n_outputs = Y.shape
    width = width_of(n_outputs)
    targets = np.full((n, width), -1, dtype=np.int8)
    targets[:, :n_outputs][Y] = 1
    bits = 1 << np.arange(width)
    coef, intercept = zero_weights(rows.n_columns, width), np.zeros(width, dtype=np.float32)
    active = np.full(n, bits[:n_outputs].sum(), dtype=np.uint16)
    threshold, progress = np.full(width, np.inf), np.zeros((3, width))
    descent = DualDescent(rows, targets, ridge, coef, intercept, active, threshold, progress)
    order = np.arange(n, dtype=np.int32)
    learning, verifying = np.arange(width) < n_outputs, np.zeros(width, dtype=bool)
    few = min(_MOST_PASSES_OF_FEW, _FEW_ENTRIES // (rows.n_entries + n))
    for n_passes in range(max(_MOST_PASSES, few)):
        shuffle(order, seed, n_passes)
        visits = order[active[order] != 0]
        progress[1:] = 0
        at, stepping = 0, int(_bits_of(~verifying, bits))
        while at < len(visits):
            at = descent.sweep(visits, at, stepping)
            checkpoint()
        dual, gap, gradient = progress
        reached = learning & (gap <= GAP * (dual + gap))
        learning &= ~(verifying & reached)
        if not learning.any():
            break
        verifying = learning & reached
        active &= _bits_of(learning, bits)
        active |= _bits_of(verifying, bits)
        threshold[:] = np.where(gradient > 0, gradient, np.inf)
    return coef[:, :n_outputs], intercept[:n_outputs].astype(np.float64)


def _bits_of(outputs: Bools, bits: NDArray[np.int64]) -> np.uint16:
    return np.uint16(bits[outputs].sum())
