"""Logistic regression: softmax of several classes, or the sigmoid of each output.

With c_i = C weight_i and logits z_i = W' x_i + b, the weights W and the intercepts b minimise

    f = |W|² / 2 - sum c_i ln P(y_i | z_i),

by Newton's method, each step by conjugate gradients (Hessian-free, as in liblinear's trust-region solver). Everything
is computed in the space of rows: W = X' A with A, (n_rows, n_outputs), as the gradient and all steps have that form.
Inner products in the space of weights are <X' A, X' B> = <A, X X' B>, so that an iteration takes one product with the
Gram matrix X X', and a line search none. Columns may be many more than rows: arrays of their size are never needed.
"""

from collections.abc import Callable

import numpy as np

from tagline.compiled import COMPILED
from tagline.models.estimators import fit_linear
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.parallel import in_threads
from tagline.task import Bools, Floats

if COMPILED:
    from tagline.models.linear.gram import GramMatrix
    from tagline.models.linear.side_by_side import output_groups

# Newton's decrement, the decrease of f that a full step promises, relative to f: the last step is below.
_DECREMENT = 1e-4
_MOST_STEPS = 50
_MOST_PRODUCTS = 200  # for one step
_FORCING = 0.4  # the residual of a step, relative to the gradient: far from the minimum an exact one is not worth more
_LEAST_DECREASE = 1e-4  # of the promised one, for a step to be taken (Armijo)
_SMALLEST_STEP = 1e-8
_LARGEST = 1e30  # c_i: single precision holds the sum of so many


def fit_logistic(problem: LinearProblem, fitted: Callable[[int], None] = lambda n: None) -> LinearSolution:
    """Fit a logistic regression; of several outputs that exclude each other, a multinomial one."""
    if not COMPILED:
        from sklearn.linear_model import LogisticRegression

        return fit_linear(LogisticRegression(C=problem.C, max_iter=200, random_state=problem.seed), problem, fitted)
    gram = GramMatrix(problem.X)
    c = np.minimum(problem.C * problem.weights, _LARGEST)[:, np.newaxis]  # (n_rows, 1)
    if problem.exclusive:
        solution = _Newton(gram, problem.Y, c, coupled=True).solve()
        fitted(problem.Y.shape[1])
        return solution

    def fit_group(bounds: tuple[int, int]) -> LinearSolution:
        solution = _Newton(gram, problem.Y[:, slice(*bounds)], c, coupled=False).solve()
        fitted(bounds[1] - bounds[0])
        return solution

    groups = in_threads(fit_group, output_groups(problem.Y.shape[1]))
    return LinearSolution(np.hstack([g.coef for g in groups]), np.concatenate([g.intercept for g in groups]))


class _Newton:
    """The state: A, X X' A and b. Numbers of each output are (n_outputs,), or (1,) if ``coupled``: they share them."""

    def __init__(self, gram: "GramMatrix", Y: Bools, c: Floats, *, coupled: bool) -> None:
        self.gram, self.Y, self.c, self.coupled = gram, Y, c, coupled
        self.A, self.GA = np.zeros(Y.shape), np.zeros(Y.shape)
        self.b = np.zeros(Y.shape[1])

    def solve(self) -> LinearSolution:
        learning: Bools = np.ones(1 if self.coupled else len(self.b), dtype=bool)
        for _ in range(_MOST_STEPS):
            P = self._probabilities(self.GA + self.b)
            R = self.c * (P - self.Y)  # the gradient with respect to the logits
            S, GS, s = self._direction(P, R, learning)
            decrement = -self._inner(self.A + R, GS) - self._inner(R.sum(axis=0), s)
            objective = self._objective(self.A, self.GA, self.b)
            t = self._step_size(S, GS, s, objective, decrement)
            self.A, self.GA, self.b = self.A + t * S, self.GA + t * GS, self.b + t * s
            learning &= (decrement / 2 > _DECREMENT * objective) & (t > 0)
            if not learning.any():
                break
        if self.coupled:
            self.b = self.b - self.b.mean()  # a number added to all changes no probability
        return LinearSolution(self.gram.weights(self.A), self.b)

    def _direction(self, P: Floats, R: Floats, learning: Bools) -> tuple[Floats, Floats, Floats]:
        """Return Newton's step of A, X X' times it, and that of b: H s = -gradient, by conjugate gradients.

        Outputs that are not ``learning`` stay where they are.
        """
        r, r_b = -(self.A + R), -R.sum(axis=0)
        curvature = (self.c * P * (1 - P)).sum(axis=0) + 1e-12  # of b, to precondition
        S, GS, s = np.zeros_like(r), np.zeros_like(r), np.zeros_like(r_b)
        Gr = self.gram.times(r)
        size = first = self._inner(r, Gr) + self._inner(r_b, r_b / curvature)
        p, Gp, p_b = r, Gr, r_b / curvature
        for _ in range(_MOST_PRODUCTS):
            V = Gp + p_b  # the change of the logits
            DV = self._curvature_times(P, V)
            q, q_b = p + DV, DV.sum(axis=0)
            along = self._inner(Gp, q) + self._inner(p_b, q_b)
            moves = learning & (size > _FORCING**2 * first) & (along > 0)
            if not moves.any():
                break
            alpha = np.divide(size, along, out=np.zeros_like(size), where=moves)
            S, GS, s = S + alpha * p, GS + alpha * Gp, s + alpha * p_b
            r, r_b = r - alpha * q, r_b - alpha * q_b
            Gr = self.gram.times(r)
            before, size = size, self._inner(r, Gr) + self._inner(r_b, r_b / curvature)
            beta = np.divide(size, before, out=np.zeros_like(size), where=moves)
            p, Gp, p_b = r + beta * p, Gr + beta * Gp, r_b / curvature + beta * p_b
        return S, GS, s

    def _step_size(self, S: Floats, GS: Floats, s: Floats, objective: Floats, decrement: Floats) -> Floats:
        """Return the first of 1, 1/2, 1/4 … that decreases the objective enough, or 0."""
        t = np.ones_like(decrement)
        while True:
            reached = self._objective(self.A + t * S, self.GA + t * GS, self.b + t * s)
            too_far = (t > 0) & ~(reached <= objective - _LEAST_DECREASE * t * decrement)
            if not too_far.any():
                return t
            t = np.where(too_far, t / 2, t)
            t[t < _SMALLEST_STEP] = 0.0

    def _objective(self, A: Floats, GA: Floats, b: Floats) -> Floats:
        Z = GA + b
        if self.coupled:
            highest = Z.max(axis=1, keepdims=True)
            log_sum = highest + np.log(np.exp(Z - highest).sum(axis=1, keepdims=True))  # (n_rows, 1)
            losses = np.where(self.Y, log_sum - Z, 0.0)
        else:
            losses = np.logaddexp(0.0, np.where(self.Y, -Z, Z))
        return self._inner(A, GA) / 2 + self._sum((self.c * losses).sum(axis=0))

    def _probabilities(self, Z: Floats) -> Floats:
        if not self.coupled:
            return np.asarray(np.exp(-np.logaddexp(0.0, -Z)))
        P = np.exp(Z - Z.max(axis=1, keepdims=True))
        return np.asarray(P / P.sum(axis=1, keepdims=True))

    def _curvature_times(self, P: Floats, V: Floats) -> Floats:
        """Return the Hessian with respect to the logits of each row, times V."""
        if not self.coupled:
            return np.asarray(self.c * P * (1 - P) * V)
        PV = P * V
        return np.asarray(self.c * (PV - P * PV.sum(axis=1, keepdims=True)))

    def _inner(self, A: Floats, GB: Floats) -> Floats:
        return self._sum((A * GB).sum(axis=0) if A.ndim == 2 else A * GB)

    def _sum(self, of_outputs: Floats) -> Floats:
        return of_outputs.sum(keepdims=True) if self.coupled else of_outputs
