"""The layers of a network for the `[model]` of a recipe."""

from tagline.models.network.layers import Conv1D, Dense, Dropout, Embedding, EmbeddingAverage, Layer, MaxPool
from tagline.models.network.recurrent import Bidirectional, Gru, Lstm
from tagline.recipes import AverageModel, ConvolutionalModel, DenseModel, EmbeddingModel, NetworkModel, RecurrentModel


def layers_of(model: NetworkModel, num_words: int, n_outputs: int) -> list[Layer]:
    """Return the layers from ids below ``num_words``, or rows of so many columns, to ``n_outputs`` logits."""
    layers, size = _body(model, num_words)
    for _ in range(model.layers):
        layers.append(Dense(size, model.units, model.activation))
        size = model.units
    if model.dropout:
        layers.append(Dropout(model.dropout))
    return [*layers, Dense(size, n_outputs)]


def _body(model: NetworkModel, num_words: int) -> tuple[list[Layer], int]:
    """Return the layers up to one row of numbers a text, and how many numbers it has."""
    if isinstance(model, DenseModel):
        return [], num_words
    embedding = _size(model)
    if isinstance(model, AverageModel):
        return [EmbeddingAverage(num_words, embedding)], embedding
    layers: list[Layer] = [Embedding(num_words, embedding)]
    if model.embedding_dropout:
        layers.append(Dropout(model.embedding_dropout))
    if isinstance(model, ConvolutionalModel):
        return [*layers, Conv1D(embedding, model.filters, model.width), MaxPool()], model.filters
    recurrent, size = _recurrent(model)
    return [*layers, recurrent, *([MaxPool()] if model.pooling == "max" else [])], size


def _recurrent(model: RecurrentModel) -> tuple[Layer, int]:
    every = model.pooling == "max"
    drops = (model.input_dropout, model.recurrent_dropout)
    if model.bidirectional:
        return Bidirectional(model.kind, _size(model), model.memory, *drops, every), 2 * model.memory
    cell = Lstm if model.kind == "lstm" else Gru
    return cell(_size(model), model.memory, *drops, every), model.memory


def _size(model: EmbeddingModel) -> int:
    assert isinstance(model.embedding, int)  # set by `_with_size`
    return model.embedding


def is_masked(model: NetworkModel) -> bool:
    """Say whether padding does not count."""
    return not isinstance(model, DenseModel) and model.masked
