"""Fits of scikit-learn's estimators: trees, and linear models where there is no compiled solver."""

import warnings
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np
import scipy.sparse as sp

from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.task import Floats, Ints

# liblinear has one random generator for the whole process, so that concurrent fits would not be reproducible, and
# concurrent `warnings.catch_warnings` leave filters behind. The solvers gain nothing from threads, and forests have
# threads of their own.
_ONE_AT_A_TIME = Lock()


def fit_alone(estimator: Any, X: sp.csr_matrix, y: Ints, weights: Floats) -> None:
    """Fit an estimator of scikit-learn while no other thread fits one."""
    from sklearn.exceptions import ConvergenceWarning

    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True):
        # The number of passes is bounded on purpose: the last digits of the margin do not change a prediction.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # Each thread of a forest resets the filters of the process and puts them back, and warns if another one has
        # just reset them.
        warnings.filterwarnings("ignore", "`sklearn.utils.parallel.delayed` should be used", UserWarning)
        estimator.fit(X, y, sample_weight=weights)


def fit_linear(estimator: Any, problem: LinearProblem, fitted: Callable[[int], None]) -> LinearSolution:
    """Fit a linear estimator of scikit-learn to all outputs; one after the other unless they exclude each other."""
    X, Y, weights = problem.X, problem.Y, problem.weights
    if problem.exclusive:
        fit_alone(estimator, X, Y.argmax(axis=1), weights)
        fitted(Y.shape[1])
        return LinearSolution(estimator.coef_.T, estimator.intercept_)
    coef, intercept = np.empty((X.shape[1], Y.shape[1])), np.empty(Y.shape[1])
    for output, y in enumerate(Y.T):
        fit_alone(estimator, X, y.astype(np.int64), weights)
        coef[:, output], intercept[output] = estimator.coef_[0], estimator.intercept_[0]
        fitted(1)
    return LinearSolution(coef, intercept)
