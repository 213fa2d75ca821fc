"""Decision trees and forests as plain arrays, which a bundle can store."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.base import Contributions, HyperParameters, Model, Score
from tagline.models.estimators import fit_alone
from tagline.task import Bools, Floats

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits
    from tagline.models.onnx.classic import Weighting

_ROWS = 512  # rows converted to dense at a time
SMALLEST = 1e-6  # probabilities of leaves are clipped to this distance from 0 and 1


@dataclass(frozen=True)
class TreeModel(Model):
    """One or more trees: node i tests whether column ``feature[i]`` is at most ``threshold[i]``; -1 marks a leaf.

    ``left`` and ``right`` are node numbers, ``roots`` the first node of each tree, ``value`` the share of each
    output among the training rows of a node, (n_nodes, n_outputs).
    """

    kind: ClassVar[str] = "trees"
    score: ClassVar[Score] = "probability"
    graph_doc: ClassVar[str] = "Decision trees on n-grams."

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float32]
    roots: NDArray[np.int32]

    def proba(self, X: sp.csr_matrix) -> Floats:
        """Return the mean share of each output in the leaves of a text, (n_texts, n_outputs)."""
        total = np.zeros((X.shape[0], self.value.shape[1]))
        for rows, nodes, _ in self._walk(X, leaves_only=True):
            total[rows] = self.value[nodes].mean(axis=1)
        return total

    def logits(self, X: sp.csr_matrix) -> Floats:
        """Return the log-odds of two classes, or the log-probabilities of several, (n_texts, n_outputs)."""
        p = np.clip(self.proba(X), SMALLEST, 1 - SMALLEST)
        return np.log(p) - np.log(1 - p) if self.value.shape[1] == 1 else np.log(p)

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check that every node tests a known column, and that every path ends: children follow their parent."""
        nodes = np.arange(len(self.feature))
        inner = self.feature >= 0
        children = np.stack([self.left, self.right]) if self.left.shape == self.right.shape == nodes.shape else None
        sound = (
            children is not None
            and self.feature.ndim == 1
            and self.threshold.shape == nodes.shape
            and self.value.shape == (len(nodes), n_outputs)
            and self.roots.ndim == 1
            and len(self.roots) > 0
            and all(array.dtype.kind == "i" for array in (self.feature, self.left, self.right, self.roots))
            and bool(((self.roots >= 0) & (self.roots < len(nodes))).all())
            and bool((self.feature < n_features).all())
            and bool((~inner | ((children > nodes) & (children < len(nodes))).all(axis=0)).all())
        )
        if not sound:
            raise ValueError(f"the trees are not those of {n_features:,} features and {n_outputs:,} outputs")

    def path_contributions(self, row: sp.csr_matrix) -> tuple[Floats, dict[int, Floats]]:
        """Return the mean share at the roots, and what the tests of each column add on the way to the leaves.

        ``row`` is (1, n_columns). The root's share plus all contributions is ``proba(row)`` (Saabas 2014,
        "Interpreting random forests").
        """
        added: dict[int, Floats] = {}
        for _, nodes, children in self._walk(row, leaves_only=False):
            moved = children != nodes
            steps = (self.value[children] - self.value[nodes]).astype(np.float64) / len(self.roots)
            for at in zip(*np.nonzero(moved), strict=True):
                column = int(self.feature[nodes[at]])
                added[column] = added.get(column, np.zeros(self.value.shape[1])) + steps[at]
        return self.value[self.roots].astype(np.float64).mean(axis=0), added

    def _walk(
        self, X: sp.csr_matrix, *, leaves_only: bool
    ) -> Iterator[tuple[slice, NDArray[np.int32], NDArray[np.int32]]]:
        """Take rows down all trees and yield (rows, nodes before, nodes after) of each step, (n_rows, n_trees).

        With ``leaves_only`` a block of rows is yielded once, at the leaves.
        """
        used = np.unique(self.feature[self.feature >= 0])
        position = np.searchsorted(used, self.feature)
        columns = X[:, used] if len(used) else X[:, :1]
        for start in range(0, X.shape[0], _ROWS):
            rows = slice(start, min(start + _ROWS, X.shape[0]))
            dense = columns[rows].toarray().astype(np.float32)
            nodes = np.tile(self.roots, (dense.shape[0], 1))
            while True:
                tests = self.feature[nodes] >= 0
                if not tests.any():
                    break
                values = np.take_along_axis(dense, np.where(tests, position[nodes], 0), axis=1)
                below = np.where(values <= self.threshold[nodes], self.left[nodes], self.right[nodes])
                after = np.where(tests, below, nodes)
                if not leaves_only:
                    yield rows, nodes, after
                nodes = after
            if leaves_only:
                yield rows, nodes, nodes

    def contributions(self, X: sp.csr_matrix, output: int, factor: float) -> Contributions:
        """Return what the tests of each column add to the probability of an output, or of its opposite.

        Columns that a tree tests and the text lacks are among them.
        """
        sign = 1.0 if factor > 0 else -1.0
        root, added = self.path_contributions(X)
        columns = np.array(sorted(added), dtype=np.int64)
        values = np.array([sign * added[column][output] for column in columns.tolist()], dtype=np.float64)
        share = float(root[output])
        intercept = share if sign > 0 else 1.0 - share
        return Contributions(intercept, intercept + float(values.sum()), columns, values)

    def to_graph(self, graph: "Builder", features: "Weighting") -> "Logits":
        """Add the nodes from counts of n-grams to the logits."""
        from tagline.models.onnx.classic import add_trees

        return add_trees(graph, self, features)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a bundle."""
        return dict(vars(self))

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], binaries: Mapping[str, bytes]
    ) -> "TreeModel":
        """Return the model with these arrays."""
        return cls(**arrays)


def fit_tree(X: sp.csr_matrix, Y: Bools, weights: Floats, settings: HyperParameters, seed: int) -> TreeModel:
    """Grow one decision tree (CART, Gini impurity); ``Y`` is (n_texts, n_classes)."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(max_depth=settings.max_depth, min_samples_leaf=2, random_state=seed)
    return _of([tree.fit(X.astype(np.float32), Y.argmax(axis=1), sample_weight=weights)], Y.shape[1])


def fit_forest(X: sp.csr_matrix, Y: Bools, weights: Floats, settings: HyperParameters, seed: int) -> TreeModel:
    """Grow a random forest (Breiman 2001) on all cores; ``Y`` is (n_texts, n_classes)."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        settings.n_trees, max_depth=settings.max_depth, min_samples_leaf=2, random_state=seed, n_jobs=-1
    )
    fit_alone(forest, X.astype(np.float32), Y.argmax(axis=1), weights)
    return _of(forest.estimators_, Y.shape[1])


def _of(trees: list[Any], n_classes: int) -> TreeModel:
    """Return the nodes of scikit-learn's trees, one tree after the other."""
    parts = [tree.tree_ for tree in trees]
    roots = np.cumsum([0, *(part.node_count for part in parts)])
    values = np.zeros((int(roots[-1]), n_classes))
    for tree, part, root in zip(trees, parts, roots, strict=False):
        shares = part.value[:, 0, :] / part.value[:, 0, :].sum(axis=1, keepdims=True)
        values[root : root + part.node_count, tree.classes_.astype(int)] = shares

    def children(name: str) -> NDArray[np.int32]:
        shifted = [getattr(part, name) + root for part, root in zip(parts, roots, strict=False)]
        return np.concatenate(shifted).astype(np.int32)

    feature = np.concatenate([part.feature for part in parts]).astype(np.int32)
    threshold = np.concatenate([part.threshold for part in parts])
    # Rounded downwards: scikit-learn compares a float32 value with a float64 threshold.
    rounded = threshold.astype(np.float32)
    rounded = np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
    return TreeModel(
        feature=np.where(feature < 0, np.int32(-1), feature),
        threshold=rounded.astype(np.float32),
        left=children("children_left"),
        right=children("children_right"),
        value=(values[:, 1:] if n_classes == 2 else values).astype(np.float32),
        roots=roots[:-1].astype(np.int32),
    )


#: Decision trees and forests, by the ``model.kind`` of a recipe.
TREES: dict[str, Callable[[sp.csr_matrix, Bools, Floats, HyperParameters, int], TreeModel]] = {
    "decision-tree": fit_tree,
    "random-forest": fit_forest,
}
