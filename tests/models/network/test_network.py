"""Networks: padding that does not count, batches that do not matter, and the way to a bundle and back."""

import numpy as np
import pytest
import scipy.sparse as sp

from tagline.learners.network.architectures import is_masked, layers_of
from tagline.models.network import network as module
from tagline.models.network.layers import Conv1D, Dense, Embedding, EmbeddingAverage, Layer, MaxPool
from tagline.models.network.network import Network, name_of
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.recipes import load_recipe, recipe_names

WORDS, STEPS = 20, 12
SMALL = {
    "average": [EmbeddingAverage(WORDS, 4), Dense(4, 3, "relu"), Dense(3, 2)],
    "lstm": [Embedding(WORDS, 4), Lstm(4, 3), Dense(3, 1)],
    "lstm-max": [Embedding(WORDS, 4), Lstm(4, 3, every=True), MaxPool(), Dense(3, 1)],
    "gru": [Embedding(WORDS, 4), Gru(4, 3), Dense(3, 1)],
    "bilstm": [Embedding(WORDS, 4), Bidirectional("lstm", 4, 3), Dense(6, 1)],
    "bigru-max": [Embedding(WORDS, 4), Bidirectional("gru", 4, 3, every=True), MaxPool(), Dense(6, 1)],
    "cnn": [Embedding(WORDS, 4), Conv1D(4, 5, 3), MaxPool(), Dense(5, 1)],
    "wide-cnn": [Embedding(WORDS, 4), Conv1D(4, 5, STEPS), MaxPool(), Dense(5, 1)],
}


def network(name: str, *, masked: bool) -> Network:
    drawn = Network.draw(SMALL[name], np.random.default_rng(0), masked=masked)
    for array in drawn.arrays().values():  # biases too, and far enough from 0 that a fault shows
        array[...] = np.random.default_rng(1).normal(size=array.shape)
    return drawn


def texts(padding: str) -> np.ndarray:
    """Return texts of all lengths, none and all among them, (24, STEPS)."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, WORDS, (24, STEPS)).astype(np.int32)
    for row, length in zip(ids, [*range(STEPS + 1), *rng.integers(0, STEPS, 11)], strict=True):
        row[length:] = 0
    return ids if padding == "post" else np.ascontiguousarray(ids[:, ::-1])


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_one_by_one_equals_batched(name: str, masked: bool, padding: str) -> None:
    """A short text alone is trimmed to what it holds; among longer ones it is not."""
    X, net = texts(padding), network(name, masked=masked)
    alone = np.vstack([net.logits(X[row : row + 1]) for row in range(len(X))])
    assert np.isfinite(alone).all()
    assert np.ptp(alone, axis=0).min() > 0.1
    np.testing.assert_allclose(net.logits(X), alone, atol=1e-5)
    np.testing.assert_allclose(net.logits(X[::-1])[::-1], alone, atol=1e-5)


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("name", SMALL)
def test_more_padding_changes_nothing_where_it_does_not_count(name: str, padding: str) -> None:
    X, net = texts(padding), network(name, masked=True)
    more = ((0, 0), (9, 0) if padding == "pre" else (0, 9))
    np.testing.assert_allclose(net.logits(np.pad(X, more)), net.logits(X), atol=1e-5)
    unmasked = network(name, masked=False)
    if "max" not in name and name != "cnn":
        assert np.abs(unmasked.logits(np.pad(X, more)) - unmasked.logits(X)).max() > 0.01


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_padding_alone_is_finite_and_no_text_is_no_row(name: str, masked: bool) -> None:
    net = network(name, masked=masked)
    nothing = net.logits(np.zeros((3, STEPS), np.int32))
    assert np.isfinite(nothing).all()
    assert (nothing == nothing[0]).all()
    start = np.zeros((1, STEPS), np.int32)
    start[0, -1] = 1
    assert np.isfinite(net.logits(start)).all()
    assert net.logits(np.zeros((0, STEPS), np.int32)).shape == (0, nothing.shape[1])


@pytest.mark.parametrize("masked", [False, True])
def test_the_mean_of_embeddings_is_the_mean(masked: bool) -> None:
    X = texts("post")
    net = network("average", masked=masked)
    rows = net.prepare(X)
    for row, ids in zip(rows.toarray(), X, strict=True):
        counted = ids[ids != 0] if masked else ids
        expected = np.bincount(counted, minlength=WORDS) / max(1, len(counted))
        np.testing.assert_allclose(row, expected, atol=1e-6)
    assert net.prepare(rows) is rows


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", SMALL)
def test_the_ids_given_are_not_written_to(name: str, masked: bool) -> None:
    """Or validation rows would be others when they are read the second time."""
    X = texts("pre")
    before = X.copy()
    network(name, masked=masked).logits(X)
    assert np.array_equal(X, before)


@pytest.mark.parametrize("name", SMALL)
def test_without_a_way_back_nothing_is_kept(name: str) -> None:
    net = network(name, masked=True)
    X = net.prepare(texts("pre"))
    logits, caches = net.forward(X, keep=False)
    assert caches == []
    np.testing.assert_array_equal(logits, net.forward(X)[0])


def test_long_texts_are_predicted_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = Lstm.forward

    def watched(self: Lstm, x: np.ndarray, *others: object) -> object:
        seen.append(x.shape[:2])
        return forward(self, x, *others)

    monkeypatch.setattr(Lstm, "forward", watched)
    monkeypatch.setattr(module, "_STEPS", 6_000)
    net = network("lstm", masked=False)
    assert net.logits(np.ones((70, 300), np.int32)).shape == (70, 1)
    assert sorted(seen) == [(300, 10), *[(300, 20)] * 3]
    assert net.logits(np.ones((2, 7_000), np.int32)).shape == (2, 1)


@pytest.mark.parametrize("name", [*SMALL, "dense"])
def test_stored_and_restored(name: str) -> None:
    if name == "dense":
        net = Network.draw([Dense(STEPS, 4, "tanh"), Dense(4, 2)], np.random.default_rng(0))
        X = sp.csr_matrix((texts("post") > 9).astype(np.float32))
    else:
        net, X = network(name, masked=True), texts("post")
    arrays = {key: array.copy() for key, array in net.arrays().items()}
    again = Network.restore(net.settings(), arrays)
    assert again.layers == net.layers
    assert again.masked == net.masked
    np.testing.assert_array_equal(again.logits(X), net.logits(X))


def test_more_texts_than_one_batch_keep_their_order() -> None:
    X = np.random.default_rng(0).integers(0, WORDS, (700, STEPS)).astype(np.int32)
    net = network("average", masked=True)
    parts = np.vstack([net.logits(X[start : start + 100]) for start in range(0, 700, 100)])
    np.testing.assert_allclose(net.logits(X), parts, atol=1e-6)


def test_summary() -> None:
    net = network("cnn", masked=False)
    assert net.summary((STEPS,)) == [
        {"layer": "embedding", "output": [STEPS, 4], "parameters": 80},
        {"layer": "conv-1d", "output": [STEPS - 2, 5], "parameters": 65},
        {"layer": "max-pool", "output": [5], "parameters": 0},
        {"layer": "dense", "output": [1], "parameters": 6},
    ]
    assert sum(row["parameters"] for row in net.summary((STEPS,))) == sum(a.size for a in net.arrays().values())
    assert [name_of(layer) for layer in SMALL["bilstm"]] == ["embedding", "bidirectional", "dense"]


def test_the_same_generator_draws_the_same_network() -> None:
    one, two, other = (Network.draw(SMALL["lstm"], np.random.default_rng(seed)) for seed in (0, 0, 1))
    for name, array in one.arrays().items():
        assert np.array_equal(array, two.arrays()[name])
    assert not np.array_equal(one.arrays()["0.embeddings"], other.arrays()["0.embeddings"])


NETWORKS = [name for name in recipe_names() if load_recipe(name).training is not None]


def test_there_are_recipes_of_networks() -> None:
    assert {"multihot-dense", "embedding-average", "lstm", "gru", "cnn", "bilstm"} <= set(NETWORKS)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_layers_of_a_recipe_fit_together(name: str) -> None:
    recipe = load_recipe(name)
    small = {key: 4 for key in ("embedding", "memory", "filters", "units") if key in type(recipe.model).model_fields}
    model = recipe.model.model_copy(update=small)
    layers = layers_of(model, 30, 3)
    net = Network.draw(layers, np.random.default_rng(0), masked=is_masked(model))
    if recipe.features.kind == "multihot":
        X, inputs = sp.csr_matrix((np.random.default_rng(0).random((5, 30)) < 0.2).astype(np.float32)), (30,)
    else:
        X = np.random.default_rng(0).integers(0, 30, (5, recipe.features.maxlen)).astype(np.int32)
        inputs = (recipe.features.maxlen,)
    logits, caches = net.forward(net.prepare(X), np.random.default_rng(0))
    assert logits.shape == (5, 3)
    assert net.summary(inputs)[-1]["output"] == [3]
    gradients = net.backward(np.ones_like(logits), caches)
    found = [gradient.shape for own in gradients for gradient in own]
    assert found == [array.shape for array in net.arrays().values()]


@pytest.mark.parametrize(
    "layers",
    [
        [Embedding(WORDS, 4), Gru(4, 3), MaxPool(), Dense(3, 1)],
        [Embedding(WORDS, 4), Lstm(4, 3, every=True), Dense(3, 1)],
        [Embedding(WORDS, 4), Conv1D(3, 5, 3), MaxPool(), Dense(5, 1)],
        [EmbeddingAverage(WORDS, 4), Dense(3, 1)],
        [EmbeddingAverage(WORDS, 4), Embedding(WORDS, 4), MaxPool(), Dense(4, 1)],
        [Dense(WORDS, 4), Lstm(4, 3), Dense(3, 1)],
    ],
)
def test_layers_that_do_not_take_what_the_one_before_gives_are_refused(layers: list[Layer]) -> None:
    net = Network.draw(layers, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"does not take what the one before it gives|more than one row"):
        net.check(WORDS, 1)


def test_dropout_and_dense_layers_as_the_recipe_says() -> None:
    settings = {"model.layers": 2, "model.units": 7, "model.dropout": 0.25, "model.activation": "tanh"}
    layers = layers_of(load_recipe("multihot-dense", settings).model, 100, 1)
    assert [name_of(layer) for layer in layers] == ["dense", "dense", "dropout", "dense"]
    assert layers[0] == Dense(100, 7, "tanh")
    assert layers[2].rate == 0.25
    assert layers[3] == Dense(7, 1)
    settings = {"model.bidirectional": True, "model.pooling": "max", "model.embedding_dropout": 0.1}
    settings |= {"model.input_dropout": 0.2, "model.recurrent_dropout": 0.3, "model.dropout": 0, "model.layers": 0}
    model = load_recipe("gru", settings).model
    embedding, dropout, both, pool, last = layers_of(model, 100, 5)
    assert dropout.rate == 0.1
    assert both == Bidirectional("gru", model.embedding, model.memory, 0.2, 0.3, every=True)
    assert isinstance(pool, MaxPool)
    assert last == Dense(2 * model.memory, 5)
    assert embedding == Embedding(100, model.embedding)
