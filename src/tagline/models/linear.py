"""Linear classifiers: logits = X @ coef + intercept.

Every model has one output for two classes (the logit of the second class) and otherwise one a class.
"""

import warnings
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

# liblinear's own default accuracy: on reviews a tenth of the passes of 1e-3 for the same accuracy.
_SVM_TOLERANCE = 0.1
_SVM_PASSES = 60
# liblinear draws from one generator for the whole process, so that fits side by side disturb each other's numbers, and
# `warnings.catch_warnings` side by side leaves filters behind. Nothing is lost: the solvers gain nothing from threads.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class LinearModel:
    """``coef`` is (n_columns, n_outputs) float32, ``intercept`` (n_outputs,) float64.

    Coefficients are rounded to half precision once, when they are learned: what is stored in two bytes is
    what was measured.
    """

    coef: NDArray[np.float32]
    intercept: Floats

    @staticmethod
    def of(coef: NDArray[np.floating], intercept: Floats) -> "LinearModel":
        """Make a model of double-precision coefficients, (n_columns, n_outputs)."""
        largest = float(np.finfo(np.float16).max)
        rounded = np.clip(coef, -largest, largest).astype(np.float16).astype(np.float32)
        return LinearModel(np.ascontiguousarray(rounded), np.asarray(intercept, dtype=np.float64))

    def logits(self, X: sp.csr_matrix) -> Floats:
        """Return the logits, (n_texts, n_outputs); a row's are the same to the last bit alone and in a batch."""
        coef = self.coef
        if X.nnz < coef.shape[0]:  # few texts: touch their columns only
            used, places = np.unique(X.indices, return_inverse=True)
            X = sp.csr_matrix((X.data, places, X.indptr), shape=(X.shape[0], len(used)))
            coef = coef[used]
        products = [X @ coef[:, output].astype(np.float64) for output in range(coef.shape[1])]
        return np.column_stack(products) + self.intercept

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return what a bundle stores."""
        return {"coef": self.coef.astype(np.float16), "intercept": self.intercept}

    @staticmethod
    def from_arrays(arrays: dict[str, NDArray[np.generic]]) -> "LinearModel":
        """Return the model that ``arrays`` came from."""
        return LinearModel(arrays["coef"].astype(np.float32), arrays["intercept"].astype(np.float64))


def fit_linear_svm(X: sp.csr_matrix, y: Ints, weights: Floats, strength: float, seed: int) -> tuple[Floats, Floats]:
    """Return coefficients (n_outputs, n_columns) and intercepts of linear SVMs with squared hinge loss.

    Classes ``y`` are 0 … n_classes - 1, each with a row; two classes have one output, more have one each, against the
    rest. For each: min over w of |w|²/2 + strength * sum of weights_i * max(0, 1 - y_i w·x_i)², with y_i now 1 or -1,
    by dual coordinate descent (Hsieh et al. 2008, liblinear).
    """
    from sklearn.svm import LinearSVC

    model = LinearSVC(C=strength, tol=_SVM_TOLERANCE, max_iter=_SVM_PASSES, dual=True, random_state=seed)
    return _solve(model, X, y, weights)


def fit_logistic(X: sp.csr_matrix, y: Ints, weights: Floats, strength: float, seed: int) -> tuple[Floats, Floats]:
    """Return coefficients (n_outputs, n_columns) and intercepts of a logistic regression, for several classes softmax.

    min over W of |W|²/2 - strength * sum of weights_i * ln P(y_i | x_i), by L-BFGS.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, max_iter=200, random_state=seed)
    return _solve(model, X, y, weights)


def _solve(model: Any, X: sp.csr_matrix, y: Ints, weights: Floats) -> tuple[Floats, Floats]:
    from sklearn.exceptions import ConvergenceWarning

    with _ONE_AT_A_TIME, warnings.catch_warnings():
        # The number of passes is bounded on purpose: the last digits of the margin do not change a verdict.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=weights)
    return model.coef_, model.intercept_
