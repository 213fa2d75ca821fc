"""A label tree learned from rows: clusters of classes, and linear SVMs at each node over the rows that reach it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.label_tree.clustering import class_centroids, ordered_groups
from tagline.models.label_tree.tree import LabelTree
from tagline.models.linear.problem import LinearProblem
from tagline.models.linear.svm import fit_linear_svm
from tagline.parallel import in_threads
from tagline.task import Bools, Floats, Ints

_WIDEST = 128  # children of a node, about
_SMALLEST_WEIGHT = 0.03  # smaller ones are left out
_BYTES = 128_000_000  # of the coefficients of a node that are learned at a time
_LARGEST_HALF = 65_504.0
_ELSEWHERE = 100.0  # the loss of leaves that a search does not reach, before calibration: they have no probability


@dataclass(frozen=True)
class _Node:
    """The SVMs of a node: ``columns`` of the features, their ``weights``, (n_columns, n_children), and the ``bias``."""

    columns: NDArray[np.int32]
    weights: sp.csr_matrix
    bias: NDArray[np.float32]


def fit_label_tree(
    X: sp.csr_matrix,
    classes: Ints,
    n_classes: int,
    weights: Floats,
    C: float,
    seed: int,
    ended: Callable[[], None] = lambda: None,
) -> LabelTree:
    """Learn a tree, whose slopes are 1.

    Args:
        X: the rows, (n_texts, n_columns).
        classes: the class of each row, (n_texts,); those without a row get no leaf.
        n_classes: how many there are.
        weights: of the rows, (n_texts,), above 0.
        C: inverse regularisation of the SVMs.
        seed: of the clusters and of the order of rows.
        ended: called after the clustering and after each level.

    """
    present, own = np.unique(classes, return_inverse=True)
    widths = _level_widths(len(present))
    n_groups = int(np.prod(widths))
    groups = ordered_groups(class_centroids(X, own, len(present)), n_groups.bit_length() - 1, seed)
    ended()
    order = np.concatenate(groups)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    # Classes, and so rows, of one node are neighbours in all levels.
    by_place = np.argsort(place[own], kind="stable")
    X, rows_place, weights = X[by_place], place[own][by_place], weights[by_place]
    leaf_ends = np.concatenate([[0], np.cumsum([len(group) for group in groups])])
    nodes: list[_Node] = []
    starts = [0]
    n_nodes = 1
    for width in (*widths, None):
        step = n_groups // n_nodes
        fit = partial(_fit_node, X, rows_place, weights, C, seed)
        jobs = []
        for node in range(n_nodes):
            group_ends = leaf_ends[node * step : (node + 1) * step + 1]
            # In the last level the children are the classes of a group.
            ends = np.arange(group_ends[0], group_ends[-1] + 1) if width is None else group_ends[:: step // width]
            jobs.append(ends)
            starts.append(starts[-1] + len(ends) - 1)
        nodes += in_threads(fit, jobs)
        n_nodes *= width or 1
        ended()
    return _tree(nodes, np.array(starts), present[order], n_classes, len(widths) + 1)


def _level_widths(n_classes: int) -> list[int]:
    """Return how many children the nodes of each level but the last have, powers of two; those have about as many."""
    bits = np.log2(max(2, n_classes))
    depth = max(1, int(np.ceil(bits / np.log2(_WIDEST))))
    return [2 ** round(bits / depth)] * (depth - 1)


def _fit_node(X: sp.csr_matrix, places: Ints, weights: Floats, C: float, seed: int, ends: Ints) -> _Node:
    """Learn the children of a node: child c has the classes from place ``ends[c]`` on to ``ends[c + 1]``."""
    rows = slice(*np.searchsorted(places, ends[[0, -1]]).tolist())
    n_children = len(ends) - 1
    child = np.searchsorted(ends, places[rows], side="right") - 1
    of_node = X[rows]
    columns, local = np.unique(of_node.indices, return_inverse=True)
    of_node = sp.csr_matrix((of_node.data, local.astype(np.int32), of_node.indptr), shape=(len(child), len(columns)))
    if n_children == 1:
        return _Node(columns[:0], sp.csr_matrix((0, 1), dtype=np.float32), np.zeros(1, dtype=np.float32))
    block = max(16, _BYTES // (4 * max(1, len(columns))) // 16 * 16)
    parts, bias = [], np.empty(n_children, dtype=np.float32)
    for first in range(0, n_children, block):
        outputs = np.arange(first, min(first + block, n_children))
        Y: Bools = child[:, np.newaxis] == outputs  # (n_rows, n_outputs)
        solved = fit_linear_svm(LinearProblem(of_node, Y, weights[rows], C, seed, False))
        parts.append(_pruned(solved.coef))
        bias[outputs] = solved.intercept
    pruned = sp.hstack(parts, format="csr") if len(parts) > 1 else parts[0]
    used = np.flatnonzero(np.diff(pruned.indptr))
    return _Node(columns[used].astype(np.int32), pruned[used], bias)


def _pruned(coef: NDArray[np.floating]) -> sp.csr_matrix:
    """Return the coefficients that matter, (n_columns, n_outputs), rounded to half precision."""
    rows, outputs = np.nonzero(np.abs(coef) >= _SMALLEST_WEIGHT)
    values = np.clip(coef[rows, outputs], -_LARGEST_HALF, _LARGEST_HALF).astype(np.float16).astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(coef)))])
    return sp.csr_matrix((values, outputs.astype(np.int32), ends), shape=coef.shape)


def _tree(nodes: list[_Node], starts: Ints, classes: Ints, n_classes: int, n_levels: int) -> LabelTree:
    """Put the SVMs of all nodes one after the other."""

    def ends(sizes: list[NDArray[np.integer]]) -> Ints:
        return np.concatenate([[0], np.cumsum(np.concatenate(sizes), dtype=np.int64)])

    return LabelTree(
        starts,
        classes,
        ends([np.array([len(node.columns)]) for node in nodes]),
        np.concatenate([node.columns for node in nodes]),
        ends([np.diff(node.weights.indptr) for node in nodes]),
        np.concatenate([node.weights.indices for node in nodes]).astype(np.uint16),
        np.concatenate([node.weights.data for node in nodes]).astype(np.float32),
        np.concatenate([node.bias for node in nodes]),
        np.ones(n_levels),
        _ELSEWHERE,
        n_classes,
    )
