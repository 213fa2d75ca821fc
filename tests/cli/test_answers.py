"""Which texts a model answers that abstains, in words."""

import numpy as np

from tagline.cli.answers import answers_in_words
from tagline.decisions.held_out import HeldOutScores

CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
SCORES = HeldOutScores(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0]), CONFIDENCE, CONFIDENCE)


def said(*least):
    return answers_in_words(SCORES, np.array(least), [f"class {k}" for k in range(len(least))])


def test_one_threshold_for_all_classes():
    assert said(0.0, 0.0) == "answers all texts (75.0 % of 4 held-out rows are right)"
    share = "75.0 % of 4 held-out rows; 100.0 % of these are right"
    assert said(0.65, 0.65) == f"answers texts with a probability of at least 0.650 ({share})"
    nothing = "0.0 % of 4 held-out rows"
    assert said(0.9999, 0.9999) == f"answers texts with a probability of at least 0.9999 ({nothing})"


def test_classes_that_are_never_answered_are_named():
    share = "50.0 % of 4 held-out rows; 100.0 % of these are right"
    assert said(0.7, 0.9) == f"uses a threshold for each class (answers {share})"
    never = "`class 1`, `class 2`, `class 3`"
    assert said(0.7, *[np.inf] * 3) == f"uses a threshold for each class (answers {share}); never answers {never}"
    assert said(0.7, *[np.inf] * 7).endswith(f"; never answers {never} and 4 more")
