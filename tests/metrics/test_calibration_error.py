"""Calibration against definitions and SciPy's optimisers."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve

from tagline.metrics import expected_calibration_error, fit_temperature, reliability_curve


def test_calibration_error_by_hand():
    # Bin of 0.8: 2 of 4 right, gap 0.3; bin of 0.6: 1 of 1 right, gap 0.4.
    truth = [1, 1, 0, 0, 0]
    proba = [[0.2, 0.8]] * 4 + [[0.6, 0.4]]
    assert expected_calibration_error(truth, proba) == pytest.approx((4 * 0.3 + 1 * 0.4) / 5)


def test_calibration_error_takes_the_top_label_of_many():
    truth, proba = [2, 2], [[0.1, 0.2, 0.7], [0.7, 0.2, 0.1]]
    assert expected_calibration_error(truth, proba, n_bins=10) == pytest.approx(abs(0.5 - 0.7))


def test_multilabel_calibration_error_is_the_mean_over_labels():
    truth = np.array([[True, False], [True, False]])
    proba = np.array([[0.9, 0.4], [0.9, 0.4]])
    assert expected_calibration_error(truth, proba) == pytest.approx((0.1 + 0.4) / 2)


def test_reliability_curve_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    p = rng.random(2000)
    outcome = rng.random(2000) < p**2
    curve = reliability_curve(p, outcome, n_bins=10)
    accuracy, confidence = calibration_curve(outcome, p, n_bins=10)
    np.testing.assert_allclose(curve.accuracy, accuracy)
    np.testing.assert_allclose(curve.confidence, confidence)
    assert curve.count.sum() == 2000


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
