"""LSTM and GRU, forward and backward through time, without autograd, which is slow for a loop of small steps.

This is the path for computers without a C compiler, and the reference for the compiled one in `native`.

Shapes: ``T`` steps, ``n`` texts, ``d`` inputs, ``H`` units, ``G`` gates. The values of one step are contiguous, gate by
gate, (T, G, n, H). Dropout follows Keras: masks are drawn once per batch and are the same at every step, on the inputs
and (recurrent dropout; Gal and Ghahramani 2016) on the recurrent state. With recurrent dropout each gate has its own
masks; without it, all gates share one mask on the inputs.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.models.network.layers import Array, Layer, Lookup, Pass, Weights, dropout_mask, glorot_uniform, orthogonal
from tagline.models.network.products import by_gate, kernel_gradient, project, project_back

_HALF = np.float32(0.5)


@dataclass(frozen=True)
class Cell(Layer):
    """The settings of one recurrent layer.

    ``every``: return the state of every step instead of the last one. ``reverse``: read from the end.
    """

    recurrent: ClassVar[bool] = True
    n_axes: ClassVar[int | None] = 2
    takes_lookup: ClassVar[bool] = True
    gates: ClassVar[int]

    inputs: int
    units: int
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    every: bool = False
    reverse: bool = False

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (units,), or (n_steps, units) if ``every``."""
        return (shape[0], self.units) if self.every else (self.units,)

    def forward(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map (T, n, d) to (n, H), or (T, n, H) if ``every``."""
        native = _native() if COMPILED else None
        if native is None:
            return self.run(x, weights, run)
        result: tuple[Array, Any] = native.forward(self, x, weights, run)
        return result

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[Any, list[Array]]:
        """Return the gradients; a cache serves once."""
        native = _native() if COMPILED else None
        if native is None:
            return self.run_back(dy, weights, cache)
        gradients: tuple[Any, list[Array]] = native.backward(self, dy, weights, cache)
        return gradients

    def run(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Do `forward` in NumPy, the reference of the compiled code."""
        raise NotImplementedError

    def run_back(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Do `backward` in NumPy."""
        raise NotImplementedError

    def dropped(self, run: Pass, n: int) -> tuple[Array | None, Array | None]:
        """Draw the dropout masks of the inputs, (G or 1, n, d), and of the state, (G, n, H)."""
        masks = dropout_mask(run.noise, (self.gates if self.recurrent_dropout else 1, n, self.inputs), self.dropout)
        return masks, dropout_mask(run.noise, (self.gates, n, self.units), self.recurrent_dropout)


@dataclass(frozen=True)
class Lstm(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), gates in Keras's order: input, forget, cell, output.

    ::

        i, f, o = sigmoid(x W + h U + b),  g = tanh(x W + h U + b),  c = f c + i g,  h = o tanh(c)

    A masked step leaves the state of its text unchanged.
    """

    gates: ClassVar[int] = 4

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the two kernels and the bias."""
        H = self.units
        return {"kernel": (self.inputs, 4 * H), "recurrent_kernel": (H, 4 * H), "bias": (4 * H,)}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the kernels; the bias is 0, and 1 for the forget gate (Jozefowicz et al. 2015)."""
        H = self.units
        bias = np.zeros(4 * H, np.float32)
        bias[H : 2 * H] = 1
        return [glorot_uniform(rng, (self.inputs, 4 * H)), orthogonal(rng, (H, 4 * H)), bias]

    def run(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Do `forward` in NumPy."""
        x, present = _in_time(x, run.present, reverse=self.reverse)
        kernel, recurrent, bias = weights
        T, n, _ = x.shape
        H = self.units
        # sigmoid(z) = (1 + tanh(z / 2)) / 2: with z of the three sigmoid gates halved, one tanh computes all four.
        halved = np.repeat(np.array([_HALF, _HALF, 1, _HALF], np.float32), H)  # (G H,)
        masks, again = self.dropped(run, n)
        z = project(x, kernel * halved, bias * halved, masks, 4)  # (T, 4, n, H)
        U = by_gate(recurrent * halved, 4)
        h, c = np.zeros((T + 1, n, H), np.float32), np.zeros((T + 1, n, H), np.float32)
        tanh_c = np.empty((T, n, H), np.float32)
        sums, fed = np.empty((4, n, H), np.float32), np.empty((4, n, H), np.float32)
        for t in range(T):
            a = z[t]
            np.matmul(h[t] if again is None else np.multiply(h[t], again, out=fed), U, out=sums)
            a += sums
            np.tanh(a, out=a)
            for gates in (a[:2], a[3]):
                gates *= _HALF
                gates += _HALF
            np.multiply(a[1], c[t], out=c[t + 1])
            c[t + 1] += np.multiply(a[0], a[2], out=sums[0])
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(a[3], tanh_c[t], out=h[t + 1])
            if present is not None and not present[t].all():
                stays = present[t] == 0
                h[t + 1][stays], c[t + 1][stays] = h[t][stays], c[t][stays]
        cache = (x, present, masks, again, z, h, c, tanh_c) if run.keep else None
        return _out_of_time(h, every=self.every, reverse=self.reverse), cache

    def run_back(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Do `backward` in NumPy."""
        x, present, masks, again, a, h, c, tanh_c = cache
        kernel, recurrent, _ = weights
        T, n, H = tanh_c.shape
        back = np.ascontiguousarray(by_gate(recurrent, 4).transpose(0, 2, 1))  # (4, H, H)
        dz = np.empty((T, 4, n, H), np.float32)
        dh, dc = np.zeros((n, H), np.float32), np.zeros((n, H), np.float32)
        own, rest, flow = np.empty((n, H), np.float32), np.empty((n, H), np.float32), np.empty((4, n, H), np.float32)
        every = dy[::-1] if self.every and self.reverse else dy
        for t in range(T - 1, -1, -1):
            if self.every:
                dh += every[t]
            elif t == T - 1:
                dh += dy
            stays = None if present is None or present[t].all() else present[t] == 0
            if stays is not None:
                kept_h, kept_c = dh[stays], dc[stays]
            i, f, g, o = a[t]
            d = dz[t]
            np.multiply(dh, tanh_c[t], out=d[3])
            np.multiply(tanh_c[t], tanh_c[t], out=own)
            np.subtract(1, own, out=own)
            own *= o
            own *= dh
            dc += own
            np.multiply(dc, g, out=d[0])
            np.multiply(dc, c[t], out=d[1])
            np.multiply(dc, i, out=d[2])
            dc *= f
            np.multiply(g, g, out=own)
            np.subtract(1, own, out=own)
            d[2] *= own
            np.subtract(1, a[t], out=flow)
            flow *= a[t]
            d[:2] *= flow[:2]
            d[3] *= flow[3]
            if stays is not None:
                d[:, stays] = 0
            np.matmul(d, back, out=flow)
            if again is not None:
                flow *= again
            np.add(flow[0], flow[1], out=dh)
            np.add(flow[2], flow[3], out=rest)
            dh += rest
            if stays is not None:
                dh[stays] += kept_h
                dc[stays] = kept_c
        drecurrent = kernel_gradient(h[:T], again, dz)
        dx, dkernel = project_back(x, kernel, masks, dz)
        dbias = dz.sum(axis=(0, 2)).ravel()
        return (dx[::-1] if self.reverse else dx), [dkernel, drecurrent, dbias]


@dataclass(frozen=True)
class Gru(Cell):
    """Gated recurrent unit (Cho et al. 2014) in Keras's variant, gates in Keras's order: update, reset, candidate.

    ::

        z, r = sigmoid(x W + b + h U + b'),  g = tanh(x W + b + r (h U + b')),  h = z h + (1 - z) g

    Masking is that of `Lstm`.
    """

    gates: ClassVar[int] = 3

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the two kernels and the two biases."""
        H = self.units
        return {"kernel": (self.inputs, 3 * H), "recurrent_kernel": (H, 3 * H), "bias": (2, 3 * H)}

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the kernels; the biases are 0."""
        H = self.units
        bias = np.zeros((2, 3 * H), np.float32)
        return [glorot_uniform(rng, (self.inputs, 3 * H)), orthogonal(rng, (H, 3 * H)), bias]

    def run(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Do `forward` in NumPy."""
        x, present = _in_time(x, run.present, reverse=self.reverse)
        kernel, recurrent, bias = weights
        T, n, _ = x.shape
        H = self.units
        masks, again = self.dropped(run, n)
        a = project(x, kernel, bias[0], masks, 3)  # (T, 3, n, H)
        U, b = by_gate(recurrent, 3), bias[1].reshape(3, 1, H)
        h = np.zeros((T + 1, n, H), np.float32)
        inner_g = np.empty((T, n, H), np.float32)  # h U + b' of the candidate, which the reset gate multiplies
        inner, fed = np.empty((3, n, H), np.float32), np.empty((3, n, H), np.float32)
        for t in range(T):
            np.matmul(h[t] if again is None else np.multiply(h[t], again, out=fed), U, out=inner)
            inner += b
            inner_g[t] = inner[2]
            gates, g = a[t][:2], a[t][2]
            gates += inner[:2]
            gates *= _HALF
            np.tanh(gates, out=gates)
            gates *= _HALF
            gates += _HALF
            g += np.multiply(gates[1], inner[2], out=inner[0])
            np.tanh(g, out=g)
            np.subtract(h[t], g, out=h[t + 1])  # h = g + z (h - g)
            h[t + 1] *= gates[0]
            h[t + 1] += g
            if present is not None and not present[t].all():
                stays = present[t] == 0
                h[t + 1][stays] = h[t][stays]
        cache = (x, present, masks, again, a, h, inner_g) if run.keep else None
        return _out_of_time(h, every=self.every, reverse=self.reverse), cache

    def run_back(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Do `backward` in NumPy."""
        x, present, masks, again, a, h, inner_g = cache
        kernel, recurrent, _ = weights
        T, n, H = inner_g.shape
        back = np.ascontiguousarray(by_gate(recurrent, 3).transpose(0, 2, 1))
        dz = np.empty((T, 3, n, H), np.float32)  # before the activations
        dinner = np.empty((T, 3, n, H), np.float32)  # of h U + b'
        dh = np.zeros((n, H), np.float32)
        flow = np.empty((3, n, H), np.float32)
        every = dy[::-1] if self.every and self.reverse else dy
        for t in range(T - 1, -1, -1):
            if self.every:
                dh += every[t]
            elif t == T - 1:
                dh += dy
            stays = None if present is None or present[t].all() else present[t] == 0
            kept = None if stays is None else dh[stays]
            z, r, g = a[t]
            d = dz[t]
            np.multiply(dh, h[t] - g, out=d[0])
            d[0] *= z * (1 - z)
            np.multiply(dh, 1 - z, out=d[2])
            d[2] *= 1 - g * g
            np.multiply(d[2], inner_g[t], out=d[1])
            d[1] *= r * (1 - r)
            if stays is not None:
                d[:, stays] = 0
            dinner[t] = d
            dinner[t][2] *= r
            np.matmul(dinner[t], back, out=flow)
            if again is not None:
                flow *= again
            dh *= z
            dh += flow[0]
            dh += flow[1]
            dh += flow[2]
            if stays is not None:
                dh[stays] = kept
        drecurrent = kernel_gradient(h[:T], again, dinner)
        dx, dkernel = project_back(x, kernel, masks, dz)
        dbias = np.stack([dz.sum(axis=(0, 2)).ravel(), dinner.sum(axis=(0, 2)).ravel()])
        return (dx[::-1] if self.reverse else dx), [dkernel, drecurrent, dbias]


@dataclass(frozen=True)
class Bidirectional(Layer):
    """A forward and a backward recurrent layer, their outputs concatenated."""

    recurrent: ClassVar[bool] = True
    n_axes: ClassVar[int | None] = 2
    takes_lookup: ClassVar[bool] = True

    cell: Literal["lstm", "gru"]
    inputs: int
    units: int
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    every: bool = False

    def both(self) -> tuple[Lstm | Gru, Lstm | Gru]:
        """Return the forward and the backward layer."""
        cell = Lstm if self.cell == "lstm" else Gru
        settings = (self.inputs, self.units, self.dropout, self.recurrent_dropout, self.every)
        return cell(*settings), cell(*settings, reverse=True)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights, forward layer first."""
        one, other = self.both()
        return {
            **{f"forward_{name}": shape for name, shape in one.shapes().items()},
            **{f"backward_{name}": shape for name, shape in other.shapes().items()},
        }

    def init(self, rng: np.random.Generator) -> list[Array]:
        """Draw the weights of both layers."""
        one, other = self.both()
        return one.init(rng) + other.init(rng)

    def output(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return (2 units,), or (n_steps, 2 units) if ``every``."""
        return (shape[0], 2 * self.units) if self.every else (2 * self.units,)

    def forward(self, x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
        """Map (T, n, d) to (n, 2 H), or (T, n, 2 H) if ``every``."""
        one, other = self.both()
        y, cache = one.forward(x, weights[:3], run)
        y_back, cache_back = other.forward(x, weights[3:], run)
        return np.concatenate([y, y_back], axis=-1), (cache, cache_back)

    def backward(self, dy: Array, weights: Weights, cache: Any) -> tuple[Array, list[Array]]:
        """Return the gradients."""
        one, other = self.both()
        dx, gradients = one.backward(dy[..., : self.units], weights[:3], cache[0])
        dx_back, gradients_back = other.backward(dy[..., self.units :], weights[3:], cache[1])
        return dx + dx_back, gradients + gradients_back


@cache
def _native() -> ModuleType | None:
    """Return the compiled layers, or None, with a warning, if they do not fit the installed SciPy."""
    try:
        from tagline.models.network import native  # with SciPy's BLAS, whose import takes a tenth of a second
    except ImportError as error:
        warnings.warn(f"LSTM and GRU are computed by NumPy, which is slower: {error}", RuntimeWarning, stacklevel=3)
        return None
    return native


def _in_time(x: Array | Lookup, present: Array | None, *, reverse: bool) -> tuple[Array, NDArray[np.float32] | None]:
    """Return the steps in reading order."""
    if isinstance(x, Lookup):
        x = x.vectors()
    if not reverse:
        return x, present
    return np.ascontiguousarray(x[::-1]), None if present is None else np.ascontiguousarray(present[::-1])


def _out_of_time(h: Array, *, every: bool, reverse: bool) -> Array:
    states: Array = (h[:0:-1] if reverse else h[1:]) if every else h[-1]
    return states
