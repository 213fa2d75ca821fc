"""Temperature scaling against SciPy's optimisers, definitions and rows repeated."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from tagline.calibration import CALIBRATORS, TemperatureScaling, fit_temperature, restore_calibrator
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


def test_a_calibrator_survives_json():
    for kind, method in CALIBRATORS.items():
        fitted = method.fit(np.array([[1.0], [-2.0], [0.5]]), np.eye(2, dtype=bool)[[1, 0, 0]], Task.BINARY)
        table = json.loads(json.dumps(fitted.to_json()))
        assert table["kind"] == kind
        assert restore_calibrator(table) == fitted


@pytest.mark.parametrize("value", [None, "1", True, 0, -1.0, float("nan"), float("inf"), 10**400, [1.0]])
def test_a_damaged_temperature_is_an_error(value):
    with pytest.raises(ValueError, match="`temperature` must be a finite number above 0"):
        restore_calibrator({"kind": "temperature", "temperature": value})


def test_an_unknown_method_is_an_error():
    with pytest.raises(ValueError, match="`magic` is unknown"):
        restore_calibrator({"kind": "magic"})


def test_the_tangent_is_the_map_itself():
    logits = np.array([[1.0, -3.0], [0.5, 8.0]])
    scaling = TemperatureScaling(1.7)
    slope, shift = scaling.tangent(logits)
    np.testing.assert_allclose(slope * logits + shift, scaling.apply(logits))
    assert TemperatureScaling().apply(logits).tolist() == logits.tolist()


def test_rows_and_outputs_of_absent_classes_are_ignored():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(400, 4)) * 3
    y = np.array([rng.choice(4, p=softmax(row / 2)) for row in logits])
    absent = np.zeros((400, 4), dtype=bool)
    absent[::2, 3] = True
    wild = logits.copy()
    wild[::2, 3] = 1e3  # of a class that these rows' model has not seen
    kept = ~((np.arange(400) % 2 == 0) & (y == 3))
    expected = fit_temperature(np.where(absent, -np.inf, logits)[kept], y[kept], task="multiclass")
    assert fit_temperature(wild, y, task="multiclass", absent=absent) == pytest.approx(expected, rel=1e-6)
    # A row with a single class left says nothing.
    alone = absent.copy()
    alone[0] = [False, True, True, True]
    first = kept.copy()
    first[0] = False
    expected = fit_temperature(np.where(absent, -np.inf, logits)[first], y[first], task="multiclass")
    assert fit_temperature(wild, y, task="multiclass", absent=alone) == pytest.approx(expected, rel=1e-6)
    assert fit_temperature(wild[:1], y[:1], task="multiclass", absent=alone[:1]) == 1.0


def test_labels_that_a_model_has_not_seen_are_ignored():
    rng = np.random.default_rng(6)
    logits = rng.normal(size=(300, 3)) * 2
    y = rng.random((300, 3)) < 1 / (1 + np.exp(-logits))
    absent = np.zeros((300, 3), dtype=bool)
    absent[:100, 2] = True
    margins, truth = logits[~absent], y[~absent]
    expected = fit_temperature(np.column_stack([0 * margins, margins]), truth.astype(int), task="multiclass")
    wild = np.where(absent, -1e3, logits)
    assert fit_temperature(wild, y, task="multilabel", absent=absent) == pytest.approx(expected, rel=1e-6)


def test_targets_are_those_of_platt():
    """Of n rows, all right, the target is (n + 1)/(n + 2): the temperature is where the mean probability equals it."""
    logits, n = np.array([2.0, 2.0, -2.0]), 3
    target = (n + 1) / (n + 2)
    temperature = fit_temperature(logits, np.array([1, 1, 0]), task="binary")
    assert 1 / (1 + np.exp(-2 / temperature)) == pytest.approx(target, rel=1e-6)
