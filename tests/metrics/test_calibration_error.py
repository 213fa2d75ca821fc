"""Calibration error against definitions."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from tagline.metrics import expected_calibration_error, reliability_curve


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
    np.testing.assert_allclose(curve.edges, np.linspace(0, 1, 11))
