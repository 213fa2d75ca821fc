"""The usual levels: those of the functions for one level, without the ones that the held-out rows cannot support."""

import numpy as np
import pytest

from tagline.decisions.abstention import abstention_threshold
from tagline.decisions.held_out import HeldOutScores
from tagline.decisions.levels import ACCURACIES, COVERAGES, abstention_levels, levels_to_json, set_levels
from tagline.decisions.sets import set_threshold
from tagline.errors import InputError


def scores_of(n, *, seed=0):
    """Return calibrated scores of two classes."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.6, 1, n).astype(np.float32)
    right = rng.random(n) < confidence
    predicted = np.zeros(n, np.int32)
    return HeldOutScores(
        predicted, np.where(right, 0, 1).astype(np.int32), confidence, np.where(right, confidence, 1 - confidence)
    )


def test_a_level_has_the_threshold_of_its_accuracy_and_the_share_at_or_above_it():
    scores = scores_of(3000)
    levels = abstention_levels(scores)
    assert [level.accuracy for level in levels] == [0.9, 0.95]
    for level in levels:
        assert level.threshold == abstention_threshold(scores, level.accuracy)
        assert level.answered == np.mean(scores.confidence >= np.float32(level.threshold))
    assert levels[0].answered > levels[1].answered > 0.1
    for accuracy in ACCURACIES[2:]:
        with pytest.raises(InputError):
            abstention_threshold(scores, accuracy)


def test_sets_have_the_threshold_of_their_coverage():
    scores = scores_of(100)
    assert [(each.coverage, each.threshold) for each in set_levels(scores)] == [
        (coverage, set_threshold(scores, coverage)) for coverage in COVERAGES
    ]


def test_few_rows_support_few_levels_and_no_rows_none():
    assert abstention_levels(scores_of(20)) == []
    assert [each.coverage for each in set_levels(scores_of(12))] == [0.9]
    assert abstention_levels(None) == set_levels(None) == []


def test_cards_and_pages_get_the_same_numbers():
    scores = scores_of(300)
    levels, sets = abstention_levels(scores), set_levels(scores)
    assert levels_to_json(scores) == {
        "held_out_rows": 300,
        "abstention": [
            {"accuracy": each.accuracy, "threshold": each.threshold, "answered": each.answered} for each in levels
        ],
        "sets": [{"coverage": each.coverage, "threshold": each.threshold} for each in sets],
    }
    assert levels_to_json(None) is None
