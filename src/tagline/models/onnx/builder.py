"""Builds an ONNX graph node by node."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.errors import InputError, MissingExtraError
from tagline.task import Task

if TYPE_CHECKING:
    import onnx

    from tagline.calibration import Calibrator

_OPSET, _TREES_OPSET, _IR_VERSION = 18, 3, 8
_LARGEST = 2**31 - 1  # bytes of a protobuf message


@dataclass(frozen=True)
class Logits:
    """The logits in a graph, (n_texts, n_outputs): the name of the value and its type."""

    name: str
    n_outputs: int
    dtype: type[np.generic]


class Builder:
    """Collects nodes and constants; every method returns the name of the value it added.

    Names are numbered in the order in which they are added, so that the same calls give the same bytes.
    """

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError:
            raise MissingExtraError("Writing an ONNX graph", "onnx") from None
        self._onnx = onnx
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._n_names = 0

    def input(self, name: str, dtype: type[np.generic], shape: tuple[str | int, ...]) -> str:
        """Declare an input; strings in ``shape`` name dynamic sizes."""
        self._inputs.append(self._value(name, dtype, shape))
        return name

    def output(self, value: str, name: str, dtype: type[np.generic], shape: tuple[str | int, ...]) -> None:
        """Declare ``value`` as the output ``name``."""
        self._nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value(name, dtype, shape))

    def constant(self, array: NDArray[Any], name: str = "constant") -> str:
        """Add an array."""
        unique = self._name(name)
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), unique))
        return unique

    def ints(self, *values: int) -> str:
        """Add int64 numbers, (n,)."""
        return self.constant(np.array(values, dtype=np.int64))

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output."""
        return self.add_several(operator, 1, *inputs, **attributes)[0]

    def add_several(
        self, operator: str, n_outputs: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with ``n_outputs`` outputs."""
        outputs = [self._name(operator.lower()) for _ in range(n_outputs)]
        node = self._onnx.helper.make_node(operator, list(inputs), outputs, domain=domain, **attributes)
        self._nodes.append(node)
        return outputs

    def cast(self, value: str, dtype: type[np.generic]) -> str:
        """Add a conversion to another type."""
        return self.add("Cast", value, to=self._type(dtype))

    def zeros(self, shape: str, dtype: type[np.generic]) -> str:
        """Add a tensor of zeros; ``shape`` is an int64 tensor."""
        return self.add("ConstantOfShape", shape, value=self._onnx.numpy_helper.from_array(np.zeros(1, dtype)))

    def add_up(self, start: str, at: str, values: str) -> str:
        """Add the sum of ``values`` (n, …) into the rows ``at`` (n,) of ``start``.

        Not ScatterND, in which the threads of ONNX Runtime race if rows repeat.
        """
        places = self.add("Expand", at, self.add("Shape", values))
        return self.add("ScatterElements", start, places, values, axis=0, reduction="add")

    def serialize(self, doc: str) -> bytes:
        """Return the graph as the bytes of an ONNX model; raises `InputError` if it is too large for one file."""
        helper = self._onnx.helper
        graph = helper.make_graph(self._nodes, "tagline", self._inputs, self._outputs, self._constants)
        domains = {node.domain for node in self._nodes}
        opsets = [helper.make_opsetid("", _OPSET)]
        if "ai.onnx.ml" in domains:
            opsets.append(helper.make_opsetid("ai.onnx.ml", _TREES_OPSET))
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="tagline", doc_string=doc
        )
        if model.ByteSize() > _LARGEST:
            raise InputError("The model is larger than 2 GB, the limit of an ONNX file: train one with fewer n-grams.")
        return bytes(model.SerializeToString(deterministic=True))

    def _value(self, name: str, dtype: type[np.generic], shape: tuple[str | int, ...]) -> "onnx.ValueInfoProto":
        return self._onnx.helper.make_tensor_value_info(name, self._type(dtype), shape)

    def _type(self, dtype: type[np.generic]) -> int:
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def _name(self, kind: str) -> str:
        self._n_names += 1
        return f"{kind}_{self._n_names}"


def add_outputs(graph: Builder, logits: Logits, calibrator: "Calibrator", task: Task) -> None:
    """Calibrate logits and add them and the probabilities as the outputs of the graph."""
    calibrated = calibrator.to_graph(graph, logits)
    n_outputs, dtype = logits.n_outputs, logits.dtype
    graph.output(calibrated, "logits", dtype, ("n_texts", n_outputs))
    if task is Task.MULTILABEL:
        p = graph.add("Sigmoid", calibrated)
    elif task is Task.BINARY:
        second = graph.add("Sigmoid", calibrated)
        first = graph.add("Sub", graph.constant(np.array(1.0, dtype)), second)
        p = graph.add("Concat", first, second, axis=1)
    else:
        p = graph.add("Softmax", calibrated, axis=1)
    graph.output(p, "probabilities", dtype, ("n_texts", 2 if task is Task.BINARY else n_outputs))
