"""What a fit gives, and what follows from held-out logits: probabilities, a temperature, a threshold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.features.base import Featurizer
from tagline.metrics.calibration_error import fit_temperature
from tagline.models import Model

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class HeldOut:
    """What a model said of training rows that it had not seen, before the final fit.

    ``rows`` are indices into the texts given, (n,); ``Y`` and ``proba`` are (n, n_classes); ``how`` says in words
    how they were held out.
    """

    rows: Ints
    Y: Bools
    proba: Floats
    how: str


@dataclass(frozen=True)
class TrainingRecord:
    """How a network was trained, epoch by epoch.

    ``history`` has a column for each figure: ``epoch``, ``loss``, ``accuracy``, ``val_loss``, …, ``seconds``;
    ``refit_history`` is that of learning again from all rows, if that was done. ``findings`` say in words where it
    overfits or underfits. ``layers`` sums the network up.
    """

    history: dict[str, list[float]]
    refit_history: dict[str, list[float]] | None
    best_epoch: int | None
    findings: list[str]
    layers: list[dict[str, Any]]


@dataclass(frozen=True)
class Fitted:
    """A fitted recipe. ``temperature`` divides logits; a label is given above the probability ``threshold``."""

    vectorizer: Featurizer
    model: Model
    temperature: float
    threshold: float
    chosen: dict[str, Any]
    held_out: HeldOut | None
    seconds: dict[str, float]
    training: TrainingRecord | None = None


def probabilities(logits: Floats, *, multilabel: bool) -> Floats:
    """Return the probability of each class, (n_texts, n_classes): sigmoid, or softmax of several outputs."""
    if multilabel or logits.shape[1] == 1:
        p: Floats = np.exp(-np.logaddexp(0.0, -logits))
        return p if multilabel else np.hstack([1.0 - p, p])
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return p


def temperature_of(logits: Floats, Y: Bools, multilabel: bool) -> float:
    """Return the temperature that makes probabilities of held-out rows honest."""
    if multilabel:
        return fit_temperature(logits, Y, "multilabel")
    if logits.shape[1] == 1:
        return fit_temperature(logits[:, 0], Y.argmax(axis=1), "binary")
    return fit_temperature(logits, Y.argmax(axis=1), "multiclass")


def best_threshold(Y: Bools, proba: Floats) -> float:
    """Return the threshold, of 0.05 … 0.95, that gives these rows the best micro F1."""
    grid = np.round(np.arange(0.05, 0.951, 0.05), 2)
    f1 = [2 * (Y & (proba > t)).sum() / max(1, Y.sum() + (proba > t).sum()) for t in grid]
    return float(grid[int(np.argmax(f1))])
