"""The slopes of a label tree's levels, fitted on held-out rows: temperature scaling of each level's losses."""

import numpy as np
import scipy.sparse as sp

from tagline.models.label_tree.search import search_by_node
from tagline.models.label_tree.tree import BEAM, LabelTree
from tagline.task import Bools, Floats, Ints

_ROWS = 5_000  # more hardly change a slope
_STEPS, _HALVINGS, _TOLERANCE = 50, 20, 1e-7
_LEAST, _MOST = 0.01, 100.0
_PENALTY = 1e-3  # of the squared slopes: rows that are all right would have none that is the best


def calibrated(tree: LabelTree, X: sp.csr_matrix, classes: Ints, weights: Floats) -> LabelTree:
    """Return the tree with the slopes that minimise the log loss of the softmax over the leaves that rows reach.

    The leaf of a row's class is among them, reached or not; a row of a class without a leaf is left out.

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
    X, leaves, weights = X[rows], leaves[rows], weights[rows]
    reached, losses = search_by_node(tree, X, BEAM)
    losses[reached == leaves[:, np.newaxis]] = np.inf
    losses = np.concatenate([_losses_of(tree, X, leaves)[:, np.newaxis], losses], axis=1)  # the true leaf first
    return tree.with_slopes(_slopes(losses, weights / weights.sum(), tree.slopes))


def _losses_of(tree: LabelTree, X: sp.csr_matrix, leaves: Ints) -> Floats:
    """Return the losses on the path to a leaf of each row, (n_texts, n_levels)."""
    losses, edges = np.empty((len(leaves), len(tree.levels))), leaves + tree.n_nodes - 1
    for level in reversed(range(len(tree.levels))):
        nodes = tree.parent[edges]
        for node in np.unique(nodes).tolist():
            of_node = np.flatnonzero(nodes == node)
            z = tree.scores(X[of_node], node)[np.arange(len(of_node)), edges[of_node] - int(tree.starts[node])]
            losses[of_node, level] = np.square(np.maximum(0.0, 1.0 - z))
        edges = nodes - 1
    return losses


def _slopes(losses: Floats, weights: Floats, start: Floats) -> Floats:
    """Minimise by a damped Newton's method; ``losses`` are (n_texts, n_leaves, n_levels), the true leaf first."""
    present: Bools = np.isfinite(losses[:, :, 0])
    losses = np.where(present[:, :, np.newaxis], losses, 0.0)

    def derivatives(slopes: Floats) -> tuple[float, Floats, Floats]:
        scores = np.where(present, -(losses @ slopes), -np.inf)
        highest = scores.max(axis=1, keepdims=True)
        p = np.exp(scores - highest)
        total = p.sum(axis=1, keepdims=True)
        p /= total
        log_loss = highest[:, 0] + np.log(total[:, 0]) - scores[:, 0]
        mean = np.einsum("nc,ncl->nl", p, losses)
        squares = np.einsum("nc,ncl,ncm,n->lm", p, losses, losses, weights, optimize=True)
        value = weights @ log_loss + _PENALTY * slopes @ slopes / 2
        gradient = weights @ (losses[:, 0] - mean) + _PENALTY * slopes
        curvature = squares - (mean * weights[:, np.newaxis]).T @ mean + _PENALTY * np.eye(len(slopes))
        return float(value), gradient, curvature

    slopes = np.clip(start, _LEAST, _MOST)
    value, gradient, curvature = derivatives(slopes)
    for _ in range(_STEPS):
        step = -np.linalg.solve(curvature, gradient)
        for _ in range(_HALVINGS):
            changed = np.clip(slopes + step, _LEAST, _MOST)
            then = derivatives(changed)
            if then[0] <= value:
                break
            step = step / 2
        else:
            break
        gained, slopes, (value, gradient, curvature) = value - then[0], changed, then
        if gained <= _TOLERANCE:
            break
    return np.asarray(slopes)
