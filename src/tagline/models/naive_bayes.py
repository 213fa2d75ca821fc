"""Naive Bayes on counts, as linear models."""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.linear import LinearModel
from tagline.task import Bools, Floats

_ABSENT = -1e3  # the logit of a class without a row


def fit_multinomial(X: sp.csr_matrix, Y: Bools, weights: Floats, alpha: float) -> LinearModel:
    """Fit multinomial naive Bayes: logit_c = ln P(c) + sum over columns of x_f ln P(f | c).

    ``X`` are counts, (n_texts, n_columns); ``Y`` is (n_texts, n_classes). ``alpha`` is added to each count
    (additive smoothing). Columns without a count are ignored.
    """
    counts = class_counts(X, Y, weights)
    seen = np.flatnonzero(counts.any(axis=0))
    counts = counts[:, seen] + alpha
    log_likelihood = np.log(counts / counts.sum(axis=1, keepdims=True))
    members = np.maximum(weights @ Y, 1e-300)
    return _outputs(_placed(log_likelihood, seen, X.shape[1]), np.log(members / members.sum()))


def fit_complement(X: sp.csr_matrix, Y: Bools, weights: Floats, alpha: float) -> LinearModel:
    """Fit complement naive Bayes (Rennie et al. 2003): the likelihoods are those of the other classes.

    logit_c = - sum over columns of x_f ln P(f | not c); it is less biased than ``fit_multinomial`` if
    class sizes differ. A class without a row gets a logit far below the others.
    """
    likelihoods = complement_likelihoods(class_counts(X, Y, weights), alpha)
    return _outputs(likelihoods, np.where(weights @ Y > 0, 0.0, _ABSENT))


def complement_likelihoods(counts: Floats, alpha: float) -> Floats:
    """Return -ln P(f | not c), (n_columns, n_classes), of ``counts``, (n_classes, n_columns); see `fit_complement`.

    It is 0 for columns without a count.
    """
    seen = np.flatnonzero(counts.any(axis=0))
    of_seen = counts[:, seen]
    complement = of_seen.sum(axis=0, keepdims=True) - of_seen + alpha
    return _placed(-np.log(complement / complement.sum(axis=1, keepdims=True)), seen, counts.shape[1])


def class_counts(X: sp.csr_matrix, Y: Bools, weights: Floats) -> Floats:
    """Return the weighted count of each column in each class, (n_classes, n_columns)."""
    members = sp.csr_matrix((Y * weights[:, np.newaxis]).T)
    return np.asarray((members @ X).todense(), dtype=np.float64)


def _placed(log_likelihood: Floats, seen: NDArray[np.int64], n_columns: int) -> Floats:
    """Return the log-likelihoods of all columns, (n_columns, n_classes), from those of the columns seen."""
    placed = np.zeros((n_columns, len(log_likelihood)))
    placed[seen] = log_likelihood.T
    return placed


def _outputs(coef: Floats, intercept: Floats) -> LinearModel:
    """Centre the outputs, which changes no probability; two classes become one logit."""
    if coef.shape[1] == 2:
        return LinearModel.of(coef[:, 1:] - coef[:, :1], intercept[1:] - intercept[:1])
    return LinearModel.of(coef - coef.mean(axis=1, keepdims=True), intercept - intercept.mean())


#: The naive Bayes models, by the ``model.kind`` of a recipe.
NAIVE_BAYES: dict[str, Callable[[sp.csr_matrix, Bools, Floats, float], LinearModel]] = {
    "multinomial-nb": fit_multinomial,
    "complement-nb": fit_complement,
}
