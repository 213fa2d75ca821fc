"""Layers without memory: what goes in and comes out, gradients, and what weights start from."""

import doctest

import numpy as np
import pytest
import scipy.sparse as sp

from tagline.models.network import layers
from tagline.models.network.layers import (
    Conv1D,
    Dense,
    Dropout,
    Embedding,
    EmbeddingAverage,
    MaxPool,
    Pass,
    dropout_mask,
    glorot_uniform,
    orthogonal,
)
from tests.models.network.gradients import check_gradients


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def drawn(layer: layers.Layer, seed: int = 1) -> list[np.ndarray]:
    return [normal(*shape, seed=seed + i) for i, shape in enumerate(layer.shapes().values())]


def test_docstring() -> None:
    result = doctest.testmod(layers)
    assert result.attempted
    assert result.failed == 0


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_dense(activation: layers.Activation) -> None:
    layer = Dense(4, 3, activation)
    check_gradients(layer, normal(5, 4), drawn(layer), eps=2e-3)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_dense_takes_sparse_rows(activation: layers.Activation) -> None:
    layer, weights = Dense(9, 3, activation), drawn(Dense(9, 3))
    rows = (normal(5, 9) > 0.5).astype(np.float32)
    dense, cache = layer.forward(rows, weights, Pass())
    sparse, sparse_cache = layer.forward(sp.csr_matrix(rows), weights, Pass())
    assert isinstance(sparse, np.ndarray)
    np.testing.assert_allclose(sparse, dense, atol=1e-6)
    dy = normal(5, 3)
    dx, gradients = layer.backward(dy, weights, sparse_cache)
    assert dx is None
    for ours, expected in zip(gradients, layer.backward(dy, weights, cache)[1], strict=True):
        assert type(ours) is np.ndarray
        np.testing.assert_allclose(ours, expected, atol=1e-6)


def test_dense_by_hand() -> None:
    weights = [np.array([[1, -1], [2, 0.5]], np.float32), np.array([0.5, 0], np.float32)]
    x = np.array([[1, 2], [-3, 1]], np.float32)
    assert Dense(2, 2).forward(x, weights, Pass())[0].tolist() == [[5.5, 0.0], [-0.5, 3.5]]
    assert Dense(2, 2, "relu").forward(x, weights, Pass())[0].tolist() == [[5.5, 0.0], [0.0, 3.5]]


@pytest.mark.parametrize("masked", [False, True])
def test_embedding(masked: bool) -> None:
    layer = Embedding(6, 3)
    ids = np.array([[0, 1, 5], [2, 1, 0], [2, 2, 0]], np.int32)
    present = (ids != 0).astype(np.float32) if masked else None
    weights = drawn(layer)
    lookup, _ = layer.forward(ids, weights, Pass(present=present))
    y = lookup.vectors()
    assert y.shape == lookup.shape
    assert np.array_equal(y[1, 0], weights[0][2])
    assert np.array_equal(y[0, 0], np.zeros(3) if masked else weights[0][0])
    check_gradients(layer, ids, weights, present=present)


def test_the_table_of_an_embedding_is_not_written_to() -> None:
    layer = Embedding(4, 2)
    weights = drawn(layer)
    before = weights[0].copy()
    ids = np.array([[0, 1], [2, 0]], np.int32)
    layer.forward(ids, weights, Pass(present=(ids != 0).astype(np.float32)))[0].vectors()
    assert np.array_equal(weights[0], before)


def test_embedding_average() -> None:
    layer = EmbeddingAverage(6, 3)
    shares = sp.csr_matrix(np.array([[0.5, 0, 0.25, 0.25, 0, 0], [0, 1, 0, 0, 0, 0]], np.float32))
    weights = drawn(layer)
    y, cache = layer.forward(shares, weights, Pass())
    np.testing.assert_allclose(y[0], (2 * weights[0][0] + weights[0][2] + weights[0][3]) / 4, rtol=1e-6)
    dy = normal(2, 3)
    dx, (gradient,) = layer.backward(dy, weights, cache)
    assert dx is None
    np.testing.assert_allclose(gradient, shares.T.toarray() @ dy, atol=1e-6)


@pytest.mark.parametrize("width", [1, 2, 5])
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_conv(width: int, activation: layers.Activation) -> None:
    layer = Conv1D(3, 2, width, activation)
    check_gradients(layer, normal(5, 2, 3), drawn(layer), eps=2e-3)


def test_max_pool() -> None:
    check_gradients(MaxPool(), normal(5, 3, 4), [], eps=1e-3)


def test_max_pool_passes_over_padding() -> None:
    x = np.array([[[9.0], [1], [-7]], [[2], [5], [-8]], [[3], [8], [-5]]], np.float32)  # three steps of three texts
    present = np.array([[0, 1, 0], [1, 1, 0], [1, 0, 0]], np.float32)
    y, cache = MaxPool().forward(x, [], Pass(present=present))
    assert y[:2].ravel().tolist() == [3, 5]
    assert np.isfinite(y[2, 0])
    dx, _ = MaxPool().backward(np.ones((3, 1), np.float32), [], cache)
    assert dx[:, 0, 0].tolist() == [0, 0, 1]
    assert dx[:, 1, 0].tolist() == [0, 1, 0]
    check_gradients(MaxPool(), normal(3, 3, 2), [], present=present, eps=1e-3)


def test_max_pool_behind_a_convolution_takes_windows_within_the_text() -> None:
    """Windows of three words over five steps; a text of two words, at the end or the beginning, is one window."""
    present = np.array(
        [[0, 1, 0, 1, 0], [1, 1, 0, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 1, 0, 0]], np.float32
    )
    x = normal(3, 5, 4)
    y, _ = MaxPool().forward(x, [], Pass(present=present))
    expected = [x[1:, 0].max(axis=0), x[:2, 1].max(axis=0), x[2, 2], x[0, 3], x[0, 4]]
    assert np.array_equal(y, expected)


def test_dropout() -> None:
    x = np.ones((200, 300), np.float32)
    y, kept = Dropout(0.3).forward(x, [], Pass(np.random.default_rng(0)))
    assert set(np.unique(y).tolist()) == {0.0, float(np.float32(1) / np.float32(0.7))}
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1.0, abs=0.01)
    assert y.dtype == np.float32
    dx, _ = Dropout(0.3).backward(x, [], kept)
    assert np.array_equal(dx, y)
    check_gradients(Dropout(0.5), normal(4, 5), [], noise=3)


def test_nothing_is_dropped_where_nothing_is_learned() -> None:
    x = normal(4, 5)
    y, cache = Dropout(0.5).forward(x, [], Pass())
    assert y is x
    assert Dropout(0.5).backward(x, [], cache)[0] is x
    assert dropout_mask(None, (3, 3), 0.5) is None
    assert dropout_mask(np.random.default_rng(0), (3, 3), 0.0) is None


def test_rate_0_draws_nothing() -> None:
    """Otherwise a recipe without dropout would depend on it."""
    noise = np.random.default_rng(0)
    dropout_mask(noise, (3, 3), 0.0)
    assert noise.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("shape", [(300, 200), (5, 40, 60)])
def test_glorot_uniform(shape: tuple[int, ...]) -> None:
    drawn = glorot_uniform(np.random.default_rng(0), shape)
    bound = np.sqrt(6 / 500)  # of the convolution: 5 * 40 in, 5 * 60 out
    assert drawn.dtype == np.float32
    assert 0.99 * bound < np.abs(drawn).max() <= bound * (1 + 1e-6)
    assert drawn.mean() == pytest.approx(0, abs=0.01 * bound)
    assert drawn.std() == pytest.approx(bound / np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("shape", [(8, 32), (32, 8), (7, 7)])
def test_orthogonal(shape: tuple[int, int]) -> None:
    drawn = orthogonal(np.random.default_rng(0), shape)
    assert drawn.shape == shape
    assert drawn.dtype == np.float32
    product = drawn @ drawn.T if shape[0] <= shape[1] else drawn.T @ drawn
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-6)


@pytest.mark.parametrize("kind", [Embedding, EmbeddingAverage])
def test_embeddings_start_within_a_twentieth(kind: type) -> None:
    (table,) = kind(400, 16).init(np.random.default_rng(0))
    assert table.shape == (400, 16)
    assert 0.049 < np.abs(table).max() <= 0.05
    assert table.mean() == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("layer", [Dense(4, 3), Conv1D(4, 3, 2)])
def test_biases_start_at_0(layer: layers.Layer) -> None:
    kernel, bias = layer.init(np.random.default_rng(0))
    assert not bias.any()
    assert [kernel.shape, bias.shape] == list(layer.shapes().values())
    assert kernel.dtype == bias.dtype == np.float32
