"""Indicator matrices of labels: predictions are of the same kind, as scikit-learn's metrics and searches expect."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from tagline import BundleError, InputError, TextClassifier
from tests.synthetic_texts import several

TEXTS, LISTS = several(90)
NAMES = ["c2", "c0", "c1"]  # not sorted: predictions have the order of the columns
MATRIX = np.array([[name in row for name in NAMES] for row in LISTS])
NUMBERS = MATRIX.astype(np.int64)
FRAME = pd.DataFrame(NUMBERS, columns=NAMES, index=np.arange(90) + 7)
INDICATORS: dict[str, tuple[Any, list[Any]]] = {
    "array": (NUMBERS, [0, 1, 2]),
    "booleans": (MATRIX, [0, 1, 2]),
    "floats": (NUMBERS.astype(float), [0, 1, 2]),
    "sparse matrix": (sp.csr_matrix(NUMBERS), [0, 1, 2]),
    "sparse array": (sp.csc_array(NUMBERS), [0, 1, 2]),
    "pandas": (FRAME, NAMES),
    "polars": (pl.DataFrame(NUMBERS, schema=NAMES), NAMES),
}


def naive_bayes() -> TextClassifier:
    return TextClassifier("naive-bayes")


def with_value(row: int, column: str, value: Any) -> pd.DataFrame:
    frame = FRAME.astype(object)
    frame.iloc[row, NAMES.index(column)] = value
    return frame


def dense(indicator: Any) -> np.ndarray:
    return np.asarray(indicator.toarray() if sp.issparse(indicator) else indicator)


@pytest.mark.parametrize(("labels", "classes"), INDICATORS.values(), ids=list(INDICATORS))
def test_predictions_are_of_the_kind_of_the_labels(labels: Any, classes: list[Any], tmp_path: Path) -> None:
    texts = pd.Series(TEXTS, index=FRAME.index)
    clf = naive_bayes().fit(texts, labels)
    predicted = clf.predict(texts)
    assert clf.classes_.tolist() == classes
    assert type(predicted) is type(labels) or sp.issparse(labels)
    assert isinstance(predicted, sp.sparray) == isinstance(labels, sp.sparray)
    assert dense(predicted).dtype == (bool if labels is MATRIX else np.int64)
    assert np.array_equal(dense(predicted), clf.predict_proba(texts) > clf.threshold_)
    assert f1_score(labels, predicted, average="micro") > 0.8
    assert clf.score(texts, labels) == accuracy_score(labels, predicted)
    if isinstance(predicted, pd.DataFrame):
        assert predicted.index.equals(FRAME.index)
        assert predicted.columns.tolist() == NAMES
    lists = [[classes[k] for k in np.flatnonzero(row)] for row in dense(predicted)]
    assert clf.decide(clf.predict_proba(texts)).tolist() == lists  # as files and services get them
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model").predict(texts)
    assert type(loaded) is type(predicted)
    assert np.array_equal(dense(loaded), dense(predicted))


def test_lists_give_lists() -> None:
    clf = naive_bayes().fit(TEXTS, LISTS)
    assert clf.indicator_ is None
    predicted = clf.predict(TEXTS)
    assert predicted.shape == (90,)
    assert {type(row) for row in predicted} == {list}
    assert {name for row in predicted for name in row} == {"c0", "c1", "c2"}


def test_lists_of_0_and_1_are_an_array() -> None:
    clf = naive_bayes().fit(TEXTS, NUMBERS.tolist())
    assert np.array_equal(clf.predict(TEXTS), naive_bayes().fit(TEXTS, NUMBERS).predict(TEXTS))
    sets = naive_bayes().fit(TEXTS, [[0, 1] if row % 2 else [1] for row in range(90)])
    assert sets.indicator_ is None


def test_a_frame_of_different_types_is_an_indicator() -> None:
    predicted = naive_bayes().fit(TEXTS, FRAME.astype({"c0": bool})).predict(TEXTS)
    assert predicted.equals(naive_bayes().fit(TEXTS, FRAME).predict(TEXTS))


@pytest.mark.parametrize("name", ["array", "pandas", "polars"])
def test_cross_validation_and_grid_search_by_f1(name: str) -> None:
    labels = INDICATORS[name][0]
    scores = cross_val_score(naive_bayes(), TEXTS, labels, scoring="f1_micro", cv=2)
    assert (scores > 0.3).all()
    search = GridSearchCV(naive_bayes(), {"settings__model__alpha": [0.1, 1.0]}, scoring="f1_micro", cv=2)
    search.fit(TEXTS, labels)
    assert type(search.predict(TEXTS)) is type(labels)
    assert search.best_score_ > 0.3


def test_columns_of_a_frame_are_matched_by_name() -> None:
    clf = naive_bayes().fit(TEXTS, FRAME, validation=(TEXTS[:20], FRAME[["c0", "c1", "c2"]][:20]))
    same = naive_bayes().fit(TEXTS, FRAME, validation=(TEXTS[:20], FRAME[:20]))
    assert np.array_equal(clf.predict_proba(TEXTS), same.predict_proba(TEXTS))
    assert clf.score(TEXTS, FRAME[["c0", "c1", "c2"]]) == clf.score(TEXTS, FRAME) == clf.score(TEXTS, LISTS)
    assert clf.score(TEXTS, NUMBERS) == clf.score(TEXTS, FRAME)
    with pytest.raises(InputError, match="The column `x` of the labels is not a class of the model"):
        clf.score(TEXTS, FRAME.rename(columns={"c0": "x"}))


def test_columns_of_a_frame_are_matched_by_name_if_they_are_numbers() -> None:
    clf = naive_bayes().fit(TEXTS, FRAME.set_axis([2, 0, 1], axis=1))
    assert clf.classes_.tolist() == [2, 0, 1]
    right = naive_bayes().fit(TEXTS, FRAME).score(TEXTS, FRAME)
    assert clf.score(TEXTS, FRAME.set_axis([2, 0, 1], axis=1)[[0, 1, 2]]) == right > 0.5
    assert clf.score(TEXTS, NUMBERS) == clf.score(TEXTS, sp.csr_matrix(NUMBERS)) == right  # columns without names


def test_columns_of_a_frame_are_in_nfc() -> None:
    composed, decomposed = ["\u00e9", "c0", "c1"], ["e\u0301", "c0", "c1"]
    clf = naive_bayes().fit(TEXTS, FRAME.set_axis(decomposed, axis=1))
    assert clf.classes_.tolist() == composed
    swapped = FRAME.set_axis(composed, axis=1)[composed[::-1]]
    assert clf.score(TEXTS, swapped) == clf.score(TEXTS, FRAME.set_axis(decomposed, axis=1)) > 0.5


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (NUMBERS * 2, r"row \d+, column `\d` is `2`; an indicator matrix holds only 0 and 1"),
        (sp.csr_matrix(NUMBERS * 0.5), "is `0.5`; an indicator matrix holds only 0 and 1"),
        (FRAME.astype(object).replace(1, None), r"column `c\d` is `None`; an indicator matrix holds only 0 and 1"),
        (with_value(7, "c0", np.nan), "^Labels: row 7, column `c0` is NaN; an indicator matrix holds only 0 and 1.$"),
        (with_value(3, "c1", "yes"), "^Labels: row 3, column `c1` is `yes`; an indicator matrix holds only 0 and 1.$"),
        (pd.DataFrame(NUMBERS, columns=["a", "b", "a"]), "^Duplicate label column `a`: rename one.$"),
        (pd.DataFrame(NUMBERS, columns=["e\u0301", "b", "\u00e9"]), "^Duplicate label column `\u00e9`: rename one.$"),
        (NUMBERS[:5], "90 texts and 5 labels"),
    ],
)
def test_matrices_that_are_no_indicator(labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        naive_bayes().fit(TEXTS, labels)


def test_a_bundle_with_another_indicator_is_refused(tmp_path: Path) -> None:
    clf = naive_bayes().fit(TEXTS, FRAME)
    clf.indicator_ = clf.indicator_.model_copy(update={"container": "tensor"})
    clf.save(tmp_path / "model")
    with pytest.raises(BundleError, match=r"`indicator.container` is invalid"):
        TextClassifier.load(tmp_path / "model")
