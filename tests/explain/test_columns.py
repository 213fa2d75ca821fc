"""Explanations of n-grams add up to the score, exactly."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.exceptions import NotFittedError

from tagline import Explanation, InputError, TextClassifier, explain_text
from tagline.explain import top_features
from tests.ngram_recipes import FEW_TREES, TREES
from tests.synthetic_texts import made_up, several

LINEAR = ["fast", "linear-svm", "logistic-regression", "naive-bayes", "complement-nb"]
TEXTS = [
    "a good film, a joy",
    "A GOOD film, a good plot — don’t miss it<br />bad music 👍🏽",
    "İ was bored: awful, awful mess",
    "unseenword",
    "",
]


@pytest.fixture(scope="module")
def fitted():
    """Return what fits a recipe to data of one task, once."""
    done: dict[tuple[str, str], TextClassifier] = {}

    def fit(recipe: str, task: str) -> TextClassifier:
        if (recipe, task) not in done:
            data = several(90) if task == "multilabel" else made_up(90, 2 if task == "binary" else 3)
            done[recipe, task] = TextClassifier(recipe, settings=FEW_TREES.get(recipe)).fit(*data)
            assert done[recipe, task].task_ == task
        return done[recipe, task]

    return fit


def total(explanation: Explanation) -> float:
    return explanation.intercept + sum(c.value for c in explanation.contributions)


def assert_words_are_exact(explanation: Explanation) -> None:
    """By word as by feature, in all and for each feature."""
    words = explanation.by_word
    assert explanation.intercept + sum(word.value for word in words) == pytest.approx(explanation.score, abs=1e-9)
    assert [abs(word.value) for word in words] == sorted((abs(word.value) for word in words), reverse=True)
    by_feature: dict[str, float] = {}
    for word in words:
        assert word.value == pytest.approx(sum(part.value for part in word.features), abs=1e-12)
        for part in word.features:
            by_feature[part.name] = by_feature.get(part.name, 0.0) + part.value
    assert by_feature == pytest.approx({part.name: part.value for part in explanation.contributions}, abs=1e-12)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("recipe", LINEAR)
def test_contributions_of_a_linear_model_add_up_to_its_score(fitted, recipe: str, task: str, text: str) -> None:
    clf = fitted(recipe, task)
    slope, intercept = clf.calibrator_.line(1 if task == "binary" else len(clf.classes_))
    scores = (clf.model_.logits(clf.vectorizer_.transform(pl.Series([text]))) * slope + intercept)[0]
    if task != "multiclass":
        assert scores == pytest.approx(clf.decision_function([text])[0])
    by_class = [-scores[0], scores[0]] if task == "binary" else scores
    for column, name in enumerate(clf.classes_):
        explanation = explain_text(clf, text, name)
        assert explanation.scale == ("score" if clf.task_ == "multiclass" else "log-odds")
        assert explanation.class_name == name
        assert explanation.score == pytest.approx(by_class[column], abs=1e-9)
        assert total(explanation) == pytest.approx(explanation.score, abs=1e-9)
        assert_words_are_exact(explanation)
        assert explanation.proba == clf.predict_proba([text])[0, column]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("recipe", TREES)
def test_contributions_of_trees_add_up_to_the_share_of_the_leaves(fitted, recipe: str, task: str, text: str) -> None:
    clf = fitted(recipe, task)
    share = clf.model_.proba(next(iter(clf._features([text]))))[0]
    by_class = [1 - share[0], share[0]] if task == "binary" else share
    for column, name in enumerate(clf.classes_):
        explanation = explain_text(clf, text, name)
        assert explanation.scale == "probability"
        assert explanation.score == pytest.approx(by_class[column], abs=1e-6)
        assert total(explanation) == pytest.approx(explanation.score, abs=1e-9)
        assert_words_are_exact(explanation)
    assert any(explanation.absent for name in clf.classes_ for explanation in [explain_text(clf, text, name)])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("recipe", [*LINEAR, *TREES])
def test_word_contributions_sum_to_the_score_of_the_present_words(fitted, recipe: str, text: str) -> None:
    explanation = explain_text(fitted(recipe, "binary"), text)
    words = explanation.words()
    there = explanation.score - explanation.intercept - explanation.absent
    assert sum(value for _, _, value in words) == pytest.approx(there, abs=1e-9)
    assert [span[:2] for span in words] == sorted(span[:2] for span in words)
    if recipe in LINEAR:
        assert explanation.absent == 0


@pytest.mark.parametrize("recipe", ["fast", "linear-svm"])
def test_spans_point_at_the_text(fitted, recipe: str) -> None:
    text = TEXTS[1]
    explanation = explain_text(fitted(recipe, "binary"), text)
    assert len(explanation.contributions) > 5
    for contribution in explanation.contributions:
        assert contribution.spans
        for start, end in contribution.spans:
            shown = text[start:end].lower().replace("’", "'")
            if contribution.name.startswith("“"):
                assert contribution.name[1:-1] in f" {shown} "
            else:
                assert contribution.name.replace(" ", "") == shown.replace("<br />", "").replace(" ", "")
    (good,) = (c for c in explanation.contributions if c.name == "good")
    assert good.spans == ((2, 6), (15, 19))
    values = [abs(c.value) for c in explanation.contributions]
    assert values == sorted(values, reverse=True)


def test_character_ngrams_are_folded_into_the_words_that_they_are_in(fitted) -> None:
    text = "Good good goods, not good"
    explanation = explain_text(fitted("fast", "binary"), text)
    words = {word.name: word for word in explanation.by_word}
    assert not [name for name in words if name.startswith("“")]
    good, goods = words["good"], words["goods"]
    assert good.spans == ((0, 4), (5, 9), (21, 25))
    assert goods.spans == ((10, 15),)
    shared = next(part for part in good.features if part.name == "“goo”")
    alone = next(part for part in goods.features if part.name == "“goo”")
    assert shared.value == pytest.approx(3 * alone.value)
    assert "good" in [part.name for part in good.features]
    for word in explanation.by_word:
        if " " in word.name:  # of several words: an entry of its own
            assert [part.name for part in word.features] == [word.name]


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel"])
def test_a_top_feature_has_the_weight_that_an_occurrence_adds(fitted, task: str) -> None:
    data = several(90) if task == "multilabel" else made_up(90, 2 if task == "binary" else 3)
    clf = TextClassifier("naive-bayes", settings={"features.unit": False}).fit(*data)
    found = top_features(clf, 3)
    assert [each.class_name for each in found] == clf.classes_.tolist()
    for each in found:
        weights = [weight for _, weight in each.features]
        assert 0 < len(weights) <= 3
        assert min(weights) > 0
        for name, weight in each.features:
            parts = explain_text(clf, name, each.class_name).contributions
            assert weight == pytest.approx(next(part.value for part in parts if part.name == name))
    assert top_features(clf, 3, str(clf.classes_[1])) == found[1:2]
    names = [name for each in top_features(fitted("fast", task), 50) for name, _ in each.features]
    assert names
    assert not [name for name in names if name.startswith("“")]


def test_features_that_matter_on_average_come_first(tmp_path: Path) -> None:
    kinds = {"late": "where is the parcel", "broken": "the glass is broken"}
    texts, labels = [], []
    for i in range(60):
        label = "late" if i % 2 else "broken"
        wrong = i % 10 in (4, 5)  # outliers, which get their weight from a number of their own
        said = kinds["broken" if wrong else label]
        texts += [f"{said}, no. {7000 + i} !"] if wrong else [f"{said} !"]
        labels.append(label)
    settings = {"features.min_df": 1, "model.C": 10.0}
    clf = TextClassifier("linear-svm", settings=settings).fit(texts, labels)
    clf.save(tmp_path / "model")
    found = top_features(clf, 10)
    assert top_features(TextClassifier.load(tmp_path / "model"), 10) == found
    for each in found:
        names = [name for name, _ in each.features]
        assert set(names[0].split()) <= set(kinds[each.class_name].split())
        assert all(any(map(str.isalpha, name)) for name in names)
        assert not {"!", ",", "."} & {token for name in names for token in name.split()}
        padded = [f" {name} " for name in names]
        assert not [(a, b) for a in padded for b in padded if a != b and a in b]
    clf.vectorizer_ = replace(clf.vectorizer_, spreads=None)  # as in bundles of earlier versions
    assert all(each.features for each in top_features(clf, 10))


def test_a_model_without_weights_says_so(fitted) -> None:
    with pytest.raises(InputError, match=r"`model.kind` `decision-tree` has no weights of words.*explain a text"):
        top_features(TextClassifier("fast", settings={"model.kind": "decision-tree"}).fit(*made_up(40, 2)))
    with pytest.raises(InputError, match=r"`n` .* at least 1; it is -1"):
        top_features(fitted("fast", "binary"), -1)
    with pytest.raises(InputError, match=r"no class `c5`"):
        top_features(fitted("fast", "binary"), class_name="c5")


def test_the_class_predicted_is_explained(fitted) -> None:
    clf = fitted("fast", "binary")
    for text in ("a lovely joy", "an awful mess"):
        explanation = explain_text(clf, text)
        assert explanation.class_name == explanation.prediction == clf.predict([text])[0]
        assert explanation.score > 0
    many = explain_text(fitted("fast", "multilabel"), "good bad market")
    assert many.prediction == ", ".join(fitted("fast", "multilabel").predict(["good bad market"])[0])


def test_what_speaks_for_one_of_two_speaks_against_the_other(fitted) -> None:
    clf = fitted("fast", "binary")
    one, other = (explain_text(clf, TEXTS[0], name) for name in clf.classes_)
    assert {c.name: c.value for c in one.contributions} == {c.name: -c.value for c in other.contributions}
    good = next(c for c in one.contributions if c.name == "good")
    assert good.value > 0


def test_an_empty_text_is_the_intercept(fitted) -> None:
    explanation = explain_text(fitted("fast", "binary"), "", "c1")
    assert explanation.contributions == ()
    assert explanation.words() == []
    assert explanation.score == explanation.intercept


def test_an_unknown_class_names_the_nearest(fitted) -> None:
    clf = fitted("fast", "multiclass")
    with pytest.raises(InputError, match=r"no class `c11`\. Did you mean `c1`\?"):
        explain_text(clf, "good", "c11")


def test_before_fit() -> None:
    with pytest.raises(NotFittedError):
        explain_text(TextClassifier(), "good")


def test_classes_that_are_numbers() -> None:
    texts, labels = made_up(40)
    clf = TextClassifier().fit(texts, [int(label[1]) for label in labels])
    assert explain_text(clf, "good", "0").score == pytest.approx(-clf.decision_function(["good"])[0], abs=1e-9)
    assert np.isfinite(explain_text(clf, "good").score)


@dataclass(frozen=True)
class _Affine:
    """A calibrator with a slope and a shift, as in Platt scaling."""

    kind = "affine"

    def apply(self, logits: np.ndarray) -> np.ndarray:
        return 3.0 * logits + 0.25

    def line(self, n_outputs: int) -> tuple[np.ndarray, np.ndarray]:
        return np.full(n_outputs, 3.0), np.full(n_outputs, 0.25)


@pytest.mark.parametrize("class_name", ["neg", "pos"])
def test_any_calibration_is_part_of_the_score(class_name: str) -> None:
    clf = TextClassifier("naive-bayes").fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
    clf.calibrator_ = _Affine()
    found = explain_text(clf, "a good good film", class_name)
    logit = clf.logits(["a good good film"])[0, 0]
    assert found.score == pytest.approx(logit if class_name == "pos" else -logit)
    assert found.intercept + sum(part.value for part in found.contributions) == pytest.approx(found.score)
