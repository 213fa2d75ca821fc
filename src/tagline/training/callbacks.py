"""Callbacks: hooks around a training, its epochs and its batches, and the few callbacks that tagline uses.

A callback that sets ``stop`` ends the training after the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagline.training.history import History

if TYPE_CHECKING:
    from tagline.models.network.network import Network
    from tagline.training.optimizers import Optimizer


@dataclass
class State:
    """A training as callbacks see it.

    ``epoch`` counts the epochs that ended, ``batch`` the batches of this epoch, from 1; ``step`` counts the steps of
    the optimizer. ``loss`` and ``accuracy`` are the means of this epoch so far. ``phase`` names the training:
    ``"search"`` measures held-out rows, ``"refit"`` learns from all rows.
    """

    network: "Network"
    optimizer: "Optimizer"
    history: History
    n_epochs: int
    n_batches: int
    phase: str = "search"
    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss: float = float("nan")
    accuracy: float = float("nan")


class Callback:
    """Hooks that do nothing; override some. Set ``stop`` to end the training after the epoch."""

    stop: bool = False

    def on_train_begin(self, state: State) -> None:
        """Before the first epoch; a training continues from what is changed in ``state`` here."""

    def on_train_end(self, state: State) -> None:
        """After the last epoch."""

    def on_epoch_begin(self, state: State) -> None:
        """Before the first batch of an epoch."""

    def on_epoch_end(self, state: State) -> None:
        """After each epoch, when ``state.history`` has its figures."""

    def on_batch_begin(self, state: State) -> None:
        """Before each batch, when ``state.batch`` is its number."""

    def on_batch_end(self, state: State) -> None:
        """After each batch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: arrays and numbers by name."""
        return {}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Restore what ``state_dict`` returned."""


class VectorsCallback(Callback):
    """A callback that also follows the word vectors that a network starts from, before its training begins."""

    def on_learning_vectors(self, done: int, total: int) -> None:
        """While word vectors are learned, after ``done`` of ``total`` texts, counted over all epochs."""

    def on_vectors(self, facts: Mapping[str, Any]) -> None:
        """When the word vectors are ready; ``facts`` are those of ``TextClassifier.chosen_["vectors"]``."""


class KeepWeights(Callback):
    """Keep the weights of one epoch: of the lowest validation loss, or of the epoch given or the last before it."""

    def __init__(self, epoch: int | None = None) -> None:
        self.wanted = epoch
        self.epoch = 0
        self.kept: list[NDArray[np.float32]] = []

    def on_epoch_end(self, state: State) -> None:
        """Copy the weights if this epoch is the best so far, or not beyond the given one."""
        best = state.history.best_epoch or state.epoch
        if state.epoch == best if self.wanted is None else state.epoch <= self.wanted:
            self.epoch = state.epoch
            self.kept = [array.copy() for array in state.network.arrays().values()]

    def put_back(self, network: "Network") -> None:
        """Restore the kept weights of the network."""
        for array, kept in zip(network.arrays().values(), self.kept, strict=True):
            array[...] = kept

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch and its weights."""
        return {"epoch": self.epoch, **{f"kept.{i}": array for i, array in enumerate(self.kept)}}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Restore them."""
        self.epoch = int(kept["epoch"])
        self.kept = [kept[f"kept.{i}"].copy() for i in range(len(kept) - 1)]


class EarlyStopping(Callback):
    """Stop after ``patience`` epochs without a lower validation loss."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_epoch_end(self, state: State) -> None:
        """Count the epochs since the best."""
        best = state.history.best_epoch
        self.stop = best is not None and state.epoch - best >= self.patience
