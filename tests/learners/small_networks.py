"""Small settings of the recipes of networks, and rows of ids that they can learn from."""

from typing import Any

import numpy as np

from tagline import TextClassifier
from tests.synthetic_texts import made_up

SMALL: dict[str, dict[str, Any]] = {
    "multihot-dense": {"model.units": 8},
    "newswire-dense": {"model.units": 8},
    "embedding-average": {"model.embedding": 6, "model.units": 6},
    "lstm": {"model.embedding": 5, "model.memory": 4, "model.units": 4},
    "lstm-masked": {"model.embedding": 5, "model.memory": 4, "model.units": 4},
    "bilstm": {"model.embedding": 5, "model.memory": 4},
    "gru": {"model.embedding": 5, "model.memory": 4},
    "cnn": {"model.embedding": 5, "model.filters": 6},
}


def small(recipe: str = "multihot-dense", *, seed: int = 0, **settings: Any) -> TextClassifier:
    """Return a classifier that learns fast; ``table__key`` stands for ``table.key``."""
    given = {"training.batch_size": 32, "training.epochs": 4, "training.learning_rate": 0.02, "protocol.refit": 2}
    if "dense" not in recipe:
        given["features.maxlen"] = 12
    given |= {"protocol.validation": 0.25} | SMALL[recipe]
    given |= {key.replace("__", "."): value for key, value in settings.items()}
    return TextClassifier(recipe, settings=given, seed=seed)


def sequences(n: int, n_classes: int = 2, seed: int = 0) -> tuple[list[list[int]], list[int]]:
    """Return ``n`` sequences of ids below 30, the start first, and their classes, 0 … : one id in each tells it."""
    rng = np.random.default_rng(seed)
    rows, labels = [], []
    for row in range(n):
        words = [*rng.integers(10, 30, rng.integers(2, 9)).tolist(), 4 + row % n_classes]
        rng.shuffle(words)
        rows.append([1, *words])
        labels.append(row % n_classes)
    return rows, labels


def weights(clf: TextClassifier) -> np.ndarray:
    """Return all weights of a network, one after the other."""
    return np.concatenate([array.ravel() for array in clf.model_.arrays().values()])


IDS, LABELS = sequences(120)
TEXTS, CLASSES = made_up(120, noise=0)
