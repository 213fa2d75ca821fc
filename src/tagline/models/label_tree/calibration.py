"""The slopes of a label tree's levels, fitted on held-out rows: temperature scaling of each level's losses."""

import numpy as np
import scipy.sparse as sp

from tagline.models.label_tree.search import search_by_node
from tagline.models.label_tree.tree import BEAM, LabelTree
from tagline.task import Bools, Floats, Ints

_ROWS = 5_000  # more hardly change a slope
_STEPS, _HALVINGS, _TOLERANCE = 100, 30, 1e-7
_LEAST, _MOST = 0.01, 100.0
_PENALTY = 1e-4  # of the squared numbers: rows that are all right, or all reached, would have none that is the best


def calibrated(tree: LabelTree, X: sp.csr_matrix, classes: Ints, weights: Floats) -> LabelTree:
    """Return the tree with the slopes, and the loss of elsewhere, that minimise the log loss of rows.

    The class of a row whose leaf is not reached is elsewhere; a row of a class without a leaf is left out.

    Args:
        tree: the tree, whose slopes say which leaves are reached.
        X: held-out rows, (n_texts, n_columns).
        classes: their classes, (n_texts,).
        weights: how many times each counts, (n_texts,).

    """
    leaves = tree.leaf_of_class[classes]
    rows = np.flatnonzero(leaves >= 0)
    rows = rows[:: 1 + len(rows) // (_ROWS + 1)]
    if not len(rows):
        return tree
    reached, losses = search_by_node(tree, X[rows], BEAM)
    n, n_found, n_levels = losses.shape
    features = np.zeros((n, n_found + 1, n_levels + 1))  # the last alternative is elsewhere
    features[:, :-1, :-1], features[:, -1, -1] = losses, 1.0
    is_true = reached == leaves[rows, np.newaxis]
    true = np.where(is_true.any(axis=1), is_true.argmax(axis=1), n_found)
    found = _minimum(features, true, weights[rows] / weights[rows].sum(), np.append(tree.slopes, 10.0))
    return tree.with_slopes(found[:-1], float(found[-1]))


def _minimum(features: Floats, true: Ints, weights: Floats, start: Floats) -> Floats:
    """Return the numbers that minimise the log loss of softmax(-features @ numbers), by a damped Newton's method.

    ``features`` are (n_texts, n_alternatives, n_numbers), infinite where there is no alternative; ``true`` is that of
    each row. A number at a bound that the gradient points beyond stays there.
    """
    present: Bools = np.isfinite(features[:, :, 0])
    features = np.where(present[:, :, np.newaxis], features, 0.0)
    rows, flat = np.arange(len(features)), features.reshape(-1, features.shape[2])

    def derivatives(numbers: Floats) -> tuple[float, Floats, Floats]:
        scores = np.where(present, -(features @ numbers), -np.inf)
        highest = scores.max(axis=1, keepdims=True)
        p = np.exp(scores - highest)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        log_loss = highest[:, 0] + np.log(total[:, 0]) - scores[rows, true]
        mean = (p[:, np.newaxis] @ features)[:, 0]  # (n_texts, n_numbers)
        squares = (flat * (p * weights[:, np.newaxis]).reshape(-1, 1)).T @ flat
        value = weights @ log_loss + _PENALTY * numbers @ numbers / 2
        gradient = weights @ (features[rows, true] - mean) + _PENALTY * numbers
        curvature = squares - (mean * weights[:, np.newaxis]).T @ mean + _PENALTY * np.eye(len(numbers))
        return float(value), gradient, curvature

    numbers = np.clip(start, _LEAST, _MOST)
    value, gradient, curvature = derivatives(numbers)
    for _ in range(_STEPS):
        stuck = ((numbers <= _LEAST) & (gradient > 0)) | ((numbers >= _MOST) & (gradient < 0))
        free = np.flatnonzero(~stuck)
        step = np.zeros(len(numbers))
        step[free] = -np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        for _ in range(_HALVINGS):
            changed = np.clip(numbers + step, _LEAST, _MOST)
            then = derivatives(changed)
            if then[0] <= value:
                break
            step = step / 2
        else:
            break
        gained, numbers, (value, gradient, curvature) = value - then[0], changed, then
        if gained <= _TOLERANCE:
            break
    return np.asarray(numbers)
