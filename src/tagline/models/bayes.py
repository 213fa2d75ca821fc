"""Naive Bayes on counts, as linear models."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.linear import Bools, Floats, LinearModel


def fit_multinomial(X: sp.csr_matrix, Y: Bools, weights: Floats, alpha: float) -> LinearModel:
    """Fit multinomial naive Bayes: logit_c = ln P(c) + sum over columns of x_f ln P(f | c).

    ``X`` are counts, (n_texts, n_columns); ``Y`` is (n_texts, n_classes). Laplace's rule adds ``alpha``.
    """
    counts = _class_counts(X, Y, weights) + alpha  # (n_classes, n_columns)
    log_likelihood = np.log(counts / counts.sum(axis=1, keepdims=True))
    members = np.maximum(weights @ Y, 1e-300)
    return _outputs(log_likelihood.T, np.log(members / members.sum()))


def fit_complement(X: sp.csr_matrix, Y: Bools, weights: Floats, alpha: float) -> LinearModel:
    """Fit complement naive Bayes (Rennie et al. 2003): a class is judged by what the other classes hold.

    logit_c = - sum over columns of x_f ln P(f | not c); kinder than ``fit_multinomial`` to classes of unequal size.
    """
    counts = _class_counts(X, Y, weights)
    complement = counts.sum(axis=0, keepdims=True) - counts + alpha
    log_complement = np.log(complement / complement.sum(axis=1, keepdims=True))
    return _outputs(-log_complement.T, np.zeros(Y.shape[1]))


def _class_counts(X: sp.csr_matrix, Y: Bools, weights: Floats) -> Floats:
    members = sp.csr_matrix((Y * weights[:, np.newaxis]).T)
    return np.asarray((members @ X).todense(), dtype=np.float64)


def _outputs(coef: NDArray[np.float64], intercept: NDArray[np.float64]) -> LinearModel:
    """Centre the outputs (the same number off all changes no probability); two classes become one logit."""
    if coef.shape[1] == 2:
        return LinearModel.of(coef[:, 1:] - coef[:, :1], intercept[1:] - intercept[:1])
    return LinearModel.of(coef - coef.mean(axis=1, keepdims=True), intercept - intercept.mean())
