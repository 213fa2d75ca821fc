"""``--cost``, ``--precision`` and ``--recall`` on the command line."""

import json

import numpy as np
import polars as pl
import pytest

from tagline.run_folder import RunFolder
from tests.cli.cli_data import write_reviews


@pytest.fixture
def reviews(tmp_path):
    return write_reviews(tmp_path / "reviews.csv", n=400)


@pytest.fixture
def costs(tmp_path):
    path = tmp_path / "costs.csv"
    path.write_text("true,neg,pos\nneg,0,5\npos,1,0\n")
    return path


def cost_of(rows, neg_as_pos, pos_as_neg):
    wrong = {("neg", "pos"): neg_as_pos, ("pos", "neg"): pos_as_neg}
    return np.mean([wrong.get(pair, 0) for pair in rows.select("label", "prediction").iter_rows()])


def test_a_run_has_costs_that_evaluate_and_predict_keep(call, here, reviews, costs):
    status, out, _ = call("train", reviews, "--recipe", "naive-bayes", "--cost", costs, "--out", "run")
    run = RunFolder(here / "run")
    block = run.metrics["test"]
    assert status == 0
    assert "Mean cost" in out
    assert block["mean_cost"] == pytest.approx(cost_of(run.predictions, 5, 1))
    assert block["mean_cost_ci95"][0] <= block["mean_cost"] <= block["mean_cost_ci95"][1]
    assert run.record["chosen"]["threshold"] == pytest.approx(5 / 6)
    assert run.record["chosen"]["targets"][0]["costs"] == [[0.0, 5.0], [1.0, 0.0]]
    assert "smallest expected cost" in (here / "run" / "report.html").read_text()
    _, out, _ = call("evaluate", "run", reviews, "--json")
    assert json.loads(out)["test"]["mean_cost"] == pytest.approx(block["mean_cost"])


def test_evaluate_measures_other_costs(call, fails, here, reviews, costs):
    call("train", reviews, "--recipe", "naive-bayes", "--out", "run")
    assert "mean_cost" not in RunFolder(here / "run").metrics["test"]
    call("evaluate", "run", reviews, "--cost", costs, "--out", "evaluated")
    evaluated = RunFolder(here / "evaluated")
    assert evaluated.metrics["test"]["mean_cost"] == pytest.approx(cost_of(evaluated.predictions, 5, 1))
    assert (evaluated.predictions["prediction"] != RunFolder(here / "run").predictions["prediction"]).any()
    assert "leave out `--threshold`" in fails("evaluate", "run", reviews, "--cost", costs, "--threshold", "0.3")
    costs.write_text("true,neg,pos,meh\nneg,0,5,1\npos,1,0,1\nmeh,1,1,0\n")
    assert "`meh` is not a class of the model" in fails("evaluate", "run", reviews, "--cost", costs)


@pytest.mark.parametrize(
    ("options", "threshold"),
    [
        ((), 5 / 6),
        (("--cost", "others.csv"), 1 / 4),
        (("--positive", "neg"), 1 / 6),
        (("--cost", "others.csv", "--positive", "neg"), 3 / 4),
        (("--threshold", "0.3"), 0.3),
    ],
)
def test_an_evaluation_keeps_the_threshold_that_decided(options, threshold, call, here, reviews, costs):
    call("train", reviews, "--recipe", "naive-bayes", "--cost", costs, "--out", "run")
    (here / "others.csv").write_text("true,neg,pos\nneg,0,1\npos,3,0\n")
    call("evaluate", "run", reviews, *options, "--out", "evaluated")
    evaluated = RunFolder(here / "evaluated")
    assert evaluated.record["chosen"]["threshold"] == pytest.approx(threshold)
    assert ("targets" in evaluated.record["chosen"]) == (not options)
    assert ("guarantees" in evaluated.metrics) == (not options)
    positive = evaluated.metrics["test"]["positive"]
    assert (
        (evaluated.predictions[f"proba:{positive}"] > threshold) == (evaluated.predictions["prediction"] == positive)
    ).all()


def test_labels_without_costs_are_counted_as_wrong_and_have_no_mean_cost(call, here, reviews, costs, tmp_path):
    call("train", reviews, "--recipe", "naive-bayes", "--cost", costs, "--out", "run")
    rows = pl.read_csv(reviews).with_columns(stars=pl.Series(["meh", *pl.read_csv(reviews)["stars"][1:]]))
    rows.write_csv(tmp_path / "other.csv")
    _, out, err = call("evaluate", "run", tmp_path / "other.csv", "--json")
    assert "mean_cost" not in json.loads(out)["test"]
    assert "The mean cost is not measured" in err


def test_a_run_reaches_a_recall(call, here, reviews):
    status, out, _ = call("train", reviews, "--recipe", "naive-bayes", "--recall", "pos=0.8", "--out", "run")
    run = RunFolder(here / "run")
    assert status == 0
    assert run.record["chosen"]["targets"] == [{"metric": "recall", "class": "pos", "level": 0.8}]
    assert run.record["chosen"]["held_out"]["rows"] == 360  # train and validation rows, in turn
    said = "chosen on held-out rows for a recall of at least 0.8 on unseen texts"
    assert said in " ".join(out.split())
    assert said in (here / "run" / "report.html").read_text()


def test_a_run_with_folds_chooses_for_each(call, here, reviews, costs):
    call("train", reviews, "--recipe", "naive-bayes", "--folds", "3", "--cost", costs, "--out", "run")
    run = RunFolder(here / "run")
    assert run.metrics["test"]["mean_cost"] == pytest.approx(cost_of(run.predictions, 5, 1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--recall", "pos"), "`--recall pos` is not a class and a level: write `--recall CLASS=LEVEL`"),
        (("--recall", "pos=much"), "is not a class and a level"),
        (("--recall", "pos=0.8", "--recall", "pos=0.9"), "has the class twice"),
        (("--recall", "pos=1.5"), "`1.5`, that of `pos`, is not a number between 0 and 1"),
        (("--precision", "po=0.9"), "`po` is not a class of the training rows. Did you mean `pos`?"),
        (("--precision", "pos=0.9", "--recall", "neg=0.9"), "give one of them"),
        (("--precision", "pos=0.9", "--threshold", "0.4"), "leave out `--cost`, `--precision` and `--recall`"),
    ],
)
def test_what_cannot_be_is_one_line(fails, here, reviews, options, said):
    assert said in fails("train", reviews, "--recipe", "naive-bayes", *options)
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("true,neg,pos\nneg,0,5\n", "has a column `pos` and no such row"),
        ("true,neg,pos\nneg,0,much\npos,1,0\n", "row `neg`, column `pos`: `much` is not a cost"),
        ("true,neg,pso\nneg,0,5\npso,1,0\n", "`pso` is not a class of the model. Did you mean `pos`?"),
        ("true,neg,pos\nneg,5,0\npos,0,1\n", "Are rows and columns exchanged?"),
    ],
)
def test_a_table_that_cannot_be_is_one_line(fails, here, reviews, costs, table, said):
    costs.write_text(table)
    assert said in fails("train", reviews, "--recipe", "naive-bayes", "--cost", costs)
    assert not list(here.iterdir())


def test_a_class_of_test_rows_only_has_no_recall(fails, here, reviews, tmp_path):
    rows = pl.read_csv(reviews).head(40)
    rows.with_columns(stars=pl.Series(["meh", *rows["stars"][1:]])).write_csv(tmp_path / "test.csv")
    said = fails("train", reviews, "--recipe", "naive-bayes", "--test", tmp_path / "test.csv", "--recall", "meh=0.8")
    assert "`meh` is not a class of the training rows" in said
    assert "training on" not in said
    assert not list(here.iterdir())
