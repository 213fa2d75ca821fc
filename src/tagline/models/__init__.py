"""Classifiers of numbers: a sparse matrix or rows of ids in, logits out. Nothing here knows of text.

``Y`` is the boolean class matrix, (n_texts, n_classes), one True a row unless ``multilabel``.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import RecipeError
from tagline.models.linear import Bools, Floats, Ints, LinearModel, fit_linear_svm, fit_logistic
from tagline.models.naive_bayes import fit_complement, fit_multinomial
from tagline.models.network.network import Network
from tagline.models.onnx.runtime import OnnxModel
from tagline.models.trees import TreeModel, fit_forest, fit_tree

__all__ = ["CLASSIC", "Classic", "LinearModel", "Model", "Network", "OnnxModel", "TreeModel", "fit_model"]

Model = LinearModel | TreeModel | Network | OnnxModel
Classic = LinearModel | TreeModel
FitLinear = Callable[[sp.csr_matrix, Ints, Floats, float, int], tuple[Floats, Floats]]

LINEAR: dict[str, FitLinear] = {"linear-svm": fit_linear_svm, "logistic-regression": fit_logistic}
BAYES = {"multinomial-nb": fit_multinomial, "complement-nb": fit_complement}
TREES = ("decision-tree", "random-forest")
_CERTAIN = 20.0  # the logit of an output whose rows are all of one kind

CLASSIC: dict[str, type[LinearModel] | type[TreeModel]] = {"linear": LinearModel, "trees": TreeModel}


def fit_model(
    kind: str,
    X: sp.csr_matrix,
    Y: Bools,
    weights: Floats,
    *,
    multilabel: bool,
    strength: float,
    seed: int,
    max_depth: int | None = None,
    n_trees: int = 100,
) -> Classic:
    """Fit the model ``kind``; ``weights`` (n_texts,) multiply the rows, and one of weight 0 is as good as absent.

    ``strength`` is C of the linear models (more fits closer) and the smoothing of naive Bayes.
    A class without a row among ``Y`` gets a logit far below all others.
    """
    if not (counted := weights > 0).all():  # liblinear would warn of a class without any weight, on stderr
        X, Y, weights = X[counted], Y[counted], weights[counted]
    if kind in LINEAR:
        solve = LINEAR[kind]
        if multilabel:
            return _each_label(X, Y, lambda y: _row(solve(X, y.astype(np.int64), weights, strength, seed)))
        return _one_of_several(solve, X, Y, weights, strength, seed)
    if kind in BAYES:
        fit_bayes = BAYES[kind]
        if multilabel:
            return _each_label(X, Y, lambda y: _column(fit_bayes(X, np.column_stack([~y, y]), weights, strength)))
        return fit_bayes(X, Y, weights, strength)
    if multilabel:
        raise RecipeError(f"`{kind}` gives each text one label: choose another recipe for several, for example `fast`.")
    if kind == "decision-tree":
        return fit_tree(X, Y, weights, max_depth, seed)
    return fit_forest(X, Y, weights, max_depth, n_trees, seed)


def _one_of_several(
    solve: FitLinear, X: sp.csr_matrix, Y: Bools, weights: Floats, strength: float, seed: int
) -> LinearModel:
    """Fit a linear model of classes that exclude each other; some may have no row."""
    n_outputs = 1 if Y.shape[1] == 2 else Y.shape[1]
    coef, intercept = np.zeros((n_outputs, X.shape[1])), np.full(n_outputs, -_CERTAIN)
    present, y = np.unique(Y.argmax(axis=1), return_inverse=True)
    if len(present) == 1:
        intercept[present[0] if n_outputs > 1 else 0] = _CERTAIN if n_outputs > 1 or present[0] == 1 else -_CERTAIN
    else:
        solved, intercepts = solve(X, y, weights, strength, seed)
        if len(present) == 2 and n_outputs > 1:  # one output for two of several classes
            solved, intercepts = np.vstack([-solved, solved]), np.concatenate([-intercepts, intercepts])
        rows = present if n_outputs > 1 else [0]
        coef[rows], intercept[rows] = solved, intercepts
    return LinearModel.of(coef.T, intercept)


def _each_label(
    X: sp.csr_matrix, Y: Bools, fit_one: Callable[[Bools], tuple[NDArray[np.floating], float]]
) -> LinearModel:
    """Fit one output for each label, present or not."""

    def output(y: Bools) -> tuple[NDArray[np.floating], float]:
        if y.all() or not y.any():
            return np.zeros(X.shape[1]), _CERTAIN if y.any() else -_CERTAIN
        return fit_one(y)

    fitted = [output(y) for y in Y.T]
    return LinearModel.of(np.column_stack([f[0] for f in fitted]), np.array([f[1] for f in fitted]))


def _row(solved: tuple[Floats, Floats]) -> tuple[Floats, float]:
    return solved[0][0], float(solved[1][0])


def _column(model: LinearModel) -> tuple[NDArray[np.floating], float]:
    return model.coef[:, 0], float(model.intercept[0])
