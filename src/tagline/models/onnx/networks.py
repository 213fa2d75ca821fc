"""Networks, layer by layer, in single precision; sequences are time-major, (n_steps, n_texts, size), as in NumPy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.models.network.layers import (
    Activation,
    Array,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    EmbeddingAverage,
    MaxPool,
)
from tagline.models.network.network import Network, name_of
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.models.onnx.builder import Builder, Logits


@dataclass(frozen=True)
class _Operator:
    """The ONNX operator of a recurrent layer; ``gates`` are the indices of Keras's gates in ONNX's order."""

    name: str
    gates: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


_OPERATORS: dict[type[Any], _Operator] = {
    Lstm: _Operator("LSTM", (0, 3, 1, 2)),  # input, output, forget, cell
    Gru: _Operator("GRU", (0, 1, 2), {"linear_before_reset": 1}),  # update, reset, candidate; the reset as in Keras
}


@dataclass(frozen=True)
class _Mask:
    """Which ids are tokens: ``present``, bool, (n_steps, n_texts).

    ``lengths``, int32, (n_texts,), holds their number if the tokens of each text come first.
    """

    present: str
    lengths: str = ""


def add_network(graph: Builder, network: Network) -> Logits:
    """Add a network, from its inputs to its logits.

    Raises:
        InputError: padding is masked and there are convolutions and recurrent layers, as in no recipe.

    """
    (first, *rest), (first_weights, *others) = network.layers, network.weights
    if type(first) not in FIRST_LAYERS:
        raise InputError(f"A network cannot start with the layer `{name_of(first)}`.")
    x, mask = FIRST_LAYERS[type(first)](graph, network, first_weights)
    for layer, weights in zip(rest, others, strict=True):
        if type(layer) not in LAYERS:
            raise InputError(f"The layer `{name_of(layer)}` has no ONNX form.")
        x = LAYERS[type(layer)](graph, layer, x, weights, mask)
    return Logits(x, network.n_outputs, np.float32)


def _first_dense(graph: Builder, network: Network, weights: Sequence[Array]) -> tuple[str, None]:
    """Return the output of a dense layer for the set of words of each text, (n_texts, units)."""
    layer: Any = network.layers[0]
    rows = graph.input("rows", np.int64, ("n_entries",))
    columns = graph.input("columns", np.int64, ("n_entries",))
    n_texts = graph.add("Reshape", graph.input("n_texts", np.int64, ()), graph.ints(1))
    start = graph.zeros(graph.add("Concat", n_texts, graph.ints(layer.units), axis=0), np.float32)
    added = graph.add("Gather", graph.constant(weights[0], "kernel"), columns)  # (n_entries, units)
    sums = graph.add_up(start, graph.add("Unsqueeze", rows, graph.ints(1)), added)
    return _activated(graph, graph.add("Add", sums, graph.constant(weights[1], "bias")), layer.activation), None


def _first_embedding_average(graph: Builder, network: Network, weights: Sequence[Array]) -> tuple[str, None]:
    """Return the mean vector of each text, (n_texts, size); 0 for a text of masked padding alone."""
    ids = _input_ids(graph)
    vectors = graph.add("Gather", graph.constant(weights[0], "embeddings"), ids)  # (n_texts, n_steps, size)
    if not network.masked:
        return graph.add("ReduceMean", vectors, graph.ints(1), keepdims=0), None
    present = graph.cast(_is_token(graph, ids), np.float32)
    counted = graph.add("Mul", vectors, graph.add("Unsqueeze", present, graph.ints(2)))
    total = graph.add("ReduceSum", counted, graph.ints(1), keepdims=0)
    lengths = graph.add("ReduceSum", present, graph.ints(1), keepdims=1)
    return graph.add("Div", total, graph.add("Max", lengths, graph.constant(np.array(1, np.float32)))), None


def _first_embedding(graph: Builder, network: Network, weights: Sequence[Array]) -> tuple[str, _Mask | None]:
    """Return the vectors, (n_steps, n_texts, size), masked ones 0, and the mask."""
    ids = _input_ids(graph)
    mask, ids = _masked(graph, network, ids) if network.masked else (None, ids)
    vectors = graph.add("Gather", graph.constant(weights[0], "embeddings"), _transposed(graph, ids))
    if mask is None:
        return vectors, None
    present = graph.add("Unsqueeze", graph.cast(mask.present, np.float32), graph.ints(2))
    return graph.add("Mul", vectors, present), mask


def _input_ids(graph: Builder) -> str:
    return graph.input("ids", np.int64, ("n_texts", "n_steps"))


def _masked(graph: Builder, network: Network, ids: str) -> tuple[_Mask, str]:
    """Return which ids are tokens, and the ids; for recurrent layers with the tokens moved to the front.

    In a recurrent layer padding changes nothing at any position, and ONNX describes it by the length of a text only.
    The windows of a convolution depend on the position of padding.
    """
    if not any(layer.recurrent for layer in network.layers):
        return _Mask(_transposed(graph, _is_token(graph, ids))), ids
    if any(layer.window > 1 for layer in network.layers):
        raise InputError("A masked network of convolutions and recurrent layers has no ONNX form.")
    token = graph.cast(_is_token(graph, ids), np.int64)
    n_steps = graph.add("Slice", graph.add("Shape", ids), graph.ints(1), graph.ints(2))  # (1,)
    before = graph.add("CumSum", token, graph.constant(np.array(1)), exclusive=1)
    place = graph.add("Where", graph.cast(token, np.bool_), before, n_steps)  # padding goes beyond the end
    wider = graph.add("Concat", ids, graph.add("Slice", ids, graph.ints(0), graph.ints(1), graph.ints(1)), axis=1)
    empty = graph.add("Mul", wider, graph.ints(0))
    moved = graph.add("ScatterElements", empty, place, ids, axis=1)
    moved = graph.add("Slice", moved, graph.ints(0), n_steps, graph.ints(1))
    lengths = graph.cast(graph.add("ReduceSum", token, graph.ints(1), keepdims=0), np.int32)
    return _Mask(_transposed(graph, _is_token(graph, moved)), lengths), moved


def _is_token(graph: Builder, ids: str) -> str:
    return graph.add("Not", graph.add("Equal", ids, graph.ints(0)))


def _transposed(graph: Builder, values: str) -> str:
    """Return (n_steps, n_texts) for (n_texts, n_steps)."""
    return graph.add("Transpose", values, perm=[1, 0])


def _dense(graph: Builder, layer: Dense, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    product = graph.add("MatMul", x, graph.constant(weights[0], "kernel"))
    return _activated(graph, graph.add("Add", product, graph.constant(weights[1], "bias")), layer.activation)


def _dropout(graph: Builder, layer: Dropout, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    """Return the values as they are: dropout is for training alone."""
    return x


def _activated(graph: Builder, x: str, activation: Activation) -> str:
    return x if activation == "linear" else graph.add({"relu": "Relu", "tanh": "Tanh"}[activation], x)


def _convolution(graph: Builder, layer: Conv1D, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    """Return all windows, (n_steps - width + 1, n_texts, filters); the kernel is (width, inputs, filters)."""
    kernel = graph.constant(weights[0].transpose(2, 1, 0), "kernel")
    windows = graph.add("Conv", graph.add("Transpose", x, perm=[1, 2, 0]), kernel, graph.constant(weights[1], "bias"))
    return _activated(graph, graph.add("Transpose", windows, perm=[2, 0, 1]), layer.activation)


def _max_pool(graph: Builder, layer: MaxPool, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    """Return the maximum over the steps, or windows, inside the text, (n_texts, size)."""
    if mask is not None:
        absent = _outside(graph, x, mask.present)
        lowest = graph.constant(np.array(-np.inf, np.float32))
        x = graph.add("Where", graph.add("Unsqueeze", absent, graph.ints(2)), lowest, x)
    return graph.add("ReduceMax", x, graph.ints(0), keepdims=0)


def _outside(graph: Builder, x: str, present: str) -> str:
    """Return which windows of ``x`` contain padding, bool, (n_windows, n_texts), as in `MaxPool`.

    A text shorter than one window keeps one.
    """
    n_windows = graph.add("Slice", graph.add("Shape", x), graph.ints(0), graph.ints(1))  # (1,)
    n_steps = graph.add("Slice", graph.add("Shape", present), graph.ints(0), graph.ints(1))
    first = graph.add("Slice", present, graph.ints(0), n_windows)
    last = graph.add("Slice", present, graph.add("Sub", n_steps, n_windows), n_steps)
    inside = graph.add("And", first, last)
    counts = graph.cast(inside, np.int32)
    short = graph.add("Equal", graph.add("ReduceMax", counts, graph.ints(0)), graph.constant(np.array(0, np.int32)))
    start = graph.add("ArgMax", graph.cast(present, np.int32), axis=0, keepdims=1)  # (1, n_texts)
    kept = graph.add("Min", start, graph.add("Sub", n_windows, graph.ints(1)))
    zero, one = graph.constant(np.array(0)), graph.constant(np.array(1))
    numbers = graph.add("Range", zero, graph.add("Squeeze", n_windows), one)
    chosen = graph.add("Equal", graph.add("Unsqueeze", numbers, graph.ints(1)), kept)
    return graph.add("Not", graph.add("Or", inside, graph.add("And", short, chosen)))


def _one_direction(graph: Builder, layer: Lstm | Gru, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    return _recurrent(graph, [layer], x, [weights], mask)


def _both_directions(graph: Builder, layer: Bidirectional, x: str, weights: Sequence[Array], mask: _Mask | None) -> str:
    return _recurrent(graph, layer.both(), x, [weights[:3], weights[3:]], mask)


def _recurrent(
    graph: Builder, cells: Sequence[Lstm | Gru], x: str, weights: Sequence[Sequence[Array]], mask: _Mask | None
) -> str:
    """Return the last state, (n_texts, size), or that of every step, (n_steps, n_texts, size).

    Of two cells the second reads backwards; their states are concatenated.
    """
    cell = cells[0]
    operator = _OPERATORS[type(cell)]
    forms = [_onnx_weights(operator.gates, own) for own in weights]
    W, R, B = (graph.constant(np.stack(parts), "weights") for parts in zip(*forms, strict=True))
    direction = "bidirectional" if len(cells) == 2 else "reverse" if cell.reverse else "forward"
    lengths = "" if mask is None else mask.lengths
    every, last = graph.add_several(
        operator.name, 2, x, W, R, B, lengths, hidden_size=cell.units, direction=direction, **operator.attributes
    )
    if cell.every:
        concatenated = graph.add("Transpose", every, perm=[0, 2, 1, 3])  # (n_steps, n_texts, n_directions, units)
        return graph.add("Reshape", concatenated, graph.ints(0, 0, len(cells) * cell.units))
    concatenated = graph.add("Transpose", last, perm=[1, 0, 2])
    return graph.add("Reshape", concatenated, graph.ints(0, len(cells) * cell.units))


def _onnx_weights(order: tuple[int, ...], weights: Sequence[Array]) -> tuple[Array, Array, Array]:
    """Return input weights (G H, d), recurrent weights (G H, H) and both biases (2 G H,), gates in ONNX's order."""
    kernel, recurrent, bias = weights  # the bias is (2, G H), of inputs and of states, or (G H,), of inputs
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])

    def ordered(matrix: NDArray[np.float32]) -> Array:
        return np.concatenate([np.split(matrix, len(order), axis=-1)[gate] for gate in order], axis=-1)

    return ordered(kernel).T, ordered(recurrent).T, np.concatenate([ordered(row) for row in biases])


#: Adds a first layer and the inputs of the graph; returns its output and, if padding is masked, the mask.
FIRST_LAYERS: dict[type[Any], Callable[[Builder, Network, Sequence[Array]], tuple[str, _Mask | None]]] = {
    Dense: _first_dense,
    EmbeddingAverage: _first_embedding_average,
    Embedding: _first_embedding,
}
#: Adds a further layer; returns its output.
LAYERS: dict[type[Any], Callable[[Builder, Any, str, Sequence[Array], _Mask | None], str]] = {
    Dense: _dense,
    Conv1D: _convolution,
    MaxPool: _max_pool,
    Lstm: _one_direction,
    Gru: _one_direction,
    Bidirectional: _both_directions,
    Dropout: _dropout,
}
