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
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.models.estimators import fit_linear
from tagline.models.linear.problem import LinearProblem, LinearSolution, Prior
from tagline.parallel import in_threads
from tagline.task import Bools, Floats

if COMPILED:
    from tagline.models.linear._solvers import DualDescent, Rows, shuffle
    from tagline.models.linear.dual_outputs import DualOutputs, ridges, sweep
    from tagline.models.linear.side_by_side import output_groups

GAP = 3e-4  # relative: the objective is within it, and 99.9 % of predictions are those of a converged fit
_MOST_PASSES = 100
_MOST_PASSES_OF_FEW = 2_000  # if these read at most `_FEW_ENTRIES`, which takes no time
_FEW_ENTRIES = 100_000_000
# liblinear's own default tolerance: on reviews it takes a tenth of the passes of 1e-3, for the same accuracy.
_LIBLINEAR_TOLERANCE = 0.1
_LIBLINEAR_PASSES = 60
_MOST_STEPS, _STEP_TOLERANCE = 1_000, 1e-9  # of L-BFGS


def fit_linear_svm(problem: LinearProblem, fitted: Callable[[int], None] = lambda n: None) -> LinearSolution:
    """Fit linear SVMs with squared hinge loss, in threads.

    With a prior, the penalty is sum precision_j (w_j - coef_j)² / 2: rows that the earlier coefficients classify with a
    margin change nothing (adaptive SVMs, J. Yang et al. 2007).
    """
    if problem.prior is not None:
        return _from_prior(problem, problem.prior)
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
    return _solve(problem, None, 1.0, fitted)


def _solve(
    problem: LinearProblem, start: LinearSolution | None, bias: float, fitted: Callable[[int], None]
) -> LinearSolution:
    """Descend from ``start``, the distance from which is penalised, or from 0.

    The intercept returned is the weight of a column of the value ``bias``.
    """
    rows = Rows.of(problem.X, bias)
    ridge = ridges(problem.C, problem.weights)
    n_outputs = problem.Y.shape[1]
    coef = np.zeros((rows.n_columns, n_outputs), dtype=np.float32) if start is None else start.coef.astype(np.float32)
    intercept = np.zeros(n_outputs) if start is None else start.intercept.copy()

    def fit_group(bounds: tuple[int, int]) -> None:
        outputs = slice(*bounds)
        at = coef[:, outputs], intercept[outputs]
        coef[:, outputs], intercept[outputs] = _descend(rows, problem.Y[:, outputs], ridge, problem.seed, *at)
        fitted(bounds[1] - bounds[0])

    in_threads(fit_group, output_groups(n_outputs))
    return LinearSolution(coef, intercept)


def _from_prior(problem: LinearProblem, prior: Prior) -> LinearSolution:
    """Fit with a prior: the penalty of a column times the root of its precision is that of a problem without."""
    root, bias = np.sqrt(prior.precision).astype(np.float32), prior.intercept_precision**-0.5
    X = problem.X.copy()
    X.data = X.data / root[X.indices]
    start = LinearSolution(prior.coef * root[:, np.newaxis], prior.intercept / bias)
    scaled = replace(problem, X=X)
    solved = _solve(scaled, start, bias, lambda n: None) if COMPILED else _minimise(scaled, start, bias)
    return LinearSolution(solved.coef / root[:, np.newaxis], solved.intercept * bias)


def _minimise(problem: LinearProblem, start: LinearSolution, bias: float) -> LinearSolution:
    """Do what `_solve` does by L-BFGS, one output after the other: the reference, and the way without compiled core."""
    from scipy.optimize import minimize

    X, loss_weights = problem.X.astype(np.float64), problem.C * problem.weights
    origin = np.vstack([start.coef, start.intercept])

    def objective(change: Floats, k: int, y: Floats) -> tuple[float, Floats]:
        w = origin[:, k] + change
        slack = np.maximum(0.0, 1.0 - y * (X @ w[:-1] + bias * w[-1]))
        pull = -2.0 * loss_weights * slack * y
        value = change @ change / 2 + loss_weights @ np.square(slack)
        return float(value), change + np.append(X.T @ pull, bias * pull.sum())

    found = origin.astype(np.float64)
    for k in range(problem.Y.shape[1]):
        y = np.where(problem.Y[:, k], 1.0, -1.0)
        options = {"maxiter": _MOST_STEPS, "ftol": _STEP_TOLERANCE}
        zeros = np.zeros(len(origin))
        found[:, k] += minimize(objective, zeros, (k, y), method="L-BFGS-B", jac=True, options=options).x
    return LinearSolution(found[:-1].astype(np.float32), found[-1])


def _descend(
    rows: "Rows",
    Y: Bools,
    ridge: NDArray[np.float32],
    seed: int,
    coef_before: NDArray[np.float32],
    intercept_before: Floats,
) -> tuple[NDArray[np.float32], Floats]:
    """Return the coefficients and the intercepts of some outputs, one to `WIDTHS[-1]`, descending from those before."""
    n, n_outputs = Y.shape
    outputs = DualOutputs(rows.n_columns, n_outputs)
    outputs.coef[:, :n_outputs], outputs.intercept[:n_outputs] = coef_before, intercept_before
    active = np.full(n, outputs.bits(outputs.learning), dtype=np.uint16)
    descent = DualDescent(rows, outputs.targets(Y), ridge, *outputs.weights, active, *outputs.followed)
    order = np.arange(n, dtype=np.int32)
    few = min(_MOST_PASSES_OF_FEW, _FEW_ENTRIES // (rows.n_entries + n))
    for n_passes in range(max(_MOST_PASSES, few)):
        shuffle(order, seed, n_passes)
        outputs.begin_pass()
        sweep(descent, order[active[order] != 0], outputs.stepping)
        if outputs.end_pass(GAP):
            break
        outputs.update_active(active)
    return outputs.coef[:, :n_outputs], outputs.intercept[:n_outputs].astype(np.float64)
