"""Callbacks that report the training of a network: its progress to people, the figures of each epoch to trackers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tagline.runs.settings import Observer
from tagline.runs.tracking.tracker import Tracking
from tagline.training import Callback, State

_SECONDS = 0.1  # between two reports inside an epoch


@dataclass(frozen=True)
class TrainingProgress:
    """``done`` of ``total`` batches; the loss is of this epoch so far, the validation loss of the last whole epoch."""

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
        """Return the progress in one line."""
        name = "training" if self.phase == "search" else "final training on all rows"
        line = f"{name}: epoch {self.epoch}/{self.n_epochs}  loss {self.loss:.4f}  accuracy {100 * self.accuracy:.1f} %"
        if self.val_loss is None or self.val_accuracy is None:
            return line
        return f"{line}  validation {self.val_loss:.4f}, {100 * self.val_accuracy:.1f} %"


@dataclass(frozen=True)
class VectorProgress:
    """Training of word vectors: ``done`` of ``total`` texts, all epochs together.

    ``epoch_ended``: another quarter is done, which is reported as an epoch is.
    """

    done: int
    total: int
    epoch_ended: bool

    def words(self) -> str:
        """Return the progress in one line."""
        return f"training word vectors: {self.done / self.total:.0%}"


class ReportProgress(Callback):
    """Report the progress of a training, ten times a second and after each epoch, and its word vectors."""

    def __init__(self, observer: Observer) -> None:
        self._report = observer.progress
        self._log = observer.log
        self._last = 0.0
        self._quarter = 0

    def on_learning_vectors(self, done: int, total: int) -> None:
        """Report the progress of the word vectors."""
        now, quarter = time.monotonic(), 4 * done // total
        if now - self._last >= _SECONDS or quarter > self._quarter:
            self._report(VectorProgress(done, total, epoch_ended=quarter > self._quarter))
            self._last, self._quarter = now, quarter

    def on_vectors(self, facts: Mapping[str, Any]) -> None:
        """Log their coverage; the network is a stage of its own, so that the sentence stays on a terminal."""
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
            self._report_state(state, ended=False)

    def on_epoch_end(self, state: State) -> None:
        """Report the figures of the epoch."""
        self._report_state(state, ended=True)

    def _report_state(self, state: State, *, ended: bool) -> None:
        columns = state.history.columns
        val_loss, val_accuracy = columns.get("val_loss"), columns.get("val_accuracy")
        epoch = state.epoch + (0 if ended else 1)
        done = state.epoch * state.n_batches + (0 if ended else state.batch)
        self._report(
            TrainingProgress(
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


class TrackEpochs(Callback):
    """Give trackers the figures of each epoch, such as ``loss`` and ``val_loss``.

    The names are prefixed by the fit, if it is not the only one of its run (``fold-1/loss``), and by ``refit`` for the
    final training on all rows (``refit/loss``).
    """

    def __init__(self, tracking: Tracking, fit: str = "fit") -> None:
        self._tracking = tracking
        self._fit = [] if fit == "fit" else [fit]

    def on_epoch_end(self, state: State) -> None:
        """Log the last row of the history."""
        parts = [*self._fit, *([] if state.phase == "search" else [state.phase])]
        columns = {name: values for name, values in state.history.columns.items() if name != "epoch"}
        self._tracking.epoch(state.epoch, {"/".join([*parts, name]): values[-1] for name, values in columns.items()})
