"""Graphs from anywhere: only what `Builder` writes is run."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from tagline.models.onnx.check import check_graph
from tagline.models.onnx.runtime import OnnxModel

GOLDEN = sorted(Path("tests/golden").rglob("*.onnx"))
GRAPH = (Path("tests/golden") / "bundle-v3-network" / "model" / "network.onnx").read_bytes()


def changed(change: Callable[[onnx.ModelProto], object]) -> bytes:
    model = onnx.load_from_string(GRAPH)
    change(model)
    return bytes(model.SerializeToString())


def typed_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [1], [10**9]))


def huge_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([100_000, 100_000]), "shape"))


def external(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret.bin")


def short(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-1]


def loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", "", ""], ["z"], body=body))


def branch(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("then_branch", helper.make_graph([], "g", [], [])))


def operator(name: str, domain: str = "") -> Callable[[onnx.ModelProto], object]:
    return lambda model: model.graph.node.append(helper.make_node(name, ["a"], ["b"], domain=domain))


def tree(true: list[int]) -> Callable[[onnx.ModelProto], object]:
    lists = {"nodes_nodeids": [0, 1, 2], "nodes_truenodeids": true, "nodes_falsenodeids": [2, 0, 0]}
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", **lists)
    return lambda model: model.graph.node.append(node)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parts[2])
def test_graphs_of_every_version_are_allowed(path: Path) -> None:
    check_graph(path.read_bytes())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (external, "a tensor has the field 1[34]"),
        (typed_shape, "a tensor has the field 7"),
        (huge_shape, "a shape is too large"),
        (short, "not as many values as its shape says"),
        (loop, "the operator `Loop` is not allowed"),
        (branch, "an attribute of `.*` has the field 6"),
        (operator("Tile"), "`Tile` is not allowed"),
        (operator("Add", "com.microsoft"), "`Add` is not allowed"),
        (lambda model: model.functions.add(name="f"), "it has the field 25"),
        (lambda model: model.graph.sparse_initializer.add(), "it has the field 15"),
        (tree([0, 0, 0]), None),
        (tree([1, 1, 0]), "does not lead to a later node"),
        (tree([1, 0]), "does not lead to a later node"),
    ],
)
def test_what_no_graph_of_ours_holds_is_refused(
    change: Callable[[onnx.ModelProto], object], reason: str | None
) -> None:
    graph = changed(change)
    if reason is None:
        check_graph(graph)
    else:
        with pytest.raises(ValueError, match=f"the ONNX graph is refused: .*{reason}"):
            check_graph(graph)


@given(st.binary(max_size=60), st.integers(0, len(GRAPH)), st.integers(0, len(GRAPH)))
def test_bytes_of_any_kind_are_refused_with_a_reason(found: bytes, start: int, end: int) -> None:
    for graph in (found, GRAPH[:start] + found + GRAPH[end:]):
        try:
            check_graph(graph)
        except ValueError as error:
            assert "ONNX graph" in str(error)  # noqa: PT017  # many of them are still graphs


def test_memory_is_bounded() -> None:
    nodes = [helper.make_node("Expand", ["one", "shape"], ["y0"])]
    nodes += [helper.make_node("Concat", [f"y{i}", f"y{i}"], [f"y{i + 1}"], axis=0) for i in range(2)]
    nodes.append(helper.make_node("ReduceSum", ["y2"], ["logits"]))
    nodes.append(helper.make_node("Identity", ["logits"], ["probabilities"]))
    constants = {"one": np.ones((1, 1), np.float32), "shape": np.array([2**30, 1])}
    with pytest.raises(ValueError, match=r"(fails|cannot read the graph): .*smaller than requested"):
        restored(nodes, constants).check(1, 1)


def test_products_of_constants_count_as_time_of_the_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime would compute them as it opens the graph, where nothing limits the time."""
    names = ["square", *(f"product{i}" for i in range(300))]
    nodes = [helper.make_node("MatMul", [before, "square"], [after]) for before, after in pairwise(names)]
    nodes.append(helper.make_node("ReduceSum", [names[-1]], ["logits"]))
    nodes.append(helper.make_node("Identity", ["logits"], ["probabilities"]))
    monkeypatch.setattr("tagline.models.onnx.runtime._SECONDS", 0.05)
    with pytest.raises(ValueError, match="the graph fails"):
        restored(nodes, {"square": np.full((400, 400), 1e-3, np.float32)}).check(1, 1)


def restored(nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray]) -> OnnxModel:
    """Return the model of a graph that ignores the words of a text."""
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in ("logits", "probabilities")]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n_texts", "n_steps"])
    tensors = [numpy_helper.from_array(values, name) for name, values in constants.items()]
    graph = helper.make_graph(nodes, "g", [ids], outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return OnnxModel.restore({}, {}, {"model.onnx": model.SerializeToString()})
