"""Fits of scikit-learn's estimators."""

import warnings
from threading import Lock
from typing import Any

import scipy.sparse as sp

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
