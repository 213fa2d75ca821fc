"""Every kind of network learns as its twin in Keras does: over 25 steps the same losses, and then the same weights."""

import numpy as np
import pytest

from tagline.models.network.layers import Conv1D, Dense, Embedding, EmbeddingAverage, MaxPool, Pass, dropout_mask
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.recipes import Training
from tests.lazy_keras import keras
from tests.training.keras_twins import STEPS, TEXTS, WORDS, compare, multi_hot_rows, padded_ids, targets

pytestmark = [
    pytest.mark.slow,
    # Both warnings are Keras's own.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Layer 'global_max_pooling1d:UserWarning"),
]
ADAM = Training(learning_rate=0.01)


def adam() -> "keras.optimizers.Optimizer":
    return keras.optimizers.Adam(0.01)


@pytest.mark.parametrize(("activation", "n_outputs"), [("relu", 1), ("relu", 4), ("tanh", 1)])
def test_dense_layers_on_multi_hot_rows(activation: str, n_outputs: int) -> None:
    layers = [Dense(30, 8, activation), Dense(8, 6, activation), Dense(6, n_outputs)]
    compare(layers, multi_hot_rows(30), targets(n_outputs), adam(), ADAM)


def test_integer_labels_are_one_hot_rows() -> None:
    layers = [Dense(30, 8, "relu"), Dense(8, 4)]
    compare(layers, multi_hot_rows(30), targets(4), adam(), ADAM, loss="sparse_categorical_crossentropy")


@pytest.mark.parametrize("n_outputs", [1, 4])
def test_mean_squared_error(n_outputs: int) -> None:
    layers = [Dense(30, 8, "relu"), Dense(8, n_outputs)]
    training = ADAM.model_copy(update={"loss": "mean_squared_error"})
    compare(layers, multi_hot_rows(30), targets(n_outputs), adam(), training, loss="mean_squared_error")


def test_l2_on_hidden_kernels() -> None:
    layers = [Dense(30, 8, "relu"), Dense(8, 6, "relu"), Dense(6, 1)]
    compare(layers, multi_hot_rows(30), targets(1), adam(), ADAM, l2=0.01)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("padding", ["pre", "post"])
def test_the_mean_of_embeddings(masked: bool, padding: str) -> None:
    layers = [EmbeddingAverage(WORDS, 5), Dense(5, 4, "relu"), Dense(4, 1)]
    compare(layers, padded_ids(padding=padding), targets(1), adam(), ADAM, masked=masked)


@pytest.mark.parametrize(("masked", "padding"), [(False, "post"), (True, "pre"), (True, "post")])
@pytest.mark.parametrize("cell", [Lstm, Gru])
def test_a_recurrent_layer(cell: type, masked: bool, padding: str) -> None:
    layers = [Embedding(WORDS, 5), cell(5, 4), Dense(4, 1)]
    compare(layers, padded_ids(padding=padding), targets(1), adam(), ADAM, masked=masked)


@pytest.mark.parametrize("cell", [Lstm, Gru])
def test_reverse(cell: type) -> None:
    layers = [Embedding(WORDS, 5), cell(5, 4, reverse=True), Dense(4, 3)]
    compare(layers, padded_ids(), targets(3), adam(), ADAM, masked=True)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("cell", [Lstm, Gru])
def test_max_pooling_over_states(cell: type, masked: bool) -> None:
    """Keras's pooling knows no mask: behind a text it sees the last state again, which changes no maximum."""
    layers = [Embedding(WORDS, 5), cell(5, 4, every=True), MaxPool(), Dense(4, 1)]
    compare(layers, padded_ids(), targets(1), adam(), ADAM, masked=masked)


@pytest.mark.parametrize(("masked", "padding"), [(False, "post"), (True, "pre"), (True, "post")])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_bidirectional(cell: str, masked: bool, padding: str) -> None:
    layers = [Embedding(WORDS, 5), Bidirectional(cell, 5, 3), Dense(6, 1)]
    compare(layers, padded_ids(padding=padding), targets(1), adam(), ADAM, masked=masked)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_max_pooling_over_both_directions(cell: str) -> None:
    layers = [Embedding(WORDS, 5), Bidirectional(cell, 5, 3, every=True), MaxPool(), Dense(6, 1)]
    compare(layers, padded_ids(), targets(1), adam(), ADAM)


@pytest.mark.parametrize("width", [1, 3, STEPS])
def test_convolution(width: int) -> None:
    layers = [Embedding(WORDS, 5), Conv1D(5, 6, width), MaxPool(), Dense(6, 4, "relu"), Dense(4, 1)]
    compare(layers, padded_ids(), targets(1), adam(), ADAM)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("again", [0.0, 0.3])
def test_dropout_under_the_same_masks(cell: str, again: float, reverse: bool) -> None:
    """Input and recurrent dropout, the masks of Keras's cell replaced by those that were drawn here.

    How many there are, Keras says: one on the inputs for each gate, or without recurrent dropout one for all.
    """
    ours = (Lstm if cell == "lstm" else Gru)(5, 4, dropout=0.4, recurrent_dropout=again, reverse=reverse, every=True)
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ours.shapes().values()]
    x = rng.normal(size=(STEPS, TEXTS, 5)).astype(np.float32)
    y, _ = ours.forward(x, weights, Pass(np.random.default_rng(7)))

    layer = (keras.layers.LSTM if cell == "lstm" else keras.layers.GRU)(
        4, dropout=0.4, recurrent_dropout=again, return_sequences=True, go_backwards=reverse
    )
    layer.build((TEXTS, STEPS, 5))
    layer.set_weights(weights)
    theirs = layer.cell.get_dropout_mask(keras.ops.zeros((TEXTS, 5)))
    n_masks = len(theirs) if isinstance(theirs, list) else 1
    noise = np.random.default_rng(7)
    masks = [keras.ops.convert_to_tensor(mask) for mask in dropout_mask(noise, (n_masks, TEXTS, 5), 0.4)]
    layer.cell.get_dropout_mask = lambda step: masks if n_masks > 1 else masks[0]
    if again:
        masks_again = [keras.ops.convert_to_tensor(m) for m in dropout_mask(noise, (n_masks, TEXTS, 4), again)]
        layer.cell.get_recurrent_dropout_mask = lambda step: masks_again
    expected = keras.ops.convert_to_numpy(layer(x.transpose(1, 0, 2), training=True)).transpose(1, 0, 2)
    np.testing.assert_allclose(y, expected[::-1] if reverse else expected, atol=1e-5)
    assert np.abs(y - ours.forward(x, weights, Pass())[0]).max() > 0.1
