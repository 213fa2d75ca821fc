"""Copies of a text, and rows of a group, from the data to the figures, the terminal, the report and a comparison."""

import json
import random
from pathlib import Path

import polars as pl
import pytest

from tagline.cli import main
from tagline.errors import InputError
from tagline.runs.compare import compare_runs, speed
from tagline.runs.evaluate import evaluate_model
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

WORDS = {"neg": ["bad", "dull", "weak", "awful"], "pos": ["good", "fine", "great", "superb"]}


def texts(n: int, seed: int = 0) -> list[tuple[str, str]]:
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        label = ("neg", "pos")[i % 2]
        said = label if rng.random() < 0.8 else ("pos", "neg")[i % 2]
        rows.append((f"{' '.join(rng.choices(WORDS[said], k=2))} {' '.join(rng.choices('uvwxyz', k=3))} {i}", label))
    return rows


def write(path: Path, copies: int = 6) -> Path:
    """Write 100 test texts with ``copies`` of each, in other case, and an author of every ten texts."""
    rows = [(text, label, f"train {i}", "train") for i, (text, label) in enumerate(texts(80, 1))]
    for i, (text, label) in enumerate(texts(100)):
        rows += [(text.upper() if k % 2 else f" {text}", label, f"author {i // 10}", "test") for k in range(copies)]
    pl.DataFrame(rows, ["text", "label", "author", "split"], orient="row").write_csv(path)
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("units")
    data = str(write(folder / "data.csv"))
    for name, recipe in (("a", "naive-bayes"), ("b", "linear-svm")):
        train_run(data, TrainSettings(recipe=recipe, text=("text",), label="label"), out=folder / name)
    return folder


@pytest.fixture(autouse=True)
def _short_timing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_SECONDS", 0.05)


def load(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def width(interval: list[float]) -> float:
    return interval[1] - interval[0]


def test_a_run_counts_each_distinct_text_once(runs: Path, tmp_path: Path) -> None:
    once = train_run(
        str(write(tmp_path / "once.csv", 1)), TrainSettings(recipe="naive-bayes", text=("text",)), out=tmp_path / "once"
    ).metrics
    metrics = load(runs / "a" / "metrics.json")
    test = metrics["test"]
    assert (test["n"], test["n_units"], test["unit"]) == (600, 100, "text")
    assert test["accuracy"] == once["test"]["accuracy"]
    assert width(test["accuracy_ci95"]) == pytest.approx(width(once["test"]["accuracy_ci95"]), rel=0.15)
    assert metrics["smallest_difference"]["points"] == once["smallest_difference"]["points"]
    unit = pl.read_parquet(runs / "a" / "predictions.parquet")["unit"]
    assert unit.n_unique() == 100
    report = (runs / "a" / "report.html").read_text(encoding="utf-8")
    assert "600 rows, 100 distinct texts: intervals and tests count each distinct text once." in report
    assert "Copies dominate: 680 rows have 180 distinct texts; the most frequent has 6 (first: " in report


def test_the_terminal_names_copies(runs: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["train", str(runs / "data.csv"), "--text", "text", "--recipe", "naive-bayes"]
    assert main([*command, "--label", "label", "--out", str(tmp_path / "run")]) == 0
    said = " ".join(capfd.readouterr().out.split())
    assert "600 rows, 100 distinct texts: intervals and tests count each distinct text once." in said
    assert "Copies dominate: 680 rows have 180 distinct texts; the most frequent has 6 (first: " in said


def test_runs_are_compared_by_text(runs: Path) -> None:
    document = compare_runs([runs / "a", runs / "b"])
    (pair,) = document["pairs"]
    assert (document["rows"], document["n_units"], document["unit"]) == (600, 100, "text")
    cells = pair["mcnemar"]
    only = [cells[f"only_{one}_right"] // 6 for one in ("first", "second")]
    from tagline.metrics.comparison.mcnemar import mcnemar, smallest_difference

    assert cells["p"] == pytest.approx(mcnemar(*only))
    assert pair["smallest_difference"] == smallest_difference(100, sum(only) / 100)
    assert any("100 distinct texts" in sentence for sentence in document["conclusion"])


def test_runs_without_units_are_compared_by_their_texts(runs: Path, tmp_path: Path) -> None:
    """Runs of earlier versions: no column ``unit``, and intervals of rows."""
    import shutil

    expected = compare_runs([runs / "a", runs / "b"])
    for name in "ab":
        shutil.copytree(runs / name, tmp_path / name)
        rows = pl.read_parquet(tmp_path / name / "predictions.parquet").drop("unit")
        rows.write_parquet(tmp_path / name / "predictions.parquet")
        metrics = load(tmp_path / name / "metrics.json")
        metrics["test"] = {k: v for k, v in metrics["test"].items() if k not in ("n_units", "n_effective", "unit")}
        metrics["test"]["accuracy_ci95"] = [0.79, 0.81]
        (tmp_path / name / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    found = compare_runs([tmp_path / "a", tmp_path / "b"])
    assert found["pairs"][0]["mcnemar"] == expected["pairs"][0]["mcnemar"]
    for run, other in zip(found["runs"], expected["runs"], strict=True):
        assert width(run["accuracy_ci95"]) == pytest.approx(width(other["accuracy_ci95"]), rel=0.2)
    for name in "ab":
        record = load(tmp_path / name / "run.json")
        record["data"]["source"] = None
        (tmp_path / name / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert "n_units" not in compare_runs([tmp_path / "a", tmp_path / "b"])


def test_groups_are_units_in_folds_and_in_evaluation(tmp_path: Path) -> None:
    rows = [(text, label, f"customer {i // 10}") for i, (text, label) in enumerate(texts(200))]
    data = pl.DataFrame(rows, ["text", "label", "customer"], orient="row")
    settings = TrainSettings(recipe="naive-bayes", text=("text",), label="label", group="customer", folds=4)
    run = train_run(data, settings, out=tmp_path / "run")
    test = run.metrics["test"]
    assert (test["n"], test["n_units"], test["unit"]) == (200, 20, "group")
    new = data.with_columns("text", customer=pl.format("new {}", pl.int_range(pl.len()) // 20))
    new = new.with_columns(pl.format("{} again", "text").alias("text"))
    by_card = evaluate_model(run.model, new).metrics["test"]
    assert (by_card["n_units"], by_card["unit"]) == (10, "group")
    assert "n_units" not in evaluate_model(run.model, new.drop("customer")).metrics["test"]
    named = evaluate_model(run.model, new.rename({"customer": "author"}), group="author").metrics["test"]
    assert named["accuracy_ci95"] == by_card["accuracy_ci95"]


def test_evaluation_counts_each_distinct_text_once(runs: Path) -> None:
    rows = [row for row in texts(50, 3) for _ in range(8)]
    test = evaluate_model(runs / "a", pl.DataFrame(rows, ["text", "label"], orient="row")).metrics["test"]
    assert (test["n"], test["n_units"], test["unit"]) == (400, 50, "text")


def test_a_single_group_is_named(tmp_path: Path) -> None:
    rows = pl.DataFrame(texts(40), ["text", "label"], orient="row").with_columns(author=pl.lit("a"))
    settings = TrainSettings(recipe="naive-bayes", group="author")
    with pytest.raises(InputError, match=r"occurs in two groups.*the column of `--group` has 1 different value\."):
        train_run(rows, settings, out=tmp_path / "run")
    copied = pl.concat([rows, rows.head(20).with_columns(author=pl.lit("b"))])
    with pytest.raises(InputError, match=r"texts that are in several of its 2 groups \(first: row 0\) join them"):
        train_run(copied, settings, out=tmp_path / "run")


@pytest.mark.parametrize("folds", [None, 5])
def test_data_with_every_class_once_is_refused_in_one_line(folds: int | None, tmp_path: Path) -> None:
    rows = [
        (f"{text} {' '.join(random.Random(i).choices('abcdef', k=3))}", f"c{i}")
        for i, (text, _) in enumerate(texts(40))
    ]
    settings = TrainSettings(recipe="naive-bayes", folds=folds)
    with pytest.raises(InputError, match=r"None of the 40 classes .* two distinct texts.*`label` the label column"):
        train_run(rows, settings, out=tmp_path / "run")
    with pytest.raises(InputError, match="two distinct texts"):
        train_run([row for row in rows for _ in range(3)], settings, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    path = tmp_path / "test.csv"
    pl.DataFrame([(f"{text} again", label) for text, label in rows], ["text", "label"], orient="row").write_csv(path)
    if folds is None:
        run = train_run(rows, TrainSettings(recipe="naive-bayes", test=str(path)), out=tmp_path / "run")
        assert run.metrics["test"]["n"] == 40


@pytest.mark.parametrize("recipe", ["fast", "naive-bayes"])
@pytest.mark.parametrize("copies", [1, 30])
def test_a_class_of_one_text_leaves_the_probabilities_of_others_alone(recipe: str, copies: int, tmp_path: Path) -> None:
    rng = random.Random(0)
    words = {name: [f"{name}{k}" for k in range(8)] for name in ("billing", "delivery", "technical")}
    rows = [
        (" ".join([*rng.choices(words[name], k=5), *rng.choices("stuvwxyz", k=4)]), name)
        for name in words
        for _ in range(65)
    ]
    plain = train_run(rows, TrainSettings(recipe=recipe), out=tmp_path / "plain").metrics["test"]
    alone = [("please cancel it", "cancelled")] * copies
    run = train_run([*rows, *alone], TrainSettings(recipe=recipe), out=tmp_path / "run")
    assert run.metrics["test"]["ece"] == pytest.approx(plain["ece"], abs=0.03)
    assert run.metrics["test"]["ece"] <= 0.05
    (warning,) = [one for one in run.dataset.facts.warnings if "`cancelled`" in one]
    assert ("single row" in warning) == (copies == 1)
    assert load(run.folder / "run.json")["chosen"]["held_out"]["left_out"] == copies
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert f"without {copies} whose class has no training row in their fold" in report
    assert "cancelled" in report
