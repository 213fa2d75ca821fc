"""``tagline train`` and what it leaves behind."""

import csv
import json
import os
import re
from pathlib import Path

import polars as pl
import pytest

from tagline.classifier import TextClassifier
from tests.cli.cli_data import names, write_reviews, write_topics

FAST = ("--recipe", "naive-bayes", "--quiet")


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_files_of_a_run_folder(run_folder):
    assert sorted(path.name for path in run_folder.iterdir()) == [
        "metrics.json", "mistakes.json", "model", "plots", "predictions.parquet", "report.html", "run.json",
        "trained_on.npy",
    ]  # fmt: skip
    assert {"confusion_matrix.svg", "confusion_matrix.png"} <= set(names(run_folder / "plots"))
    metrics = load(run_folder / "metrics.json")
    assert metrics["task"] == "binary"
    assert metrics["classes"] == ["neg", "pos"]
    assert metrics["rows"] == {"train": 192, "validation": 24, "test": 24}
    assert metrics["test"]["n"] == 24
    assert set(metrics["seconds"]) == {"read", "features", "fit", "evaluate", "total"}
    assert metrics["seconds"]["total"] > metrics["seconds"]["fit"] > 0
    assert 50 < metrics["peak_rss_mb"] < 5000
    assert metrics["validation"]["how"]
    for key in ("accuracy", "macro_f1", "log_loss", "roc_auc", "ece", "accuracy_ci95", "confusion_matrix"):
        assert key in metrics["test"]
    assert {"precision", "recall", "specificity", "tp", "fn"} <= set(metrics["test"]["per_class"]["pos"])


def test_predictions_are_the_figures(run_folder):
    metrics, rows = load(run_folder / "metrics.json"), pl.read_parquet(run_folder / "predictions.parquet")
    assert rows.columns == ["row", "file", "line", "row_hash", "label", "prediction", "proba:neg", "proba:pos"]
    assert (rows["label"] == rows["prediction"]).mean() == pytest.approx(metrics["test"]["accuracy"])
    assert (rows["prediction"] == "pos").to_list() == (rows["proba:pos"] > 0.5).to_list()
    matrix = metrics["test"]["confusion_matrix"]
    assert matrix[0][1] == rows.filter((pl.col("label") == "neg") & (pl.col("prediction") == "pos")).height


def test_mistakes_are_wrong_confident_first_and_add_up(run_folder):
    mistakes = load(run_folder / "mistakes.json")
    assert mistakes
    confidences = [mistake["probability"] for mistake in mistakes]
    assert confidences == sorted(confidences, reverse=True)
    clf = TextClassifier.load(run_folder / "model")
    rows = pl.read_parquet(run_folder / "predictions.parquet")
    for mistake in mistakes:
        assert mistake["text"] in Path(mistake["file"]).read_text().split("\n")[mistake["line"] - 1]
        assert rows.row(mistake["row"], named=True)["line"] == mistake["line"]
        assert mistake["label"] != mistake["prediction"]
        proba = clf.predict_proba([mistake["text"]])[0]
        assert mistake["probability"] == pytest.approx(proba.max())
        assert clf.predict([mistake["text"]])[0] == mistake["prediction"]
        # Towards the prediction: words and intercept together give its logit, which is positive.
        total = sum(value for _, _, value in mistake["spans"])
        sign = 1 if mistake["prediction"] == "pos" else -1
        intercept = sign * float(clf.model_.intercept[0]) / clf.temperature_
        assert total + intercept == pytest.approx(sign * clf.decision_function([mistake["text"]])[0], abs=1e-4)


def test_run_json_records_the_settings_and_no_paths(run_folder):
    run = load(run_folder / "run.json")
    assert run["command"][:2] == ["tagline", "train"]
    assert run["recipe"]["recipe"]["name"] == "fast"
    assert run["chosen"]["C"] > 0
    assert set(run["machine"]) == {"processor", "cores", "platform"}
    assert {"tagline", "python", "numpy", "polars", "scikit-learn", "torch"} == set(run["versions"])
    del run["command"], run["dataset"]["source"], run["data"]  # the paths the user typed
    written = json.dumps(run)
    assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", written)
    assert str(run_folder.parent) not in written


def test_json_is_the_metrics_and_nothing_else(call, reviews, here):
    status, out, err = call("train", reviews, "--json", *FAST)
    assert status == 0
    assert err == ""
    [run] = (here / "runs").glob("*/")
    assert json.loads(out) == load(run / "metrics.json")
    assert run.name.endswith("-naive-bayes-reviews")
    assert load(run / "run.json")["name"] == run.name


def test_the_terminal_names_the_cells_and_the_next_step(call, reviews, here):
    status, out, err = call("train", reviews, "--recipe", "naive-bayes")
    assert status == 0
    for part in ("Accuracy", "95 % interval", "macro average", "TP ", "FP ", "FN ", "TN ", "Positive class: pos"):
        assert part in out
    [run] = (here / "runs").glob("*/")
    assert f"runs/{run.name}/report.html" in out
    assert f'tagline predict runs/{run.name}/model "' in out
    assert "reading" in err
    assert "\x1b" not in out + err


def test_folds_measure_every_row_once(call, reviews, here):
    status, out, _ = call("train", reviews, "--folds", "3", "--json", *FAST, "--out", "run")
    metrics = json.loads(out)
    assert status == 0
    assert metrics["folds"] == 3
    assert metrics["test"]["n"] == metrics["rows"]["train"] == 240
    rows = pl.read_parquet(here / "run" / "predictions.parquet")
    assert rows["row"].to_list() == list(range(240))
    # Each row was judged by a model that had not seen it: one that has seen all of them does better.
    assert metrics["test"]["accuracy"] < 1
    assert "3 folds" in (here / "run" / "report.html").read_text()


def test_no_texts_leaves_no_text(call, tmp_path, here):
    data = write_reviews(tmp_path / "secret.csv", mark="zzyzx ")
    data.write_text(data.read_text() + "\n".join(['"unclosed zzyzx']))
    status, _, err = call("train", data, "--no-texts", "--out", "run", *FAST)
    assert status == 0, err
    assert load(here / "run" / "mistakes.json") == []
    for path in (here / "run").rglob("*"):
        if path.is_file() and path.parent.name != "model":
            assert b"zzyzx" not in path.read_bytes(), path


def test_rejected_rows_are_written_down(call, tmp_path, here):
    data = write_reviews(tmp_path / "broken.csv")
    data.write_bytes(data.read_bytes() + b"240,cafe noir,pos,more\n")
    assert call("train", data, "--out", "run", *FAST)[0] == 0
    rejected = pl.read_csv(here / "run" / "rejected.csv")
    assert rejected["line"].to_list() == [242]
    status, out, err = call("train", data, "--strict", "--out", "strict", *FAST)
    assert (status, out) == (2, "")
    assert "242" in err
    assert not (here / "strict").exists()


def test_threshold_and_positive_class_are_stored_in_the_model(call, reviews, here):
    decided = ("--threshold", "0.8", "--positive", "neg")
    status, out, _ = call("train", reviews, "--out", "run", "--json", *decided, *FAST)
    assert status == 0
    assert json.loads(out)["test"]["positive"] == "neg"
    rows = pl.read_parquet(here / "run" / "predictions.parquet")
    assert (rows["prediction"] == "neg").to_list() == (rows["proba:neg"] > 0.8).to_list()
    assert ((rows["proba:neg"] > 0.5) != (rows["proba:neg"] > 0.8)).any()
    status, out, _ = call("predict", "run", "--input", reviews, "--proba", "--quiet")
    again = pl.read_csv(out.encode())
    assert (again["prediction"] == "neg").to_list() == (again["proba:neg"] > 0.8).to_list()


def test_balance_helps_the_rare_class(call, tmp_path, here):
    lines = [
        f"{'rare' if i % 10 == 0 else 'plain'} word{i % 7} x{i % 3},{'b' if i % 10 in (0, 1) else 'a'}"
        for i in range(300)
    ]
    (tmp_path / "skew.csv").write_text("text,label\n" + "\n".join(lines) + "\n")
    recall = {}
    for option in ((), ("--balance",)):
        settings = ("--recipe", "logistic-regression", "--set", "model.C=0.01")
        _status, out, _ = call("train", tmp_path / "skew.csv", "--json", "--quiet", *settings, *option)
        recall[option] = json.loads(out)["test"]["per_class"]["b"]["recall"]
    assert recall[("--balance",)] > recall[()]


@pytest.mark.usefixtures("drawn_plots")
def test_several_classes_and_a_class_only_the_test_rows_have(call, tmp_path, here):
    data = write_topics(tmp_path / "topics.csv")
    extra = tmp_path / "test.csv"
    extra.write_text("text,label\ngoal number 99 here,sport\nstars and rockets,space\n")
    status, out, _ = call("train", data, "--test", extra, "--json", *FAST)
    metrics = json.loads(out)
    assert status == 0
    assert metrics["classes"] == ["art", "money", "space", "sport"]
    assert metrics["rows"]["test"] == 2
    assert metrics["test"]["per_class"]["space"]["recall"] == 0
    assert metrics["test"]["per_class"]["sport"]["recall"] == 1


@pytest.mark.usefixtures("drawn_plots")
def test_multi_label(call, tmp_path, here):
    labels = [["red"] * (i % 2) + ["round"] * (i % 3 == 0) for i in range(120)]
    rows = [{"text": f"{' '.join(given)} thing {i}", "label": given} for i, given in enumerate(labels)]
    (tmp_path / "things.jsonl").write_text("\n".join(map(json.dumps, rows)))
    _, out, _ = call("train", tmp_path / "things.jsonl", "--json", "--quiet", "--out", "run")
    metrics = json.loads(out)
    assert metrics["task"] == "multilabel"
    assert metrics["test"]["micro_f1"] > 0.9
    _, out, _ = call("predict", "run", "red round thing", "blue thing", "--json", "--quiet")
    assert [row["prediction"] for row in json.loads(out)] == [["red", "round"], []]
    _status, out, _ = call("predict", "run", "red round thing", "--quiet", "--format", "csv")
    assert out.splitlines()[1].endswith('"[""red"", ""round""]"')


def test_an_old_run_is_replaced_and_nothing_else_is(call, fails, reviews, here):
    told = []
    for seed in ("0", "1"):
        status, _, err = call("train", reviews, "--seed", seed, "--out", "run", "--recipe", "naive-bayes")
        assert status == 0
        told.append("run holds a run; the new one replaces it when it is complete" in err)
    assert told == [False, True]
    assert load(here / "run" / "run.json")["seed"] == 1
    assert names(here) == ["run", "test_ledger.jsonl"]
    (here / "mine").mkdir()
    (here / "mine" / "letter.txt").write_text("dear")
    assert "not a run" in fails("train", reviews, "--out", "mine")
    assert names(here / "mine") == ["letter.txt"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bundle(call, reviews, here):
    for name in ("a", "b"):
        assert call("train", reviews, "--out", name, "--quiet")[0] == 0
    for path in (here / "a" / "model").iterdir():
        assert path.read_bytes() == (here / "b" / "model" / path.name).read_bytes()


@pytest.mark.slow
def test_standard_input(here, in_shell, tmp_path):
    data = write_topics(tmp_path / "topics.csv").read_text()
    done = in_shell("train", "-", "--json", *FAST, input=data)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["classes"] == ["art", "money", "sport"]
    assert done.stderr == ""


@pytest.mark.slow
def test_vectors_learnt_from_unlabelled_texts(call, in_shell, reviews, here):
    """Three text columns: the one that `--text` names is read in both files."""
    rows = pl.read_csv(reviews).select(
        author=pl.lit("somebody with a long name"), review="review", note=pl.lit("short")
    )
    rows.write_csv("more.csv")
    command = ["train", reviews, "--text", "review", "--recipe", "gru", "--folds", "0"]
    command += ["--unlabelled", "more.csv", "--out", "run"]
    for setting in ("features.maxlen=12", "model.embedding=5", "model.memory=4", "training.epochs=1"):
        command += ["--set", setting]
    done = in_shell(*command)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "of the running words" in line]
    assert len(lines) == 1
    assert re.search(r"vectors by skip-gram: \d+ of \d+ words, \d\d\.\d % of", lines[0])
    assert "training word vectors: 100%" in done.stderr
    told = load(here / "run" / "run.json")["chosen"]["vectors"]
    assert (told["size"], told["learnt_from"]["file"], told["learnt_from"]["unlabelled"]) == (5, "more.csv", 240)
    assert told["running_words"] > 0.7  # all but the numbers; they are none of the author's name
    assert "240 unlabelled texts of <code>more.csv</code>" in (here / "run" / "report.html").read_text()
    command[command.index("run")] = "again"
    assert call(*command, "--quiet")[2] == ""


def test_several_label_columns_are_labels_and_evaluated_as_such(call, tmp_path):
    flags = [(i % 2, i % 3 == 0, i % 5 == 0) for i in range(60)]
    lines = [f"{i},text {i} {'ab'[b]} {'cd'[c]},{a},{int(b)},{int(c)}" for i, (a, b, c) in enumerate(flags)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["id,comment,bug,billing,other", *lines]))
    columns = ("--text", "comment", "--label", "bug", "--label", "billing", "--label", "other")
    status, out, err = call("train", path, *columns, *FAST, "--json", "--out", tmp_path / "run")
    assert (status, json.loads(out)["classes"]) == (0, ["billing", "bug", "other"]), err
    run = load(tmp_path / "run" / "run.json")
    assert run["data"]["label"] == run["dataset"]["facts"]["label_columns"] == ["bug", "billing", "other"]
    assert (
        "<code>bug</code>, <code>billing</code>, <code>other</code>" in (tmp_path / "run" / "report.html").read_text()
    )
    status, out, err = call("evaluate", tmp_path / "run", path, "--json", "--quiet")
    assert (status, json.loads(out)["task"]) == (0, "multilabel"), err
    assert json.loads(out)["test"]["n"] == load(tmp_path / "run" / "metrics.json")["rows"]["test"]


def test_options_of_labels(call, tmp_path):
    path = tmp_path / "rows.csv"
    labels = ["Yes/no", "yes", "no", "NO"]
    path.write_text("\n".join(["text,label", *(f"text number {i},{labels[i % 4]}" for i in range(40))]))
    given = ("--label-separator", "/", "--keep-label-spelling", "--multilabel")
    status, out, err = call("train", path, *FAST, "--json", *given, "--out", tmp_path / "run")
    assert (status, json.loads(out)["classes"]) == (0, ["NO", "Yes", "no", "yes"]), err
    kept = load(tmp_path / "run" / "model" / "tagline.json")["facts"]["labels"]
    assert kept == {"separator": "/", "keep_spelling": True, "multilabel": True}
    status, out, err = call("datasets", "show", path, "--label-separator", "/", "--json")
    assert (status, json.loads(out)["classes"]) == (0, ["Yes", "no"]), err
    assert "Spellings of one label were merged" in err


def test_the_dialect_of_a_file_can_be_named(call, here):
    reviews = write_reviews(here / "plain.csv")
    rows = list(csv.reader(reviews.read_text().splitlines()))
    with (here / "odd.dat").open("w", encoding="cp850", newline="") as stream:
        csv.writer(stream, delimiter="^", quotechar="$").writerows(rows)
    odd = ("--separator", "^", "--quote", "$", "--encoding", "cp850")
    assert call("train", "odd.dat", "--out", "run", *odd, *FAST)[0] == 0
    reading = json.loads((here / "run" / "run.json").read_text())["data"]
    assert (reading["separator"], reading["quote"], reading["encoding"]) == ("^", "$", "cp850")
    status, _, err = call("evaluate", "run", "odd.dat", *odd)
    assert (status, "no column" in err) == (0, False)
    assert call("predict", "run", "--input", "odd.dat", *odd, "-o", "out.csv", "-q")[0] == 0
    assert len((here / "out.csv").read_text().splitlines()) == len(rows)


def test_the_share_of_unreadable_rows_is_an_option(call, fails, here):
    data = write_reviews(here / "data.csv")
    data.write_text(data.read_text() + "1,2,3,4\n" * 10)
    refused = fails("train", "data.csv", "--out", "run", *FAST)
    assert "10 of 250 rows cannot be read (more than 1 %)" in refused
    assert "Correct them, or allow more with `--max-unreadable`." in refused
    assert call("train", "data.csv", "--out", "run", "--max-unreadable", "0.05", *FAST)[0] == 0
    assert "encoding" in fails("train", "data.csv", "--encoding", "utf-99", *FAST)


def test_a_run_is_continued_with_new_rows_words_and_classes(call, run_folder, tmp_path):
    more = tmp_path / "more.csv"
    write_reviews(more, n=120, seed=8)
    with more.open("a") as file:
        file.writelines(f"{900 + k},the plot is odd and queer no{k},odd\n" for k in range(60))
    status, out, _ = call("train", more, "--from", run_folder, "--out", tmp_path / "run", "--folds", 3)
    assert status == 0
    assert f"`{run_folder.name}` does not know a class of these rows: `odd`." in " ".join(out.split())
    assert load(tmp_path / "run" / "run.json")["continued_from"]["name"] == run_folder.name
    status, out, _ = call("predict", tmp_path / "run", "an odd and queer plot", "--json")
    assert json.loads(out)[0]["prediction"] == "odd"


def test_what_cannot_be_continued(fails, run_folder, topics_run, reviews, tmp_path):
    target = ("--out", tmp_path / "run")
    assert "`--recipe` cannot be given with `--from`" in fails(
        "train", reviews, "--from", run_folder, "--recipe", "fast", *target
    )
    assert "`--positive` cannot be given" in fails("train", reviews, "--from", run_folder, "--positive", "neg", *target)
    assert "this is `naive-bayes`" in fails("train", reviews, "--from", topics_run, *target)
    assert "does not exist" in fails("train", reviews, "--from", tmp_path / "missing", *target)
    assert "cannot be given with `--resume`" in fails("train", "--from", run_folder, "--resume", tmp_path / "run")
    assert not (tmp_path / "run").exists()
