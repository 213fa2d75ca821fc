"""Prediction sets: thresholds computed by hand, and their coverage."""

import numpy as np
import pytest

from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.sets import class_set_thresholds, prediction_sets, rows_for_sets, set_threshold
from tagline.errors import InputError


def scores_of(true_probability, truth=None):
    n = len(true_probability)
    truth = np.zeros(n, np.int32) if truth is None else np.asarray(truth, np.int32)
    p = np.asarray(true_probability, np.float32)
    return HeldOutScores(truth, truth, p, p)


def test_the_threshold_is_an_order_statistic_of_the_true_probabilities():
    scores = scores_of(np.arange(1, 20) / 20)  # 19 rows: of 20, 18 must be covered
    assert set_threshold(scores, 0.9) == np.float32(2 / 20)
    assert rows_for_sets(0.9) == 9
    assert set_threshold(scores_of(np.arange(1, 10) / 10), 0.9) == np.float32(0.1)
    assert set_threshold(scores, 1e-300) == np.float32(19 / 20)  # no fewer than one row is covered
    with pytest.raises(InputError, match=r"coverage 0\.9 need at least 9 held-out rows; this model has 8"):
        set_threshold(scores_of(np.full(8, 0.5)), 0.9)
    with pytest.raises(InputError, match=r"coverage 0\.9999999 need"):  # not 1
        set_threshold(scores, 0.9999999)


def test_rare_classes_share_a_threshold():
    truth = np.repeat([0, 1, 2], [30, 5, 6])
    p = np.concatenate([np.full(30, 0.9), np.full(5, 0.3), np.full(6, 0.2)])
    thresholds = class_set_thresholds(scores_of(p, truth), 0.9, 4)
    assert thresholds.tolist() == pytest.approx([0.9, 0.2, 0.2, 0.2])


def test_the_class_predicted_is_always_in_the_set():
    proba = np.array([[0.4, 0.35, 0.25], [0.1, 0.8, 0.1]])
    predicted = np.array([[True, False, False], [False, True, False]])
    assert prediction_sets(proba, predicted, 0.9).tolist() == predicted.tolist()
    assert prediction_sets(proba, predicted, np.array([0.9, 0.35, 0.9])).tolist() == [
        [True, True, False],
        [False, True, False],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 200, 1_000])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_cover_unseen_rows(n, by_class):
    rng = np.random.default_rng(n)
    shares = np.array([0.6, 0.3, 0.1])
    truth = rng.choice(3, 60_000, p=shares)
    logits = rng.normal(size=(len(truth), 3)) * 1.5
    logits[np.arange(len(truth)), truth] += [1.5, 1.0, 0.2] @ np.eye(3)[truth].T
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    of_truth = proba[np.arange(len(truth)), truth].astype(np.float32)
    covered = []
    for _ in range(200):
        rows = rng.integers(0, len(truth), n)
        scores = scores_of(of_truth[rows], truth[rows])
        threshold = class_set_thresholds(scores, 0.9, 3) if by_class else np.full(3, set_threshold(scores, 0.9))
        hit = of_truth >= threshold[truth]
        covered.append([hit.mean(), *(hit[truth == k].mean() for k in range(3))])
    mean, *of_classes = np.mean(covered, axis=0)
    assert mean >= 0.895
    if by_class and n > 60:  # of 60 rows a tenth are too few for a threshold of their own
        assert min(of_classes) >= 0.89
    elif by_class:
        assert min(of_classes[:2]) >= 0.89
    else:
        assert mean <= 0.93
        assert min(of_classes) < 0.88  # which is why there is `by_class`
