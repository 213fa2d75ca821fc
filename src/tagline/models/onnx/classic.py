"""Linear models and trees of n-grams, from counts to logits, in double precision like NumPy."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tagline.models.linear import to_half
from tagline.models.onnx.builder import Builder, Logits
from tagline.models.trees import SMALLEST, TreeModel
from tagline.task import Floats


class Weighting(Protocol):
    """How counts of n-grams are weighted: tf(count) * scale, and rows of length 1.

    ``scales`` has the scale of each column of each block of columns, (n_columns of the block,); if ``unit``, the row of
    each block is divided by its length.
    """

    @property
    def scales(self) -> tuple[NDArray[np.float32], ...]:
        """The scales of each block."""
        ...

    @property
    def tf(self) -> Literal["binary", "log", "count"]:
        """The term frequency."""
        ...

    @property
    def unit(self) -> bool:
        """Whether rows have length 1."""
        ...


@dataclass(frozen=True)
class _Entries:
    """The names of the entries of the weighted matrix, (n_entries,) each, and of the number of texts, (1,)."""

    rows: str
    columns: str
    values: str
    n_texts: str


def add_linear(graph: Builder, coef: NDArray[np.float32], intercept: Floats, features: Weighting) -> Logits:
    """Add a linear model of weighted counts; ``coef`` is (n_columns, n_outputs), as in `LinearModel`."""
    entries = _add_weighting(graph, features)
    n_outputs = coef.shape[1]
    half, exponents = to_half(coef)  # exact: see LinearModel
    of_entries = graph.cast(graph.add("Gather", graph.constant(half, "coef"), entries.columns), np.float64)
    if exponents.any():
        of_entries = graph.add("Mul", of_entries, graph.constant(np.ldexp(1.0, exponents), "scale"))
    added = graph.add("Mul", of_entries, _as_column(graph, entries.values))
    start = graph.zeros(graph.add("Concat", entries.n_texts, graph.ints(n_outputs), axis=0), np.float64)
    sums = graph.add_up(start, _as_column(graph, entries.rows), added)
    logits = graph.add("Add", sums, graph.constant(intercept.astype(np.float64), "intercept"))
    return Logits(logits, n_outputs, np.float64)


def add_trees(graph: Builder, model: TreeModel, features: Weighting) -> Logits:
    """Add trees of weighted counts; the columns that they test are made dense."""
    entries = _add_weighting(graph, features)
    used = np.unique(model.feature[model.feature >= 0])
    width = len(used) + 1  # all other columns share the last position, which no tree tests
    n_columns = sum(map(len, features.scales))
    place = np.full(n_columns, len(used), dtype=np.int64)
    place[used] = np.arange(len(used))
    of_entries = graph.add("Gather", graph.constant(place, "place"), entries.columns)
    flat = graph.add("Add", graph.add("Mul", entries.rows, graph.ints(width)), of_entries)
    start = graph.zeros(graph.add("Mul", entries.n_texts, graph.ints(width)), np.float32)
    filled = graph.add("ScatterElements", start, flat, graph.cast(entries.values, np.float32), axis=0)
    dense = graph.add("Reshape", filled, graph.add("Concat", entries.n_texts, graph.ints(width), axis=0), allowzero=1)
    shares = graph.cast(_ensemble(graph, model, np.searchsorted(used, model.feature), dense), np.float64)
    n_outputs = model.value.shape[1]
    p = graph.add("Clip", shares, graph.constant(np.array(SMALLEST)), graph.constant(np.array(1 - SMALLEST)))
    logits = graph.add("Log", p)
    if n_outputs == 1:
        against = graph.add("Log", graph.add("Sub", graph.constant(np.array(1.0)), p))
        logits = graph.add("Sub", logits, against)
    return Logits(logits, n_outputs, np.float64)


def _add_weighting(graph: Builder, features: Weighting) -> _Entries:
    """Declare the inputs and weight the counts."""
    rows = graph.input("rows", np.int64, ("n_entries",))
    columns = graph.input("columns", np.int64, ("n_entries",))
    counts = graph.cast(graph.input("counts", np.float32, ("n_entries",)), np.float64)
    n_texts = graph.add("Reshape", graph.input("n_texts", np.int64, ()), graph.ints(1))
    scale = graph.constant(np.concatenate(features.scales).astype(np.float16), "scale")
    values = graph.cast(graph.add("Gather", scale, columns), np.float64)
    if features.tf == "log":
        frequency = graph.add("Add", graph.add("Log", counts), graph.constant(np.array(1.0)))
        values = graph.add("Mul", frequency, values)
    elif features.tf == "count":
        values = graph.add("Mul", counts, values)
    if not features.unit:
        return _Entries(rows, columns, values, n_texts)
    sizes = [len(scale) for scale in features.scales]
    n_blocks = graph.ints(len(sizes))
    segment = graph.add("Mul", rows, n_blocks)  # of each block of each text
    for first in np.cumsum(sizes)[:-1].tolist():
        beyond = graph.add("GreaterOrEqual", columns, graph.ints(first))
        segment = graph.add("Add", segment, graph.cast(beyond, np.int64))
    start = graph.zeros(graph.add("Mul", n_texts, n_blocks), np.float64)
    squares = graph.add_up(start, segment, graph.add("Mul", values, values))
    nothing = graph.add("Equal", squares, graph.constant(np.array(0.0)))
    lengths = graph.add("Sqrt", graph.add("Where", nothing, graph.constant(np.array(1.0)), squares))
    values = graph.add("Div", values, graph.add("Gather", lengths, segment))
    return _Entries(rows, columns, values, n_texts)


def _as_column(graph: Builder, values: str) -> str:
    return graph.add("Unsqueeze", values, graph.ints(1))


def _ensemble(graph: Builder, model: TreeModel, place: NDArray[np.int64], dense: str) -> str:
    """Return the mean share of each output in the leaves of the rows, (n_texts, n_outputs)."""
    n_nodes, n_outputs = model.value.shape
    ends = np.append(model.roots[1:], n_nodes)
    tree = np.repeat(np.arange(len(model.roots)), ends - model.roots)
    first = model.roots[tree]  # the index of each node's root
    leaf = model.feature < 0
    leaves = np.flatnonzero(leaf)
    inside = np.arange(n_nodes) - first  # nodes are numbered tree by tree
    return graph.add(
        "TreeEnsembleRegressor",
        dense,
        domain="ai.onnx.ml",
        aggregate_function="AVERAGE",
        n_targets=n_outputs,
        nodes_treeids=tree.tolist(),
        nodes_nodeids=inside.tolist(),
        nodes_featureids=np.where(leaf, 0, place).tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values=np.where(leaf, 0, model.threshold).astype(float).tolist(),
        nodes_truenodeids=np.where(leaf, 0, model.left - first).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, model.right - first).tolist(),
        target_treeids=np.repeat(tree[leaves], n_outputs).tolist(),
        target_nodeids=np.repeat(inside[leaves], n_outputs).tolist(),
        target_ids=np.tile(np.arange(n_outputs), len(leaves)).tolist(),
        target_weights=model.value[leaves].astype(float).ravel().tolist(),
    )
