"""What words add to the score of a network: integrated gradients (Sundararajan, Taly and Yan 2017).

The network's input goes in a straight line from one that says nothing to that of the text, and each word gets what it
adds on the way: of a multi-hot row the line starts at zeros, of vectors at those of padding. The score at the start is
the intercept. Padding, the same at both ends, adds nothing.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.explain.explanation import START_OF_TEXT, UNKNOWN_WORDS, Attribution, Contribution, Span
from tagline.explain.integration import Change, Floats, integrate
from tagline.features.encoder import Encoder
from tagline.features.located import Located
from tagline.features.sequences import PAD, START, UNKNOWN
from tagline.models.network.layers import Array, Dense, EmbeddingAverage, Pass
from tagline.models.network.network import Network
from tagline.parallel import in_threads, one_blas_thread

_BATCH = 32  # steps of the path worked out together


def attribute_network(network: Network, encoder: Encoder, text: str, output: int, factor: float) -> Attribution:
    """Return what each word of ``text`` adds to ``factor`` times the output with this number."""
    row = encoder.transform(pl.Series([text], dtype=pl.String))
    located = encoder.locate(text)
    first = network.layers[0]
    added = np.zeros(row.shape[1])  # by each column of the row
    with one_blas_thread():
        if isinstance(first, Dense):
            assert not isinstance(row, np.ndarray)
            columns, change = row.indices, _along_row(network, first, row, output, factor)
        elif isinstance(first, EmbeddingAverage):
            columns, change = np.arange(row.shape[1]), _along_mean(network, row, output, factor)
        else:
            columns, change = _along_vectors(network, row, output, factor)
    added[columns] = change.parts
    if isinstance(first, Dense):
        values = added[located.columns] / np.bincount(located.columns, minlength=len(added))[located.columns]
        start: float | None = float(added[START])
    else:
        values = added[located.columns]
        begins = row[0] == START
        start = float(added[begins].sum()) if begins.any() else None
    contributions = _by_word(encoder, located, values)
    if start is not None:
        contributions.append(Contribution(START_OF_TEXT, start, ()))
    contributions.sort(key=lambda part: -abs(part.value))
    shares = np.zeros(len(located.tokens))
    shares[located.first] = values
    words = tuple((*span, share) for span, share in zip(located.tokens, shares.tolist(), strict=True))
    return Attribution(change.start, change.end, tuple(contributions), words)


def _by_word(encoder: Encoder, located: Located, values: Floats) -> list[Contribution]:
    """Return the contribution of each word, wherever it stands; all that are unknown are one word to the network."""
    ids, which = np.unique(located.features, return_inverse=True)
    sums = np.bincount(which, values, len(ids))
    spans: list[list[Span]] = [[] for _ in ids]
    for word, span in zip(which.tolist(), located.spans, strict=True):
        spans[word].append(span)
    names = [UNKNOWN_WORDS if i == UNKNOWN else name for i, name in zip(ids, encoder.names(ids), strict=True)]
    return [Contribution(*part) for part in zip(names, sums.tolist(), map(tuple, spans), strict=True)]


def _along_row(network: Network, first: Dense, row: sp.csr_matrix, output: int, factor: float) -> Change:
    """Take a multi-hot row from zeros to what it is; the parts are its entries."""
    kernel, bias = network.weights[0]
    inputs = len(row.indices)
    present = replace(  # the same network of the words that are there
        network,
        layers=(Dense(inputs, first.units, first.activation), *network.layers[1:]),
        weights=_precise(((kernel[row.indices], bias), *network.weights[1:])),
    )

    def rates(places: Floats) -> tuple[Floats, Floats]:
        x = places[:, None] * row.data
        scores, dx = _gradient(present, 0, x, Pass(), output, factor)
        return scores, dx * row.data

    return integrate(rates)


def _along_mean(network: Network, row: NDArray[np.int32], output: int, factor: float) -> Change:
    """Take the mean vector of a text from that of padding; the parts are the places in the row."""
    precise = replace(network, weights=(network.weights[0], *_precise(network.weights[1:])))
    (table,) = network.weights[0]
    shares = (row[0] != PAD) / max(1, np.count_nonzero(row)) if network.masked else np.full(row.shape[1], 1 / row.size)
    from_there = np.zeros(table.shape[1]) if network.masked else table[PAD].astype(np.float64)
    added = shares[:, None] * (table[row[0]] - from_there)  # (n_columns, size)
    whole = added.sum(axis=0)

    def rates(places: Floats) -> tuple[Floats, Floats]:
        x = from_there + places[:, None] * whole
        scores, dx = _gradient(precise, 1, x, Pass(), output, factor)
        return scores, dx @ added.T

    return integrate(rates)


def _along_vectors(
    network: Network, row: NDArray[np.int32], output: int, factor: float
) -> tuple[NDArray[np.int64], Change]:
    """Take the vectors of a text from those of padding; the parts are the places in the row that are returned."""
    vectors, run, columns = network.embed(row)  # (n_steps, 1, size)
    from_there = np.float32(0) if network.masked else network.weights[0][0][PAD]
    added = vectors - from_there

    def batch(places: Floats) -> tuple[Floats, Floats]:
        x = from_there + places[:, None].astype(np.float32) * added  # (n_steps, n_places, size)
        present = None if run.present is None else np.repeat(run.present, len(places), axis=1)
        scores, dx = _gradient(network, 1, x, Pass(present=present), output, factor)
        return scores, np.einsum("tsd,td->st", dx, added[:, 0]).astype(np.float64)

    def rates(places: Floats) -> tuple[Floats, Floats]:
        parts = in_threads(batch, np.array_split(places, -(-len(places) // _BATCH)))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    return columns, integrate(rates, np.float32)


def _precise(weights: tuple[tuple[Array, ...], ...]) -> tuple[tuple[Any, ...], ...]:
    """Return the weights in double precision; dense layers compute in that of their weights, the others in single."""
    return tuple(tuple(array.astype(np.float64) for array in own) for own in weights)


def _gradient(
    network: Network, first: int, x: NDArray[Any], run: Pass, output: int, factor: float
) -> tuple[Floats, NDArray[Any]]:
    """Return ``factor`` times an output, (n,), and its gradient with respect to the layer ``first``'s input."""
    logits, caches = network.forward_from(first, x, run)
    dlogits = np.zeros_like(logits)
    dlogits[:, output] = factor
    dx, _ = network.backward_to(first, dlogits, caches)
    return logits[:, output].astype(np.float64) * factor, dx
