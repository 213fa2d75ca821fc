"""Weights of rows and of classes."""

import numpy as np
import pytest
from sklearn.base import clone

from tagline import InputError, TextClassifier, load_recipe
from tagline.learners.sample_weight import row_weights
from tagline.recipes import recipe_names
from tests.synthetic_texts import made_up

# Networks have tests of their own: they learn little from a handful of texts in a few epochs.
RECIPES = [name for name in recipe_names() if load_recipe(name).training is None]
TEXTS, LABELS = made_up(120)
TESTED = ["", "good film", "boring " * 50, "unseenword"]


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name not in ("decision-tree", "random-forest")])
def test_a_row_of_weight_zero_is_no_row_to_the_model(recipe: str) -> None:
    """Words of a row without weight are still counted; that it has another label must not show."""
    tuned = "alpha" if recipe in ("naive-bayes", "complement-nb") else "C"
    clf = TextClassifier(recipe, settings=["features.scale=idf", f"model.{tuned}=1", "protocol.calibration=none"])
    n = 60
    weights = np.r_[np.ones(n), np.zeros(n)]
    right, wrong = LABELS[n:], [{"c0": "c1", "c1": "c0"}[label] for label in LABELS[n:]]
    proba = [clone(clf).fit(TEXTS, LABELS[:n] + others, weights).predict_proba(TESTED) for others in (right, wrong)]
    counted = clone(clf).fit(TEXTS, LABELS[:n] + wrong).predict_proba(TESTED)
    assert np.array_equal(*proba)
    assert np.abs(proba[0] - counted).max() > 0.05


@pytest.mark.parametrize("recipe", ["naive-bayes", "logistic-regression"])
def test_weight_two_is_the_row_twice(recipe: str) -> None:
    clf = TextClassifier(recipe, settings=["features.scale=none", "features.min_df=1", "protocol.calibration=none"])
    weights = np.random.default_rng(0).integers(1, 3, len(TEXTS))
    rows = np.repeat(np.arange(len(TEXTS)), weights)
    weighted = clone(clf).fit(TEXTS, LABELS, weights * (weights.size / weights.sum())).predict_proba(TESTED)
    scaled = clone(clf).fit(TEXTS, LABELS, weights * 10).predict_proba(TESTED)
    repeated = clone(clf).fit([TEXTS[row] for row in rows], [LABELS[row] for row in rows]).predict_proba(TESTED)
    np.testing.assert_allclose(weighted, scaled, atol=1e-6)
    plain = clone(clf).fit(TEXTS, LABELS).predict_proba(TESTED)
    assert np.abs(weighted - repeated).max() < 0.08
    assert np.abs(weighted - plain).max() > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [name for name in RECIPES if not name.endswith("-nb")])
def test_class_weights_raise_the_recall_of_a_rare_class(recipe: str) -> None:
    texts, labels = made_up(400, noise=0.25)
    keep = [row for row in range(400) if labels[row] == "c0" or row % 10 == 1]
    texts, labels = [texts[row] for row in keep], np.array([labels[row] for row in keep])
    tested, truth = made_up(200, seed=9)
    rare = np.array(truth) == "c1"

    def recall(class_weight: object) -> float:
        settings = {"features.scale": "idf", "model.max_depth": 5}
        clf = TextClassifier(recipe, class_weight=class_weight, settings=settings)
        predicted = clf.fit(texts, labels).predict(tested)
        return float((predicted == "c1")[rare].mean())

    plain = recall(None)
    assert recall("balanced") > plain
    assert recall({"c1": 8}) > plain


def test_weights_that_count_have_mean_one() -> None:
    def weights(given: list[float], n: int) -> list[float]:
        Y = np.eye(2, dtype=bool)[np.arange(4) % 2]
        return row_weights(np.array(["a", "b"]), Y, None, given, n).tolist()

    assert weights([2, 6, 0, 0], 4) == [0.5, 1.5, 0, 0]
    assert weights([3, 0, 1], 3) == pytest.approx([9 / 5, 0, 3 / 5, 3 / 5])  # a validation row counts 1


def test_balanced_weights_are_scikit_learns() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    labels = np.array(["a"] * 6 + ["b"] * 3 + ["c"])
    Y = labels[:, np.newaxis] == np.array(["a", "b", "c"])
    for weight in ("balanced", {"a": 2.0, "c": 5.0}):
        expected = compute_sample_weight(weight, labels)
        ours = row_weights(np.array(["a", "b", "c"]), Y, weight, None, 10)
        np.testing.assert_allclose(ours, expected / expected.mean())


def test_classes_that_are_numbers_are_named_by_number_or_text() -> None:
    classes, Y = np.array([1, 2]), np.eye(2, dtype=bool)[[0, 1, 1]]
    for weight in ({1: 4.0}, {"1": 4.0}):
        assert row_weights(classes, Y, weight, None, 3).tolist() == [2.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("weights", "class_weight", "message"),
    [
        ([1.0], None, "120 numbers"),
        ([-1.0] + [1.0] * 119, None, "0 or more"),
        ([float("nan")] * 120, None, "120 numbers"),
        ([0.0] * 120, None, "not all 0"),
        (None, "even", "balanced"),
        (None, {"c7": 1}, r"unknown class `c7`\. Did you mean `c"),
        (None, {"c0": 0, "c1": 0}, "not all 0"),
        (None, {"c0": -1}, "0 or more"),
    ],
)
def test_wrong_weights(weights, class_weight, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier(class_weight=class_weight).fit(TEXTS, LABELS, weights)
