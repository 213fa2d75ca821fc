"""Layers of small networks, forward and backward, in NumPy alone.

A network is trained with PyTorch and predicts without it, so each layer is implemented once, here, with its gradient.
Sequences are time-major, (n_steps, n_texts, size): the values of one step are contiguous. Weights have Keras's shapes
and order of gates, so that weights can be exchanged with Keras unchanged.

>>> import numpy as np
>>> layer = Dense(2, 1, "relu")
>>> kernel, bias = np.ones((2, 1), np.float32), np.zeros(1, np.float32)
>>> y, cache = layer.forward(np.ones((1, 2), np.float32), [kernel, bias], Pass())
>>> y
array([[2.]], dtype=float32)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.parallel import in_threads
from tagline.sparse import count_columns

Array = NDArray[np.float32]
Weights = Sequence[Array]
Activation = Literal["linear", "relu", "tanh"]


@dataclass(frozen=True)
class Pass:
    """The settings of one pass through a network.

    ``noise`` draws the dropout masks; None outside training. ``present`` is 1 for a token and 0 for masked padding,
    (n_steps, n_texts); None if padding is not masked. ``keep``: keep what the backward pass needs.
    """

    noise: np.random.Generator | None = None
    present: Array | None = None
    keep: bool = True


@dataclass(frozen=True)
class Lookup:
    """The vectors of ids, not looked up yet: a word that comes again need not be multiplied again.

    ``table`` is (words, size), ``ids`` (n_steps, n_texts), ``present`` as in `Pass`: masked padding has the vector 0.
    """

    table: Array
    ids: NDArray[np.int32]
    present: Array | None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_steps, n_texts, size)."""
        return *self.ids.shape, self.table.shape[1]

    def vectors(self) -> Array:
        """Return the vectors, (n_steps, n_texts, size)."""
        y: Array = self.table[self.ids]
        if self.present is not None:
            y *= self.present[:, :, None]
        return y


@dataclass(frozen=True)
class LookupGradient:
    """The gradient of a `Lookup`: of the vectors of ``ids``, (n,), the parts ``rows``, (n, size), which add up."""

    ids: NDArray[np.int32]
    rows: Array

    def __add__(self, other: "LookupGradient") -> "LookupGradient":
        """Return the gradient of a lookup that is read twice."""
        return LookupGradient(np.concatenate([self.ids, other.ids]), np.concatenate([self.rows, other.rows]))


class Layer(Protocol):
    """A layer: settings without state. Its weights are arguments, in the order of ``shapes``.

    Attributes:
        recurrent: whether each step depends on all steps before it.
        n_axes: the number of axes of its input for one text: 1 of a vector, 2 of vectors by step; None for any.
        takes_lookup: whether its input may be a `Lookup`; other layers get the vectors.

    """

    recurrent: ClassVar[bool] = False
    n_axes: ClassVar[int | None] = 1
    takes_lookup: ClassVar[bool] = False

    @property
    def window(self) -> int:
        """The number of steps that one step of the output depends on, if the layer is not recurrent."""
        return 1

    def prepare(self, X: Any, *, masked: bool) -> Any:
        """Return the input of a network, padded ids (n_texts, n_steps) or rows, as this layer takes it if it is first.

        ``masked``: padding, id 0, is ignored.
        """
        return X

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight by name."""

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw initial weights."""

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the output shape of one text for its input shape."""

    def forward(self, x: Any, weights: Weights, run: Pass) -> tuple[Any, Any]:
        """Return the output and the cache for ``backward``."""

    def backward(self, dy: Any, weights: Weights, cache: Any) -> tuple[Any, list[Array]]:
        """Return the gradients of the input (None if it has none) and of the weights."""


@dataclass(frozen=True)
class Dense(Layer):
    """``y = activation(x W + b)``; ``x`` may be sparse, such as multi-hot rows, and then gets no gradient."""

    inputs: int
    units: int
    activation: Activation = "linear"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of kernel and bias."""
        return {"kernel": (self.inputs, self.units), "bias": (self.units,)}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the kernel; the bias is 0."""
        return [glorot_uniform(rng, (self.inputs, self.units)), np.zeros(self.units, np.float32)]

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (units,)."""
        return (*shape[:-1], self.units)

    def forward(self, x: Any, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map (n_texts, inputs), dense or CSR, to (n_texts, units)."""
        y = _activate(x @ weights[0] + weights[1], self.activation)
        return y, (x, y)

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array | None, list[Array]]:
        """Return the gradients."""
        x, y = cache
        dz = _through(dy, y, self.activation)
        dx = None if sp.issparse(x) else dz @ weights[0].T
        return dx, [np.asarray(x.T @ dz), dz.sum(axis=0)]


@dataclass(frozen=True)
class _WordTable(Layer):
    """Base of layers whose weights are one vector per id."""

    words: int
    size: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the table."""
        return {"embeddings": (self.words, self.size)}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the table, uniform in ±0.05."""
        return [_uniform(rng, (self.words, self.size), 0.05)]


@dataclass(frozen=True)
class Embedding(_WordTable):
    """One vector per id; padding has one too, unless it is masked: then its vector is 0."""

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n_steps, size)."""
        return (*shape, self.size)

    def forward(self, x: NDArray[np.int32], weights: Weights, run: Pass) -> tuple[Lookup, Any]:
        """Map ids (n_steps, n_texts) to vectors (n_steps, n_texts, size)."""
        return Lookup(weights[0], x, run.present), (x, run.present)

    def backward(self, dy: Array | LookupGradient, weights: Weights, cache: Any) -> tuple[None, list[Array]]:
        """Return the gradients: that of an id is the sum over its positions, a sparse product."""
        if isinstance(dy, LookupGradient):
            ids, present, rows = dy.ids, None, dy.rows
        else:
            (ids, present), rows = cache, dy.reshape(-1, self.size)
        data = np.ones(ids.size, np.float32) if present is None else present.ravel()
        positions = sp.csr_matrix((data, ids.ravel(), np.arange(ids.size + 1, dtype=np.int32)), (ids.size, self.words))
        return None, [np.asarray(positions.T @ rows)]


@dataclass(frozen=True)
class EmbeddingAverage(_WordTable):
    """The mean of the vectors of a text's ids: embedding and average pooling as one sparse product.

    Its input is the share of each id in each text, (n_texts, words).
    """

    def prepare(self, X: Any, *, masked: bool) -> Any:
        """Return the shares for padded ids."""
        if sp.issparse(X):
            return X
        counted = X != 0 if masked else np.ones(X.shape, dtype=bool)
        lengths = counted.sum(axis=1)  # (n_texts,)
        shares = count_columns(X[counted] if masked else X.ravel(), lengths, self.words)
        shares.data /= np.repeat(lengths, np.diff(shares.indptr)).astype(np.float32)
        return shares

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (size,)."""
        return (self.size,)

    def forward(self, x: sp.csr_matrix, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map shares (n_texts, words) to mean vectors (n_texts, size)."""
        return x @ weights[0], x

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[None, list[Array]]:
        """Return the gradients."""
        return None, [np.asarray(cache.T @ dy)]


@dataclass(frozen=True)
class Conv1D(Layer):
    """``y_t = activation(sum_j x_{t+j} W_j + b)``: a window of ``width`` steps, without padding at the ends."""

    n_axes: ClassVar[int | None] = 2

    inputs: int
    filters: int
    width: int
    activation: Activation = "relu"

    @property
    def window(self) -> int:
        """The width of the kernel."""
        return self.width

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of kernel and bias."""
        return {"kernel": (self.width, self.inputs, self.filters), "bias": (self.filters,)}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the kernel; the bias is 0."""
        return [glorot_uniform(rng, (self.width, self.inputs, self.filters)), np.zeros(self.filters, np.float32)]

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (n_steps - width + 1, filters)."""
        steps = None if shape[0] is None else shape[0] - self.width + 1
        return (steps, self.filters)

    def forward(self, x: Array, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map (n_steps, n_texts, inputs) to (n_steps - width + 1, n_texts, filters).

        In time-major order the steps of one offset are contiguous, so that each offset is one matrix product.
        """
        steps, n = len(x) - self.width + 1, x.shape[1]
        y = np.empty((steps, n, self.filters), np.float32)

        def one(part: slice) -> None:
            z = y[part].reshape(-1, self.filters)  # a view
            np.matmul(x[part].reshape(-1, self.inputs), weights[0][0], out=z)
            for j in range(1, self.width):
                z += x[part.start + j : part.stop + j].reshape(-1, self.inputs) @ weights[0][j]
            z += weights[1]
            _activate(z, self.activation)

        in_threads(one, (slice(0, steps // 2), slice(steps // 2, steps)))
        return y, (x, y)

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Return the gradients."""
        x, y = cache
        steps = len(y)
        dz = _through(dy, y, self.activation).reshape(-1, self.filters)
        dkernel = np.empty_like(weights[0])

        def one(j: int) -> Array:
            dkernel[j] = x[j : j + steps].reshape(-1, self.inputs).T @ dz
            part: Array = (dz @ weights[0][j].T).reshape(steps, -1, self.inputs)
            return part

        dx = np.zeros_like(x)
        for j, part in enumerate(in_threads(one, range(self.width))):
            dx[j : j + steps] += part
        return dx, [dkernel, dz.sum(axis=0)]


class _Weightless(Layer):
    """Base of layers without weights."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return nothing."""
        return {}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Return nothing."""
        return []


@dataclass(frozen=True)
class MaxPool(_Weightless):
    """The maximum over all steps, or windows of a convolution, inside the text."""

    n_axes: ClassVar[int | None] = 2

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (size,)."""
        return shape[1:]

    def forward(self, x: Array, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map (n_steps, n_texts, size) to (n_texts, size)."""
        if run.present is not None:
            present, steps = run.present, len(x)
            absent = (present[:steps] == 0) | (present[len(present) - steps :] == 0)
            (short,) = np.nonzero(absent.all(axis=0))  # a text shorter than one window keeps one
            absent[np.minimum(present.argmax(axis=0), steps - 1)[short], short] = False
            x = np.where(absent[:, :, None], np.float32(-np.inf), x)
        y = x.max(axis=0)  # (n_texts, size)
        return y, (x, y)

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Return the gradients: each goes to the position of the maximum; equal maxima share it."""
        x, y = cache
        is_max = x == y
        return is_max * (dy / is_max.sum(axis=0, dtype=np.float32)), []


@dataclass(frozen=True)
class Dropout(_Weightless):
    """In training, a share ``rate`` of the values is set to 0 and the others are scaled up by 1 / (1 - rate)."""

    n_axes: ClassVar[int | None] = None
    takes_lookup: ClassVar[bool] = True

    rate: float

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape as it is."""
        return shape

    def forward(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array | Lookup, Any]:
        """Return ``x`` with values dropped."""
        kept = dropout_mask(run.noise, x.shape, self.rate)
        if kept is None:
            return x, None
        return (x.vectors() if isinstance(x, Lookup) else x) * kept, kept

    def backward(self, dy: Any, weights: Weights, cache: Any) -> tuple[Any, list[Array]]:
        """Return the gradients."""
        return (dy if cache is None else dy * cache), []


def dropout_mask(noise: np.random.Generator | None, shape: tuple[int, ...], rate: float) -> Array | None:
    """Return 0 for dropped values and 1 / (1 - rate) for the others, or None if nothing is dropped."""
    if noise is None or rate == 0:
        return None
    return (noise.random(shape, np.float32) >= rate).astype(np.float32) / np.float32(1 - rate)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw uniformly within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010)."""
    window = int(np.prod(shape[:-2]))
    return _uniform(rng, shape, float(np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))))


def orthogonal(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al. 2013)."""
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.sign(np.diag(r))
    return np.ascontiguousarray(q if shape[0] >= shape[1] else q.T, dtype=np.float32)


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], bound: float) -> Array:
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def _activate(z: Array, activation: Activation) -> Array:
    """Apply an activation in place."""
    if activation == "relu":
        return np.maximum(z, 0, out=z)
    return np.tanh(z, out=z) if activation == "tanh" else z


def _through(dy: Array, y: Array, activation: Activation) -> Array:
    """Return the gradient of the input of an activation, from that of its output ``y``."""
    if activation == "relu":
        return dy * (y > 0)
    return dy * (1 - y * y) if activation == "tanh" else dy
