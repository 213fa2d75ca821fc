"""`fit_model`: a model of n-grams, fitted by its kind.

``Y`` is the boolean class matrix, (n_texts, n_classes), with one True in each row unless texts may have several labels.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import RecipeError
from tagline.models.base import HyperParameters
from tagline.models.linear import LINEAR_MODELS, SOFTMAX_MODELS, LinearModel
from tagline.models.linear.problem import LinearProblem, LinearSolver
from tagline.models.naive_bayes import NAIVE_BAYES
from tagline.models.trees import TREES, TreeModel
from tagline.task import Bools, Floats, Task

_CERTAIN = 20.0  # the logit of an output whose rows all have the same value

#: The kinds of models of n-grams, which are the allowed values of a recipe's ``model.kind``.
NGRAM_MODELS = (*LINEAR_MODELS, *NAIVE_BAYES, *TREES)

#: The hyper-parameter that is worth choosing on validation rows, by kind.
TUNED: dict[str, Literal["C", "alpha"]] = {
    **dict.fromkeys(LINEAR_MODELS, "C"),
    **dict.fromkeys(NAIVE_BAYES, "alpha"),
}


def fit_model(
    kind: str,
    X: sp.csr_matrix,
    Y: Bools,
    weights: Floats,
    settings: HyperParameters,
    *,
    task: Task,
    seed: int,
    label_fitted: Callable[[int], None] = lambda n: None,
) -> LinearModel | TreeModel:
    """Fit the model ``kind``; ``weights``, (n_texts,), multiply the rows, and rows of weight 0 are left out.

    A class without a row among ``Y`` gets a logit far below all others. ``label_fitted`` is called with the number of
    labels done after each of several labels of a text, which are fitted one by one.

    Raises:
        RecipeError: ``kind`` gives each text one label, and there may be several.

    """
    if not (counted := weights > 0).all():  # the solvers divide by weights
        X, Y, weights = X[counted], Y[counted], weights[counted]
    if kind in LINEAR_MODELS:
        problem = LinearProblem(X, Y, weights, settings.C, seed, task is not Task.MULTILABEL)
        return fit_linear_model(LINEAR_MODELS[kind], problem, label_fitted, softmax=kind in SOFTMAX_MODELS)
    if kind in NAIVE_BAYES:
        fit_bayes, alpha = NAIVE_BAYES[kind], settings.alpha
        if task is Task.MULTILABEL:
            return _each_label(
                X, Y, lambda y: _column(fit_bayes(X, np.column_stack([~y, y]), weights, alpha)), label_fitted
            )
        return fit_bayes(X, Y, weights, alpha)
    if task is Task.MULTILABEL:
        raise RecipeError(f"`{kind}` gives each text one label: choose another recipe for several, for example `fast`.")
    return TREES[kind](X, Y, weights, settings, seed)


def fit_linear_model(
    solve: LinearSolver, problem: LinearProblem, label_fitted: Callable[[int], None], *, softmax: bool = False
) -> LinearModel:
    """Fit a linear model of classes or labels, of which some may have no row, or all; see `fit_model`.

    ``softmax``: the outputs that the solver learns are the logits of one softmax.
    """
    if problem.exclusive:
        return _classes(solve, problem, softmax=softmax)
    return _labels(solve, problem, label_fitted)


def _classes(solve: LinearSolver, problem: LinearProblem, *, softmax: bool) -> LinearModel:
    """Fit a linear model of mutually exclusive classes; some may have no row."""
    Y = problem.Y
    n_outputs = 1 if Y.shape[1] == 2 else Y.shape[1]
    present = np.flatnonzero(Y.any(axis=0))
    coef, intercept = np.zeros((problem.X.shape[1], n_outputs), dtype=np.float32), np.full(n_outputs, -_CERTAIN)
    if len(present) == 1:
        intercept[present[0] if n_outputs > 1 else 0] = _CERTAIN if n_outputs > 1 or present[0] == 1 else -_CERTAIN
    elif len(present) == 2:
        # One output for two of several classes. The softmax of -z/2 and z/2 is the sigmoid of z, at half the penalty.
        share = 0.5 if n_outputs > 1 and softmax else 1.0
        two = replace(problem, Y=Y[:, present[1:]], C=problem.C / share, exclusive=False)
        solved = solve(two, _ignore)
        if n_outputs > 1:
            coef[:, present] = share * np.hstack([-solved.coef, solved.coef])
            intercept[present] = share * np.concatenate([-solved.intercept, solved.intercept])
        else:
            coef, intercept = solved.coef, solved.intercept
    else:
        solved = solve(replace(problem, Y=Y[:, present]), _ignore)
        if len(present) == n_outputs:
            coef, intercept = solved.coef, solved.intercept
        else:
            coef[:, present], intercept[present] = solved.coef, solved.intercept
    return LinearModel.of(coef, intercept)


def _ignore(n_fitted: int) -> None:
    pass


def _labels(solve: LinearSolver, problem: LinearProblem, label_fitted: Callable[[int], None]) -> LinearModel:
    """Fit a linear model of independent labels; all rows may have a label, or none."""
    Y, numbers = problem.Y, count(1)

    def fitted(n: int) -> None:
        for _ in range(n):
            label_fitted(next(numbers))

    mixed = Y.any(axis=0) & ~Y.all(axis=0)
    if mixed.all():
        solved = solve(problem, fitted)
        return LinearModel.of(solved.coef, solved.intercept)
    coef = np.zeros((problem.X.shape[1], Y.shape[1]), dtype=np.float32)
    intercept = np.where(Y.any(axis=0), _CERTAIN, -_CERTAIN)
    fitted(int((~mixed).sum()))
    if mixed.any():
        solved = solve(replace(problem, Y=Y[:, mixed]), fitted)
        coef[:, mixed], intercept[mixed] = solved.coef, solved.intercept
    return LinearModel.of(coef, intercept)


def _each_label(
    X: sp.csr_matrix,
    Y: Bools,
    fit_one: Callable[[Bools], tuple[NDArray[np.floating], float]],
    label_fitted: Callable[[int], None],
) -> LinearModel:
    """Fit one output for each label, whether or not a row has it."""

    def output(y: Bools) -> tuple[NDArray[np.floating], float]:
        if y.all() or not y.any():
            return np.zeros(X.shape[1]), _CERTAIN if y.any() else -_CERTAIN
        return fit_one(y)

    fitted = []
    for k, y in enumerate(Y.T, 1):
        fitted.append(output(y))
        label_fitted(k)
    return LinearModel.of(np.column_stack([f[0] for f in fitted]), np.array([f[1] for f in fitted]))


def _column(model: LinearModel) -> tuple[NDArray[np.floating], float]:
    return model.coef[:, 0], float(model.intercept[0])
