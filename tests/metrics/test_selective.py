"""The coverage-accuracy curve: values counted by hand, and a band that contains the accuracy of a pool."""

import numpy as np
import pytest

from tagline.metrics.intervals.shares import share_interval
from tagline.metrics.selective import AnsweredLevel, answered_figures, answered_levels, selective_curve, set_figures


def calibrated(n, seed=0):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, n)
    return confidence, rng.random(n) < confidence


def test_a_point_is_the_accuracy_of_the_most_confident_rows():
    confidence, right = calibrated(300)
    curve = selective_curve(confidence, right, n_points=50)
    assert len(curve.answered) == 50
    assert (curve.answered[0], curve.answered[-1]) == (20 / 300, 1)
    for share, accuracy, low, high in zip(curve.answered, curve.accuracy, curve.low, curve.high, strict=True):
        answered = right[np.argsort(-confidence)[: round(share * 300)]]
        assert accuracy == answered.mean()
        assert (low, high) == pytest.approx([float(end) for end in share_interval(answered.sum(), len(answered))])


def test_rows_of_the_same_confidence_are_answered_together():
    confidence = np.repeat([0.9, 0.8, 0.7], [30, 40, 50])
    right = np.arange(120) % 10 > 0
    assert selective_curve(confidence, right).answered.tolist() == [30 / 120, 70 / 120, 1]
    assert selective_curve(confidence[::-1], right[::-1]).accuracy.tolist() == [0.9, 0.9, 0.9]


def test_few_rows_have_no_curve_and_of_many_it_begins_where_the_accuracy_says_something():
    confidence, right = calibrated(19)
    assert selective_curve(confidence, right) is None
    assert selective_curve(*calibrated(10_000)).answered[0] == 0.01


def test_copies_make_no_band_narrower():
    confidence, right = calibrated(150)
    plain = selective_curve(confidence, right, n_points=200)
    again = np.repeat(np.arange(150), 4)
    copies = selective_curve(confidence[again], right[again], again, n_points=200)
    rows = selective_curve(confidence[again], right[again], n_points=200)
    shared = np.isin(plain.answered, copies.answered)
    places = np.searchsorted(copies.answered, plain.answered[shared])
    assert shared.sum() > 100
    assert copies.accuracy[places] == pytest.approx(plain.accuracy[shared])
    width, plain_width = (copies.high - copies.low)[places], (plain.high - plain.low)[shared]
    assert (width > plain_width - 1e-9).all()  # a little wider: few units have the quantile of t
    assert width == pytest.approx(plain_width, rel=0.1)
    assert (width > (rows.high - rows.low)[places] * 1.2).all()


def test_the_band_contains_the_accuracy_of_unseen_rows():
    pool_confidence, pool_right = calibrated(100_000, seed=1)
    pool = selective_curve(pool_confidence, pool_right, n_points=2000)
    inside = []
    for seed in range(400):
        curve = selective_curve(*calibrated(200, seed=2 + seed), n_points=10)
        truth = np.interp(curve.answered, pool.answered, pool.accuracy)
        inside.append((curve.low <= truth) & (truth <= curve.high))
    assert np.mean(inside, axis=0).min() >= 0.93


def test_figures_of_answers_and_of_sets():
    answered, right = np.arange(100) < 60, np.arange(100) % 20 > 0
    found = answered_figures(answered, right, None)
    assert (found["answered"], found["accuracy"]) == (0.6, 0.95)
    assert found["accuracy_ci95"] == pytest.approx([float(end) for end in share_interval(57, 60)])
    wide = answered_figures(np.repeat(answered, 3), np.repeat(right, 3), np.repeat(np.arange(100), 3))
    assert wide["accuracy_ci95"][0] <= found["accuracy_ci95"][0] + 1e-9
    none = answered_figures(np.zeros(100, bool), right, None)
    assert none == {"answered": 0.0, "accuracy": None, "accuracy_ci95": None}
    sets = set_figures(np.array([1, 1, 2, 4]), np.array([True, True, True, False]), None)
    assert (sets["mean_size"], sets["one_class"], sets["coverage"]) == (2, 0.5, 0.75)


def test_levels_of_metrics_are_those_at_which_texts_were_answered():
    levels = [
        {"level": 0.9, "threshold": 0.7, "answered": 0.8, "accuracy": 0.92, "accuracy_ci95": [0.9, 0.94]},
        {"level": 0.95, "threshold": 1.0, "answered": 0.0, "accuracy": None, "accuracy_ci95": None},
        {"level": 0.99, "threshold": None, "rows_needed": 299},
    ]
    assert answered_levels({"abstention": levels}) == [AnsweredLevel(0.9, 0.8, 0.92)]
    assert answered_levels(None) == []
