"""Weights of rows and of classes."""

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone

from tagline import InputError, TextClassifier, load_recipe
from tagline.decisions.thresholds import best_threshold
from tagline.learners import FitOptions, Fitted, TrainingData, fit_recipe
from tagline.learners.sample_weight import row_weights
from tagline.task import Task
from tests.ngram_recipes import FEW_TREES, RECIPES
from tests.synthetic_texts import made_up

TEXTS, LABELS = made_up(120)
TESTED = ["", "good film", "boring " * 50, "unseenword"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_row_of_weight_zero_is_ignored(recipe: str) -> None:
    """Vocabulary, scales, settings, calibration and splits are those of a fit without it."""
    n = 60
    weights = np.r_[np.ones(n), np.zeros(n)]
    wrong = [{"c0": "c1", "c1": "c0"}[label] for label in LABELS[n:]]
    clf = TextClassifier(recipe, settings=FEW_TREES.get(recipe))
    given = clone(clf).fit(TEXTS, LABELS[:n] + wrong, weights)
    without = clone(clf).fit(TEXTS[:n], LABELS[:n])
    assert np.array_equal(given.predict_proba(TESTED), without.predict_proba(TESTED))
    assert given.chosen_ == without.chosen_
    assert given.temperature_ == without.temperature_
    assert given.validation_.rows.tolist() == without.validation_.rows.tolist()


def test_rows_of_weight_zero_among_others_keep_their_numbers() -> None:
    weights = np.tile([1.0, 0.0, 1.0], 40)
    counted = np.flatnonzero(weights)
    given = TextClassifier().fit(TEXTS, LABELS, weights)
    without = TextClassifier().fit([TEXTS[row] for row in counted], [LABELS[row] for row in counted])
    assert np.array_equal(given.validation_.rows, counted[without.validation_.rows])
    assert np.array_equal(given.predict_proba(TESTED), without.predict_proba(TESTED))


def test_validation_rows_follow_rows_of_weight_zero() -> None:
    weights = np.r_[np.zeros(20), np.ones(60)]
    given = TextClassifier().fit(TEXTS[:80], LABELS[:80], weights, validation=(TEXTS[80:], LABELS[80:]))
    without = TextClassifier().fit(TEXTS[20:80], LABELS[20:80], validation=(TEXTS[80:], LABELS[80:]))
    assert sorted(given.validation_.rows.tolist()) == list(range(80, 120))
    assert np.array_equal(given.predict_proba(TESTED), without.predict_proba(TESTED))


def test_a_class_of_weight_zero_is_ignored() -> None:
    texts, labels = made_up(120, 3)
    given = TextClassifier(class_weight={"c2": 0}).fit(texts, labels)
    kept = [row for row in range(120) if labels[row] != "c2"]
    without = TextClassifier().fit([texts[row] for row in kept], [labels[row] for row in kept])
    assert np.array_equal(given.validation_.rows, np.array(kept)[without.validation_.rows])
    assert set(given.predict(texts)) == {"c0", "c1"}


@pytest.mark.parametrize("scale", ["none", "idf", "discriminative"])
@pytest.mark.parametrize("recipe", ["naive-bayes", "complement-nb", "logistic-regression", "linear-svm"])
def test_a_row_of_weight_two_is_the_row_twice(recipe: str, scale: str, exact_solvers: None) -> None:
    """But for the vocabulary, of which `min_df` counts texts, and the splits, which keep copies together."""
    settings = {"features.scale": scale, "features.min_df": 1, "protocol.validation": "none"}
    clf = TextClassifier(recipe, settings=settings)
    weights = np.random.default_rng(0).integers(1, 6, len(TEXTS))
    rows = np.repeat(np.arange(len(TEXTS)), weights)
    weighted = clone(clf).fit(TEXTS, LABELS, weights).predict_proba(TESTED)
    repeated = clone(clf).fit([TEXTS[row] for row in rows], [LABELS[row] for row in rows]).predict_proba(TESTED)
    np.testing.assert_allclose(weighted, repeated, atol=1e-3)
    plain = clone(clf).fit(TEXTS, LABELS).predict_proba(TESTED)
    assert np.abs(weighted - plain).max() > 5e-3


def test_weights_count_in_the_choice_of_settings_and_in_the_calibration() -> None:
    """The same rows are held out, once with weight 2 and once twice."""
    texts, labels = made_up(200, noise=0.1)
    recipe = load_recipe("logistic-regression", {"features.min_df": 1, "model.C": "auto"})
    Y = np.array([[label == "c0", label == "c1"] for label in labels])
    weights = np.random.default_rng(0).integers(1, 4, 200).astype(float)
    rows = np.repeat(np.arange(200), weights.astype(int))

    def fitted(data: TrainingData, held_out: np.ndarray) -> Fitted:
        return fit_recipe(recipe, data, FitOptions(folds=[(np.flatnonzero(~held_out), np.flatnonzero(held_out))]))

    held = np.arange(200) % 4 == 0
    sample, loss = row_weights(np.array(["c0", "c1"]), Y, None, weights, 200)
    weighted = TrainingData(pl.Series(texts), Y, Task.BINARY, sample_weights=sample, loss_weights=loss)
    repeated = TrainingData(pl.Series(texts)[rows], Y[rows], Task.BINARY)
    ours, theirs = fitted(weighted, held), fitted(repeated, held[rows])
    assert ours.chosen["C"] == theirs.chosen["C"]
    assert ours.calibrator.temperature == pytest.approx(theirs.calibrator.temperature, rel=1e-2)
    plain = fitted(TrainingData(pl.Series(texts), Y, Task.BINARY), held)
    assert ours.calibrator.temperature != pytest.approx(plain.calibrator.temperature, rel=2e-2)


def test_weights_count_in_the_threshold_of_label_sets() -> None:
    rng = np.random.default_rng(0)
    Y, proba = rng.random((50, 3)) < 0.4, rng.random((50, 3)).round(1)
    weights = rng.integers(0, 4, 50)
    rows = np.repeat(np.arange(50), weights)
    assert best_threshold(Y, proba, weights.astype(float)) == best_threshold(Y[rows], proba[rows], np.ones(len(rows)))


@pytest.mark.parametrize("recipe", ["fast", "logistic-regression", "naive-bayes", "decision-tree"])
def test_weights_of_one_change_nothing(recipe: str) -> None:
    weighted, plain = TextClassifier(recipe).fit(TEXTS, LABELS, np.ones(120)), TextClassifier(recipe).fit(TEXTS, LABELS)
    assert np.array_equal(weighted.predict_proba(TESTED), plain.predict_proba(TESTED))
    assert weighted.chosen_ == plain.chosen_


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [name for name in RECIPES if not name.endswith("-nb")])
def test_class_weights_raise_the_recall_of_a_rare_class(recipe: str) -> None:
    texts, labels = made_up(400, noise=0.25)
    keep = [row for row in range(400) if labels[row] == "c0" or row % 10 == 1]
    texts, labels = [texts[row] for row in keep], np.array([labels[row] for row in keep])
    tested, truth = made_up(200, seed=9)
    rare = np.array(truth) == "c1"

    def recall(class_weight: object) -> float:
        # Naive Bayes beside the SVM would find the rare class without weights.
        settings = {"features.scale": "idf", "model.max_depth": 5, "model.blend": 0}
        clf = TextClassifier(recipe, class_weight=class_weight, settings=settings)
        predicted = clf.fit(texts, labels).predict(tested)
        return float((predicted == "c1")[rare].mean())

    plain = recall(None)
    assert recall("balanced") > plain
    assert recall({"c1": 8}) > plain


def test_loss_weights_above_zero_have_a_mean_of_one() -> None:
    def weights(given: list[float], n: int) -> list[list[float]]:
        Y = np.eye(2, dtype=bool)[np.arange(4) % 2]
        return [array.tolist() for array in row_weights(np.array(["a", "b"]), Y, None, given, n)]

    assert weights([2, 6, 0, 0], 4) == [[2, 6, 0, 0], [0.5, 1.5, 0, 0]]
    sample, loss = weights([3, 0, 1], 3)
    assert sample == [3, 0, 1, 1]  # a validation row counts 1
    assert loss == pytest.approx([9 / 5, 0, 3 / 5, 3 / 5])


def test_balanced_weights_are_scikit_learns() -> None:
    from sklearn.utils.class_weight import compute_sample_weight

    labels = np.array(["a"] * 6 + ["b"] * 3 + ["c"])
    Y = labels[:, np.newaxis] == np.array(["a", "b", "c"])
    for weight in ("balanced", {"a": 2.0, "c": 5.0}):
        expected = compute_sample_weight(weight, labels)
        sample, loss = row_weights(np.array(["a", "b", "c"]), Y, weight, None, 10)
        np.testing.assert_allclose(loss, expected / expected.mean())
        assert sample.tolist() == [1] * 10  # class weights are for the loss alone


def test_balanced_weights_count_weighted_rows() -> None:
    classes, labels = np.array(["a", "b"]), np.array(["a", "b", "b"])
    Y = labels[:, np.newaxis] == classes
    assert row_weights(classes, Y, "balanced", [2.0, 1.0, 1.0], 3)[1].tolist() == pytest.approx([1.5, 0.75, 0.75])


def test_classes_that_are_numbers_are_named_by_number_or_text() -> None:
    classes, Y = np.array([1, 2]), np.eye(2, dtype=bool)[[0, 1, 1]]
    for weight in ({1: 4.0}, {"1": 4.0}):
        assert row_weights(classes, Y, weight, None, 3)[1].tolist() == [2.0, 0.5, 0.5]


def test_no_weights_are_none() -> None:
    assert row_weights(np.array([1, 2]), np.eye(2, dtype=bool), None, None, 2) == (None, None)


@pytest.mark.parametrize(
    ("weights", "class_weight", "message"),
    [
        ([1.0], None, "120 finite numbers"),
        ([-1.0] + [1.0] * 119, None, "0 or more"),
        ([float("nan")] * 120, None, "120 finite numbers"),
        (["x"] * 120, None, "120 finite numbers"),
        ([0.0] * 120, None, "All weights are zero"),
        (None, "even", "balanced"),
        (None, {"c7": 1}, r"unknown class `c7`\. Did you mean `c"),
        (None, {"c0": 0, "c1": 0}, "not all 0"),
        (None, {"c0": -1}, "0 or more"),
    ],
)
def test_wrong_weights(weights, class_weight, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier(class_weight=class_weight).fit(TEXTS, LABELS, weights)


def test_weights_of_validation_texts_may_follow() -> None:
    """They calibrate with these weights, and those of weight 0 do not at all."""
    validation = (TEXTS[80:], LABELS[80:])
    clf = TextClassifier("naive-bayes", settings={"protocol.refit": "no"})
    once = clone(clf).fit(TEXTS[:80], LABELS[:80], np.ones(80), validation=validation)
    ones = clone(clf).fit(TEXTS[:80], LABELS[:80], np.ones(120), validation=validation)
    assert np.array_equal(once.predict_proba(TESTED), ones.predict_proba(TESTED))
    weights = np.r_[np.ones(80), np.zeros(20), np.ones(20)]
    given = clone(clf).fit(TEXTS[:80], LABELS[:80], weights, validation=validation)
    without = clone(clf).fit(TEXTS[:80], LABELS[:80], validation=(TEXTS[100:], LABELS[100:]))
    assert np.array_equal(given.predict_proba(TESTED), without.predict_proba(TESTED))
    assert sorted(given.validation_.rows.tolist()) == list(range(100, 120))


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        (np.ones(119), "must be 80 or 120 finite numbers"),
        (np.r_[np.zeros(80), np.ones(40)], "All weights are zero"),
        (np.r_[np.ones(80), np.zeros(40)], "All weights of the validation texts are zero"),
        (np.full(120, 1e12), "scale the weights to a mean of 1"),
        (np.full(120, 1e308), "scale the weights to a mean of 1"),
    ],
)
def test_invalid_weights_of_validation_texts_are_refused(weights: np.ndarray, said: str) -> None:
    with pytest.raises(InputError, match=said):
        TextClassifier("naive-bayes").fit(TEXTS[:80], LABELS[:80], weights, validation=(TEXTS[80:], LABELS[80:]))
