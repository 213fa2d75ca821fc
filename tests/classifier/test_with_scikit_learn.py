"""`TextClassifier` inside scikit-learn's meta-estimators, which are the judge of its conventions."""

import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy.special import expit, log_expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from tagline import InputError, TextClassifier
from tests.synthetic_texts import made_up, several

TEXTS, NAMES = made_up(60)
COLUMN = np.array(TEXTS, dtype=object)[:, np.newaxis]
FRAME = pd.DataFrame({"text": TEXTS, "other": np.arange(60)})
ONE_COLUMN: dict[str, Any] = {
    "objects": COLUMN,
    "strings": COLUMN.astype(str),
    "lists": [[text] for text in TEXTS],
    "arrays": list(COLUMN),
    "pandas": FRAME[["text"]],
    "pandas category": FRAME[["text"]].astype("category"),
    "polars": pl.DataFrame({"text": TEXTS}),
}


def naive_bayes(**options: Any) -> TextClassifier:
    return TextClassifier("naive-bayes", **options)


@pytest.fixture(scope="module")
def fitted() -> TextClassifier:
    return naive_bayes().fit(TEXTS, NAMES)


@pytest.fixture
def routing() -> Iterator[None]:
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.parametrize("texts", ONE_COLUMN.values(), ids=list(ONE_COLUMN))
def test_one_column_in_two_dimensions(fitted: TextClassifier, texts: Any) -> None:
    assert np.array_equal(fitted.predict_proba(texts), fitted.predict_proba(TEXTS))


@pytest.mark.parametrize("kind", ["objects", "lists", "pandas"])
def test_bagging_and_permutation_importance(fitted: TextClassifier, kind: str) -> None:
    texts = ONE_COLUMN[kind]
    bagging = BaggingClassifier(naive_bayes(), n_estimators=2, random_state=0).fit(texts, NAMES)
    assert bagging.score(texts, NAMES) > 0.8
    importance = permutation_importance(fitted, texts, NAMES, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (1,)
    assert importance.importances_mean[0] > 0.2


def test_meta_estimators() -> None:
    picked = ColumnTransformer([("text", "passthrough", ["text"])])
    for transformer in (picked, clone(picked).set_output(transform="pandas")):
        assert Pipeline([("column", transformer), ("clf", naive_bayes())]).fit(FRAME, NAMES).score(FRAME, NAMES) > 0.8
    assert CalibratedClassifierCV(naive_bayes(), cv=2).fit(TEXTS, NAMES).score(TEXTS, NAMES) > 0.8
    voting = VotingClassifier([("a", naive_bayes()), ("b", TextClassifier("logistic-regression"))], voting="soft")
    assert voting.fit(TEXTS, NAMES).score(TEXTS, NAMES) > 0.8
    texts, labels = several(60)
    matrix = np.array([[f"c{k}" in row for k in range(3)] for row in labels])
    column = np.array(texts, dtype=object)[:, np.newaxis]
    assert MultiOutputClassifier(naive_bayes()).fit(column, matrix).predict(column).shape == (60, 3)


def test_a_grid_of_nested_settings() -> None:
    clf = naive_bayes(settings={"features.words": 1})
    grid = {"settings__features__words": [1, 2], "settings__model__alpha": [0.5]}
    search = GridSearchCV(clf, grid, cv=2).fit(TEXTS, NAMES)
    assert search.best_params_ == {"settings__features__words": 1, "settings__model__alpha": 0.5}
    assert search.best_estimator_.recipe_.model.alpha == 0.5
    in_pipeline = GridSearchCV(Pipeline([("clf", clf)]), {"clf__settings__features__words": [2]}, cv=2)
    assert in_pipeline.fit(TEXTS, NAMES).best_estimator_["clf"].recipe_.features.words == 2
    assert clf.settings == {"features.words": 1}


def test_nested_settings_are_parameters() -> None:
    clf = TextClassifier(settings=["model.C=3", "features.words=2"])
    clf.set_params(settings__features__words=1, settings__model__C_grid=[1, 2])
    assert clf.settings == {"model.C": 3, "features.words": 1, "model.C_grid": [1, 2]}
    assert clf.set_params(settings={"model.C": 1}, settings__features__words=3).settings == {
        "model.C": 1,
        "features.words": 3,
    }
    assert clone(clf).get_params() == clf.get_params()
    with pytest.raises(InputError, match=r"`features` is not of the form `section\.key`"):
        clf.set_params(settings__features=1)
    with pytest.raises(InputError, match=r"`features\.word`.* Did you mean `features\.words`"):
        naive_bayes().set_params(settings__features__word=1).fit(TEXTS, NAMES)


def test_log_probabilities(fitted: TextClassifier) -> None:
    assert np.allclose(np.exp(fitted.predict_log_proba(TEXTS)), fitted.predict_proba(TEXTS))
    assert cross_val_predict(naive_bayes(), TEXTS, NAMES, cv=2, method="predict_log_proba").shape == (60, 2)
    tree = TextClassifier("decision-tree").fit(TEXTS, NAMES)
    tree.predict_proba = lambda texts: np.array([[0.0, 1.0]])  # type: ignore[method-assign]
    assert tree.predict_log_proba(["a"]).tolist() == [[-np.inf, 0.0]]


@pytest.mark.usefixtures("routing")
def test_metadata_is_routed() -> None:
    weights, authors = np.linspace(0.5, 1.5, 60), np.arange(60) // 3
    clf = naive_bayes().set_fit_request(sample_weight=True, groups="author").set_score_request(sample_weight=True)
    params = {"sample_weight": weights, "groups": authors, "author": authors}
    found = cross_validate(clf, TEXTS, NAMES, cv=GroupKFold(2), params=params, return_estimator=True)
    train, test = next(GroupKFold(2).split(TEXTS, groups=authors))
    direct = naive_bayes().fit(
        [TEXTS[row] for row in train], [NAMES[row] for row in train], weights[train], groups=authors[train]
    )
    held = [TEXTS[row] for row in test]
    assert np.array_equal(found["estimator"][0].predict_proba(held), direct.predict_proba(held))
    assert found["test_score"][0] == direct.score(held, [NAMES[row] for row in test], weights[test])
    copy = pickle.loads(pickle.dumps(clone(clf)))
    assert copy.get_metadata_routing().fit.requests["groups"] == "author"
    with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
        cross_validate(naive_bayes(), TEXTS, NAMES, cv=2, params={"sample_weight": weights})
    with pytest.raises(InputError, match=r"`fit` has no argument `group` .* Did you mean `groups`"):
        clf.set_fit_request(group=True)
    assert sorted(naive_bayes().get_metadata_routing().score.requests) == ["sample_weight"]


def test_requests_need_metadata_routing() -> None:
    with pytest.raises(InputError, match="enable_metadata_routing=True"):
        naive_bayes().set_fit_request(sample_weight=True)


def test_tags() -> None:
    tags = get_tags(naive_bayes())
    assert tags.classifier_tags.multi_label
    assert tags.target_tags.multi_output
    assert tags.input_tags.string


def test_no_seed_is_a_new_one_each_time() -> None:
    clf = naive_bayes(seed=None).fit(TEXTS, NAMES)
    first = clf.seed_
    assert clf.header()["seed"] == first != clf.fit(TEXTS, NAMES).seed_
    assert clf.seed is None
    again = naive_bayes(seed=clf.seed_).fit(TEXTS, NAMES)
    assert np.array_equal(again.predict_proba(TEXTS), clf.predict_proba(TEXTS))


@pytest.mark.parametrize(
    ("recipe", "n_classes"), [("fast", 2), ("logistic-regression", 3), ("complement-nb", 2), ("fast", 3)]
)
def test_coefficients_of_linear_models(recipe: str, n_classes: int) -> None:
    texts, names = made_up(60, n_classes)
    clf = TextClassifier(recipe).fit(texts, names)
    X = clf.vectorizer_.transform(pl.Series(texts))
    assert clf.coef_.shape == (1 if n_classes == 2 else n_classes, clf.n_features_in_)
    scores = X @ clf.coef_.T + clf.intercept_
    if n_classes == 2:
        assert np.allclose(scores[:, 0], clf.decision_function(texts))
    else:
        assert clf.calibrator_.kind == "sigmoid"
        assert np.allclose(log_expit(scores), clf.decision_function(texts))
        assert np.allclose(expit(scores) / expit(scores).sum(axis=1, keepdims=True), clf.predict_proba(texts))
    named = clf.get_feature_names_out()
    assert named.shape == (clf.n_features_in_,)
    column = named.tolist().index("great")
    assert clf.coef_[0, column] * (1 if n_classes > 2 else -1) > 0  # `great` speaks for the first class
    assert not hasattr(clf, "history_")


def test_other_models_have_no_coefficients() -> None:
    tree = TextClassifier("decision-tree").fit(TEXTS, NAMES)
    for name in ("coef_", "intercept_", "n_features_in_"):
        assert not hasattr(tree, name)
        with pytest.raises(AttributeError, match=f"Only a linear model has `{name}`, and this one is of kind `trees`"):
            getattr(tree, name)
    assert len(tree.get_feature_names_out()) == tree.n_features_
    for name in ("coef_", "history_", "get_feature_names_out", "temperature_"):
        assert not hasattr(TextClassifier(), name)
        with pytest.raises(NotFittedError):
            getattr(TextClassifier(), name)


@pytest.mark.parametrize(
    "make",
    [
        lambda texts: pl.Series(texts, dtype=pl.Categorical),
        lambda texts: pl.Series(texts, dtype=pl.Enum(sorted(set(texts)))),
        lambda texts: pd.Series(texts, dtype="category"),
        lambda texts: pd.Series(texts, dtype="string"),
    ],
)
def test_texts_and_labels_of_categorical_columns(fitted: TextClassifier, make: Callable[[list[str]], Any]) -> None:
    clf = naive_bayes().fit(make(TEXTS), make(NAMES))
    assert clf.classes_.tolist() == ["c0", "c1"]
    assert np.array_equal(clf.predict_proba(make(TEXTS)), fitted.predict_proba(TEXTS))


def test_labels_are_normalized_and_not_merged() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    names = [decomposed if row % 4 else composed for row in range(60)]
    names[1::2] = ["Bar" if row % 4 == 1 else "bar" for row in range(1, 60, 2)]
    clf = naive_bayes(class_weight={decomposed: 2.0}).fit(TEXTS, names)
    assert clf.classes_.tolist() == ["Bar", "bar", composed]
    assert clf.score(TEXTS, names) == clf.score(TEXTS, [name.replace(decomposed, composed) for name in names])
    two = [decomposed if row % 2 else "bar" for row in range(60)]
    binary = naive_bayes(positive=decomposed).fit(TEXTS, two)
    assert binary.positive_ == composed
    lists = naive_bayes().fit(TEXTS, [[composed], [decomposed, "bar"]] * 30)
    assert lists.classes_.tolist() == ["bar", composed]


@pytest.mark.parametrize("labels", [np.linspace(0, 1, 60), np.arange(60) % 30 + 0.5, [0.25 * row for row in range(60)]])
def test_a_continuous_target_is_refused(labels: Any) -> None:
    with pytest.raises(InputError, match=r"continuous\. The labels are \d\d different numbers, such as 0\."):
        TextClassifier().fit(TEXTS, labels)


@pytest.mark.parametrize(
    "texts",
    [
        pd.Series([*TEXTS[:3], np.nan, *TEXTS[4:]]),
        pd.DataFrame({"text": [*TEXTS[:3], None, *TEXTS[4:]]}),
        np.array([*TEXTS[:3], np.nan, *TEXTS[4:]], dtype=object),
        [[text] for text in TEXTS[:3]] + [[float("nan")]] + [[text] for text in TEXTS[4:]],
        pl.Series([*TEXTS[:3], None, *TEXTS[4:]], dtype=pl.Categorical),
    ],
)
def test_missing_texts_are_named_by_their_row(texts: Any) -> None:
    with pytest.raises(InputError, match="Text 3 is missing, not a string"):
        TextClassifier().fit(texts, NAMES)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (np.full(60, np.nan), "Text 0 is missing"),
        (pl.Series([None] * 60), "Text 0 is missing"),
        (pl.Series([1.0, np.nan] * 30), "Text 1 is missing"),
        (pl.Series([1.0] * 60), "The texts are Float64, not strings"),
        ([["a", "b"]] * 60, "Text 0 has 2 values, not one"),
        ([["a"]] * 59 + ["a"], "Text 59 has no list, not one"),
        (FRAME, r"shape \(60, 2\): give an array of one dimension, for example one column of a frame"),
    ],
)
def test_texts_that_cannot_be_used(texts: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier().fit(texts, NAMES)
