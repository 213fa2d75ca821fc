"""The section on predictions of which a model is unsure."""

import json

import polars as pl
import pytest

from tagline.report.conclusion import abstention_sentence
from tagline.report.sections.confidence import confidence_rows
from tagline.run_folder import RunFolder
from tests.plots_of_runs import drawn
from tests.report.pages import page_of
from tests.report.synthetic_runs import write_run

SETS = {"level": 0.9, "threshold": 0.2, "mean_size": 1.25, "one_class": 0.8, "coverage": 0.91}
GUARANTEES = {
    "held_out_rows": 250,
    "abstention": [
        {"level": 0.9, "threshold": 0.0, "answered": 1.0, "accuracy": 0.93, "accuracy_ci95": [0.9, 0.95]},
        {"level": 0.95, "threshold": 0.71234, "answered": 0.8, "accuracy": 0.962, "accuracy_ci95": [0.94, 0.98]},
        {"level": 0.98, "threshold": None, "rows_needed": 149},
        {"level": 0.99, "threshold": None, "rows_needed": 299},
    ],
    "sets": [
        SETS | {"coverage_ci95": [0.88, 0.93]},
        {"level": 0.95, "threshold": None, "rows_needed": 19},
    ],
}


def with_guarantees(folder, guarantees, *, folds=None):
    write_run(folder, ["neg", "pos"], "binary", folds=folds)
    path = folder / "metrics.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"guarantees": guarantees}))
    return folder


def test_levels_are_a_table_that_says_why_one_is_not_supported(tmp_path):
    words = page_of(with_guarantees(tmp_path, GUARANTEES)).words("unsure")
    assert "comes from 250 held-out rows" in words
    assert "95 % interval 90 % any 100.0 % 93.0 % 90.0 to 95.0" in words
    assert "95 % 0.7123 80.0 % 96.2 % 94.0 to 98.0" in words
    assert "98 % not reached by the held-out rows" in words
    assert "99 % needs at least 299 held-out rows" in words
    assert "90 % 0.2000 1.25 80.0 % 91.0 % 88.0 to 93.0" in words
    assert "measured on the test rows." in words


def test_folds_have_thresholds_of_their_own(tmp_path):
    words = page_of(with_guarantees(tmp_path, GUARANTEES, folds=5)).words("unsure")
    assert "the models of the folds answered, each with its own threshold" in words


def test_a_guarantee_that_does_not_hold_here_is_a_warning(tmp_path):
    kept = page_of(with_guarantees(tmp_path / "kept", GUARANTEES))
    assert "these texts differ from the training texts" not in kept.words("unsure")
    low = {"level": 0.95, "threshold": 0.7, "answered": 0.8, "accuracy": 0.8, "accuracy_ci95": [0.75, 0.85]}
    broken = page_of(with_guarantees(tmp_path / "broken", GUARANTEES | {"abstention": [low]}))
    assert "than the guarantee of 95 % says: these texts differ" in broken.words("unsure").replace("\xa0", " ")


def test_a_run_of_an_earlier_version_has_the_curve_and_the_confidences(tmp_path):
    folder = write_run(tmp_path, ["a", "b", "c"], "multiclass")
    with drawn():
        page = page_of(folder)
    words = page.words("unsure")
    assert "Abstention at" not in words
    assert "Coverage and accuracy" in words
    assert "≥ 95 %" in words
    assert (tmp_path / "plots" / "coverage_accuracy.svg").exists()
    assert abstention_sentence(json.loads((folder / "metrics.json").read_text())) == ""


def test_the_confidence_is_that_of_the_prediction_whatever_decided(tmp_path):
    folder = write_run(tmp_path, ["neg", "pos"], "binary")
    path = folder / "predictions.parquet"
    rows = pl.read_parquet(path)
    least = rows["proba:pos"].quantile(0.8)  # a high threshold: many of a low probability are predicted as `neg`
    rows = rows.with_columns(
        prediction=pl.when(pl.col("proba:pos") > least).then(pl.lit("pos")).otherwise(pl.lit("neg"))
    )
    rows.write_parquet(path)
    found = {row["least"]: row for row in confidence_rows(RunFolder(folder), ["neg", "pos"])}
    confidence = pl.when(prediction="pos").then("proba:pos").otherwise("proba:neg")
    answered = rows.filter(confidence >= 0.5)
    assert found["≥ 50 %"]["kept"] == str(len(answered))
    assert len(answered) < len(rows)
    assert found["≥ 50 %"]["right"] == f"{100 * (answered['label'] == answered['prediction']).mean():.1f} %"


def test_the_terminal_says_where_a_guarantee_does_not_hold():
    level = {"level": 0.95, "threshold": 0.7, "answered": 0.8, "accuracy": 0.8, "accuracy_ci95": [0.75, 0.85]}
    said = abstention_sentence({"test": {"accuracy": 0.75}, "guarantees": GUARANTEES | {"abstention": [level]}})
    assert said.endswith(
        "80.0 % of the answers are right, less than guaranteed: these texts may differ from the training texts."
    )


@pytest.mark.parametrize(("accuracy", "said"), [(0.92, True), (0.93, False)])
def test_the_terminal_names_the_first_level_that_avoids_a_third_of_the_errors(accuracy, said):
    metrics = {"test": {"accuracy": accuracy}, "guarantees": GUARANTEES}
    expected = "With `--abstain 0.95` the model answers 80.0 % of these texts; 96.2 % of the answers are right."
    assert abstention_sentence(metrics) == (expected if said else "")
