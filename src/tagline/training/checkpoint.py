"""Checkpoints: a training resumes after any epoch, and ends as if it had never stopped."""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path

import torch

from tagline.errors import InputError
from tagline.storage.atomic import open_file
from tagline.training.callbacks import Callback, State


class Checkpoint(Callback):
    """Keep weights, optimizer, history and the other callbacks' state after each epoch, in ``<folder>/<phase>.pt``.

    When a training begins, the checkpoint of its phase is restored, and a training that had ended stays ended. It must
    be the last of the callbacks, whose states it keeps too: ``others``. ``fingerprint`` is that of data and settings:
    a checkpoint with another one is refused.
    """

    def __init__(self, folder: Path, others: Sequence[Callback] = (), fingerprint: str = "") -> None:
        self.folder, self.others, self.fingerprint = folder, others, fingerprint

    def on_train_begin(self, state: State) -> None:
        """Restore the checkpoint of this phase, if there is one.

        Raises:
            InputError: it is damaged, or of a training with other data or settings.

        """
        path = self.folder / f"{state.phase}.pt"
        if not path.exists():
            return
        try:
            kept = torch.load(path, weights_only=True)  # tensors and plain values; nothing is executed
        except (OSError, EOFError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
            raise InputError(f"`{path}` is damaged ({type(error).__name__}): remove it and train again.") from None
        if kept["fingerprint"] != self.fingerprint:
            raise InputError(
                f"`{path}` is of a training with other data or settings: give each fit a folder of its own."
            )
        for name, array in state.network.arrays().items():
            array[...] = kept["weights"][name].numpy()
        state.optimizer.load_state_dict(kept["optimizer"])
        state.history.columns = kept["history"]
        state.epoch, state.step = kept["epoch"], kept["step"]
        states = list(kept["callbacks"])
        for callback in self.others:
            mine = next((state for state in states if state[0] == type(callback).__name__), None)
            if mine is not None:
                states = [state for state in states if state is not mine]
                callback.load_state_dict(
                    {k: v.numpy() if isinstance(v, torch.Tensor) else v for k, v in mine[1].items()}
                )
        self.stop = kept["ended"]

    def on_epoch_end(self, state: State) -> None:
        """Write the checkpoint."""
        self._write(state, ended=any(each.stop for each in self.others))

    def on_train_end(self, state: State) -> None:
        """Write that the training has ended, whoever stopped it."""
        self._write(state, ended=True)

    def _write(self, state: State, *, ended: bool) -> None:
        """Write the checkpoint, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        callbacks = [
            (type(each).__name__, {k: torch.from_numpy(v) if hasattr(v, "dtype") else v for k, v in kept.items()})
            for each in self.others
            if (kept := each.state_dict())
        ]
        content = {
            "fingerprint": self.fingerprint,
            "weights": {name: torch.from_numpy(array) for name, array in state.network.arrays().items()},
            "optimizer": state.optimizer.state_dict(),
            "history": state.history.columns,
            "epoch": state.epoch,
            "step": state.step,
            "ended": ended,
            "callbacks": callbacks,
        }
        packed = io.BytesIO()  # written to a full disk, PyTorch raises no `OSError`
        torch.save(content, packed)
        with open_file(self.folder / f"{state.phase}.pt") as file:
            file.write(packed.getbuffer())
