"""Classifiers that are networks with weights nobody trained, so that tests of them need no PyTorch."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from tagline import TextClassifier, load_recipe
from tagline.calibration import TemperatureScaling
from tagline.decisions.rule import DecisionRule
from tagline.features.encoder import Encoder
from tagline.features.sequences import WordIndex
from tagline.learners import Fitted
from tagline.learners.network.architectures import is_masked, layers_of
from tagline.models import Network
from tagline.task import Task

SMALL: dict[str, dict[str, Any]] = {
    "multihot-dense": {},
    "embedding-average": {"model.embedding": 5},
    "lstm": {"model.embedding": 5, "model.memory": 4, "model.units": 6},
    "lstm-masked": {"model.embedding": 5, "model.memory": 4, "model.units": 6},
    "bilstm": {"model.embedding": 5, "model.memory": 4},
    "gru": {"model.embedding": 5, "model.memory": 4},
    "cnn": {"model.embedding": 5, "model.filters": 6},
}
WORDS = WordIndex.fit(pl.Series(["the the the the film film film was was a a good bad dull joy plot of music end"]))


def drawn(
    recipe: str,
    *,
    n_classes: int = 2,
    multilabel: bool = False,
    words: bool = True,
    seed: int = 0,
    temperature: float = 1.0,
    maxlen: int = 10,
    **settings: Any,
) -> TextClassifier:
    """Return a small network of a recipe that reads ``maxlen`` ids, with weights so large that its score is curved."""
    given = {**SMALL[recipe], **({} if recipe == "multihot-dense" else {"features.maxlen": maxlen}), **settings}
    made = load_recipe(recipe, {name.replace("__", "."): value for name, value in given.items()})
    rules = made.features
    num_words = len(WORDS.words) + 4
    row = () if rules.kind == "multihot" else (rules.maxlen, rules.padding, rules.truncating)
    encoder = Encoder(WORDS if words else None, rules.kind, num_words, *row, stop_words=rules.stop_words)
    n_outputs = Task.of(n_classes, multilabel=multilabel).n_outputs(n_classes)
    rng = np.random.default_rng(seed)
    network = Network.draw(layers_of(made.model, num_words, n_outputs), rng, masked=is_masked(made.model))
    weights = [
        [(20 if name == "embeddings" else 2) * array + rng.normal(0, 0.1, array.shape).astype(np.float32)
         for name, array in zip(layer.shapes(), arrays, strict=True)]
        for layer, arrays in zip(network.layers, network.weights, strict=True)
    ]  # fmt: skip
    network = replace(network, weights=tuple(map(tuple, weights)))
    clf = TextClassifier(made)
    clf.classes_ = np.array([f"c{k}" for k in range(n_classes)])
    clf.task_ = Task.of(n_classes, multilabel=multilabel)
    clf.recipe_ = made
    rule = DecisionRule(positive=1 if clf.task_ is Task.BINARY else None)
    clf._take(Fitted(encoder, network, TemperatureScaling(temperature), rule, {}, None, {}))
    return clf
