"""Classifiers of numbers: a sparse matrix in, logits out. Nothing here knows of text.

``Y`` is the boolean class matrix, (n_texts, n_classes), one True a row unless ``multilabel``.
"""

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import RecipeError
from tagline.models.bayes import fit_complement, fit_multinomial
from tagline.models.linear import Bools, Floats, LinearModel, fit_linear_svm, fit_logistic
from tagline.models.trees import TreeModel, fit_forest, fit_tree
from tagline.threads import in_threads

__all__ = ["STORED", "LinearModel", "Model", "TreeModel", "fit_model"]

Model = LinearModel | TreeModel
FitOne = Callable[[sp.csr_matrix, Bools, Floats, float, int], tuple[Floats, float]]

LINEAR: dict[str, FitOne] = {"linear-svm": fit_linear_svm, "logistic-regression": fit_logistic}
BAYES = {"multinomial-nb": fit_multinomial, "complement-nb": fit_complement}
TREES = ("decision-tree", "random-forest")
_CERTAIN = 20.0  # the logit of an output whose rows are all of one kind

STORED: dict[str, type[LinearModel] | type[TreeModel]] = {"linear": LinearModel, "trees": TreeModel}


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
) -> Model:
    """Fit the model ``kind``; ``weights`` (n_texts,) multiply the rows, and one of weight 0 is as good as absent.

    ``strength`` is C of the linear models (more fits closer) and the smoothing of naive Bayes.
    A class without a row among ``Y`` gets a logit far below all others.
    """
    if not (counted := weights > 0).all():  # liblinear would warn of a class without any weight, on stderr
        X, Y, weights = X[counted], Y[counted], weights[counted]
    if kind in LINEAR:
        fit_one = LINEAR[kind]
        columns = range(1, 2) if Y.shape[1] == 2 and not multilabel else range(Y.shape[1])
        return _side_by_side(list(columns), X, Y, lambda y: fit_one(X, y, weights, strength, seed))
    if kind in BAYES:
        if not multilabel:
            return BAYES[kind](X, Y, weights, strength)

        def against_rest(y: Bools) -> tuple[Floats, float]:
            model = BAYES[kind](X, np.column_stack([~y, y]), weights, strength)
            return model.coef[:, 0].astype(np.float64), float(model.intercept[0])

        return _side_by_side(list(range(Y.shape[1])), X, Y, against_rest)
    if multilabel:
        raise RecipeError(f"`{kind}` gives each text one label: choose another recipe for several, for example `fast`.")
    if kind == "decision-tree":
        return fit_tree(X, Y, weights, max_depth, seed)
    return fit_forest(X, Y, weights, max_depth, n_trees, seed)


def _side_by_side(
    columns: list[int], X: sp.csr_matrix, Y: Bools, fit_one: Callable[[Bools], tuple[Floats, float]]
) -> LinearModel:
    """Fit one output for each of the columns of ``Y`` against the rest, on all cores."""

    def output(column: int) -> tuple[NDArray[np.float32], float]:
        y = Y[:, column]
        if y.all() or not y.any():
            return np.zeros(X.shape[1], dtype=np.float32), _CERTAIN if y.any() else -_CERTAIN
        coef, intercept = fit_one(y)
        return coef.astype(np.float32), intercept

    fitted = in_threads(output, columns)
    return LinearModel.of(np.column_stack([f[0] for f in fitted]), np.array([f[1] for f in fitted]))
