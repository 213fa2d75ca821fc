"""Temperature scaling against SciPy's optimisers, definitions and rows repeated."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from tagline.calibration import TemperatureScaling, fit_temperature, restore_calibrator
from tagline.task import Task


@pytest.mark.parametrize("scale", [0.2, 1.0, 6.0])
def test_temperature_minimises_the_log_loss(scale):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(600, 5))
    truth = (logits + rng.gumbel(size=logits.shape)).argmax(1)  # drawn from softmax(logits)

    def loss(log_t):
        logp = log_softmax(scale * logits / np.exp(log_t), axis=1)
        right = logp[np.arange(600), truth]
        others = (logp.sum(1) - right) / 4
        return -(right * 601 / 602 + others / 602).mean()  # Platt's targets

    found = fit_temperature(scale * logits, truth, "multiclass")
    assert found == pytest.approx(np.exp(minimize_scalar(loss, bracket=(-2, 2), tol=1e-10).x), rel=1e-4)
    assert found == pytest.approx(scale, rel=0.2)


def test_temperature_of_margins_is_that_of_two_columns():
    rng = np.random.default_rng(2)
    margins = 3 * rng.normal(size=500)
    truth = (rng.random(500) < 1 / (1 + np.exp(-margins / 2))).astype(int)
    columns = np.stack([-margins / 2, margins / 2], 1)
    found = fit_temperature(margins, truth, "binary")
    assert found == pytest.approx(fit_temperature(columns, truth, "binary"), rel=1e-6)
    assert found == pytest.approx(2.0, rel=0.25)
    assert fit_temperature(margins[:, None], truth[:, None] == 1, "multilabel") == pytest.approx(found)


def test_temperature_stays_within_its_bounds():
    margins = np.array([-1.0, 1.0, 2.0])
    assert 0.01 <= fit_temperature(1e-3 * margins, [0, 1, 1], "binary") < 0.02  # separable: sharp, not certain
    assert 0.5 < fit_temperature(margins, [0, 1, 1], "binary") < 2
    assert fit_temperature(margins, [1, 0, 0], "binary") == pytest.approx(100.0, rel=1e-3)  # all wrong
    assert fit_temperature(np.zeros((0, 3)), [], "multiclass") == 1.0


@pytest.mark.parametrize("task", Task)
def test_a_weight_counts_a_row_so_many_times(task):
    rng = np.random.default_rng(3)
    n_classes = 2 if task is Task.BINARY else 4
    logits = 2 * rng.normal(size=(300, task.n_outputs(n_classes)))
    noisy = logits + 3 * rng.normal(size=logits.shape)
    best = (noisy[:, 0] > 0).astype(int) if task is Task.BINARY else noisy.argmax(axis=1)
    Y = np.eye(n_classes, dtype=bool)[best]
    weights = rng.integers(0, 4, 300)
    repeated = np.repeat(np.arange(300), weights)
    weighted = TemperatureScaling.fit(logits, Y, task, weights.astype(float)).temperature
    assert weighted == pytest.approx(TemperatureScaling.fit(logits[repeated], Y[repeated], task).temperature, rel=1e-6)
    assert weighted != pytest.approx(TemperatureScaling.fit(logits, Y, task).temperature, rel=1e-3)
    assert TemperatureScaling.fit(logits, Y, task, np.ones(300)) == TemperatureScaling.fit(logits, Y, task)
    assert TemperatureScaling.fit(logits, Y, task, np.zeros(300)).temperature == 1.0


@pytest.mark.parametrize("value", [None, "1", True, 0, -1.0, float("nan"), float("inf"), 10**400, [1.0]])
def test_a_damaged_temperature_is_an_error(value):
    with pytest.raises(ValueError, match="`temperature` must be a finite number above 0"):
        restore_calibrator({"kind": "temperature", "temperature": value})


def test_an_unknown_method_is_an_error():
    with pytest.raises(ValueError, match="`magic` is unknown"):
        restore_calibrator({"kind": "magic"})


def test_the_scores_that_are_explained_are_the_calibrated_logits():
    logits = np.array([[1.0, -3.0], [0.5, 8.0]])
    slope, intercept = TemperatureScaling(1.7).line(2)
    assert slope * logits + intercept == pytest.approx(TemperatureScaling(1.7).apply(logits))
