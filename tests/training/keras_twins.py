"""The same network in Keras, with the same weights, and both trained on the same batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from tagline.models.network.layers import Conv1D, Dense, Dropout, Embedding, EmbeddingAverage, Layer, MaxPool
from tagline.models.network.network import Network
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.recipes import Training
from tagline.task import Task
from tagline.training import Callback, Rows, State, TrainingOptions, train
from tagline.training.loop import _batches  # the order is ours; what follows from it is Keras's to say
from tests.lazy_keras import keras

WORDS, STEPS, TEXTS, BATCH = 12, 7, 40, 8
EPOCHS = 5  # of 5 batches: 25 steps


def twin(network: Network, n_columns: int | None, l2: float = 0.0) -> Any:
    """Return the model of Keras with the network's layers and weights, a sigmoid or softmax behind them."""
    ids = keras.Input((STEPS,), dtype="int32") if n_columns is None else keras.Input((n_columns,))
    x = ids
    for number, layer in enumerate(network.layers):
        last = number == len(network.layers) - 1
        for each in _layers(layer, network.masked, l2=0.0 if last else l2):
            x = each(x)
    outputs = keras.layers.Activation("sigmoid" if x.shape[-1] == 1 else "softmax", dtype="float32")(x)
    model = keras.Model(ids, outputs)
    model.set_weights([array.copy() for array in network.arrays().values()])
    return model


def _layers(layer: Layer, masked: bool, l2: float) -> list[Any]:
    of = keras.layers
    if isinstance(layer, Dense):
        return [of.Dense(layer.units, layer.activation, kernel_regularizer=keras.regularizers.L2(l2) if l2 else None)]
    if isinstance(layer, Embedding):
        return [of.Embedding(layer.words, layer.size, mask_zero=masked)]
    if isinstance(layer, EmbeddingAverage):
        return [of.Embedding(layer.words, layer.size, mask_zero=masked), of.GlobalAveragePooling1D()]
    if isinstance(layer, Conv1D):
        return [of.Conv1D(layer.filters, layer.width, activation=layer.activation, padding="valid")]
    if isinstance(layer, MaxPool):
        return [of.GlobalMaxPooling1D()]
    if isinstance(layer, Dropout):
        return [of.Dropout(layer.rate)]
    if isinstance(layer, Bidirectional):
        cell = of.LSTM if layer.cell == "lstm" else of.GRU
        return [of.Bidirectional(cell(layer.units, return_sequences=layer.every))]
    assert isinstance(layer, Lstm | Gru)
    cell = of.LSTM if isinstance(layer, Lstm) else of.GRU
    return [cell(layer.units, return_sequences=layer.every, go_backwards=layer.reverse)]


def padded_ids(seed: int = 0, padding: str = "post") -> np.ndarray:
    """Return rows of ids, (TEXTS, STEPS), of texts of 1 … STEPS words filled up with 0."""
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, WORDS, (TEXTS, STEPS)).astype(np.int32)
    for row, length in zip(ids, rng.integers(1, STEPS + 1, TEXTS), strict=True):
        row[length:] = 0
    return ids if padding == "post" else np.ascontiguousarray(ids[:, ::-1])


def multi_hot_rows(n_columns: int, seed: int = 0) -> sp.csr_matrix:
    """Return rows of 0 and 1, (TEXTS, n_columns)."""
    return sp.csr_matrix((np.random.default_rng(seed).random((TEXTS, n_columns)) < 0.3).astype(np.float32))


def targets(n_outputs: int, seed: int = 1) -> np.ndarray:
    """Return 0 or 1 for one output, else one-hot rows, (TEXTS, n_outputs)."""
    y = np.random.default_rng(seed).integers(max(2, n_outputs), size=TEXTS)
    return y[:, None].astype(np.float32) if n_outputs == 1 else np.eye(n_outputs, dtype=np.float32)[y]


@dataclass
class _Losses(Callback):
    """The loss of each batch, out of the means so far."""

    seen: list[float]

    def on_batch_end(self, state: State) -> None:
        before = 0.0 if state.batch == 1 else self.mean * (state.batch - 1)
        self.mean = float(state.loss)
        self.seen.append(self.mean * state.batch - before)


def compare(
    layers: Sequence[Layer],
    X: np.ndarray | sp.csr_matrix,
    y: np.ndarray,
    optimizer: Any,
    training: Training,
    *,
    masked: bool = False,
    l2: float = 0.0,
    loss: str = "",
    atol: float = 5e-5,
) -> None:
    """Train both for 25 steps and hold the losses and the weights they end with against each other."""
    training = training.model_copy(update={"batch_size": BATCH, "epochs": EPOCHS})
    network = Network.draw(layers, np.random.default_rng(3), masked=masked)
    model = twin(network, X.shape[1] if sp.issparse(X) else None, l2)
    loss = loss or ("binary_crossentropy" if y.shape[1] == 1 else "categorical_crossentropy")
    model.compile(optimizer, loss=loss, jit_compile=False)
    started = [array.copy() for array in network.arrays().values()]

    task = Task.BINARY if y.shape[1] == 1 else Task.MULTICLASS
    options = TrainingOptions(task, l2=l2, seed=5)
    losses = _Losses([])
    train(network, Rows(X, y), training, options=options, callbacks=[losses])

    inputs = X.toarray() if sp.issparse(X) else X
    given = y.argmax(axis=1) if loss.startswith("sparse") else y
    theirs = []
    lengths = (X != 0).sum(axis=1) if masked and not isinstance(layers[0], EmbeddingAverage) else None
    for epoch in range(EPOCHS):
        for batch in _batches(TEXTS, BATCH, lengths, np.random.default_rng([1, epoch, 5])):
            model.reset_metrics()
            theirs.append(float(model.train_on_batch(inputs[batch], given[batch])))

    assert len(losses.seen) == len(theirs) == 25
    np.testing.assert_allclose(losses.seen, theirs, atol=atol)
    for name, ours, other, first in zip(
        network.arrays(), network.arrays().values(), model.get_weights(), started, strict=True
    ):
        np.testing.assert_allclose(ours, other, atol=atol, err_msg=name)
        assert np.abs(ours - first).max() > 10 * atol, f"{name} has hardly moved"
    expected = model.predict(inputs, verbose=0)
    logits = network.logits(X)
    proba = 1 / (1 + np.exp(-logits)) if y.shape[1] == 1 else np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(proba, expected, atol=atol)
