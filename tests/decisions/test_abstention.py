"""Abstention: thresholds computed by hand, and a guarantee that holds on unseen rows."""

import numpy as np
import pytest
from scipy.stats import binom

from tagline.decisions.abstention import (
    DELTA,
    Answered,
    abstention_threshold,
    answered,
    class_abstention_thresholds,
    lowest_threshold,
    rows_needed,
)
from tagline.decisions.held_out import HeldOutScores
from tagline.errors import InputError


def scores_of(confidence, right, predicted=None):
    n = len(confidence)
    predicted = np.zeros(n, np.int32) if predicted is None else np.asarray(predicted, np.int32)
    truth = np.where(right, predicted, 1 - predicted).astype(np.int32)
    confidence = np.asarray(confidence, np.float32)
    return HeldOutScores(predicted, truth, confidence, np.where(right, confidence, 1 - confidence).astype(np.float32))


def test_rows_needed_are_the_fewest_that_a_binomial_test_accepts_without_an_error():
    for accuracy in (0.8, 0.9, 0.95, 0.99):
        n = rows_needed(accuracy)
        assert binom.cdf(0, n, 1 - accuracy) <= DELTA < binom.cdf(0, n - 1, 1 - accuracy)


def test_all_rows_are_answered_where_all_of_them_are_right_often_enough():
    confidence = np.linspace(0.6, 0.999, 59)
    assert abstention_threshold(scores_of(confidence, np.ones(59, bool)), 0.95) == 0.0


def test_what_thresholds_answer_on_the_held_out_rows():
    scores = scores_of([0.875, 0.75, 0.625, 0.5], [True, False, True, True], [0, 0, 1, 1])
    assert answered(scores, 0.625) == Answered(0.75, 2 / 3)
    assert answered(scores, np.array([0.875, 0.5])) == Answered(0.75, 1.0)
    assert answered(scores, np.array([np.inf, 0.625])) == Answered(0.25, 1.0)
    assert answered(scores, 0.95) == Answered(0.0, None)


def test_one_row_too_few_is_an_error_that_names_the_number_needed():
    with pytest.raises(InputError, match=r"needs at least 59 held-out rows; this model has 58, enough for 0\.94"):
        abstention_threshold(scores_of(np.full(58, 0.9), np.ones(58, bool)), 0.95)


def test_a_model_that_is_right_too_rarely_says_what_it_can_reach():
    right = np.arange(1000) % 10 > 0  # 90 % at every confidence
    scores = scores_of(np.random.default_rng(0).uniform(0.5, 1, 1000), right)
    with pytest.raises(
        InputError, match=r"1,000 held-out rows guarantee .* 95 % with no threshold\. Ask for 0\.8\d or less"
    ):
        abstention_threshold(scores, 0.95)


def test_the_threshold_lies_where_the_errors_begin():
    confidence = np.linspace(1, 0.5, 1000)
    right = (np.arange(1000) < 600) | (np.arange(1000) % 2 == 0)  # the 600 most confident ones, and half of the others
    found = lowest_threshold(confidence.astype(np.float32), right, 0.95)
    assert confidence[667] < found < confidence[600]


def test_a_wrong_label_among_the_most_confident_rows_costs_little():
    confidence = np.append(np.linspace(1, 0.9, 600), np.linspace(0.6, 0.5, 400)).astype(np.float32)
    right = np.arange(1000) < 600
    right[0] = False
    found = lowest_threshold(confidence, right, 0.95)
    assert found is not None
    assert found < confidence[550]


def test_rows_of_one_confidence_are_answered_together():
    confidence = np.repeat([0.9, 0.6], 200).astype(np.float32)
    right = np.arange(400) < 220
    assert lowest_threshold(confidence, right, 0.95) == confidence[0]


def test_by_class_a_class_without_evidence_is_never_answered():
    predicted = np.repeat([0, 1], [200, 20])
    thresholds = class_abstention_thresholds(scores_of(np.full(220, 0.9), np.ones(220, bool), predicted), 0.95, 3)
    assert thresholds.tolist() == [0.0, np.inf, np.inf]
    with pytest.raises(
        InputError, match=r"for no class: a class needs at least 59 predictions, .* leave out `by_class`"
    ):
        class_abstention_thresholds(scores_of(np.full(40, 0.9), np.ones(40, bool)), 0.95, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("mean", "noise"), [(1.5, 0.0), (3.0, 0.0), (3.0, 0.02), (5.0, 0.0)])
@pytest.mark.parametrize("n", [100, 400, 1_600])
def test_the_guarantee_holds_on_unseen_rows(mean, noise, n):
    """Probabilities are calibrated, or right less often than they say by a constant noise."""
    rng = np.random.default_rng(n)
    z = np.abs(2 * rng.normal(size=200_000) + mean)
    p = (1 / (1 + np.exp(-z))).astype(np.float32)
    right = rng.random(len(p)) < (1 - noise) * p + noise / 2
    missed, samples = 0, 300
    for _ in range(samples):
        rows = rng.integers(0, len(p), n)
        threshold = lowest_threshold(p[rows], right[rows], 0.95)
        missed += threshold is not None and right[p >= threshold].mean() < 0.95
    assert missed <= binom.ppf(0.999, samples, DELTA)
