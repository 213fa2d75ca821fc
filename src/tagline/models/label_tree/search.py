"""Beam search in a label tree by sparse products, node by node: the reference, and the way without compiled core."""

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from tagline.task import Floats, Ints

if TYPE_CHECKING:
    from tagline.models.label_tree.tree import LabelTree


def search_by_node(tree: "LabelTree", X: sp.csr_matrix, beam: int) -> tuple[Ints, Floats]:
    """Return the leaves that a search of rows reaches, (n_texts, n_found), and the losses on the paths to them.

    The losses are (n_texts, n_found, n_levels), infinite where a row reaches fewer leaves; the leaf there is -1.
    """
    n = X.shape[0]
    nodes, losses = np.zeros((n, 1), dtype=np.int64), np.zeros((n, 1, len(tree.levels)))
    for number, level in enumerate(tree.levels):
        if number:
            order = np.argsort(losses @ tree.slopes, axis=1, kind="stable")[:, :beam]
            nodes = np.take_along_axis(nodes, order, axis=1)
            losses = np.take_along_axis(losses, order[:, :, np.newaxis], axis=1)
        nodes, losses = _children(tree, X, level, nodes, losses, number)
    return nodes - tree.n_nodes, losses


def _children(
    tree: "LabelTree", X: sp.csr_matrix, level: slice, nodes: Ints, losses: Floats, number: int
) -> tuple[Ints, Floats]:
    """Return the children of the ``nodes`` of each row, (n_texts, n_found), in level ``number``, and their losses."""
    widest = int(np.diff(tree.starts)[level].max())
    shape = len(nodes), nodes.shape[1] * widest
    children, of_children = np.full(shape, tree.n_nodes - 1), np.full((*shape, losses.shape[2]), np.inf)
    reached = np.isfinite(losses).all(axis=2)
    for node in np.unique(nodes[reached]).tolist():
        rows, places = np.nonzero((nodes == node) & reached)
        slack = np.maximum(0.0, 1.0 - tree.scores(X[rows], node))  # (n_rows, n_children)
        at = rows[:, np.newaxis], places[:, np.newaxis] * widest + np.arange(slack.shape[1])
        children[at] = int(tree.starts[node]) + 1 + np.arange(slack.shape[1])
        of_children[at] = losses[rows, places][:, np.newaxis]
        of_children[(*at, number)] = np.square(slack)
    return children, of_children
