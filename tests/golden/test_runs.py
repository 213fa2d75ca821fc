"""Runs of earlier versions are listed, measured, compared, reported and trained again as they were.

`make_runs.py` made them, once. Only public names and the command line are used.
"""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from comparing import (
    ABOUT_TIME,
    ADDED,
    EXPECTED,
    HALF_OF_4_DECIMALS,
    OLD_NAMES,
    read,
    same,
    table,
    without,
    without_intervals,
)

from tagline import TextClassifier, load_recipe
from tagline.cli import main
from tagline.recipes import make_recipe

RUNS = ("run-v1", "run-v1-network", "tune-run-v1")


def test_the_runs_are_listed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", ".", "--json"]) == 0
    out, err = capfd.readouterr()
    found = json.loads(out)
    assert {run["evaluated"] for run in found} == {None}  # runs that trained their model
    same(without(found, {"evaluated"}), read(EXPECTED / "runs.json"), 0)
    assert "damaged" not in err
    for command, name in (("train", "stopped-v1"), ("tune", "stopped-tune-v1"), ("sweep", "stopped-sweep-v1")):
        assert f"`{name}` is unfinished: resume it with `tagline {command} --resume {name}`." in err


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize(("data", "kept"), [("reviews", "evaluate"), ("later", "later")])
def test_a_run_is_measured_as_it_was(here: Path, say, run: str, data: str, kept: str) -> None:
    found = json.loads(say("evaluate", run, f"data/{data}.csv", "--json", "--quiet"))
    # How often the rows had been read depends on what was asked before.
    ignored = ABOUT_TIME | {"test_looks", "smallest_difference"}
    same(without(found, ignored), without(read(EXPECTED / f"{run}.{kept}.json"), ignored), 1e-6)
    assert found["test_looks"] == (4 if data == "reviews" else 1)  # three runs have read them, and this is the fourth
    assert found["test"]["n"] == (16 if data == "reviews" else 30)


@pytest.mark.parametrize("run", RUNS)
def test_the_figures_of_a_run_are_those_that_its_model_has(here: Path, say, run: str) -> None:
    found = json.loads(say("evaluate", run, "data/reviews.csv", "--json", "--quiet"))["test"]
    same(without_intervals(found), without_intervals(read(here / run / "metrics.json")["test"]), 1e-6)


@pytest.mark.parametrize("run", RUNS)
def test_a_run_predicts_as_it_did(here: Path, say, run: str) -> None:
    requested = ("predict", run, "--input", "data/later.csv", "--proba", "--quiet")
    expected = (EXPECTED / f"{run}.predict.csv").read_text(encoding="utf-8")
    same(without(table(say(*requested, "--format", "csv")), ADDED), table(expected), HALF_OF_4_DECIMALS)
    lines = (EXPECTED / f"{run}.predict.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    found = [json.loads(line) for line in say(*requested, "--format", "jsonl").splitlines()]
    same(without(found, ADDED), rows, HALF_OF_4_DECIMALS)
    say(*requested, "--output", "found.parquet")  # not rounded
    found = pl.read_parquet(here / "found.parquet").to_dicts()
    same(without(found, ADDED), rows, 1e-6 if run == "run-v1-network" else 1e-12)


def test_a_run_of_folds_predicts_as_it_did(here: Path, say) -> None:
    found = say("predict", "run-v1-folds", "--input", "data/topics.csv", "--top-k", "2", "--quiet")
    expected = (EXPECTED / "run-v1-folds.predict.csv").read_text(encoding="utf-8")
    same(without(table(found), ADDED), table(expected), HALF_OF_4_DECIMALS)


@pytest.mark.parametrize("run", RUNS)
def test_a_run_explains_a_text_as_it_did(here: Path, say, run: str) -> None:
    found = json.loads(say("explain", run, "A superb film isn't dull", "--json", "--quiet"))
    near = 1e-5 if run == "run-v1-network" else 1e-11
    assert sum(word["value"] for word in found["by_word"]) == pytest.approx(
        sum(part["value"] for part in found["contributions"]), abs=near
    )
    same(without(found, {"by_word"}), read(EXPECTED / f"{run}.explain.json"), near)


def test_runs_are_compared_as_they_were(here: Path, say) -> None:
    pair = ("run-v1", "run-v1-network")
    found = json.loads(say("compare", *pair, "--out", "page.html", "--json", "--quiet"))
    expected = read(EXPECTED / "compare.json")
    ignored = ABOUT_TIME | {"path", "test_looks", "conclusion"}
    same(without(found, ignored), without(expected, ignored), 1e-6)
    assert found["test_looks"] == 3
    figures = [[re.findall(r"[\d.]*\d", words) for words in each["conclusion"][:3]] for each in (found, expected)]
    assert figures[0] == figures[1]  # the wording may change; after these three come figures of speed
    assert "`run-v1`" in found["conclusion"][0]
    assert (here / "page.html").stat().st_size > 10_000


@pytest.mark.usefixtures("drawn_plots")
@pytest.mark.parametrize("run", [*RUNS, "run-v1-folds"])
def test_the_report_of_a_run_is_written_again(here: Path, say, run: str) -> None:
    say("report", run, "--quiet")
    page = (here / run / "report.html").read_text(encoding="utf-8")
    about, metrics = read(here / run / "run.json"), read(here / run / "metrics.json")
    assert about["dataset"]["fingerprint"][:12] in page
    assert f"{100 * metrics['test']['accuracy']:.1f}" in page
    figures = page.count('role="img"') + page.count('<table class="matrix')
    assert figures >= (3 if run == "run-v1-folds" else 5)
    drawn = {path.stem for path in (here / run / "plots").iterdir()}
    assert {"confusion_matrix", "calibration"} <= drawn
    assert ("training_loss" in drawn) == (here / run / "history.csv").exists() == (run == "run-v1-network")
    assert ("search" in drawn) == (run == "tune-run-v1")


@OLD_NAMES
def test_the_recipe_that_a_search_found_can_be_trained(here: Path, say) -> None:
    recipe = load_recipe(here / "tune-run-v1" / "recipe.toml")
    assert make_recipe(read(here / "tune-run-v1" / "run.json")["recipe"], "run.json").model == recipe.model
    say("train", "data/reviews.csv", "--recipe", "tune-run-v1/recipe.toml", "--out", "again", "--quiet", "--json")
    found, expected = read(here / "again" / "metrics.json")["test"], read(EXPECTED / "tune-run-v1-again.metrics.json")
    same(without_intervals(found), without_intervals(expected), 1e-6)


@pytest.mark.parametrize("run", ["run-v1", "run-v1-network"])
def test_a_run_trained_again_is_the_same(here: Path, say, run: str) -> None:
    """But for the folds of n-grams, which depended on the names of the classes: `expected` has what came of others."""
    command = read(here / run / "run.json")["command"][1:]
    say(*(f"{run}-again" if word == run else word for word in command))
    requested = [row["review"] for row in table((here / "data" / "later.csv").read_text(encoding="utf-8"))]
    found = TextClassifier.load(here / f"{run}-again" / "model").predict_proba(requested)
    if run == "run-v1":
        expected, tolerance = np.array(read(EXPECTED / "run-v1-again.proba.json")), 1e-7
    else:
        expected, tolerance = TextClassifier.load(here / run / "model").predict_proba(requested), 1e-4
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    assert {path.name for path in (here / run).iterdir()} | {"plots", "report.html"} == {
        path.name for path in (here / f"{run}-again").iterdir()
    }


def test_a_run_may_be_replaced(here: Path, say) -> None:
    """A folder that is not recognised as a complete run would be refused."""
    for run in (*RUNS, "run-v1-folds"):
        requested = ("--out", run, "--recipe", "naive-bayes", "--quiet", "--json")
        say("train", "data/later.csv", *requested)
        assert read(here / run / "run.json")["dataset"]["name"] == "later"
