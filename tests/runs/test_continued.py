"""`tagline train NEW --from RUN`: a run that continues the model of another one, on the BBC's articles."""

import numpy as np
import polars as pl
import pytest

from tagline import TextClassifier, load_dataset
from tagline.decisions.costs import CostMatrix
from tagline.errors import InputError
from tagline.run_folder import RunFolder
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

pytestmark = pytest.mark.slow

NEW_CLASS = "sports"


def continue_run(data, run, out, **settings):
    return train_run(data, TrainSettings(from_model=run, **settings), out=out)


@pytest.fixture(scope="module")
def articles():
    """Articles on four topics to begin with, and later ones on five, under other columns than are detected."""
    data = load_dataset("bbc-news")
    rows = data.train.followed_by(data.validation).followed_by(data.test)
    frame = pl.DataFrame({"headline": rows.texts.str.slice(0, 40), "article": rows.texts, "topic": rows.labels})
    frame = frame.unique("article", maintain_order=True).sample(fraction=1, shuffle=True, seed=3)
    old = frame.filter(pl.col("topic") != NEW_CLASS).head(500)
    return old, frame.join(old, on="article", how="anti").head(700)


@pytest.fixture(scope="module")
def old(articles, tmp_path_factory):
    folder = tmp_path_factory.mktemp("old") / "run"
    return train_run(articles[0], TrainSettings(text=("article",), label=("topic",)), out=folder).folder


@pytest.fixture(scope="module")
def new(articles, old, tmp_path_factory):
    path = tmp_path_factory.mktemp("new") / "later.csv"
    articles[1].write_csv(path)
    return continue_run(path, old, path.with_name("run"))


def test_new_rows_and_a_new_class_are_learned_and_the_gain_is_measured(old, new, articles):
    assert new.metrics["classes"] == sorted({*articles[0]["topic"], NEW_CLASS})
    assert new.dataset.facts.text_columns == ("article",)  # that of the old run
    gain = new.metrics["continued_from"]
    before, after = gain["runs"]
    assert gain["new_classes"] == [NEW_CLASS]
    assert (before["name"], after["name"]) == (old.name, new.folder.name)
    assert after["accuracy"] == new.metrics["test"]["accuracy"] > 0.9
    assert after["macro_f1"] == pytest.approx(new.metrics["test"]["macro_f1"])
    test = new.dataset.test
    assert before["accuracy"] == TextClassifier.load(old / "model").score(test.texts, test.labels)
    assert gain["pair"]["accuracy"]["difference"] == pytest.approx(after["accuracy"] - before["accuracy"])
    assert gain["pair"]["accuracy"]["difference_ci95"][0] > 0.05  # a fifth of the rows is of the new class
    page = (new.folder / "report.html").read_text(encoding="utf-8")
    assert "Compared with the model before" in page
    assert "is significantly more accurate than" in page
    assert f"This run continued `{old.name}`, trained on 450 rows." in page.replace("<code>", "`").replace(
        "</code>", "`"
    )


def test_the_run_says_what_it_continues(old, new):
    record, before = RunFolder(new.folder).record, RunFolder(old).record
    n_before = before["chosen"]["learnt_from"]
    assert record["continued_from"] == {
        "name": old.name,
        "dataset": {key: before["dataset"][key] for key in ("name", "fingerprint")},
        "learnt_from": n_before,
        "classes": before["dataset"]["classes"],
    }
    rows = record["dataset"]["rows"]
    assert record["chosen"]["learnt_from"] == n_before + rows["train"] + rows["validation"]
    assert record["chosen"]["C"] == before["chosen"]["C"]
    assert record["recipe"] == before["recipe"]
    assert TextClassifier.load(new.folder / "model").card_["continued_from"]["name"] == old.name


def test_it_is_a_run_like_any_other(old, new, articles, tmp_path):
    clf = TextClassifier.load(new.folder / "model")
    stored = pl.read_parquet(new.folder / "predictions.parquet")
    proba = clf.predict_proba(new.dataset.test.texts)
    assert np.allclose(stored.select(pl.col("^proba:.*$")).to_numpy(), proba)
    again = evaluate_model(new.folder, new.dataset.source)
    assert again.metrics["test"]["accuracy"] == new.metrics["test"]["accuracy"]
    assert again.metrics["rows_seen_in_training"] == 0
    earlier = evaluate_model(new.folder, articles[0])  # of which it has learned from 9 in 10
    assert earlier.metrics["rows_seen_in_training"] == 450
    assert earlier.metrics["test"]["accuracy"] > 0.97
    again = continue_run(articles[0], old, tmp_path / "again")  # with the same test rows, which it has not seen
    assert "450 of 450 rows to learn from have a text that `run` was trained on" in " ".join(
        again.dataset.facts.warnings
    )
    third = continue_run(articles[1].tail(320), new.model, tmp_path / "third")
    assert third.metrics["continued_from"]["new_classes"] == []
    assert any("have a text that `run` was trained on" in finding["sentence"] for finding in third.metrics["findings"])


def test_each_fold_is_predicted_by_the_old_model_continued_with_the_others(old, articles, tmp_path):
    run = continue_run(articles[1].tail(240), old, tmp_path / "run", folds=5)
    assert run.metrics["folds"] == 5
    assert run.metrics["test"]["n"] == run.metrics["continued_from"]["rows"] == 240
    assert TextClassifier.load(run.model).abstention_threshold(0.9) <= 1
    assert "guarantees" not in run.metrics  # the models of the folds saw 192 new rows, and held none out
    before, after = run.metrics["continued_from"]["runs"]
    assert after["accuracy"] > before["accuracy"]


def test_rows_of_some_classes_only(old, articles, tmp_path):
    tech = articles[1].filter(pl.col("topic") == "tech").with_columns(topic=pl.lit("TECH"))
    respelled = (
        tech.head(90)
        .with_row_index()
        .with_columns(topic=pl.when(pl.col("index") < 30).then(pl.lit("Tech")).otherwise("topic"))
    )
    run = continue_run(respelled.drop("index"), old, tmp_path / "run", folds=0)
    said = " ".join(run.dataset.facts.warnings)
    assert "Spellings of one label were merged" in said
    assert "--keep-label-spelling" not in said  # which `--from` refuses
    assert run.metrics["classes"] == RunFolder(old).record["dataset"]["classes"]
    assert run.dataset.train.labels.unique().to_list() == ["tech"]  # as the model spells it
    assert "cannot be learned" not in " ".join(run.dataset.facts.warnings)
    clf = TextClassifier.load(run.model)
    others = articles[0].filter(pl.col("topic") != "tech")
    assert clf.score(others["article"], others["topic"]) > 0.9


def test_a_validation_file_calibrates_and_a_seed_gives_the_same_bytes(old, articles, tmp_path):
    train, validation, test = (tmp_path / f"{name}.csv" for name in ("train", "validation", "test"))
    articles[1][:400].write_csv(train)
    articles[1][400:560].write_csv(validation)
    articles[1][560:].write_csv(test)
    files = {"validation": validation, "test": test}
    runs = [continue_run(train, old, tmp_path / name, **files, seed=5) for name in ("one", "two")]
    assert runs[0].metrics["rows"] == {"train": 400, "validation": 160, "test": 140}
    assert runs[0].metrics["validation"]["n"] == 160
    assert runs[0].metrics["validation"]["how"] == "the validation rows"
    one, two = (sorted((run.folder / "model").iterdir()) for run in runs)
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_held_out_rows_leave_no_trace_in_what_they_calibrate():
    """The probabilities of the validation rows are those of a model continued with the other rows."""
    data = load_dataset("movie-snippets").train
    frame = pl.DataFrame({"text": data.texts, "label": data.labels}).sample(fraction=1, shuffle=True, seed=0)
    old, new, held = frame[:1000], frame[1000:1400], frame[1400:1800]
    clf = TextClassifier().fit(old["text"], old["label"])
    clf.partial_fit(new["text"], new["label"], validation=(held["text"], held["label"]))
    assert clf.validation_.rows.tolist() == list(range(400, 800))
    other = TextClassifier().fit(old["text"], old["label"]).partial_fit(new["text"], new["label"])
    expected = other.model_.logits(other.vectorizer_.transform(held["text"])) / clf.temperature_
    found = np.log(clf.validation_.proba[:, 1:] / clf.validation_.proba[:, :1])
    # The weight of a coefficient's prior depends on the mean length of the texts, held-out ones included.
    assert np.allclose(found, expected, atol=0.05)


def test_a_row_of_weight_0_is_not_learned_from(old, articles, tmp_path):
    weighted = articles[1].with_columns(trust=pl.Series([0.0, 1.0, 1.0, 1.0, 1.0] * 140))
    run = continue_run(weighted, old, tmp_path / "run", weight="trust")
    n_weighted = sum(len(part.trained) for part in (run.dataset.train, run.dataset.validation))
    assert RunFolder(run.folder).record["chosen"]["learnt_from"] == 450 + n_weighted
    assert run.metrics["validation"]["accuracy"] > 0.7


def test_costs_and_the_positive_class_stay(tmp_path):
    data = load_dataset("movie-snippets").train
    frame = pl.DataFrame({"text": data.texts, "label": data.labels}).sample(fraction=1, shuffle=True, seed=0)
    costs = CostMatrix.from_json({"classes": ["neg", "pos"], "costs": [[0, 1], [4, 0]]})
    old = train_run(frame[:600], TrainSettings(costs=costs, positive="neg"), out=tmp_path / "old")
    run = continue_run(frame[600:1200], old.folder, tmp_path / "run")
    assert run.metrics["test"]["positive"] == "neg"
    assert run.metrics["test"]["mean_cost"] > 0
    clf = TextClassifier.load(run.model)
    assert clf.costs_ == costs
    assert clf.threshold_ == pytest.approx(0.8)
    odd = frame[600:900].with_columns(label=pl.Series(["neg", "pos", "odd"] * 100))
    with pytest.raises(InputError, match="takes no new classes"):
        continue_run(odd, old.folder, tmp_path / "odd")


def test_a_promised_precision_is_chosen_anew_or_no_longer_promised(tmp_path):
    data = load_dataset("movie-snippets").train
    frame = pl.DataFrame({"text": data.texts, "label": data.labels}).sample(fraction=1, shuffle=True, seed=0)
    old = train_run(frame[:1500], TrainSettings(precision={"pos": 0.7}), out=tmp_path / "old")
    run = continue_run(frame[1500:3000], old.folder, tmp_path / "run")
    assert run.decided
    assert run.metrics["test"]["per_class"]["pos"]["precision"] > 0.7
    few = continue_run(frame[3000:3150], old.folder, tmp_path / "few")
    assert not few.decided
    clf = TextClassifier.load(few.model)
    assert clf.threshold_ == TextClassifier.load(old.model).threshold_


def test_several_labels_a_text(tmp_path):
    rows = [
        (f"{a} {b} {k}", [a, b] if a != b else [a])
        for k in range(25)
        for a in ("red", "green")
        for b in ("red", "blue")
    ]
    old = train_run(rows, out=tmp_path / "old")
    later = [(f"{name} sky {k}", name) for k in range(60) for name in ("grey", "blue")]
    run = continue_run(later, old.folder, tmp_path / "run")
    assert run.metrics["task"] == "multilabel"
    assert run.metrics["classes"] == ["blue", "green", "grey", "red"]
    assert run.metrics["continued_from"]["runs"][1]["micro_f1"] > run.metrics["continued_from"]["runs"][0]["micro_f1"]
    assert [*TextClassifier.load(run.model).predict(["grey and green"])] == [["green", "grey"]]


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (
            [("a film", ["tech", "sports"]), ("an election", ["politics"])] * 30,
            {},
            "several labels, and the model gives",
        ),
        ([("Владимир", "tech"), ("тоже", "politics")] * 30, {}, "No text of .* has a word that `run` knows"),
        ([("a film", "tech"), ("a vote", "politics")] * 30, {"recipe": "naive-bayes"}, "`--recipe` cannot be given"),
        ([("a film", "tech"), ("a vote", "politics")] * 30, {"settings": ("model.C=2",)}, "`--set` cannot be given"),
        ([("a film", "tech"), ("a vote", "politics")] * 30, {"threshold": 0.2}, "`--threshold` cannot be given"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(old, tmp_path, rows, settings, message):
    frame = pl.DataFrame({"article": [text for text, _ in rows], "topic": [label for _, label in rows]})
    with pytest.raises(InputError, match=message):
        continue_run(frame, old, tmp_path / "run", **settings)
    assert list(tmp_path.iterdir()) == []


def test_labels_in_another_column_must_be_known_or_named(old, articles, tmp_path):
    renamed = articles[1].select("article", kind=pl.col("topic") + "_x")
    with pytest.raises(InputError, match=r"has no column `topic`, the label column in training, .* give `--label`"):
        continue_run(renamed, old, tmp_path / "run")
    run = continue_run(renamed, old, tmp_path / "run", label=("kind",))
    assert len(run.metrics["classes"]) == 9


def test_models_that_cannot_be_continued(old, tmp_path):
    rows = [("good film", "pos"), ("bad film", "neg")] * 20
    bayes = train_run(
        [(f"{t} {k}", y) for k, (t, y) in enumerate(rows)], TrainSettings(recipe="naive-bayes"), out=tmp_path / "b"
    )
    with pytest.raises(InputError, match=r"`--from .*b`: Only a linear SVM of n-grams, such as `fast`"):
        continue_run(rows, bayes.folder, tmp_path / "run")
    TextClassifier().fit([text for text, _ in rows], [1, 2] * 20).save(tmp_path / "numbers")
    with pytest.raises(InputError, match="on numbers as labels"):
        continue_run(rows, tmp_path / "numbers", tmp_path / "run")
    (tmp_path / "text.bin").write_text("no model")
    with pytest.raises(InputError):
        continue_run(rows, tmp_path / "text.bin", tmp_path / "run")
    assert not (tmp_path / "run").exists()
