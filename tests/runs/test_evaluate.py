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
        assert f"{80 - n_test} of 80 rows have a text that was in training" in words
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
    no_label = later.select("text", "channel")
    with pytest.raises(InputError, match="has no column `team`, the label column in training, and no label in `chan"):
        evaluate_model(run.model, no_label)
    with pytest.raises(InputError, match="no column `team`, the label column in training: give `--label`"):
        evaluate_model(run.model, no_label.with_columns(channel="text"))


def test_findings_are_of_measured_rows_and_the_most_serious_first(tmp_path):
    run = train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    new = pl.DataFrame({"text": [f"new good film {i}" for i in range(297)], "label": "pos"})
    few = pl.DataFrame({"text": ["bad", "bad one", *ROWS["text"][:2]], "label": ["neg", "neg", *ROWS["label"][:2]]})
    parts = [new[:9].with_columns(split=pl.lit("train")), pl.concat([new, few]).with_columns(split=pl.lit("test"))]
    evaluation = evaluate_model(run.folder, pl.concat(parts))
    assert evaluation.metrics["rows_seen_in_training"] == 2
    said = [finding.sentence for finding in evaluation.findings]
    for sentences in (said, evaluation.warnings):
        assert "1 class has fewer than 10 rows, too few to measure: `neg`." in sentences
        assert not any("learn" in sentence for sentence in sentences)
    # Few of the rows: behind what concerns all of them.
    assert said[-1].startswith("2 of 301 rows have a text that was in training")


def test_labels_that_the_model_does_not_know_are_one_finding(tmp_path):
    run = train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    new = pl.DataFrame({"text": [f"new good film {i}" for i in range(30)], "label": ["pos", "odd", "neg"] * 10})
    stages, steps = [], []
    evaluation = evaluate_model(run.folder, new, log=stages.append, progress=steps.append)
    assert stages == ["predicting 30 texts", "measuring"]
    assert (steps[-1].done, steps[-1].total) == (30, 30)
    said = [finding.sentence for finding in evaluation.findings]
    [one] = [sentence for sentence in said if "`odd`" in sentence]
    assert one == "10 rows have labels that the model was trained without, and count as wrong: `odd`."
    assert one in evaluation.warnings  # which the terminal leaves out if it is among the findings


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


def rows_of(labels, n=40):
    return pl.DataFrame(
        {"text": [f"{labels[i % len(labels)]} word {i}" for i in range(n)], "label": labels * (n // len(labels))}
    )


def test_labels_are_matched_to_the_classes_of_the_model(tmp_path):
    run = train_run(
        rows_of(["1.0", "2.5", "5.0", "Très bien"]), TrainSettings(recipe="naive-bayes"), out=tmp_path / "run"
    )
    assert run.metrics["classes"] == ["1.0", "2.5", "5.0", "Très bien"]
    for labels in (["1", "5"], ["1.00", "2.50"], ["5.0", "TRE\u0300S  BIEN"]):
        evaluation = evaluate_model(run.model, rows_of(labels, 20))
        assert evaluation.metrics["classes"] == run.metrics["classes"]
        assert "spells classes of the model differently" in " ".join(evaluation.warnings)
    typed = rows_of(["1", "5"], 20).cast({"label": pl.Float64})
    assert evaluate_model(run.model, typed).metrics["classes"] == run.metrics["classes"]
    exact = evaluate_model(run.model, rows_of(["1.0", "5.0"], 20))
    assert "differently" not in " ".join(exact.warnings)


def test_labels_are_read_as_those_of_the_training_rows(tmp_path):
    kept = TrainSettings(recipe="naive-bayes", keep_label_spelling=True)
    run = train_run(rows_of(["Yes", "yes", "no", "-"]), kept, out=tmp_path / "run")
    assert evaluate_model(run.model, rows_of(["Yes", "yes", "no", "-"], 20)).metrics["classes"] == [
        "-",
        "Yes",
        "no",
        "yes",
    ]
    named = train_run(rows_of(["a", "b"]), TrainSettings(recipe="naive-bayes"), out=tmp_path / "named")
    with pytest.raises(InputError, match="labels"):
        evaluate_model(named.model, rows_of(["a|c", "b|c"], 20))


@pytest.mark.parametrize("labels", ["a|b", "a;b", '["a", "b"]', "a/b"])
def test_a_multilabel_model_is_evaluated_on_any_format(tmp_path, labels):
    lists = pl.DataFrame({"text": [f"word {i}" for i in range(40)], "label": [["a"], ["b"], ["a", "b"], []] * 10})
    run = train_run(lists, TrainSettings(recipe="naive-bayes"), out=tmp_path / "run")
    data = pl.DataFrame({"text": ["x", "y", "z"], "label": [labels, "a", "b"]})
    separator = "/" if "/" in labels else None
    metrics = evaluate_model(run.model, data, label_separator=separator).metrics
    assert (metrics["task"], metrics["classes"], metrics["test"]["n"]) == ("multilabel", ["a", "b"], 3)
    one_each = pl.DataFrame({"text": ["x", "y"], "label": ["a", "b"]})
    assert evaluate_model(run.model, one_each).metrics["task"] == "multilabel"
