"""Curves against scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics as authority

from tagline.metrics.ranking import precision_recall_curve, rank, rank_classes, roc_curve


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


def test_each_class_is_ranked_against_the_others():
    rng = np.random.default_rng(1)
    proba, classes = rng.random((60, 3)), ["a", "b", "c"]
    y = rng.integers(0, 2, 60)  # no row of c
    matrix = np.column_stack([y == 0, y == 1, np.zeros(60, bool)])
    for truth in (y, matrix):
        ranked = rank_classes(truth, proba, classes)
        assert list(ranked) == ["a", "b"]
        for name, ranking in ranked.items():
            column = classes.index(name)
            fpr, tpr = roc_curve(ranking)
            assert np.trapezoid(tpr, fpr) == pytest.approx(authority.roc_auc_score(y == column, proba[:, column]))
    assert list(rank_classes(y, proba, classes, positive="b")) == ["b"]
