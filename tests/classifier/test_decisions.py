"""Classifiers that abstain or return prediction sets."""

import numpy as np
import pytest

from tagline import TextClassifier
from tagline.errors import InputError

WORDS = ("red green blue", "one two three", "cat dog cow")
NAMES = ("colour", "number", "animal")


def texts_and_labels(n=240, noise=0.05):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, n)
    said = np.where(rng.random(n) < noise, rng.integers(0, 3, n), truth)
    texts = [" ".join(rng.choice(WORDS[k].split(), 3)) + f" {rng.integers(10**6)}" for k in said]
    return texts, [NAMES[k] for k in truth]


@pytest.fixture(scope="module")
def clf():
    return TextClassifier("naive-bayes").fit(*texts_and_labels())


def test_a_probability_below_the_one_given_is_unsure(clf):
    texts = ["red green blue", "red one cat", ""]
    found = clf.predict_selective(texts, unsure_below=0.8)
    sure = clf.predict_proba(texts).max(axis=1) >= 0.8
    assert found.tolist() == ["colour", None, None]
    assert sure.tolist() == [True, False, False]


def test_an_accuracy_is_reached_on_held_out_rows(clf):
    threshold = clf.abstention_threshold(0.9)
    scores = clf.held_out_
    answered = scores.confidence >= threshold
    assert scores.right[answered].mean() >= 0.9
    found = clf.predict_selective(texts_and_labels()[0], accuracy=0.9)
    proba = clf.predict_proba(texts_and_labels()[0]).max(axis=1)
    assert [label is None for label in found] == (proba < threshold).tolist()


def test_by_class_thresholds_are_those_of_the_class_predicted(clf):
    thresholds = clf.abstention_threshold(0.85, by_class=True)
    assert thresholds.shape == (3,)
    texts = texts_and_labels()[0]
    proba = clf.predict_proba(texts)
    unsure = clf.unsure(proba, proba.argmax(axis=1), accuracy=0.85, by_class=True)
    assert unsure.tolist() == (proba.max(axis=1) < thresholds[proba.argmax(axis=1)]).tolist()


def test_prediction_sets_begin_with_the_most_probable_class(clf):
    texts = ["red green blue", "red one cat"]
    found = clf.predict_sets(texts, 0.9)
    proba = clf.predict_proba(texts)
    threshold = clf.set_threshold(0.9)
    for row, names in enumerate(found):
        assert names[0] == clf.classes_[proba[row].argmax()]
        assert set(names[1:]) == set(clf.classes_[proba[row] >= threshold]) - {names[0]}
    assert clf.predict_sets(texts, 0.9, by_class=True).shape == (2,)


def test_a_saved_model_has_the_same_thresholds(clf, tmp_path):
    clf.save(tmp_path / "m")
    loaded = TextClassifier.load(tmp_path / "m")
    assert loaded.abstention_threshold(0.9) == clf.abstention_threshold(0.9)
    assert loaded.set_threshold(0.9) == clf.set_threshold(0.9)
    assert loaded.predict_selective(["red one cat"], accuracy=0.9).tolist() == (
        clf.predict_selective(["red one cat"], accuracy=0.9).tolist()
    )


def test_all_held_out_rows_count_where_validation_rows_are_given():
    texts, labels = texts_and_labels()
    clf = TextClassifier("naive-bayes").fit(texts[:200], labels[:200], validation=(texts[200:], labels[200:]))
    assert len(clf.validation_.rows) == 40
    assert len(clf.held_out_) > 200


def test_what_cannot_be_supported_is_an_error(clf, fitted):
    with pytest.raises(InputError, match=r"needs at least 2,995 held-out rows; this model has 2\d\d"):
        clf.predict_selective(["a"], accuracy=0.999)
    with pytest.raises(InputError, match="not between 0 and 1"):
        clf.predict_selective(["a"], accuracy=95)
    with pytest.raises(InputError, match="not between 0 and 1"):
        clf.predict_selective(["a"], unsure_below=7)
    with pytest.raises(InputError, match="`by_class` is for `accuracy`: give one"):
        clf.predict_selective(["a"], unsure_below=0.7, by_class=True)
    with pytest.raises(InputError, match="need at least 10,000 held-out rows"):
        clf.predict_sets(["a"], 0.9999)
    several = fitted(task="multilabel")
    for call in (several.predict_selective, several.predict_sets):
        with pytest.raises(InputError, match="several labels a text"):
            call(["a"])
    few = TextClassifier().fit(["a b", "c d"], ["x", "y"])
    with pytest.raises(InputError, match="no held-out rows"):
        few.predict_sets(["a"])


def test_another_threshold_of_a_loaded_model_has_its_own_scores(tmp_path):
    texts, labels = texts_and_labels(noise=0.3)
    clf = TextClassifier("naive-bayes").fit(texts, np.where(np.array(labels) == "animal", "animal", "other"))
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    for threshold in (0.9, clf.threshold_):
        clf.threshold_ = loaded.threshold_ = threshold
        found, expected = loaded.held_out_, clf.held_out_
        assert found.predicted.tolist() == expected.predicted.tolist()
        np.testing.assert_allclose(found.confidence, expected.confidence, atol=1e-6)
        np.testing.assert_allclose(found.true_probability, expected.true_probability, atol=1e-6)
        assert loaded.abstention_threshold(0.7) == pytest.approx(clf.abstention_threshold(0.7), abs=1e-6)


@pytest.mark.parametrize("level", ["0.9", [0.9], np.array([0.9]), 2, float("nan")])
def test_a_level_that_is_not_a_share_is_refused(clf, level):
    with pytest.raises(InputError, match="not between 0 and 1"):
        clf.predict_selective(["red"], accuracy=level)
    with pytest.raises(InputError, match="not between 0 and 1"):
        clf.predict_selective(["red"], unsure_below=level)
    with pytest.raises(InputError, match="not between 0 and 1"):
        clf.predict_sets(["red"], level)


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        ([["a", "b", "c"]], "not finite numbers"),
        ([[0.5, float("nan"), 0.5]], "not finite numbers"),
        ([[None, 1, 0]], "not finite numbers"),
        ([[0.5, 0.2, 0.3], [1.0]], "rows of different lengths"),
        ([[0.5, 0.5]], r"shape \(1, 2\), not \(n_texts, 3\)"),
    ],
)
def test_what_are_not_probabilities_is_refused(clf, proba, message):
    with pytest.raises(InputError, match=message):
        clf.decide(proba)
