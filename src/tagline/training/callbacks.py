"""What can be done between epochs and batches: empty, documented hooks, and the few that tagline uses.

A callback that wants to stop the training sets ``stop``; the loop looks at it after each epoch.
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
    """A training as callbacks see it: ``epoch`` counts those done, ``batch`` those of this epoch, from 1.

    ``loss`` and ``accuracy`` are the means of this epoch so far. ``phase`` names the training: ``"search"`` watches
    validation rows, ``"refit"`` learns again from all rows.
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
    """Hooks that do nothing."""

    stop: bool = False

    def on_learning_vectors(self, done: int, total: int) -> None:
        """While word vectors are learnt, before the network: at ``done`` of ``total`` texts, all epochs together."""

    def on_vectors(self, facts: Mapping[str, Any]) -> None:
        """When the word vectors that a network starts from are at hand, with what ``chosen["vectors"]`` says."""

    def on_train_begin(self, state: State) -> None:
        """Before the first epoch; what changes ``state`` here (a resumed training) is gone on from."""

    def on_batch_end(self, state: State) -> None:
        """After each batch."""

    def on_epoch_end(self, state: State) -> None:
        """After each epoch, when its figures stand in ``state.history``."""

    def on_train_end(self, state: State) -> None:
        """After the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: arrays and numbers by name."""
        return {}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Take up what ``state_dict`` gave."""


class KeepWeights(Callback):
    """Keep the weights of one epoch: of the lowest validation loss, or of the epoch given or the last before it."""

    def __init__(self, epoch: int | None = None) -> None:
        self.wanted = epoch
        self.epoch = 0
        self.kept: list[NDArray[np.float32]] = []

    def on_epoch_end(self, state: State) -> None:
        """Copy the weights if this epoch is the one, as far as can be told."""
        best = state.history.best_epoch or state.epoch
        if state.epoch == best if self.wanted is None else state.epoch <= self.wanted:
            self.epoch = state.epoch
            self.kept = [array.copy() for array in state.network.arrays().values()]

    def put_back(self, network: "Network") -> None:
        """Give the network the weights that were kept."""
        for array, kept in zip(network.arrays().values(), self.kept, strict=True):
            array[...] = kept

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch and its weights."""
        return {"epoch": self.epoch, **{f"kept.{i}": array for i, array in enumerate(self.kept)}}

    def load_state_dict(self, kept: dict[str, Any]) -> None:
        """Take them up."""
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
