"""``tagline evaluate``."""

import json
import shutil

import polars as pl
import pytest

from tagline.classifier import TextClassifier
from tagline.run_folder import RunFolder
from tests.cli.cli_data import write_reviews


def test_evaluate_its_own_data_uses_the_test_rows(call, run_folder):
    status, out, _ = call("evaluate", run_folder, run_folder.parent / "reviews.csv", "--json", "-q")
    metrics = json.loads(out)
    trained = json.loads((run_folder / "metrics.json").read_text())
    assert status == 0
    assert metrics["rows"] == {"train": 0, "validation": 0, "test": 24}
    assert "not seen" in metrics["rows_used"]
    assert metrics["test"]["confusion_matrix"] == trained["test"]["confusion_matrix"]


def test_evaluate_other_data_uses_all_rows(call, run_folder, tmp_path):
    data = write_reviews(tmp_path / "other.csv", n=100, seed=9)
    status, out, _ = call("evaluate", run_folder / "model", data, "-q")
    assert status == 0
    assert out.startswith("The text is `review` (as in training), label is `stars` (as in training).\n")
    assert "On all 100 rows" in out
    rows = pl.read_csv(data)
    clf = TextClassifier.load(run_folder / "model")
    accuracy = (pl.Series(clf.predict(rows["review"])) == rows["stars"]).mean()
    status, out, _ = call("evaluate", run_folder, data, "--label", "stars", "-q")
    assert out.startswith("The text is `review` (as in training), label is `stars` (given).\n")
    status, out, _ = call("evaluate", run_folder, data, "--json", "-q")
    assert json.loads(out)["test"]["accuracy"] == pytest.approx(accuracy)


def test_evaluate_official_test_rows_only(call, run_folder, tmp_path):
    rows = pl.read_csv(write_reviews(tmp_path / "other.csv", n=90, seed=9))
    split = pl.Series("split", ["train", "train", "test"] * 30)
    rows.with_columns(split).write_csv(tmp_path / "official.csv")
    _status, out, _ = call("evaluate", run_folder, tmp_path / "official.csv", "--json", "-q")
    metrics = json.loads(out)
    assert metrics["rows"]["test"] == 30
    assert "official test split" in metrics["rows_used"]


def test_evaluate_with_labels_the_model_does_not_know(call, fails, run_folder, tmp_path):
    (tmp_path / "mixed.csv").write_text("text,label\nsuperb,pos\ndull,neg\nso so,meh\n" * 1)
    status, out, err = call("evaluate", run_folder, tmp_path / "mixed.csv", "--json")
    metrics = json.loads(out)
    assert status == 0
    assert metrics["task"] == "multiclass"
    assert metrics["test"]["accuracy"] == pytest.approx(2 / 3)
    assert "`meh`" in err
    (tmp_path / "alien.csv").write_text("text,label\nsuperb,ja\ndull,nein\n")
    assert "`ja`" in fails("evaluate", run_folder, tmp_path / "alien.csv")


def test_a_report_is_written_that_compare_and_runs_read(call, fails, run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # `tagline runs` wraps what does not fit
    data = write_reviews(tmp_path / "other.csv", n=60, seed=9)
    for name in ("one", "two"):
        status, out, _ = call("evaluate", run_folder, data, "-q", "--out", tmp_path / name)
        assert status == 0
        assert f"Report: {tmp_path / name / 'report.html'}" in out
    page = (tmp_path / "one" / "report.html").read_text()
    model = str(run_folder / "model")
    assert f"The model <code>{model}</code> was evaluated on all 60 rows, which it has not seen." in page
    assert "On the evaluated rows, with 95 % confidence intervals." in page
    assert "of 60 texts correct" in page
    for of_training in ("How this model was trained", "test rows", "test texts", "gives the same model", "final model"):
        assert of_training not in page
    for command in (
        ("predict", "good"),
        ("explain", "good"),
        ("serve", "--port", "0"),
        ("export", "--format", "page", "--out", tmp_path / "p"),
    ):
        assert f"name the model that was evaluated, `{model}`" in fails(command[0], tmp_path / "one", *command[1:])
    rows = pl.read_parquet(tmp_path / "one" / "predictions.parquet")
    assert sorted(rows["line"].to_list()) == list(range(2, 62))
    assert rows["label"].to_list() == [pl.read_csv(data)["stars"][line - 2] for line in rows["line"]]
    status, out, _ = call("compare", tmp_path / "one", tmp_path / "two", "--json", "-q")
    document = json.loads(out)
    assert (status, document["rows"], document["texts_shown"]) == (0, 60, True)
    assert "evaluation of fast" in call("runs", tmp_path)[1]
    found = json.loads(call("runs", tmp_path, "--json")[1])
    assert [run["evaluated"] for run in found] == [model, model]
    assert [run["accuracy"] for run in found if run["name"] == "one"] == [document["runs"][0]["accuracy"]]
    call("evaluate", run_folder, data, "-q", "--no-texts", "--out", tmp_path / "one")
    assert json.loads((tmp_path / "one" / "mistakes.json").read_text()) == []
    assert "whose model would be lost" in fails("evaluate", run_folder, data, "--out", run_folder)
    trained = shutil.copytree(run_folder, tmp_path / "trained", ignore=shutil.ignore_patterns("model"))
    assert "whose record would be lost" in fails("evaluate", run_folder, data, "--out", trained)


def test_a_file_of_one_class_is_evaluated(call, run_folder, tmp_path):
    rows = pl.read_csv(write_reviews(tmp_path / "other.csv", n=60, seed=9)).filter(pl.col("stars") == "pos")
    rows.write_csv(tmp_path / "one.csv")
    status, out, _ = call("evaluate", run_folder, tmp_path / "one.csv", "--out", tmp_path / "one")
    assert status == 0
    assert "Only `pos` occurs in these rows: metrics that need other classes" in " ".join(out.split())
    assert "Only <code>pos</code> occurs" in (tmp_path / "one" / "report.html").read_text()
    metrics = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert metrics["test"]["roc_auc"] is None
    predicted = pl.read_parquet(tmp_path / "one" / "predictions.parquet")["prediction"]
    assert metrics["test"]["accuracy"] == pytest.approx((predicted == "pos").mean())


def test_every_row_comes_back(call, fails, run_folder, tmp_path):
    lines = [f"superb film {i},{'pos' if i % 2 else 'neg'}" for i in range(20)]
    lines[3:3] = [",pos", "superb but nobody says so,", '"superb" and,more,pos', "dull,"]
    (tmp_path / "new.csv").write_text("\n".join(["review,stars", *lines]) + "\n")
    status, out, err = call("evaluate", run_folder, tmp_path / "new.csv", "--out", tmp_path / "evaluation", "-q")
    assert (status, "On all 20 rows" in out) == (0, True)
    assert "1 row was left out: empty text" in out + err
    run = RunFolder(tmp_path / "evaluation")
    found = pl.read_parquet(run.path / "predictions.parquet")
    assert found["line"].to_list() == list(range(2, 26))
    left_out = found.filter(pl.col("reason").is_not_null())
    assert left_out.select("line", "prediction", "row").rows() == [(line, None, None) for line in (5, 6, 7, 8)]
    assert left_out["reason"].to_list()[:2] == ["empty text", "no label"]
    assert run.predictions is not None
    assert run.predictions["row"].to_list() == list(range(20))
    assert call("report", run.path, "-q")[0] == 0
    assert "a closing quote is followed" in fails("evaluate", run_folder, tmp_path / "new.csv", "--strict", "-q")
