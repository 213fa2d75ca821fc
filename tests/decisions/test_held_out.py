"""Held-out scores: one row of each unit, and arrays that are checked."""

import numpy as np
import pytest

from tagline.decisions.held_out import HeldOutScores

Y = np.eye(3, dtype=bool)[[0, 1, 2, 1]]
PROBA = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.2, 0.6, 0.2]])


def test_one_row_of_each_unit_counts():
    scores = HeldOutScores.of(PROBA.argmax(axis=1), Y, PROBA, np.array([7, 3, 7, 5]))
    assert scores.truth.tolist() == [0, 1, 1]
    assert scores.right.tolist() == [True, False, True]
    assert scores.confidence.tolist() == pytest.approx([0.7, 0.5, 0.6])
    assert scores.true_probability.tolist() == pytest.approx([0.7, 0.4, 0.6])


def test_arrays_restore_the_scores_and_are_checked():
    scores = HeldOutScores.of(PROBA.argmax(axis=1), Y, PROBA, None)
    arrays = scores.arrays()
    restored = HeldOutScores.restore(arrays, 3)
    assert all((getattr(restored, name) == getattr(scores, name)).all() for name in ("predicted", "truth"))
    assert HeldOutScores.restore({}, 3) is None
    for changed in (
        {"held_out.truth": np.array([0, 1, 2, 3], np.int32)},
        {"held_out.truth": np.array([0, 1, 2, -1], np.int32)},
        {"held_out.truth": np.array([0, 1, 2], np.int32)},
        {"held_out.confidence": np.full(4, 1.5, np.float32)},
        {"held_out.confidence": np.full(4, 0.5)},
        {"held_out.confidence": np.full((4, 1), 0.5, np.float32)},
    ):
        with pytest.raises(ValueError, match="held"):
            HeldOutScores.restore(arrays | changed, 3)
    arrays.pop("held_out.truth")
    with pytest.raises(ValueError, match="not complete"):
        HeldOutScores.restore(arrays, 3)
