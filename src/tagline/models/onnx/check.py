"""What an ONNX graph from anywhere may hold, checked in its bytes before ONNX Runtime reads them.

A graph is a program: it can read files (external data), loop, call functions, and make gigabytes from a few bytes. Only
what `Builder` writes is allowed. Memory and time of what remains are bounded where it runs: see
`tagline.models.onnx.runtime`. Numbers of fields are those of onnx.proto.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_OPERATORS = frozenset(
    (
        *("Add", "And", "ArgMax", "Cast", "Clip", "Concat", "ConstantOfShape", "Conv", "CumSum", "Div", "Equal"),
        *("Expand", "GRU", "Gather", "GreaterOrEqual", "Identity", "LSTM", "Log", "MatMul", "Max", "Min", "Mul", "Neg"),
        *("Not", "Or", "Range", "ReduceMax", "ReduceMean", "ReduceSum", "Relu", "Reshape", "ScatterElements"),
        *("Shape", "Sigmoid", "Slice", "Softmax", "Softplus", "Sqrt", "Squeeze", "Sub", "Tanh", "Transpose"),
        *("TreeEnsembleRegressor", "Unsqueeze", "Where"),
    )
)
_DOMAINS = frozenset(("", "ai.onnx", "ai.onnx.ml"))
_ITEM_BYTES = {
    1: 4,
    2: 1,
    3: 1,
    6: 4,
    7: 8,
    9: 1,
    10: 2,
    11: 8,
}  # of float, uint8, int8, int32, int64, bool, half, double
_INT64 = 7
_MOST_NODES = 10_000
_MOST_DIMS = 8
# Short arrays of integers are shapes, axes and places of slices, of which the last may be unlimited.
_SHAPE_VALUES, _LARGEST_SHAPE, _UNLIMITED = 8, 2**31, 2**62
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Lists of a forest have millions of values, each a field: of floats, integers and the kinds of nodes.
_RUNS = {
    0x3D: re.compile(rb"(?:\x3d.{4})+", re.DOTALL),
    0x40: re.compile(rb"(?:\x40[\x80-\xff]{0,9}[\x00-\x7f])+"),
    0x4A: re.compile(rb"(?:\x4a\x0aBRANCH_LEQ|\x4a\x04LEAF)+"),
}


class _Field(NamedTuple):
    """A field of a protobuf message: an integer, or the bytes of a string, a message or a list."""

    number: int
    value: int
    content: memoryview


def check_graph(graph: bytes) -> None:
    """Raise `ValueError` if a graph holds anything that `Builder` does not write."""
    try:
        _check_model(memoryview(graph))
    except (IndexError, UnicodeDecodeError):
        raise ValueError("the ONNX graph is no protobuf message") from None
    except ValueError as error:
        raise ValueError(f"the ONNX graph is refused: {error}") from None


def _check_model(model: memoryview) -> None:
    graphs = [each.content for each in _fields(model, {1, 2, 3, 4, 5, 6, 7, 8, 14}) if each.number == 7]
    if len(graphs) != 1:
        raise ValueError(f"it has {len(graphs)} graphs")
    _check_graph(graphs[0])


def _check_graph(graph: memoryview) -> None:
    n_nodes = 0
    for each in _fields(graph, {1, 2, 5, 10, 11, 12, 13}):
        if each.number == 1:
            n_nodes += 1
            _check_node(each.content)
        elif each.number == 5:
            _check_tensor(each.content)
    if n_nodes > _MOST_NODES:
        raise ValueError(f"it has {n_nodes:,} nodes")


def _check_node(node: memoryview) -> None:
    operator, domain, attributes = "", "", []
    for each in _fields(node, {1, 2, 3, 4, 5, 6, 7}):
        if each.number == 4:
            operator = str(each.content, "utf-8")
        elif each.number == 7:
            domain = str(each.content, "utf-8")
        elif each.number == 5:
            attributes.append(each.content)
    if operator not in _OPERATORS or domain not in _DOMAINS:
        raise ValueError(f"the operator `{operator[:40]}` is not allowed")
    lists = {}
    for attribute in attributes:
        # Fields of graphs and types, as control flow has them, are not among those that are allowed.
        allowed = {1, 2, 3, 4, 5, 7, 8, 9, 20}
        name = ""
        for each in _fields(attribute, allowed, of=f"an attribute of `{operator}`", runs=True):
            if each.number == 1:
                name = str(each.content, "utf-8")
            elif each.number == 5:
                _check_tensor(each.content)
            elif each.number == 8 and operator == "TreeEnsembleRegressor":
                lists[name] = _varints(each.content)[1::2]  # each is behind the number of the field
    if operator == "TreeEnsembleRegressor":
        _check_trees(lists)


def _check_tensor(tensor: memoryview) -> None:
    """Check that a tensor lies in the graph, whole: its values in ``raw_data``, as many as its shape says."""
    dims: list[int] = []
    kind, content = 0, memoryview(b"")
    for each in _fields(tensor, {1, 2, 8, 9, 12}, of="a tensor"):
        if each.number == 1:
            dims += [each.value] if not len(each.content) else _varints(each.content).tolist()
        elif each.number == 2:
            kind = each.value
        elif each.number == 9:
            content = each.content
    if kind not in _ITEM_BYTES or len(dims) > _MOST_DIMS:
        raise ValueError("a tensor has a type or a shape that is not allowed")
    if math.prod(dims) * _ITEM_BYTES[kind] != len(content):
        raise ValueError("a tensor has not as many values as its shape says")
    if kind == _INT64 and len(content) <= 8 * _SHAPE_VALUES:
        sizes = [abs(size) for size in np.frombuffer(content, "<i8").tolist()]
        if math.prod(max(size, 1) for size in sizes if size < _UNLIMITED) > _LARGEST_SHAPE:
            raise ValueError("a shape is too large")


def _check_trees(attributes: dict[str, NDArray[np.int64]]) -> None:
    """Check that branches lead to later nodes, so that no path through a tree is endless."""
    nodes = attributes.get("nodes_nodeids", np.empty(0, np.int64))
    for name in ("nodes_truenodeids", "nodes_falsenodeids"):
        branches = attributes.get(name, np.empty(0, np.int64))
        if branches.shape != nodes.shape or ((branches != 0) & (branches <= nodes)).any() or not len(nodes):
            raise ValueError("a branch of a tree does not lead to a later node")


def _fields(message: memoryview, allowed: set[int], of: str = "it", *, runs: bool = False) -> Iterator[_Field]:
    """Return the fields of a message; with ``runs`` a list of values, see `_RUNS`, is one field.

    Raises:
        ValueError: a field is not allowed, or the message is cut short.

    """
    position, end = 0, len(message)
    while position < end:
        run = _RUNS[message[position]].match(message, position) if runs and message[position] in _RUNS else None
        if run is not None:
            yield _Field(message[position] >> 3, 0, message[position : run.end()])
            position = run.end()
            continue
        key, position = _varint(message, position)
        number, wire = key >> 3, key & 7
        if number not in allowed:
            raise ValueError(f"{of} has the field {number}, which is not allowed")
        value, content = 0, memoryview(b"")
        if wire == _VARINT:
            value, position = _varint(message, position)
        elif wire in (_FIXED64, _FIXED32):
            position += 8 if wire == _FIXED64 else 4
        elif wire == _BYTES:
            size, position = _varint(message, position)
            content = message[position : position + size]
            position += size
        else:
            raise ValueError(f"{of} has a field of an unknown kind")
        if position > end:
            raise ValueError(f"{of} is cut short")
        yield _Field(number, value, content)


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return the integer that begins at a position, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("an integer has more than 64 bits")


def _varints(content: memoryview) -> NDArray[np.int64]:
    """Return the integers that follow each other, (n,)."""
    data = np.frombuffer(content, np.uint8)
    last = np.flatnonzero(data < 0x80)
    first = np.append(0, last[:-1] + 1)
    found = np.zeros(len(last), np.uint64)
    for k in range(10):
        reached = first + k <= last
        found[reached] |= (data[first[reached] + k] & np.uint8(0x7F)).astype(np.uint64) << np.uint64(7 * k)
    return found.astype(np.int64)
