"""A training stopped after any epoch and taken up again ends as the one that was never stopped, to the bit."""

import resource
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from tagline.recipes import Training
from tagline.training import (
    Callback,
    Checkpoint,
    EarlyStopping,
    History,
    KeepWeights,
    State,
    TrainingOptions,
    train,
)
from tests.training.small_trainings import small_network, small_rows, weights, without_seconds

OPTIMIZERS = {
    "adam": {"optimizer": "adam", "learning_rate": 0.02},
    "amsgrad": {"optimizer": "adam", "learning_rate": 0.03, "amsgrad": True, "schedule": "cosine"},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 0.02, "momentum": 0.5, "decay": 0.05},
    "sgd": {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9, "schedule": "linear"},
    "own": {"optimizer": lambda w: torch.optim.AdamW(w, lr=0.02), "decay": 0.1},
}


class Interrupt(Callback):
    """Stop everything after an epoch, as Ctrl-C does, or in the middle of one."""

    def __init__(self, epoch: int, *, within: bool = False) -> None:
        self.epoch, self.within = epoch, within

    def on_epoch_end(self, state: State) -> None:
        if state.epoch == self.epoch:
            raise KeyboardInterrupt

    def on_batch_end(self, state: State) -> None:
        if self.within and (state.epoch, state.batch) == (self.epoch - 1, 2):
            raise KeyboardInterrupt


def fit(
    settings: dict, own: list[Callback], folder: Path | None, *last: Callback, epochs: int = 8
) -> tuple[np.ndarray, History]:
    network = small_network()
    callbacks = [*own, *([Checkpoint(folder, own)] if folder else []), *last]
    training = Training(batch_size=10, epochs=epochs, **settings)
    history = train(
        network,
        small_rows(40, 0),
        training,
        options=TrainingOptions(l2=0.001, seed=3),
        validation=small_rows(60, 1),
        callbacks=callbacks,
    )
    return weights(network), history


@cache
def uninterrupted(name: str) -> tuple[np.ndarray, History]:
    return fit(OPTIMIZERS[name], [], None)


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("epoch", [1, 4, 8])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_training_gives_the_same_network(tmp_path: Path, name: str, epoch: int, within: bool) -> None:
    expected, history = uninterrupted(name)
    with pytest.raises(KeyboardInterrupt):
        fit(OPTIMIZERS[name], [], tmp_path, Interrupt(epoch, within=within))
    found, again = fit(OPTIMIZERS[name], [], tmp_path)
    assert np.array_equal(found, expected)
    assert without_seconds(again.columns) == without_seconds(history.columns)
    assert len(again.columns["seconds"]) == 8


@pytest.mark.parametrize("wanted", [None, 3, 50])
@pytest.mark.parametrize("epoch", [1, 2, 3, 4, 5, 8])
def test_a_resumed_training_keeps_the_same_weights(tmp_path: Path, epoch: int, wanted: int | None) -> None:
    """Whether the epoch that was stopped after is the best so far, follows it or comes before."""
    keep, again = KeepWeights(wanted), KeepWeights(wanted)
    _, history = fit(OPTIMIZERS["adam"], [keep], None)
    with pytest.raises(KeyboardInterrupt):
        fit(OPTIMIZERS["adam"], [KeepWeights(wanted)], tmp_path, Interrupt(epoch))
    fit(OPTIMIZERS["adam"], [again], tmp_path)
    assert keep.epoch == again.epoch == {None: history.best_epoch, 3: 3, 50: 8}[wanted]
    assert 1 < history.best_epoch < 8
    for one, two in zip(keep.kept, again.kept, strict=True):
        assert np.array_equal(one, two)


@pytest.mark.parametrize("epoch", range(1, 7))
def test_early_stopping_counts_epochs_before_the_interrupt(tmp_path: Path, epoch: int) -> None:
    def own() -> list[Callback]:
        return [KeepWeights(), EarlyStopping(2)]

    expected, history = fit(OPTIMIZERS["adam"], own(), None, epochs=30)
    assert 6 <= len(history) == history.best_epoch + 2 < 30
    with pytest.raises(KeyboardInterrupt):
        fit(OPTIMIZERS["adam"], own(), tmp_path, Interrupt(epoch), epochs=30)
    found, again = fit(OPTIMIZERS["adam"], own(), tmp_path, epochs=30)
    assert np.array_equal(found, expected)
    assert without_seconds(again.columns) == without_seconds(history.columns)
    found, again = fit(OPTIMIZERS["adam"], own(), tmp_path, epochs=30)  # it is done: nothing is added
    assert np.array_equal(found, expected)
    assert without_seconds(again.columns) == without_seconds(history.columns)


def test_a_training_that_ended_is_not_continued(tmp_path: Path) -> None:
    """Also where a callback stopped it whose reasons no checkpoint knows: the second training follows it."""

    class Stop(Callback):
        def on_epoch_end(self, state: State) -> None:
            self.stop = state.epoch == 3

    expected, history = fit(OPTIMIZERS["adam"], [KeepWeights()], tmp_path, Stop())
    assert len(history) == 3
    found, again = fit(OPTIMIZERS["adam"], [KeepWeights()], tmp_path, Stop())
    assert np.array_equal(found, expected)
    assert again.columns == history.columns


def test_a_checkpoint_holds_no_code(tmp_path: Path) -> None:
    fit(OPTIMIZERS["rmsprop"], [KeepWeights()], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["search.pt"]  # no temporary file is left
    kept = torch.load(tmp_path / "search.pt", weights_only=True)
    assert kept["epoch"] == 8
    assert kept["step"] == 32


def test_each_phase_has_its_own_checkpoint(tmp_path: Path) -> None:
    for phase in ("search", "refit"):
        network = small_network()
        training = Training(batch_size=10, epochs=2)
        history = train(
            network, small_rows(40, 0), training, options=TrainingOptions(phase=phase), callbacks=[Checkpoint(tmp_path)]
        )
        assert len(history) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["refit.pt", "search.pt"]


def test_a_full_disk_stops_the_training_and_keeps_the_last_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit({}, [], tmp_path, Interrupt(2))
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))  # no file may grow beyond
    try:
        with pytest.raises(OSError, match="File too large"):
            fit({}, [], tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
