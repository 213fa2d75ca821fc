"""Losses and metrics are Keras's, worked out of logits; what does not fit the labels is refused."""

import functools

import numpy as np
import pytest
import torch

import tagline.training as training_package
from tagline.errors import RecipeError
from tagline.recipes import Training
from tagline.task import Task
from tagline.training import losses
from tagline.training.losses import LOSSES, make_loss, make_metrics
from tests.lazy_keras import keras

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own

LOGITS = torch.from_numpy(np.random.default_rng(0).normal(size=(9, 4), scale=3).astype(np.float32))
LABELS = torch.from_numpy(np.random.default_rng(1).integers(0, 4, 9))
HOT = torch.nn.functional.one_hot(LABELS, 4).float()
MANY = torch.from_numpy((np.random.default_rng(2).random((9, 4)) < 0.4).astype(np.float32))
ONE, BIT = LOGITS[:, :1], MANY[:, :1]


def same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert ours.shape == (9,)
    np.testing.assert_allclose(ours, theirs.detach(), atol=1e-5)


def test_binary_crossentropy() -> None:
    theirs = keras.losses.binary_crossentropy
    same(losses.binary_crossentropy(ONE, BIT), theirs(BIT, ONE.sigmoid()))
    same(losses.binary_crossentropy(ONE, BIT[:, 0]), theirs(BIT, ONE.sigmoid()))  # labels 0 and 1
    same(losses.binary_crossentropy(LOGITS, MANY), theirs(MANY, LOGITS.sigmoid()))
    same(losses.binary_crossentropy(ONE, 0.3 + 0.4 * BIT), theirs(0.3 + 0.4 * BIT, ONE.sigmoid()))


def test_categorical_crossentropy() -> None:
    proba = LOGITS.softmax(dim=1)
    same(losses.categorical_crossentropy(LOGITS, HOT), keras.losses.categorical_crossentropy(HOT, proba))
    same(losses.categorical_crossentropy(LOGITS, LABELS), keras.losses.sparse_categorical_crossentropy(LABELS, proba))


def test_errors() -> None:
    for logits, y, p in ((ONE, BIT, ONE.sigmoid()), (LOGITS, HOT, LOGITS.softmax(dim=1))):
        same(losses.mean_squared_error(logits, y), keras.losses.mean_squared_error(y, p))
        same(losses.mean_absolute_error(logits, y), keras.losses.mean_absolute_error(y, p))


def test_accuracies() -> None:
    of = keras.metrics
    same(losses.accuracy(ONE, BIT), of.binary_accuracy(BIT, ONE.sigmoid()).mean(dim=1))
    same(losses.accuracy(LOGITS, HOT), of.categorical_accuracy(HOT, LOGITS.softmax(dim=1)))
    same(losses.accuracy(LOGITS, LABELS), of.sparse_categorical_accuracy(LABELS, LOGITS.softmax(dim=1)).ravel())
    same(losses.label_accuracy(LOGITS, MANY), of.binary_accuracy(MANY, LOGITS.sigmoid()).mean(dim=1))


def test_the_loss_of_a_certain_wrong_label_is_finite() -> None:
    """Keras clips at 1e-7; from logits nothing needs to be."""
    sure = torch.tensor([[800.0]])
    assert losses.binary_crossentropy(sure, torch.zeros(1, 1)).item() == 800
    assert losses.categorical_crossentropy(torch.tensor([[0.0, 500.0]]), torch.tensor([0])).item() == 500


@pytest.mark.parametrize(
    ("task", "n_outputs", "expected"),
    [
        (Task.BINARY, 1, "binary"),
        (Task.MULTILABEL, 1, "binary"),
        (Task.MULTILABEL, 5, "binary"),
        (Task.MULTICLASS, 5, "categorical"),
    ],
)
def test_crossentropy_is_the_one_that_fits(task: Task, n_outputs: int, expected: str) -> None:
    expected_loss = LOSSES[f"{expected}_crossentropy"]
    assert make_loss(Training(), task, n_outputs) is expected_loss
    named = Training(loss=f"{expected}_crossentropy")
    assert make_loss(named, task, n_outputs) is expected_loss


@pytest.mark.parametrize(
    ("loss", "task", "n_outputs", "message"),
    [
        ("categorical_crossentropy", Task.BINARY, 1, "two classes need `binary_crossentropy`"),
        ("sparse_categorical_crossentropy", Task.BINARY, 1, "two classes need `binary_crossentropy`"),
        ("categorical_crossentropy", Task.MULTILABEL, 4, "several labels per text need `binary_crossentropy`"),
        ("binary_crossentropy", Task.MULTICLASS, 4, "4 classes need `categorical_crossentropy`"),
        ("python:mine.loss", Task.BINARY, 1, "pass it again"),
        (losses.categorical_crossentropy, Task.BINARY, 1, "two classes need `binary_crossentropy`"),
        (losses.binary_crossentropy, Task.MULTICLASS, 4, "4 classes need `categorical_crossentropy`"),
        (
            torch.nn.CrossEntropyLoss(),
            Task.BINARY,
            1,
            "is `CrossEntropyLoss`, but two classes need `binary_cross",
        ),
        (torch.nn.CrossEntropyLoss(), Task.MULTILABEL, 4, "but several labels per text need `binary_crossentropy`"),
        (
            torch.nn.BCEWithLogitsLoss(),
            Task.MULTICLASS,
            4,
            "`BCEWithLogitsLoss`, but 4 classes need `categorical_cross",
        ),
        (torch.nn.MSELoss(), Task.BINARY, 1, '`MSELoss`, which does not take logits: use `"mean_squared_error"`'),
        (torch.nn.L1Loss(), Task.MULTILABEL, 4, '`L1Loss`, which does not take logits: use `"mean_absolute_error"`'),
        (torch.nn.BCELoss(), Task.MULTILABEL, 1, '`BCELoss`, which does not take logits: use `"binary_crossentropy"`'),
        (
            torch.nn.NLLLoss(),
            Task.MULTICLASS,
            4,
            '`NLLLoss`, which does not take logits: use `"categorical_cross',
        ),
        (
            torch.nn.HuberLoss(),
            Task.BINARY,
            1,
            "`HuberLoss`, which does not take logits: use a function of logits",
        ),
    ],
)
def test_a_loss_that_does_not_fit_the_labels(loss: object, task: Task, n_outputs: int, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make_loss(Training(loss=loss), task, n_outputs)


@pytest.mark.parametrize(
    ("loss", "task", "logits", "y"),
    [
        (torch.nn.BCEWithLogitsLoss(), Task.BINARY, ONE, BIT),
        (torch.nn.BCEWithLogitsLoss(), Task.MULTILABEL, LOGITS, MANY),
        (torch.nn.CrossEntropyLoss(), Task.MULTICLASS, LOGITS, HOT),
    ],
)
def test_losses_of_pytorch_that_take_logits(loss: torch.nn.Module, task: Task, logits, y) -> None:
    ours = make_loss(Training(), task, logits.shape[1])
    theirs = make_loss(Training(loss=loss), task, logits.shape[1])
    assert losses.per_row(theirs, logits, y).mean().item() == pytest.approx(ours(logits, y).mean().item(), abs=1e-6)


@pytest.mark.parametrize("name", ["mean_squared_error", "mean_absolute_error"])
def test_errors_of_multilabel_targets_are_means_over_labels(name: str) -> None:
    expected = getattr(keras.losses, name)(MANY, LOGITS.sigmoid())
    for given in (name, getattr(training_package, name)):
        same(make_loss(Training(loss=given), Task.MULTILABEL, 4)(LOGITS, MANY), expected)


@pytest.mark.parametrize(
    ("figure", "message"),
    [
        (lambda logits: 0.5, "`mine` returned float for 9 texts"),
        (lambda logits: logits, r"`mine` returned a tensor of shape \(9, 4\) for 9 texts"),
        (lambda logits: logits[:, :1], r"`mine` returned a tensor of shape \(9, 1\)"),
        (lambda logits: logits[:1, 0], r"`mine` returned a tensor of shape \(1,\)"),
    ],
)
def test_losses_that_return_no_value_for_each_row(figure, message: str) -> None:
    def mine(logits: torch.Tensor, targets: torch.Tensor) -> object:
        return figure(logits)

    with pytest.raises(RecipeError, match=message):
        losses.per_row(mine, LOGITS, HOT)


def test_metrics_by_name() -> None:
    def mine(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return logits.mean()

    training = Training(metrics=("mean_absolute_error", mine))
    metrics = make_metrics(training, Task.BINARY, 1)
    assert list(metrics) == ["accuracy", "mean_absolute_error", "mine"]
    assert metrics["accuracy"] is losses.accuracy
    assert metrics["mine"] is mine
    for none in ((), ("accuracy",), (losses.accuracy,)):
        assert list(make_metrics(Training(metrics=none), Task.BINARY, 1)) == ["accuracy"]


@pytest.mark.parametrize("name", ["loss", "epoch", "seconds", "accuracy", "val_loss", "mean_squared_error"])
def test_a_metric_with_the_name_of_another_column(name: str) -> None:
    def mine(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return logits.mean()

    mine.__name__ = name
    with pytest.raises(RecipeError, match=f"has a metric `{name}`, but the history has a column of this name"):
        make_metrics(Training(metrics=("mse", mine)), Task.BINARY, 1)


def test_a_metric_that_does_not_fit_the_labels() -> None:
    with pytest.raises(RecipeError, match=r"`training.metrics` is `categorical_crossentropy`, but two classes"):
        make_metrics(Training(metrics=("categorical_crossentropy",)), Task.BINARY, 1)


def test_metrics_of_multilabel_targets_are_means_over_labels() -> None:
    metrics = make_metrics(Training(metrics=("mean_absolute_error",)), Task.MULTILABEL, 4)
    assert metrics["accuracy"] is losses.label_accuracy
    same(metrics["mean_absolute_error"](LOGITS, MANY), keras.losses.mean_absolute_error(MANY, LOGITS.sigmoid()))


def test_callables_without_a_name_have_that_of_their_type() -> None:
    metric = functools.partial(torch.nn.functional.l1_loss, reduction="none")
    training = Training(optimizer=functools.partial(torch.optim.AdamW, lr=0.1), metrics=(metric,))
    assert list(make_metrics(training, Task.BINARY, 1)) == ["accuracy", "partial"]
    dumped = training.model_dump(mode="json")
    assert dumped["optimizer"] == "python:functools.partial"
    assert dumped["metrics"] == ["python:functools.partial"]
    assert Training.model_validate(dumped).optimizer == "python:functools.partial"
