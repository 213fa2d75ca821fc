"""Optimizers and learning rates take the steps that Keras's take."""

import math

import numpy as np
import pytest
import torch

from tagline.errors import RecipeError
from tagline.models.network.layers import Dense
from tagline.recipes import Training
from tagline.recipes.training import OPTIMIZERS
from tagline.training import SGD, Adam, RMSprop
from tagline.training.optimizers import make_optimizer, make_schedule
from tests.lazy_keras import keras
from tests.training.keras_twins import compare, multi_hot_rows, targets

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own

PAIRS = {
    "rmsprop": ({"optimizer": "rmsprop"}, lambda rate: keras.optimizers.RMSprop(rate)),
    "rmsprop-momentum": (
        {"optimizer": "rmsprop", "momentum": 0.8, "rho": 0.7},
        lambda rate: keras.optimizers.RMSprop(rate, rho=0.7, momentum=0.8),
    ),
    "rmsprop-epsilon": (
        {"optimizer": "rmsprop", "epsilon": 0.1},
        lambda rate: keras.optimizers.RMSprop(rate, epsilon=0.1),
    ),
    "adam": ({}, lambda rate: keras.optimizers.Adam(rate)),
    "adam-betas": (
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.01},
        lambda rate: keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.9, epsilon=0.01),
    ),
    "adam-amsgrad": (
        {"amsgrad": True, "beta_2": 0.5},
        lambda rate: keras.optimizers.Adam(rate, amsgrad=True, beta_2=0.5),
    ),
    "sgd": ({"optimizer": "sgd"}, lambda rate: keras.optimizers.SGD(rate)),
    "sgd-momentum": ({"optimizer": "sgd", "momentum": 0.9}, lambda rate: keras.optimizers.SGD(rate, momentum=0.9)),
}
OURS = {"rmsprop": RMSprop, "adam": Adam, "sgd": SGD}


def decayed(rate: float) -> "keras.optimizers.schedules.LearningRateSchedule":
    return keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=0.1)


@pytest.mark.parametrize("decay", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_the_same_steps_as_keras(name: str, decay: bool) -> None:
    """50 steps on gradients of widely differing sizes, some of them 0."""
    settings, keras_of = PAIRS[name]
    training = Training(learning_rate=0.02, decay=0.1 if decay else 0.0, **settings)
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 6)).astype(np.float32)
    w = torch.nn.Parameter(torch.from_numpy(start.copy()))
    optimizer, schedule = make_optimizer(training, [w]), make_schedule(training, 50)
    theirs = keras.Variable(start.copy())
    other = keras_of(decayed(0.02) if decay else 0.02)
    other.build([theirs])
    scales = 10.0 ** np.arange(-5, 1)
    assert type(optimizer) is OURS[name.split("-")[0]]
    for step in range(50):
        gradient = (rng.normal(size=(4, 6)) * scales * (rng.random((4, 6)) < 0.7)).astype(np.float32)
        w.grad = torch.from_numpy(gradient.copy())
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * schedule(step)
        optimizer.step()
        other.apply([torch.from_numpy(gradient.copy())], [theirs])
        np.testing.assert_allclose(w.detach(), theirs.value.detach(), rtol=1e-4, atol=2e-5, err_msg=f"step {step}")
    assert np.abs(w.detach().numpy() - start).max() > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rmsprop", "rmsprop-momentum", "adam-amsgrad", "sgd-momentum"])
def test_a_whole_training_with_a_decaying_learning_rate(name: str) -> None:
    settings, keras_of = PAIRS[name]
    training = Training(learning_rate=0.01, decay=0.05, **settings)
    rate = keras.optimizers.schedules.InverseTimeDecay(0.01, decay_steps=1, decay_rate=0.05)
    compare([Dense(30, 8, "relu"), Dense(8, 1)], multi_hot_rows(30), targets(1), keras_of(rate), training)


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        ("constant", lambda steps: lambda step: 0.1),
        ("linear", lambda steps: keras.optimizers.schedules.PolynomialDecay(0.1, steps, end_learning_rate=0.0)),
        ("cosine", lambda steps: keras.optimizers.schedules.CosineDecay(0.1, steps)),
    ],
)
def test_schedules(schedule: str, theirs) -> None:
    ours = make_schedule(Training(schedule=schedule), 40)
    expected = [float(theirs(40)(step)) for step in range(40)]
    np.testing.assert_allclose([0.1 * ours(step) for step in range(40)], expected, atol=1e-6)


def test_decay_and_schedule_multiply() -> None:
    ours = make_schedule(Training(schedule="cosine", decay=0.5), 10)
    assert ours(4) == pytest.approx((1 + math.cos(0.4 * math.pi)) / 2 / (1 + 0.5 * 4))


@pytest.mark.parametrize("name", PAIRS)
def test_a_restored_optimizer_continues_identically(name: str) -> None:
    training = Training(learning_rate=0.02, **PAIRS[name][0])
    rng = np.random.default_rng(0)
    gradients = torch.from_numpy(rng.normal(size=(20, 3, 2)).astype(np.float32))

    def run(w: torch.nn.Parameter, optimizer: torch.optim.Optimizer, steps: range) -> None:
        for step in steps:
            w.grad = gradients[step].clone()
            optimizer.step()

    whole = torch.nn.Parameter(torch.ones(3, 2))
    run(whole, make_optimizer(training, [whole]), range(20))
    first = torch.nn.Parameter(torch.ones(3, 2))
    stopped = make_optimizer(training, [first])
    run(first, stopped, range(7))
    second = torch.nn.Parameter(first.detach().clone())
    again = make_optimizer(training, [second])
    again.load_state_dict(stopped.state_dict())
    run(second, again, range(7, 20))
    assert torch.equal(second, whole)


def test_a_function_may_return_the_optimizer() -> None:
    w = [torch.nn.Parameter(torch.zeros(3))]
    made = make_optimizer(Training(optimizer=lambda w: torch.optim.AdamW(w, lr=0.5)), w)
    assert isinstance(made, torch.optim.AdamW)
    assert made.param_groups[0]["lr"] == 0.5
    assert isinstance(make_optimizer(Training(optimizer=torch.optim.Adagrad), w), torch.optim.Adagrad)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [(lambda w: None, r"returned NoneType.*torch\.optim\.AdamW"), ("python:__main__.mine", "pass it again")],
)
def test_a_function_that_returns_no_optimizer(optimizer, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make_optimizer(Training(optimizer=optimizer), [torch.nn.Parameter(torch.zeros(3))])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_of_a_recipe_takes_its_settings(name: str) -> None:
    made = make_optimizer(Training(optimizer=name, rho=0.7, beta_1=0.6), [torch.nn.Parameter(torch.zeros(3))])
    assert type(made).__name__ == OPTIMIZERS[name]
    assert set(made.settings) <= Training.model_fields.keys()
    assert {"rho": 0.7, "beta_1": 0.6}.items() >= {
        k: v for k, v in vars(made).items() if k in ("rho", "beta_1")
    }.items()
