"""The threshold that is fitted on held-out rows."""

import numpy as np
import pytest

from tagline.learners.base import best_threshold


@pytest.mark.parametrize("threshold", np.round(np.arange(0.05, 0.951, 0.05), 2))
def test_every_multiple_of_0_05_from_0_05_to_0_95_can_be_the_best(threshold):
    # Labels above the threshold are true, those at most as large are not: any other of the grid gives a lower F1.
    proba = np.round(np.arange(0.025, 1, 0.05), 3)[:, None]  # one between each two thresholds
    assert best_threshold(proba > threshold, proba, np.ones(len(proba))) == threshold


def test_of_equal_thresholds_the_lowest_is_taken_and_a_probability_at_it_is_not_a_label():
    Y, proba = np.array([[True], [False]]), np.array([[0.9], [0.3]])
    assert best_threshold(Y, proba, np.ones(2)) == 0.3
