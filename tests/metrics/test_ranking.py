"""Curves against scikit-learn."""

import numpy as np
from sklearn import metrics as authority

from tagline.metrics.ranking import precision_recall_curve, rank, roc_curve


def test_curves_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    score = np.round(rng.normal(size=300) + truth, 1)  # with ties
    ranking = rank(truth, score)
    expected = authority.roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(np.stack(roc_curve(ranking)), np.stack(expected[:2]))
    precision, recall, _ = authority.precision_recall_curve(truth, score)
    found_recall, found_precision = precision_recall_curve(ranking)
    np.testing.assert_allclose(found_recall, recall[-2::-1])
    np.testing.assert_allclose(found_precision, precision[-2::-1])
