"""The loop: batches, weights of rows, figures, callbacks, and what it says when learning breaks down."""

import sys
import threading
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from threadpoolctl import threadpool_info

from tagline.errors import InputError, RecipeError
from tagline.models.network.layers import Dense
from tagline.models.network.network import Network
from tagline.recipes import Training
from tagline.task import Task
from tagline.training import Callback, EarlyStopping, KeepWeights, Rows, State, TrainingOptions, train
from tests.lazy_keras import keras
from tests.training.keras_twins import multi_hot_rows, targets, twin
from tests.training.small_trainings import COLUMNS, small_network, small_rows, weights

keras_warns = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
TRAINING = Training(batch_size=10, epochs=3, learning_rate=0.01)


class Seen(Callback):
    """Write down what is called."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def on_train_begin(self, state: State) -> None:
        self.calls.append(("begin", state.n_epochs, state.n_batches, state.phase))

    def on_epoch_begin(self, state: State) -> None:
        self.calls.append(("epoch begins", state.epoch))

    def on_batch_begin(self, state: State) -> None:
        self.calls.append(("batch begins", state.batch, state.step))

    def on_batch_end(self, state: State) -> None:
        self.calls.append(("batch", state.epoch, state.batch, state.step))

    def on_epoch_end(self, state: State) -> None:
        self.calls.append(("epoch", state.epoch, len(state.history)))

    def on_train_end(self, state: State) -> None:
        self.calls.append(("end", state.epoch))


def test_the_order_of_hooks() -> None:
    seen = Seen()
    train(small_network(), small_rows(25, 0), TRAINING.model_copy(update={"epochs": 2}), callbacks=[seen])
    assert seen.calls == [
        ("begin", 2, 3, "search"),
        *[
            call
            for epoch in (0, 1)
            for call in [
                ("epoch begins", epoch),
                *[
                    each
                    for batch in (1, 2, 3)
                    for each in [
                        ("batch begins", batch, 3 * epoch + batch - 1),
                        ("batch", epoch, batch, 3 * epoch + batch),
                    ]
                ],
                ("epoch", epoch + 1, epoch + 1),
            ]
        ],
        ("end", 2),
    ]


@keras_warns
def test_the_history_is_that_of_keras() -> None:
    """Keras's own `fit` on one batch an epoch, where the order of the rows plays no part."""
    network = Network.draw([Dense(30, 8, "relu"), Dense(8, 3)], np.random.default_rng(0))
    X, y = multi_hot_rows(30), targets(3)
    other_X, other_y = multi_hot_rows(30, seed=5), targets(3, seed=6)
    model = twin(network, 30, l2=0.01)
    figures = ["accuracy", "mae"]
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=figures, jit_compile=False)
    expected = model.fit(X.toarray(), y, 40, epochs=5, verbose=0, validation_data=(other_X.toarray(), other_y)).history
    training = Training(learning_rate=0.01, epochs=5, metrics=("mean_absolute_error",))
    history = train(
        network,
        Rows(X, y),
        training,
        validation=Rows(other_X, other_y),
        options=TrainingOptions(Task.MULTICLASS, l2=0.01),
    )
    ours = history.columns | {"mae": history.columns["mean_absolute_error"]}
    ours["val_mae"] = history.columns["val_mean_absolute_error"]
    assert history.columns["epoch"] == [1, 2, 3, 4, 5]
    for name, values in expected.items():
        np.testing.assert_allclose(ours[name], values, atol=1e-5, err_msg=name)


@keras_warns
def test_sample_weights_are_those_of_keras() -> None:
    network = Network.draw([Dense(30, 8, "relu"), Dense(8, 1)], np.random.default_rng(0))
    X, y = multi_hot_rows(30), targets(1)
    w = np.random.default_rng(4).random(40).astype(np.float32) * 3
    model = twin(network, 30)
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", jit_compile=False)
    expected = model.fit(X.toarray(), y, 40, epochs=5, verbose=0, sample_weight=w).history["loss"]
    history = train(network, Rows(X, y, w), Training(optimizer="sgd", learning_rate=0.1, epochs=5))
    theirs = np.concatenate([array.ravel() for array in model.get_weights()])
    np.testing.assert_allclose(weights(network), theirs, atol=1e-4)
    np.testing.assert_allclose(history.columns["loss"], expected, rtol=1e-4)


@keras_warns
def test_validation_weights_are_those_of_keras() -> None:
    network = Network.draw([Dense(30, 8, "relu"), Dense(8, 1)], np.random.default_rng(0))
    X, y = multi_hot_rows(30), targets(1)
    w = np.random.default_rng(4).random(40).astype(np.float32) * 3
    model = twin(network, 30)
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"], jit_compile=False)
    expected = model.fit(X.toarray(), y, 40, epochs=3, verbose=0, validation_data=(X.toarray(), y, w)).history
    training = Training(optimizer="sgd", learning_rate=0.1, epochs=3)
    history = train(network, Rows(X, y), training, validation=Rows(X, y, w)).columns
    np.testing.assert_allclose(history["val_loss"], expected["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(history["val_accuracy"], expected["val_accuracy"], rtol=1e-4)


def test_the_same_seed_gives_the_same_training() -> None:
    found = []
    for seed in (0, 0, 1):
        network = small_network()
        history = train(
            network, small_rows(40, 0), TRAINING, validation=small_rows(20, 1), options=TrainingOptions(seed=seed)
        )
        found.append((weights(network), history.columns["loss"]))
    assert np.array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert not np.array_equal(found[0][0], found[2][0])


def test_each_phase_has_its_own_order() -> None:
    found = []
    for phase in ("search", "refit"):
        network = small_network()
        train(network, small_rows(40, 0), TRAINING, options=TrainingOptions(phase=phase))
        found.append(weights(network))
    assert not np.array_equal(*found)


def test_validation_rows_change_nothing() -> None:
    found = []
    for validation in (None, small_rows(20, 1)):
        network = small_network()
        train(network, small_rows(40, 0), TRAINING, validation=validation)
        found.append(weights(network))
    assert np.array_equal(*found)


def test_validation_metrics_are_those_of_the_weights_after_the_epoch() -> None:
    network, held = small_network(), small_rows(20, 1)
    history = train(network, small_rows(40, 0), TRAINING, validation=held)
    logits = network.logits(held.X)
    y = held.targets
    loss = np.logaddexp(0, np.where(y > 0, -logits, logits)).mean()
    assert history.columns["val_loss"][-1] == pytest.approx(loss, abs=1e-6)
    assert history.columns["val_accuracy"][-1] == pytest.approx(((logits > 0) == (y > 0)).mean())


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_the_error_of_a_nan_loss_names_epoch_and_learning_rate(optimizer: str) -> None:
    training = TRAINING.model_copy(update={"optimizer": optimizer, "learning_rate": 1e30})
    message = rf"in epoch 1, batch \d of 4\. .*{optimizer}.*learning_rate = 1e\+30"
    with pytest.raises(InputError, match=message) as error:
        train(small_network(), small_rows(40, 0), training, validation=small_rows(20, 1))
    assert str(error.value).endswith(".")


def test_weights_that_are_nan_are_an_error() -> None:
    """The last step of all breaks them: no batch comes after it that would tell."""
    training = Training(batch_size=40, epochs=1, optimizer="sgd", learning_rate=1e38)
    rows = small_rows(40, 0)
    with pytest.raises(InputError, match=r"became NaN or infinite in epoch 1"):
        train(small_network(), Rows(1e9 * rows.X, rows.targets), training)


@pytest.mark.parametrize("watched", [False, True])
def test_weights_too_large_for_logits_are_an_error(watched: bool) -> None:
    """Finite weights, after the last step of all, whose logits are none: seen on validation rows or without any."""

    class Blow(Callback):
        def on_batch_end(self, state: State) -> None:
            for name, array in state.network.arrays().items():
                array[...] = 1e30 if "kernel" in name else 0

    training = Training(batch_size=40, epochs=2)
    with pytest.raises(InputError, match=r"the loss became NaN or infinite in epoch 1, batch 1 of 1"):
        train(
            small_network(),
            small_rows(40, 0),
            training,
            validation=small_rows(20, 1) if watched else None,
            callbacks=[Blow()],
        )


def test_trainings_in_two_threads_restore_the_settings_of_the_process() -> None:
    """One begins first and ends first, so that the other sees what it has set and outlives it."""
    torch.set_num_threads(2)
    started, ended = threading.Event(), threading.Event()
    left: dict[str, tuple[int, bool]] = {}
    filters = list(warnings.filters)
    before = [pool["num_threads"] for pool in threadpool_info()]

    class First(Callback):
        def on_epoch_end(self, state: State) -> None:
            started.set()
            assert second_started.wait(10)

    class Second(Callback):
        def on_train_begin(self, state: State) -> None:
            second_started.set()
            assert ended.wait(10)
            assert torch.get_num_threads() == 1

    second_started = threading.Event()

    def run(name: str, callback: Callback) -> None:
        torch.get_num_threads()
        if name == "second":
            assert started.wait(10)
        train(small_network(), small_rows(40, 0), TRAINING, callbacks=[callback])
        left[name] = torch.get_num_threads(), sys.float_info.min / 2 == 0
        if name == "first":
            ended.set()

    running = [threading.Thread(target=run, args=each) for each in (("first", First()), ("second", Second()))]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert left == {"first": (2, False), "second": (2, False)}
    assert torch.get_num_threads() == 2
    assert [pool["num_threads"] for pool in threadpool_info()] == before
    assert warnings.filters == filters


@pytest.mark.parametrize("flushed", [False, True])
def test_denormal_numbers_are_treated_as_before(flushed: bool) -> None:
    torch.set_flush_denormal(flushed)
    try:
        train(small_network(), small_rows(40, 0), TRAINING)
        assert (sys.float_info.min / 2 == 0) == flushed
    finally:
        torch.set_flush_denormal(False)


def test_early_stopping_restores_the_best_weights() -> None:
    network, held = small_network(dropout=0.0), small_rows(30, 1)
    keep, stop = KeepWeights(), EarlyStopping(3)
    training = Training(batch_size=10, epochs=60, learning_rate=0.05)
    history = train(network, small_rows(40, 0), training, validation=held, callbacks=[keep, stop])
    best = history.best_epoch
    assert len(history) == best + 3 < 60
    assert keep.epoch == best
    last = network.logits(held.X)
    keep.put_back(network)
    logits = network.logits(held.X)
    assert not np.array_equal(logits, last)
    loss = np.logaddexp(0, np.where(held.targets > 0, -logits, logits)).mean()
    assert loss == pytest.approx(min(history.columns["val_loss"]), abs=1e-6)


def test_weights_of_an_epoch_that_is_not_reached_are_the_last() -> None:
    """A training stopped before the epoch that was asked for keeps what it has, not what it began with."""

    class Stop(Callback):
        def on_epoch_end(self, state: State) -> None:
            self.stop = state.epoch == 2

    network, keep = small_network(), KeepWeights(5)
    train(network, small_rows(40, 0), TRAINING, callbacks=[keep, Stop()])
    assert keep.epoch == 2
    trained = weights(network)
    keep.put_back(network)
    assert np.array_equal(weights(network), trained)


def test_a_callback_that_stopped_a_training_does_not_stop_the_next() -> None:
    class Stop(Callback):
        def on_epoch_end(self, state: State) -> None:
            if state.phase == "search":
                self.stop = True

    stop = Stop()
    assert len(train(small_network(), small_rows(40, 0), TRAINING, callbacks=[stop])) == 1
    assert (
        len(
            train(
                small_network(), small_rows(40, 0), TRAINING, options=TrainingOptions(phase="refit"), callbacks=[stop]
            )
        )
        == 3
    )


def test_custom_optimizer_loss_and_metric() -> None:
    def loss(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, y)  # the mean already

    def certainty(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return (logits.sigmoid() - 0.5).abs()[:, 0]

    training = {"batch_size": 10, "epochs": 3}
    found = []
    for given in (
        Training(optimizer="sgd", learning_rate=0.1, **training),
        Training(
            optimizer=lambda w: torch.optim.SGD(w, lr=0.1), loss=loss, metrics=("accuracy", certainty), **training
        ),
    ):
        network = small_network()
        history = train(network, small_rows(40, 0), given, validation=small_rows(20, 1))
        found.append((weights(network), history.columns))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-6)
    np.testing.assert_allclose(found[0][1]["val_loss"], found[1][1]["val_loss"], atol=1e-6)
    assert list(found[1][1]) == [
        *["epoch", "loss", "accuracy", "certainty", "val_loss", "val_accuracy", "val_certainty", "seconds"]
    ]
    assert 0 < found[1][1]["val_certainty"][-1] <= 0.5


def test_a_loss_that_is_nan_is_an_error() -> None:
    training = Training(loss=torch.nn.BCEWithLogitsLoss(reduction="none"))
    with pytest.raises(RecipeError, match=r"`BCEWithLogitsLoss` returned a tensor of shape \(40, 1\)"):
        train(small_network(), small_rows(40, 0), training)


@pytest.mark.parametrize(
    ("loss", "ours", "n_outputs"),
    [
        (torch.nn.CrossEntropyLoss(), "categorical_crossentropy", 3),
        (torch.nn.BCEWithLogitsLoss(), "binary_crossentropy", 1),
    ],
)
def test_losses_of_pytorch_train_as_the_built_in_ones(loss: torch.nn.Module, ours: str, n_outputs: int) -> None:
    found = []
    for given in (loss, ours):
        network = Network.draw([Dense(30, 8, "relu"), Dense(8, n_outputs)], np.random.default_rng(0))
        rows = Rows(multi_hot_rows(30), targets(n_outputs))
        options = TrainingOptions(Task.MULTICLASS if n_outputs > 1 else Task.BINARY)
        training = TRAINING.model_copy(update={"loss": given})
        history = train(network, rows, training, validation=rows, options=options)
        found.append((weights(network), history.columns["val_loss"]))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-5)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-5)


def test_l2_pulls_hidden_kernels_towards_0_and_nothing_else() -> None:
    sizes = []
    for l2 in (0.0, 1.0):
        network = small_network(dropout=0.0)
        train(network, small_rows(40, 0), TRAINING.model_copy(update={"epochs": 40}), options=TrainingOptions(l2=l2))
        sizes.append({name: np.abs(array).mean() for name, array in network.arrays().items()})
    assert sizes[1]["0.kernel"] < 0.2 * sizes[0]["0.kernel"]
    assert sizes[1]["2.kernel"] > 0.3 * sizes[0]["2.kernel"]


def test_dense_rows_may_be_of_any_number() -> None:
    network = small_network()
    history = train(network, small_rows(1, 0), TRAINING)
    assert len(history) == 3
    assert network.logits(sp.csr_matrix((2, COLUMNS), dtype=np.float32)).shape == (2, 1)
