"""Networks: a sequence of layers, from ids or multi-hot rows to logits."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.base import Contributions, Model
from tagline.models.network.attribution import integrated_gradients
from tagline.models.network.layers import (
    Array,
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    EmbeddingAverage,
    Layer,
    Lookup,
    MaxPool,
    Pass,
)
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.parallel import in_threads, one_blas_thread

if TYPE_CHECKING:
    from tagline.models.onnx.builder import Builder, Logits

Inputs: TypeAlias = NDArray[np.int32] | sp.csr_matrix  # padded ids (n_texts, n_steps), or rows (n_texts, n_columns)
LAYERS: dict[str, type[Any]] = {
    "dense": Dense,
    "embedding": Embedding,
    "embedding-average": EmbeddingAverage,
    "lstm": Lstm,
    "gru": Gru,
    "bidirectional": Bidirectional,
    "conv-1d": Conv1D,
    "max-pool": MaxPool,
    "dropout": Dropout,
}
_BATCH = 256  # texts of a batch for prediction, fewer if they are long:
_STEPS = 65_536  # steps of all texts of a batch


@dataclass(frozen=True)
class Network(Model):
    """Layers and their weights. ``masked``: padding, id 0, is ignored."""

    kind: ClassVar[str] = "network"
    graph_file: ClassVar[str | None] = "network.onnx"
    graph_doc: ClassVar[str] = "A network."

    layers: tuple[Layer, ...]
    weights: tuple[tuple[Array, ...], ...]
    masked: bool = False

    @staticmethod
    def draw(layers: Sequence[Layer], rng: np.random.Generator, *, masked: bool = False) -> "Network":
        """Return a network with random initial weights."""
        return Network(tuple(layers), tuple(tuple(layer.init(rng)) for layer in layers), masked)

    def prepare(self, X: Inputs) -> Inputs:
        """Return the input of ``forward``, the same for all passes."""
        prepared: Inputs = self.layers[0].prepare(X, masked=self.masked)
        return prepared

    def forward(
        self, X: Inputs, noise: np.random.Generator | None = None, *, keep: bool = True
    ) -> tuple[Array, list[Any]]:
        """Return logits, (n_texts, n_outputs), and if ``keep`` caches for ``backward``; ``noise`` draws dropout."""
        x, run, _ = self._enter(X, noise)
        return self.forward_from(0, x, replace(run, keep=keep))

    def forward_from(self, first: int, x: Any, run: Pass) -> tuple[Array, list[Any]]:
        """Return logits and caches for ``backward_to``; ``x`` is the input of the layer with the index ``first``."""
        caches = []
        for layer, weights in zip(self.layers[first:], self.weights[first:], strict=True):
            if isinstance(x, Lookup) and not layer.takes_lookup:
                x = x.vectors()
            x, cache = layer.forward(x, weights, run)
            if run.keep:
                caches.append(cache)
            del cache  # it holds the layer's input, which is not needed any more
        return x, caches

    def backward(self, dlogits: Array, caches: Sequence[Any], first: int = 0) -> list[list[Array]]:
        """Return the gradient of each weight, layer by layer, starting with the layer ``first``."""
        return self.backward_to(first, dlogits, caches[first:])[1]

    def backward_to(self, first: int, dlogits: Array, caches: Sequence[Any]) -> tuple[Any, list[list[Array]]]:
        """Return the gradients of the input of the layer ``first``, None for ids, and of the weights from there on."""
        gradients: list[list[Array]] = []
        dy: Any = dlogits
        layers, weights = self.layers[first:], self.weights[first:]
        for layer, own, cache in zip(layers[::-1], weights[::-1], caches[::-1], strict=True):
            dy, found = layer.backward(dy, own, cache)
            gradients.append(found)
        return dy, gradients[::-1]

    def embed(self, X: NDArray[np.int32]) -> tuple[Array, Pass, NDArray[np.int64]]:
        """Return the vectors of padded ids, the input of the second layer, (n_steps, n_texts, size), and their pass.

        Also return the columns of ``X`` of the steps: all, except those of masked padding.
        """
        ids, run, columns = self._enter(X, None)
        lookup, _ = self.layers[0].forward(ids, self.weights[0], run)
        return lookup.vectors(), run, columns

    def _enter(self, X: Inputs, noise: np.random.Generator | None) -> tuple[Any, Pass, NDArray[np.int64]]:
        """Return the first layer's input, its pass, and the columns of ``X`` that it contains."""
        columns = np.arange(X.shape[1])
        if sp.issparse(X):
            return X, Pass(noise), columns
        ids = np.ascontiguousarray(X.T)  # (n_steps, n_texts)
        if not self.masked:
            return ids, Pass(noise), columns
        # Steps at which every text has padding change nothing and are left out.
        busy = _busy(ids, max(layer.window for layer in self.layers))
        ids = ids[busy]
        return ids, Pass(noise, (ids != 0).astype(np.float32)), columns[busy]

    def logits(self, X: Inputs) -> NDArray[np.float64]:
        """Return logits, (n_texts, n_outputs)."""
        size = _BATCH if sp.issparse(X) else min(_BATCH, max(1, _STEPS // X.shape[1]))

        def batch(start: int) -> Array:
            return self.forward(self.prepare(X[start : start + size]), keep=False)[0]

        with one_blas_thread():
            parts = in_threads(batch, range(0, max(1, X.shape[0]), size))
        return np.vstack(parts).astype(np.float64)

    @property
    def n_outputs(self) -> int:
        """The number of logits of a text."""
        return len(self.weights[-1][-1])  # the bias of the last layer

    def contributions(self, X: Inputs, output: int, factor: float) -> Contributions:
        """Return the integrated gradients of ``factor`` times a logit, by column of ``X``, which has one row."""
        return integrated_gradients(self, X, output, factor)

    def to_graph(self, graph: "Builder", features: Any = None) -> "Logits":
        """Add the nodes from ids, or from the words of a text, to the logits."""
        from tagline.models.onnx.networks import add_network

        return add_network(graph, self)

    def settings(self) -> dict[str, Any]:
        """Return the layers and whether padding is masked."""
        return {"masked": self.masked, "layers": [{"layer": name_of(layer), **_fields(layer)} for layer in self.layers]}

    def arrays(self) -> dict[str, Array]:
        """Return the weights by ``<index of the layer>.<name>``."""
        return {
            f"{number}.{name}": array
            for number, (layer, weights) in enumerate(zip(self.layers, self.weights, strict=True))
            for name, array in zip(layer.shapes(), weights, strict=True)
        }

    @classmethod
    def restore(
        cls,
        settings: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        binaries: Mapping[str, bytes] | None = None,
    ) -> "Network":
        """Return the network with these settings and arrays."""
        layers: list[Layer] = []
        for about in settings["layers"]:
            fields = dict(about)
            layers.append(LAYERS[fields.pop("layer")](**fields))
        weights = tuple(
            tuple(arrays[f"{number}.{name}"].astype(np.float32) for name in layer.shapes())
            for number, layer in enumerate(layers)
        )
        return cls(tuple(layers), weights, settings["masked"])

    def check(self, n_features: int, n_outputs: int) -> None:
        """Check the shapes of all weights, those of the first and last layer against features and outputs."""
        if not isinstance(self.masked, bool) or not self.layers or not self.weights[0]:
            raise ValueError("the network has no layer with weights to start with, or `masked` is no truth value")
        for number, (layer, weights) in enumerate(zip(self.layers, self.weights, strict=True)):
            for (name, shape), array in zip(layer.shapes().items(), weights, strict=True):
                if array.shape != shape:
                    raise ValueError(f"the weight `{number}.{name}` has the shape {array.shape}, not {shape}")
        if self.weights[0][0].shape[0] != n_features or not self.weights[-1] or self.n_outputs != n_outputs:
            raise ValueError(f"the layers are not those of {n_features:,} features and {n_outputs:,} outputs")
        self._check_order()

    def _check_order(self) -> None:
        """Check that each layer takes what the one before it gives."""
        shape: tuple[int | None, ...] = (None,)
        for number, layer in enumerate(self.layers):
            inputs = getattr(layer, "inputs", shape[-1]) if number else shape[-1]
            is_table = isinstance(layer, Embedding | EmbeddingAverage)
            if layer.n_axes not in (None, len(shape)) or inputs != shape[-1] or (number and is_table):
                raise ValueError(f"the layer {number}, `{name_of(layer)}`, does not take what the one before it gives")
            shape = layer.output(shape)
        if len(shape) != 1:
            raise ValueError("the last layer gives more than one row for a text")

    def summary(self, inputs: tuple[int | None, ...]) -> list[dict[str, Any]]:
        """Return name, output shape of one text and number of weights of each layer; ``inputs`` is its input shape."""
        rows: list[dict[str, Any]] = []
        shape = inputs
        for layer in self.layers:
            shape = layer.output(shape)
            count = sum(int(np.prod(weight)) for weight in layer.shapes().values())
            rows.append({"layer": name_of(layer), "output": list(shape), "parameters": count})
        return rows


def name_of(layer: Layer) -> str:
    """Return the name of a layer in a bundle."""
    return next(name for name, kind in LAYERS.items() if type(layer) is kind)


def _fields(layer: Layer) -> dict[str, Any]:
    return asdict(layer)  # type: ignore[call-overload, no-any-return]


def _busy(ids: NDArray[np.int32], least: int) -> NDArray[np.bool_]:
    """Return the range of steps with a token of any text, at least ``least`` steps, as a mask (n_steps,)."""
    busy = (ids != 0).any(axis=1)
    first, last = (int(busy.argmax()), len(busy) - int(busy[::-1].argmax())) if busy.any() else (0, 0)
    last = max(last, min(len(busy), first + least))
    first = min(first, max(0, last - least))
    steps = np.zeros(len(busy), dtype=bool)
    steps[first:last] = True
    return steps
