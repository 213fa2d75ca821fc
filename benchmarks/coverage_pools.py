"""Pools of simulated predictions for `coverage.py`: the truth of 25,000 rows and what a model says about them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.task import Floats, Task

N_ROWS = 25_000


@dataclass(frozen=True)
class Pool:
    """How the rows of a pool are simulated.

    A row of class k has the evidence z ~ N(signal e_k, I), so that softmax(signal z + log share) is calibrated; of
    several labels each has its own evidence, with a common part. ``sharpness`` multiplies the calibrated logits: above
    1 the model is overconfident, below 1 underconfident.

    Attributes:
        name: What the table calls it.
        task: What the labels are.
        shares: Of each class, ``(n_classes,)``; of labels they need not add up to 1.
        accuracy: Of the predictions, about; of labels the share of right cells.
        sharpness: Of the probabilities.

    """

    name: str
    task: Task
    shares: NDArray[np.float64] = field(repr=False)
    accuracy: float
    sharpness: float = 1.0

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return [f"c{k}" for k in range(len(self.shares))]


@dataclass(frozen=True)
class Predictions:
    """The truth of rows, and the probabilities and decisions of two similar models.

    Attributes:
        truth: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        proba: Of each model, ``(n, n_classes)``.
        decided: Of each model, as ``truth``.

    """

    truth: NDArray[Any]
    proba: tuple[Floats, Floats]
    decided: tuple[NDArray[Any], NDArray[Any]]

    def rows(self, chosen: NDArray[Any]) -> "Predictions":
        """Return the predictions of some rows."""
        first, second = self.proba
        one, other = self.decided
        return Predictions(self.truth[chosen], (first[chosen], second[chosen]), (one[chosen], other[chosen]))


def zipf(n: int, power: float = 1.0) -> NDArray[np.float64]:
    """Return the shares of ``n`` classes, the k-th proportional to k to the minus ``power``."""
    weights = np.arange(1, n + 1) ** -power
    return np.asarray(weights / weights.sum())


BINARY, MULTICLASS, MULTILABEL = Task.BINARY, Task.MULTICLASS, Task.MULTILABEL
POOLS = (
    Pool("2 even", BINARY, np.array([0.5, 0.5]), 0.80),
    Pool("2 even, overconfident", BINARY, np.array([0.5, 0.5]), 0.90, 2.5),
    Pool("2, one 15 %", BINARY, np.array([0.85, 0.15]), 0.95),
    Pool("2, one 10 %, underconfident", BINARY, np.array([0.9, 0.1]), 0.98, 0.5),
    Pool("3", MULTICLASS, np.array([0.5, 0.3, 0.2]), 0.85),
    Pool("5 imbalanced, overconfident", MULTICLASS, np.array([0.6, 0.2, 0.1, 0.07, 0.03]), 0.90, 2.0),
    Pool("20 even", MULTICLASS, np.full(20, 0.05), 0.80),
    Pool("46 Zipf", MULTICLASS, zipf(46, 1.3), 0.80),
    Pool("77 even, underconfident", MULTICLASS, np.full(77, 1 / 77), 0.90, 0.6),
    Pool("6 labels", MULTILABEL, np.array([0.35, 0.25, 0.2, 0.15, 0.1, 0.05]), 0.92),
    Pool("28 labels Zipf, overconfident", MULTILABEL, 0.4 * np.arange(1, 29) ** -0.9, 0.97, 1.7),
)


def simulate(pool: Pool, n: int = N_ROWS, seed: int = 0) -> Predictions:
    """Simulate the predictions of a pool; the signal is that of the wanted accuracy."""
    low, high = 0.1, 12.0
    for _ in range(12):
        signal = (low + high) / 2
        few = _simulate(pool, signal, 4000, seed)
        low, high = (signal, high) if (few.truth == few.decided[0]).mean() < pool.accuracy else (low, signal)
    return _simulate(pool, signal, n, seed)


def _simulate(pool: Pool, signal: float, n: int, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    K = len(pool.shares)
    labels = pool.task is Task.MULTILABEL
    truth = rng.random((n, K)) < pool.shares if labels else rng.choice(K, n, p=pool.shares)
    of_class = truth if labels else np.eye(K, dtype=bool)[truth]
    common = rng.normal(size=(n, K)) * 0.8 + (0.4 * rng.normal(size=(n, 1)) if labels else 0.0)  # of both models
    probas = []
    for _ in range(2):
        own = rng.normal(size=(n, K))
        z = common + np.sqrt(1 - 0.64 - 0.16 * labels) * own + signal * of_class
        if labels:
            logits = pool.sharpness * (signal * z - signal**2 / 2 + np.log(pool.shares / (1 - pool.shares)))
            probas.append(1 / (1 + np.exp(-logits)))
        else:
            logits = pool.sharpness * (signal * z + np.log(pool.shares))
            exps = np.exp(logits - logits.max(1, keepdims=True))
            probas.append(exps / exps.sum(1, keepdims=True))
    one, other = (proba > 0.5 if labels else proba.argmax(1) for proba in probas)
    return Predictions(truth, (probas[0], probas[1]), (one, other))
