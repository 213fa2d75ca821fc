"""Guarantees in `metrics.json`: what the model itself answers on the rows, in runs, folds and evaluations."""

import json

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier
from tagline.errors import InputError
from tagline.metrics.intervals.shares import share_interval
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run
from tagline.runs.writing.evaluation import write_evaluation
from tests.synthetic_texts import made_up, several


def rows_of(n, seed=0, n_classes=3, noise=0.1):
    texts, labels = made_up(n, n_classes, seed=seed, noise=noise)
    return pl.DataFrame({"text": texts, "label": labels})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "run"
    return train_run(rows_of(900), TrainSettings(recipe="naive-bayes", test=rows_of(300, seed=1)), out=out)


def test_the_figures_are_those_of_what_the_saved_model_answers(run):
    clf, rows = TextClassifier.load(run.model), rows_of(300, seed=1)
    found = run.metrics["guarantees"]
    assert found["held_out_rows"] == len(clf.held_out_)
    supported = 0
    for level in found["abstention"]:
        if level["threshold"] is None:
            with pytest.raises(InputError):
                clf.abstention_threshold(level["level"])
            continue
        supported += 1
        answers = clf.predict_selective(rows["text"], accuracy=level["level"])
        given = answers != None  # noqa: E711 (of each element)
        right = answers[given] == rows["label"].to_numpy()[given]
        assert level["answered"] == given.mean()
        assert level["accuracy"] == right.mean()
        assert level["accuracy_ci95"] == pytest.approx([float(e) for e in share_interval(right.sum(), len(right))])
    assert 0 < supported < 4
    for level in found["sets"]:
        sets = clf.predict_sets(rows["text"], level["level"])
        assert level["threshold"] == clf.set_threshold(level["level"])
        assert level["mean_size"] == pytest.approx(np.mean([len(each) for each in sets]))
        assert level["one_class"] == np.mean([len(each) == 1 for each in sets])
        assert level["coverage"] == np.mean([label in each for label, each in zip(rows["label"], sets, strict=True)])
    assert json.loads((run.folder / "metrics.json").read_text())["guarantees"] == found


def test_an_evaluation_measures_the_same_thresholds_on_its_rows(run, tmp_path):
    again = evaluate_model(run.folder, rows_of(300, seed=1)).metrics["guarantees"]
    assert again == run.metrics["guarantees"]
    other = evaluate_model(run.folder, rows_of(200, seed=2))
    found = other.metrics["guarantees"]
    assert [each["threshold"] for each in found["abstention"]] == [each["threshold"] for each in again["abstention"]]
    assert found != again
    folder = write_evaluation(other, tmp_path / "evaluation")
    assert "Abstention at a guaranteed accuracy" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_label_that_the_model_does_not_know_is_never_right(run):
    rows = rows_of(200, seed=2).with_columns(label=pl.Series(["c0", "new"] * 100))
    for level in evaluate_model(run.folder, rows).metrics["guarantees"]["sets"]:
        assert level["coverage"] <= 0.5


def test_a_threshold_of_ones_own_has_no_guarantee(tmp_path):
    rows = rows_of(400, n_classes=2)
    model = train_run(rows, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run").folder
    assert "guarantees" in evaluate_model(model, rows).metrics
    assert "guarantees" not in evaluate_model(model, rows, threshold=0.8).metrics
    folder = write_evaluation(evaluate_model(model, rows, threshold=0.8), tmp_path / "evaluation")
    assert json.loads((folder / "run.json").read_text())["chosen"]["threshold"] == 0.8


def test_folds_are_answered_by_models_that_have_not_seen_them(tmp_path):
    rows = rows_of(600, noise=0.06)
    run = train_run(rows, TrainSettings(recipe="naive-bayes", folds=3), out=tmp_path / "run")
    frame = pl.read_parquet(run.folder / "predictions.parquet")
    confidence = frame.select(pl.max_horizontal(pl.col("^proba:.*$"))).to_series()
    right = frame["label"] == frame["prediction"]
    levels = [each for each in run.metrics["guarantees"]["abstention"] if each["threshold"] is not None]
    assert levels
    clf = TextClassifier.load(run.model)
    for level in levels:
        assert level["threshold"] == clf.abstention_threshold(level["level"])  # of the model that is kept
        # The models of the folds have thresholds of their own, near this one.
        answered = confidence >= level["threshold"]
        assert level["answered"] == pytest.approx(answered.mean(), abs=0.2)
        assert level["accuracy"] == pytest.approx(right.filter(answered).mean(), abs=0.05)


def test_several_labels_have_no_guarantees(tmp_path):
    texts, labels = several(120)
    for folds in (None, 3):
        out = tmp_path / f"run-{folds}"
        rows = pl.DataFrame({"text": texts, "label": labels})
        run = train_run(rows, TrainSettings(recipe="naive-bayes", folds=folds), out=out)
        assert "guarantees" not in run.metrics
        assert 'id="unsure"' not in (run.folder / "report.html").read_text(encoding="utf-8")
