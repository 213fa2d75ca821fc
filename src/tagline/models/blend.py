"""Complement naive Bayes on the features of a linear model, as a linear model that is added to it.

A linear SVM and naive Bayes err on different texts (Wang and Manning 2012, Baselines and bigrams, interpolate them):

    logits = X w + blend (X b - mean),    b_f = |w| / |ln P| · ln P_f / scale_f for each output

with ln P_f of `complement_likelihoods` from the number of texts that contain column f. Features are term frequencies
times scales, so that X b sums term frequencies times ln P, over the length of the row. Both models get equal norms
because log-likelihoods have no scale of their own: `fit_unit_bayes` returns b / |b|, which does not depend on w. The
mean over the training rows, or some of many, is taken off, which leaves the intercepts of the linear model as they were
learned.
"""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.models.linear import LinearModel
from tagline.models.naive_bayes import class_counts, complement_likelihoods
from tagline.parallel import checkpoint, row_ranges
from tagline.task import Bools, Floats, Task

if COMPILED:
    from tagline.models.linear import _products

_ENTRIES = 1 << 22  # that are counted in one call: milliseconds
_ALPHA = 0.3  # as in `benchmarks/trials.py`
_MOST_ROWS = 10_000  # that the mean is taken over, evenly spaced


def fit_unit_bayes(X: sp.csr_matrix, Y: Bools, weights: Floats, scale: NDArray[np.float32], task: Task) -> LinearModel:
    """Return complement naive Bayes as what is added to a linear model of the same rows, with coefficients of norm 1.

    ``X``, (n_texts, n_columns), ``Y``, (n_texts, n_classes), and ``weights``, (n_texts,), are those of `fit_model`;
    ``scale``, (n_columns,), is what the columns were multiplied by. Outputs of classes without a row have no
    coefficients.
    """
    if task is Task.BINARY:
        coef = _difference(_likelihoods(X, Y, weights))
    elif task is Task.MULTILABEL:
        coef = np.hstack([_difference(_likelihoods(X, np.column_stack([~y, y]), weights)) for y in Y.T])
    else:
        coef = np.zeros((X.shape[1], Y.shape[1]))
        seen = np.flatnonzero(weights @ Y > 0)
        likelihoods = _likelihoods(X, Y[:, seen], weights)
        coef[:, seen] = likelihoods - likelihoods.mean(axis=1, keepdims=True)
    coef /= np.where(scale > 0, scale, 1.0)[:, np.newaxis]
    coef /= np.maximum(np.linalg.norm(coef, axis=0), 1e-300)
    bayes = LinearModel.of(coef, np.zeros(coef.shape[1]))
    rows = np.flatnonzero(weights)
    rows = rows[:: 1 + len(rows) // _MOST_ROWS]
    of_rows = weights[rows, np.newaxis]
    mean = (of_rows * bayes.logits(X[rows])).sum(axis=0) / of_rows.sum()
    return replace(bayes, intercept=-mean)


def _likelihoods(X: sp.csr_matrix, Y: Bools, weights: Floats) -> Floats:
    """Return the `complement_likelihoods` of the rows that have a column, of each class that a row may have."""
    if not (COMPILED and X.dtype == np.float32 and X.indices.dtype == np.int32):
        present = sp.csr_matrix(((X.data != 0).astype(np.float32), X.indices, X.indptr), shape=X.shape)
        return complement_likelihoods(class_counts(present, Y, weights), _ALPHA)
    ends, classes, counts = X.indptr.astype(np.int64), Y.argmax(axis=1), np.zeros((Y.shape[1], X.shape[1]))
    counted = np.where(Y.any(axis=1), weights, 0.0)  # rows of weight 0 may have no class
    for first, last in row_ranges(ends, _ENTRIES):
        _products.add_class_counts(ends, X.indices, X.data, classes, counted, first, last, counts)
        checkpoint()
    return complement_likelihoods(counts, _ALPHA)


def norms(model: LinearModel) -> Floats:
    """Return the norm of the coefficients of each output, (n_outputs,)."""
    return np.asarray(np.linalg.norm(model.coef, axis=0), dtype=np.float64)


def blended(model: LinearModel, bayes: LinearModel, blend: float) -> LinearModel:
    """Return ``model`` plus ``blend`` times its norms times ``bayes``, see `fit_unit_bayes`."""
    share = blend * norms(model)
    return LinearModel.of(model.coef + share * bayes.coef, model.intercept + share * bayes.intercept)


def _difference(likelihoods: Floats) -> Floats:
    """Return the one output of two classes."""
    return likelihoods[:, 1:] - likelihoods[:, :1]
