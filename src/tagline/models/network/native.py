"""LSTM and GRU on compiled code, in blocks of texts, each in one thread.

The results equal those of the NumPy path in `tagline.models.network.recurrent` within the rounding of float32. Blocks
have a fixed size, so results do not depend on the number of cores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.models.network._core import inputs, steps
from tagline.models.network.layers import Array, Lookup, LookupGradient, Pass, Weights
from tagline.parallel import in_threads, one_blas_thread

if TYPE_CHECKING:
    from tagline.models.network.recurrent import Cell

_LEARNED, _PREDICTED = 32, 128  # texts of a block; with more texts products are faster, but less is shared by cores

_LSTM = 4  # gates

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class _Block:
    """What a block of texts takes into a layer, and what the backward pass needs.

    B texts, T steps, d inputs, H units, G gates, R rows of inputs.
    """

    words: Ids | None  # (R,), those of the rows, if the inputs are words
    x: Array  # (R, d)
    rows: Ids  # (B, T)
    starts: Ids  # (B + 1,)
    masks: Array | None  # (G or 1, B, d)
    again: Array | None  # (G, B, H)
    gates: Array  # (B, T, G H)
    states: tuple[Array, ...]  # LSTM: h, c (B, T + 1, H), tanh c (B, T, H); GRU: h, the part of h U inside tanh


def forward(layer: "Cell", x: Array | Lookup, weights: Weights, run: Pass) -> tuple[Array, Any]:
    """Map (T, n, d) to (n, H), or (T, n, H) if the layer returns every step."""
    T, n, _ = x.shape
    masks, again = layer.dropped(run, n)
    size = _LEARNED if run.keep else _PREDICTED
    y = np.zeros((n, T, layer.units) if layer.every else (n, layer.units), np.float32)

    def one(first: int) -> _Block:
        texts = slice(first, min(first + size, n))
        block = _run(layer, x, weights, run, texts, _part(masks, texts), _part(again, texts))
        h = block.states[0]
        y[texts] = h[:, 1:] if layer.every else h[:, T % h.shape[1]]
        return block

    with one_blas_thread():  # SciPy's too, which `_core` imports
        blocks = in_threads(one, range(0, n, size))
    if layer.every:
        y = _read(y.swapaxes(0, 1), layer)
    return y, (blocks if run.keep else None)


def backward(layer: "Cell", dy: Array, weights: Weights, cache: Sequence[_Block]) -> tuple[Any, list[Array]]:
    """Return the gradients. The gates in the cache are overwritten, so a cache serves once."""
    by_text = _read(dy, layer).swapaxes(0, 1) if layer.every else dy[:, None]  # (n, T or 1, H)

    def one(number: int) -> tuple[Array, list[Array]]:
        texts = slice(number * _LEARNED, (number + 1) * _LEARNED)
        return _run_back(layer, _plain(by_text[texts]), weights, cache[number])

    with one_blas_thread():
        parts = in_threads(one, range(len(cache)))
    sums = [np.zeros_like(w) for w in weights]
    for _, gradients in parts:
        for total, gradient in zip(sums, gradients, strict=True):
            total += gradient
    return _of_inputs(layer, cache, [dx for dx, _ in parts]), sums


def _run(
    layer: "Cell",
    x: Array | Lookup,
    weights: Weights,
    run: Pass,
    texts: slice,
    masks: Array | None,
    again: Array | None,
) -> _Block:
    """Run a layer on some texts."""
    kernel, recurrent, bias = (_plain(w) for w in weights)
    present = None if run.present is None else _plain(run.present[:, texts].T)
    words, vectors, rows, starts = _rows(layer, x, texts, present, by_text=masks is not None)
    B, T, H = *rows.shape, layer.units
    z = np.empty((len(vectors), kernel.shape[1]), np.float32)
    inputs.project(vectors, starts, kernel, bias if bias.ndim == 1 else bias[0], masks, z)
    n_steps, n_states = (T, T + 1) if run.keep else (1, 2)
    gates = np.empty((B, n_steps, kernel.shape[1]), np.float32)
    h = np.empty((B, T + 1 if layer.every else n_states, H), np.float32)
    inner = np.empty((B, n_steps, H), np.float32)
    if layer.gates == _LSTM:
        c = np.empty((B, n_states, H), np.float32)
        steps.lstm_forward(z, rows, recurrent, again, gates, h, c, inner)
        return _Block(words, vectors, rows, starts, masks, again, gates, (h, c, inner))
    steps.gru_forward(z, rows, recurrent, bias[1], again, gates, h, inner)
    return _Block(words, vectors, rows, starts, masks, again, gates, (h, inner))


def _run_back(layer: "Cell", dy: Array, weights: Weights, block: _Block) -> tuple[Array, list[Array]]:
    """Return the gradients of the rows of inputs, (R, d), and of the weights."""
    kernel, recurrent, _ = (_plain(w) for w in weights)
    shape = len(block.x), kernel.shape[1]
    by_row = None if block.words is None else np.zeros(shape, np.float32)
    dz = dsums = block.gates  # from here on the gradients of what the gates are made of: x W + b, h U
    if layer.gates == _LSTM:
        h, c, tanh_c = block.states
        steps.lstm_backward(block.rows, recurrent, block.again, dz, c, tanh_c, dy, by_row)
    else:
        h, inner = block.states
        dsums = np.empty_like(dz)
        steps.gru_backward(block.rows, recurrent, block.again, dz, h, inner, dy, by_row, dsums)
    if by_row is None:
        by_row = dz.reshape(shape)
    dx, dkernel, drecurrent = np.empty_like(block.x), np.zeros_like(kernel), np.zeros_like(recurrent)
    inputs.project_back(block.x, block.starts, kernel, block.masks, by_row, dx, dkernel)
    steps.recurrent_gradient(h, block.again, dsums, drecurrent)
    dbias = by_row.sum(axis=0)
    if layer.gates != _LSTM:
        dbias = np.stack([dbias, dsums.sum(axis=(0, 1))])
    return dx, [dkernel, drecurrent, dbias]


def _rows(
    layer: "Cell", x: Array | Lookup, texts: slice, present: Array | None, *, by_text: bool
) -> tuple[Ids | None, Array, Ids, Ids]:
    """Return the words of the rows of inputs, if they are words, their vectors, the row of each step, and ``starts``.

    Words that come again share a row: those of a text, or of all texts of the block where no text has masks of its own.
    """
    if isinstance(x, Lookup):
        ids = _plain(x.ids[:, texts].T)  # (B, T)
        words, rows = np.empty(ids.size, np.int32), np.empty_like(ids)
        starts = np.empty(len(ids) + 1, np.int32)
        R = inputs.distinct(ids, present, len(x.table), by_text, words, rows, starts)
        return words[:R], x.table[words[:R]], (_plain(rows[:, ::-1]) if layer.reverse else rows), starts
    vectors = _plain(_read(x[:, texts], layer).swapaxes(0, 1))  # (B, T, d)
    B, T, d = vectors.shape
    rows = np.arange(B * T, dtype=np.int32).reshape(B, T)
    if present is not None:
        rows[(present[:, ::-1] if layer.reverse else present) == 0] = -1
    return None, vectors.reshape(B * T, d), rows, np.arange(B + 1, dtype=np.int32) * np.int32(T)


def _of_inputs(layer: "Cell", blocks: Sequence[_Block], parts: Sequence[Array]) -> Array | LookupGradient:
    """Return the gradient of the inputs of all texts from those of the rows of each block."""
    words = [block.words for block in blocks if block.words is not None]
    if words:
        return LookupGradient(np.concatenate(words), np.concatenate(parts))
    T = blocks[0].rows.shape[1]
    dx = np.concatenate([part.reshape(-1, T, layer.inputs) for part in parts]).swapaxes(0, 1)  # (T, n, d)
    return _read(dx, layer)


def _read(steps_of: Array, layer: "Cell") -> Array:
    """Return steps, (T, ...), in the order in which the layer reads them."""
    return steps_of[::-1] if layer.reverse else steps_of


def _part(masks: Array | None, texts: slice) -> Array | None:
    return None if masks is None else _plain(masks[:, texts])


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array)
