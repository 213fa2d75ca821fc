"""Measuring a model on labelled data."""

import polars as pl
import pytest

from tagline.errors import InputError
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

ROWS = pl.DataFrame({"text": [f"{w} {i}" for i in range(40) for w in ("good", "bad")], "label": ["pos", "neg"] * 40})


def seen(model, data):
    evaluation = evaluate_model(model, data)
    return evaluation.metrics["rows_seen_in_training"], " ".join([*evaluation.warnings, evaluation.rows_used])


def test_rows_seen_in_training_are_counted(tmp_path):
    run = train_run(ROWS, TrainSettings(recipe="naive-bayes", texts=False), out=tmp_path / "run")
    n_test = run.metrics["rows"]["test"]
    count, words = seen(run.folder, ROWS)
    assert (count, f"the {n_test} test rows of the data this model was trained on, which it has not seen" in words) == (
        0,
        True,
    )
    other = ROWS.sample(fraction=1, shuffle=True, seed=1).with_columns("  " + pl.col("text").str.to_uppercase())
    for model in (run.folder, run.model):
        count, words = seen(model, other)
        assert count == 80 - n_test
        assert f"{80 - n_test} of 80 rows were in training" in words
    folded = train_run(ROWS, TrainSettings(recipe="naive-bayes", folds=3), out=tmp_path / "folded")
    assert seen(folded.model, ROWS)[0] == 80
    assert seen(folded.model, pl.DataFrame({"text": ["new", "newer"], "label": ["pos", "neg"]}))[0] == 0


def test_the_columns_that_were_learnt_from_are_evaluated_unless_others_are_named(tmp_path):
    rows = ROWS.rename({"label": "team"}).with_columns(channel=pl.Series(["web", "mail"] * (len(ROWS) // 2)))
    run = train_run(rows, TrainSettings(recipe="naive-bayes", label="team"), out=tmp_path / "run")
    later = pl.DataFrame({"text": ["good", "bad"], "team": ["pos", "neg"], "channel": ["web", "web"]})
    assert evaluate_model(run.model, later).metrics["test"]["n"] == 2
    renamed = later.select("text", sentiment="team")
    assert evaluate_model(run.model, renamed).metrics["test"]["n"] == 2
    with pytest.raises(InputError, match="`web`"):
        evaluate_model(run.model, later, label="channel")


def test_rows_seen_in_training_are_unknown_without_the_run(tmp_path):
    run = train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    stranger = train_run(ROWS.head(60), TrainSettings(recipe="naive-bayes"), out=tmp_path / "stranger")
    alone = run.model.rename(tmp_path / "alone")
    assert seen(alone, ROWS)[0] == 0  # the same data: its split says which rows were in training
    count, words = seen(alone, ROWS.head(40))
    assert count is None
    assert "cannot be recognised" in words
    moved = alone.rename(stranger.folder / "other-model")
    assert seen(moved, ROWS.head(40))[0] is None
