"""Integrated gradients of a network (Sundararajan, Taly and Yan 2017).

The input goes in a straight line from a baseline to that of the text, and each column gets what it adds on the way:
the baseline of a multi-hot row is zeros, that of vectors the vectors of padding. The score at the baseline is the
intercept. Padding, the same at both ends, adds nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.models.base import Contributions
from tagline.models.network.integration import Change, integrate
from tagline.models.network.layers import Array, Dense, Embedding, EmbeddingAverage, Pass
from tagline.parallel import in_threads, one_blas_thread
from tagline.task import Floats

if TYPE_CHECKING:
    from tagline.models.network.network import Network

_PAD = 0  # the id of padding
_BATCH = 32  # steps of the path computed together


def integrated_gradients(network: "Network", X: Any, output: int, factor: float) -> Contributions:
    """Return what each column of ``X``, one row, adds to ``factor`` times the output with this number."""
    with one_blas_thread():
        columns, change = PATHS[type(network.layers[0])](network, X, output, factor)
    return Contributions(change.start, change.end, columns.astype(np.int64), change.parts)


def _along_row(
    network: "Network", row: sp.csr_matrix, output: int, factor: float
) -> tuple[NDArray[np.integer], Change]:
    """Take a multi-hot row from zeros to what it is; the parts are its entries."""
    first: Any = network.layers[0]
    kernel, bias = network.weights[0]
    inputs = len(row.indices)
    present = replace(  # the same network, restricted to the words of the text
        network,
        layers=(Dense(inputs, first.units, first.activation), *network.layers[1:]),
        weights=_precise(((kernel[row.indices], bias), *network.weights[1:])),
    )

    def rates(places: Floats) -> tuple[Floats, Floats]:
        x = places[:, None] * row.data
        scores, dx = _gradient(present, 0, x, Pass(), output, factor)
        return scores, dx * row.data

    return row.indices, integrate(rates)


def _along_mean(
    network: "Network", row: NDArray[np.int32], output: int, factor: float
) -> tuple[NDArray[np.integer], Change]:
    """Take the mean vector of a text from that of padding; the parts are the places in the row."""
    precise = replace(network, weights=(network.weights[0], *_precise(network.weights[1:])))
    (table,) = network.weights[0]
    shares = (row[0] != _PAD) / max(1, np.count_nonzero(row)) if network.masked else np.full(row.shape[1], 1 / row.size)
    baseline = np.zeros(table.shape[1]) if network.masked else table[_PAD].astype(np.float64)
    added = shares[:, None] * (table[row[0]] - baseline)  # (n_columns, size)
    whole = added.sum(axis=0)

    def rates(places: Floats) -> tuple[Floats, Floats]:
        x = baseline + places[:, None] * whole
        scores, dx = _gradient(precise, 1, x, Pass(), output, factor)
        return scores, dx @ added.T

    return np.arange(row.shape[1]), integrate(rates)


def _along_vectors(
    network: "Network", row: NDArray[np.int32], output: int, factor: float
) -> tuple[NDArray[np.integer], Change]:
    """Take the vectors of a text from those of padding; the parts are the columns that are returned."""
    vectors, run, columns = network.embed(row)  # (n_steps, 1, size)
    baseline = np.float32(0) if network.masked else network.weights[0][0][_PAD]
    added = vectors - baseline

    def batch(places: Floats) -> tuple[Floats, Floats]:
        x = baseline + places[:, None].astype(np.float32) * added  # (n_steps, n_places, size)
        present = None if run.present is None else np.repeat(run.present, len(places), axis=1)
        scores, dx = _gradient(network, 1, x, Pass(present=present), output, factor)
        return scores, np.einsum("tsd,td->st", dx, added[:, 0]).astype(np.float64)

    def rates(places: Floats) -> tuple[Floats, Floats]:
        parts = in_threads(batch, np.array_split(places, -(-len(places) // _BATCH)))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    return columns, integrate(rates, np.float32)


def _precise(weights: tuple[tuple[Array, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    """Return the weights in double precision: dense layers compute in that of their weights, others in single."""
    return tuple(tuple(array.astype(np.float64) for array in own) for own in weights)


def _gradient(
    network: "Network", first: int, x: NDArray[Any], run: Pass, output: int, factor: float
) -> tuple[Floats, NDArray[Any]]:
    """Return ``factor`` times an output, (n,), and its gradient with respect to the layer ``first``'s input."""
    logits, caches = network.forward_from(first, x, run)
    dlogits = np.zeros_like(logits)
    dlogits[:, output] = factor
    dx, _ = network.backward_to(first, dlogits, caches)
    return logits[:, output].astype(np.float64) * factor, dx


#: The path of integration, by the type of the first layer.
PATHS: dict[type[Any], Callable[["Network", Any, int, float], tuple[NDArray[np.integer], Change]]] = {
    Dense: _along_row,
    EmbeddingAverage: _along_mean,
    Embedding: _along_vectors,
}
