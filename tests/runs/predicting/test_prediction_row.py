"""Rows of predictions: the same values as columns of a table and as JSON objects."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from tagline import TextClassifier
from tagline.data.rows import is_blank
from tagline.decisions.novelty import UNLIKE
from tagline.runs.predicting.predict import predict_texts
from tagline.runs.predicting.prediction_row import (
    CommandOptions,
    OptionError,
    PredictionFields,
    PredictionOptions,
    PredictionRows,
    is_empty,
    prediction_rows,
)
from tests.synthetic_texts import made_up, several

TEXTS = ["a great film", "a dull plot", "the goal"]
ALL = PredictionOptions(top_k=2, probabilities=True)


@pytest.fixture(scope="module", params=["two", "four", "labels"])
def clf(request: pytest.FixtureRequest) -> TextClassifier:
    data = {"two": made_up(120), "four": made_up(160, 4), "labels": several(120)}[request.param]
    return TextClassifier("naive-bayes").fit(*data)


def rows_of(clf: TextClassifier, proba: NDArray[np.float64], options: PredictionOptions) -> PredictionRows:
    return prediction_rows(clf, [str(name) for name in clf.classes_], proba, options)


def test_table_and_json_have_the_values_of_the_classifier(clf: TextClassifier) -> None:
    proba = clf.predict_proba(TEXTS)
    rows = rows_of(clf, proba, ALL)
    frame, objects = rows.to_frame(), rows.to_json()
    assert frame["prediction"].to_list() == [found["prediction"] for found in objects] == clf.predict(TEXTS).tolist()
    for found, row, values in zip(objects, frame.iter_rows(named=True), proba.tolist(), strict=True):
        PredictionFields.model_validate(found)
        by_class = dict(zip(clf.classes_.tolist(), values, strict=True))
        assert found["probabilities"] == by_class
        assert {f"proba:{name}": value for name, value in by_class.items()}.items() <= row.items()
        best = sorted(by_class.items(), key=lambda pair: -pair[1])[:2]
        assert [(top["class"], top["probability"]) for top in found["top"]] == best
        assert [(row[f"top_{k}"], row[f"top_{k}_probability"]) for k in (1, 2)] == best
        assert found["probability"] == row.get("probability")
        if clf.task_ != "multilabel":
            assert found["probability"] == by_class[found["prediction"]]


def test_no_texts_give_columns_of_the_same_types(clf: TextClassifier) -> None:
    proba = clf.predict_proba(TEXTS)
    empty = rows_of(clf, proba[:0], ALL)
    assert empty.to_json() == []
    assert empty.to_frame().schema == rows_of(clf, proba, ALL).to_frame().schema


def test_options_that_a_model_does_not_support() -> None:
    two, four = TextClassifier("naive-bayes").fit(*made_up(80)), TextClassifier("naive-bayes").fit(*made_up(80, 4))
    CommandOptions(threshold=0.5, positive="c0").check(two)
    for clf, options, name in (
        (four, PredictionOptions(threshold=0.5), "threshold"),
        (four, CommandOptions(positive="c0"), "positive"),
        (two, CommandOptions(positive="c9"), "positive"),
        (two, CommandOptions(novelty=0.0), "novelty"),
        (two, CommandOptions(novelty=1.5), "novelty"),
        (two, CommandOptions(novelty=float("nan")), "novelty"),
        (two, PredictionOptions(novelty=0.001), "novelty"),
        (two, PredictionOptions(novelty=5e-324), "novelty"),
    ):
        with pytest.raises(OptionError) as caught:
            options.check(clf)
        assert caught.value.option == name


def test_novelty_needs_enough_held_out_rows() -> None:
    clf = TextClassifier("naive-bayes").fit(*made_up(24))
    assert clf.novelty_ is not None
    assert len(clf.novelty_) == 24
    PredictionOptions(novelty=0.04).check(clf)
    with pytest.raises(OptionError, match=r"0\.039 needs at least 25 held-out rows; this model keeps 24"):
        PredictionOptions(novelty=0.039).check(clf)
    clf.novelty_ = None
    PredictionOptions().check(clf)
    with pytest.raises(OptionError, match="no held-out rows"):
        PredictionOptions(novelty=0.04).check(clf)


def test_a_text_is_empty_where_a_column_says_so() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = ["", *characters, *(f" {character}\u3000" for character in characters)]
    assert [is_empty(text) for text in texts] == is_blank(pl.Series(texts)).to_list()


def test_without_the_option_novelty_is_not_computed(clf: TextClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(TextClassifier, "predict_proba_and_novelty", fail)
    found = predict_texts(clf, TEXTS)
    assert found["prediction"].null_count() == 0
    assert "reason" not in found.columns
    with pytest.raises(AssertionError):
        predict_texts(clf, TEXTS, PredictionOptions(novelty=0.1))


def test_texts_unlike_the_training_texts_have_no_prediction(clf: TextClassifier) -> None:
    texts = ["a great film and a dull plot", "zxqw plok", " ", "的电影"]
    found = predict_texts(clf, texts, PredictionOptions(novelty=0.05, top_k=1, probabilities=True))
    assert found["reason"].to_list() == [None, UNLIKE, "the text is empty", UNLIKE]
    assert all(found[name].is_null().to_list() == [False, True, True, True] for name in found.columns[1:-1])
    assert found.drop("reason")[0].equals(predict_texts(clf, texts[:1], PredictionOptions(top_k=1, probabilities=True)))
