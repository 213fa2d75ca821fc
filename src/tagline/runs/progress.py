"""The training of a network as it is followed: by people, how far it is and both losses; by loggers, epoch by epoch."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tagline.runs.tracking import Tracking
from tagline.training import Callback, State

_SECONDS = 0.1  # between two reports inside an epoch


@dataclass(frozen=True)
class Seen:
    """Where a training is: ``done`` of ``total`` batches; losses are of this epoch so far, and of the last one done."""

    phase: str
    epoch: int
    n_epochs: int
    done: int
    total: int
    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    epoch_ended: bool

    def words(self) -> str:
        """Return it in one line."""
        name = "training" if self.phase == "search" else "again from all rows"
        line = f"{name}: epoch {self.epoch}/{self.n_epochs}  loss {self.loss:.4f}  accuracy {100 * self.accuracy:.1f} %"
        if self.val_loss is None or self.val_accuracy is None:
            return line
        return f"{line}  validation {self.val_loss:.4f}, {100 * self.val_accuracy:.1f} %"


@dataclass(frozen=True)
class Learning:
    """How far the learning of word vectors is: at ``done`` of ``total`` texts, all epochs together.

    ``epoch_ended``: a quarter of it is done, which is a milestone too.
    """

    done: int
    total: int
    epoch_ended: bool

    def words(self) -> str:
        """Return it in one line."""
        return f"learning word vectors: {self.done / self.total:.0%}"


class Watch(Callback):
    """Report the state of a training, ten times a second and after each epoch; tell of its word vectors."""

    def __init__(self, report: Callable[[Seen | Learning], None], log: Callable[[str], None]) -> None:
        self._report = report
        self._log = log
        self._last = 0.0
        self._quarter = 0

    def on_learning_vectors(self, done: int, total: int) -> None:
        """Report how far it is."""
        now, quarter = time.monotonic(), 4 * done // total
        if now - self._last >= _SECONDS or quarter > self._quarter:
            self._report(Learning(done, total, epoch_ended=quarter > self._quarter))
            self._last, self._quarter = now, quarter

    def on_vectors(self, facts: Mapping[str, Any]) -> None:
        """Say what they cover; what comes next is a stage of its own, so that the sentence stays on a terminal."""
        covered = (
            f"{facts['words']:,} of {facts['of']:,} words, {100 * facts['running_words']:.1f} % of the running words"
        )
        self._log(f"vectors by {facts['source']}: {covered}")
        self._log("training the network")

    def on_batch_end(self, state: State) -> None:
        """Report if the last report is a while ago."""
        now = time.monotonic()
        if now - self._last >= _SECONDS:
            self._last = now
            self._tell(state, ended=False)

    def on_epoch_end(self, state: State) -> None:
        """Report the figures of the epoch."""
        self._tell(state, ended=True)

    def _tell(self, state: State, *, ended: bool) -> None:
        columns = state.history.columns
        val_loss, val_accuracy = columns.get("val_loss"), columns.get("val_accuracy")
        epoch = state.epoch + (0 if ended else 1)
        done = state.epoch * state.n_batches + (0 if ended else state.batch)
        self._report(
            Seen(
                state.phase,
                epoch,
                state.n_epochs,
                done,
                state.n_epochs * state.n_batches,
                state.loss,
                state.accuracy,
                val_loss[-1] if val_loss else None,
                val_accuracy[-1] if val_accuracy else None,
                ended,
            )
        )


class Track(Callback):
    """Give loggers the figures of each epoch: ``loss``, ``val_loss`` …, after what they belong to.

    ``fit`` is the fit's name: one that is not the only one of its run (``fold-1``) is named, and so is a training
    again from all rows (``refit/loss``).
    """

    def __init__(self, tracking: Tracking, fit: str = "fit") -> None:
        self._tracking = tracking
        self._fit = [] if fit == "fit" else [fit]

    def on_epoch_end(self, state: State) -> None:
        """Hand on the last row of the history."""
        parts = [*self._fit, *([] if state.phase == "search" else [state.phase])]
        columns = {name: values for name, values in state.history.columns.items() if name != "epoch"}
        self._tracking.epoch(state.epoch, {"/".join([*parts, name]): values[-1] for name, values in columns.items()})
