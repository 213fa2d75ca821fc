"""`LabelTree`: the fitted tree, and how it finds the most probable classes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.many_classes import TopProbabilities
from tagline.models.base import Contributions, Model, Score
from tagline.models.label_tree.search import search_by_node
from tagline.parallel import in_threads, thread_ranges
from tagline.shared_arrays import shared
from tagline.task import Floats, Ints

if COMPILED:
    from tagline.models.label_tree import _search

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

BEAM = 10  # nodes of each level that are searched
TOP = 10  # classes with a probability of their own
_ENTRIES = 1 << 15  # of rows that one call of the compiled core searches
_LARGEST = 1e6  # bias or slope, so that no product overflows
_LEAST_PROBABILITY = 1e-12  # so that logarithms are finite


@dataclass(frozen=True, eq=False)
class LabelTree(Model):
    """Linear models at the nodes of a tree whose leaves are classes.

    Nodes and leaves are numbered level by level: output ``o`` of the nodes, all numbered in one go, leads to node
    ``o + 1``, or in the last level to leaf ``o + 1 - n_nodes``. Child c of a node has the loss max(0, 1 - bias_c -
    w_c·x)² for a text x, as if x belonged to it. The probabilities of classes are the softmax of minus the losses on
    their paths, times the slopes of the levels, over the leaves that a beam search reaches, and elsewhere.

    Parabel multiplies exp(-loss) of the children in the same way. Probabilities that add up to 1 at each node would
    ignore that a text fits no child of it, and were less accurate.

    Attributes:
        starts: the first output of each node, (n_nodes + 1,).
        classes: the class of each leaf, (n_leaves,); some of ``n_classes`` may have none.
        row_starts: the first row of weights of each node, (n_nodes + 1,).
        columns: the column of the features that each row of weights is for, (n_rows,), ascending in each node.
        entry_starts: the first entry of each row, (n_rows + 1,).
        children: the child of the node that an entry is for, (n_entries,).
        weights: the weight, (n_entries,), one that half precision holds.
        bias: of each output, (n_outputs,).
        slopes: of each level, (n_levels,): an inverse temperature.
        elsewhere: the loss of all leaves together that a search does not reach.
        n_classes: of the data.

    """

    kind: ClassVar[str] = "label-tree"
    score: ClassVar[Score] = "path-score"

    starts: Ints
    classes: Ints
    row_starts: Ints
    columns: NDArray[np.int32]
    entry_starts: Ints
    children: NDArray[np.uint16]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    slopes: Floats
    elsewhere: float
    n_classes: int
    levels: list[slice] = field(init=False)  # the nodes of each level

    def __post_init__(self) -> None:
        """Check the arrays, so that a search stays inside.

        Raises:
            ValueError: they are not those of a tree.

        """
        sizes_fit = (
            _divide(self.starts, len(self.bias))
            and len(self.row_starts) == len(self.starts)
            and _divide(self.row_starts, len(self.columns))
            and len(self.entry_starts) == len(self.columns) + 1
            and _divide(self.entry_starts, len(self.children))
            and len(self.weights) == len(self.children)
            and len(self.slopes) > 0
        )
        levels, first, end = [], 0, 1
        for _ in self.slopes:
            if not sizes_fit or end > self.n_nodes:
                raise ValueError("the arrays are not those of a label tree")
            levels.append(slice(first, end))
            first, end = end, int(self.starts[end]) + 1
        widths = np.diff(self.starts)
        of_entries = np.repeat(np.repeat(widths, np.diff(self.row_starts)), np.diff(self.entry_starts))
        sound = (
            first == self.n_nodes
            and len(self.classes) == end - first
            and bool((widths > 0).all())
            and bool(((self.classes >= 0) & (self.classes < self.n_classes)).all())
            and len(np.unique(self.classes)) == len(self.classes)
            and bool((self.children < of_entries).all())
            and _ascending(self.columns, self.row_starts)
            and bool((np.abs(self.bias) <= _LARGEST).all())
            and bool(((self.slopes > 0) & (self.slopes <= _LARGEST)).all())
            and 0 < self.elsewhere <= _LARGEST
        )
        if not sound:
            raise ValueError("the arrays are not those of a label tree")
        object.__setattr__(self, "levels", levels)

    @property
    def n_nodes(self) -> int:
        """Return the number of nodes that have children."""
        return len(self.starts) - 1

    @cached_property
    def leaf_of_class(self) -> Ints:
        """Return the leaf of each class, (n_classes,); -1 where there is none."""
        leaves = np.full(self.n_classes, -1)
        leaves[self.classes] = np.arange(len(self.classes))
        return leaves

    @cached_property
    def parent(self) -> Ints:
        """Return the node that each output belongs to, (n_outputs,)."""
        return np.repeat(np.arange(self.n_nodes), np.diff(self.starts))

    @cached_property
    def k(self) -> int:
        """Return how many classes a search finds: `TOP`, unless the tree is so small that it may find fewer."""
        found = 1
        for number, level in enumerate(self.levels, 1):
            fewest = np.sort(np.diff(self.starts)[level])[:found]
            found = min(int(fewest.sum()), BEAM if number < len(self.levels) else TOP)
        return found

    def top(self, X: sp.csr_matrix) -> TopProbabilities:
        """Return the most probable classes of texts, bit for bit the same for a row alone and in a batch."""
        X = X if X.has_sorted_indices else X.sorted_indices()
        leaves, values = np.empty((X.shape[0], self.k), dtype=np.int64), np.empty((X.shape[0], self.k))
        if COMPILED:
            ends, indices = X.indptr.astype(np.int64), X.indices.astype(np.int32, copy=False)
            data, widest = X.data.astype(np.float64, copy=False), int(np.diff(self.starts).max())
            arrays = (self.starts, self.row_starts, self.columns, self.entry_starts, self.children, self.weights)
            settings = (self.bias, self.slopes, self.elsewhere, BEAM, widest)

            def search(part: tuple[int, int]) -> None:
                _search.search(ends, indices, data, *arrays, *settings, *part, leaves, values)

            in_threads(search, thread_ranges(ends, _ENTRIES))
        else:
            found, losses = search_by_node(self, X, BEAM)
            scores = -(losses @ self.slopes)
            best = np.argsort(-scores, axis=1, kind="stable")[:, : self.k]
            highest = scores.max(axis=1, keepdims=True, initial=-self.elsewhere)
            p = np.exp(scores - highest)
            total = p.sum(axis=1, keepdims=True) + np.exp(-self.elsewhere - highest)
            leaves = np.take_along_axis(found, best, axis=1)
            values = np.take_along_axis(p / total, best, axis=1)
        return TopProbabilities(self.classes[leaves], values, self.n_classes)

    def with_slopes(self, slopes: Floats, elsewhere: float) -> "LabelTree":
        """Return the tree with other slopes of its levels, (n_levels,), and another loss of elsewhere."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return LabelTree(**own | {"slopes": slopes, "elsewhere": elsewhere})

    def node_weights(self, node: int) -> tuple[NDArray[np.int32], sp.csr_matrix]:
        """Return the columns of a node, (n_columns_of_node,), and its weights, (n_columns_of_node, n_children)."""
        rows = slice(int(self.row_starts[node]), int(self.row_starts[node + 1]))
        ends = self.entry_starts[rows.start : rows.stop + 1]
        entries = slice(int(ends[0]), int(ends[-1]))
        n_children = int(self.starts[node + 1] - self.starts[node])
        weights = sp.csr_matrix(
            (self.weights[entries].astype(np.float64), self.children[entries].astype(np.int32), ends - ends[0]),
            shape=(rows.stop - rows.start, n_children),
        )
        return self.columns[rows], weights

    def scores(self, X: sp.csr_matrix, node: int) -> Floats:
        """Return the scores of the children of a node before the slope, (n_texts, n_children)."""
        columns, weights = self.node_weights(node)
        outputs = slice(int(self.starts[node]), int(self.starts[node + 1]))
        return np.asarray((X[:, columns] @ weights).toarray() + self.bias[outputs])

    def logits(self, X: sp.csr_matrix) -> Floats:
        """Return the logarithms of the probabilities, (n_texts, n_classes), which are those of `top`."""
        return np.log(np.maximum(self.top(X).dense(), _LEAST_PROBABILITY))

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check the columns and the number of classes."""
        if self.n_classes != n_outputs or not bool(((self.columns >= 0) & (self.columns < n_features)).all()):
            raise ValueError(f"the tree is not that of {n_features:,} features and {n_outputs:,} classes")

    def contributions(self, X: sp.csr_matrix, output: int, factor: float) -> Contributions:
        """Return what each n-gram of a text, (1, n_columns), adds to the scores on the path to a class.

        They are added up times the slopes of their levels; the higher they are, up to 1, the smaller are the losses.
        """
        values, intercept = np.zeros(X.nnz), 0.0
        leaf = int(self.leaf_of_class[output])
        edge = leaf + len(self.bias) - len(self.classes)
        for level in reversed(range(len(self.levels) if leaf >= 0 else 0)):
            node, slope = int(self.parent[edge]), float(self.slopes[level]) * factor
            columns, weights = self.node_weights(node)
            of_child = weights[:, edge - int(self.starts[node])].toarray().ravel()
            at = np.searchsorted(columns, X.indices).clip(0, max(0, len(columns) - 1))
            known = columns[at] == X.indices if len(columns) else np.zeros(X.nnz, dtype=bool)
            values += slope * X.data * np.where(known, of_child[at] if len(columns) else 0.0, 0.0)
            intercept += slope * float(self.bias[edge])
            edge = node - 1
        return Contributions(intercept, intercept + float(values.sum()), X.indices.astype(np.int64), values)

    def to_graph(self, graph: "Builder", features: Any) -> "Logits":
        """Raise `InputError`: operators of ONNX search no tree."""
        raise InputError(
            f"A label tree of {self.n_classes:,} classes has no ONNX graph: serve the model with `tagline serve`, or "
            "load it in Python."
        )

    def settings(self) -> dict[str, Any]:
        """Return the number of classes."""
        return {"classes": self.n_classes}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of a bundle: sizes in place of ends, weights in half precision."""
        return {
            "widths": np.diff(self.starts).astype(np.uint16),
            "classes": self.classes.astype(np.int32),
            "rows": np.diff(self.row_starts).astype(np.int32),
            "columns": self.columns,
            "entries": np.diff(self.entry_starts).astype(np.uint16),
            "children": self.children,
            "weights": self.weights.astype(np.float16),
            "bias": self.bias,
            "slopes": self.slopes,
            "elsewhere": np.array([self.elsewhere]),
        }

    @classmethod
    def restore(
        cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], binaries: Mapping[str, bytes]
    ) -> "LabelTree":
        """Return the model with these arrays."""
        n_classes = settings["classes"]
        if type(n_classes) is not int or not 0 < n_classes < 2**31:
            raise ValueError("`classes` is not a number of classes")
        whole = ("widths", "classes", "rows", "columns", "entries", "children")
        if any(arrays[name].dtype.kind not in "iu" for name in whole) or any(
            array.ndim != 1 for array in arrays.values()
        ):
            raise ValueError("an array of the label tree has the wrong type or shape")
        return cls(
            _ends(arrays["widths"]),
            arrays["classes"].astype(np.int64),
            shared(_ends(arrays["rows"])),
            shared(arrays["columns"].astype(np.int32)),
            shared(_ends(arrays["entries"])),
            shared(arrays["children"].astype(np.uint16)),
            shared(arrays["weights"].astype(np.float32)),
            arrays["bias"].astype(np.float32),
            arrays["slopes"].astype(np.float64),
            float(arrays["elsewhere"].item()),
            n_classes,
        )


def _ends(sizes: NDArray[Any]) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])


def _divide(ends: Ints, n: int) -> bool:
    return len(ends) > 0 and ends[0] == 0 and ends[-1] == n and bool((np.diff(ends) >= 0).all())


def _ascending(columns: NDArray[np.int32], starts: Ints) -> bool:
    """Return whether the columns of each node ascend."""
    begins = np.zeros(len(columns) + 1, dtype=bool)
    begins[starts] = True
    return bool(((np.diff(columns) > 0) | begins[1:-1]).all())
