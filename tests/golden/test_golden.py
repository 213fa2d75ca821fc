"""Files of earlier versions still load and give the same results: bundles, exports, runs, sweeps, searches, recipes.

`make_bundle.py`, `make_runs.py` and `make_recipes.py` made it, once. Only public names and the command line are used.
"""

import csv
import io
import json
import math
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from make_bundle import CLASSIFIERS, KINDS
from make_recipes import made_of

from tagline import BundleError, TextClassifier, explain_text, load_recipe
from tagline.cli import main
from tagline.recipes import format_recipe, make_recipe

GOLDEN = Path(__file__).parent
EXPECTED = GOLDEN / "expected"
RUNS = ("run-v1", "run-v1-network", "tune-run-v1")
NETWORK_KINDS = ("multihot-dense", "newswire-dense", "embedding-average", "cnn", "gru", "lstm-masked", "ids")
OLD_NAMES = pytest.mark.filterwarnings("ignore::tagline.deprecated.TaglineDeprecationWarning")
ABOUT_TIME = {"seconds", "peak_rss_mb", "ms_per_text", "texts_per_second", "fit_seconds", "dominated_by"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a copy of all but the bundles: evaluations write a ledger next to a run, and reports into it."""
    copy = tmp_path / "golden"
    shutil.copytree(GOLDEN, copy, ignore=shutil.ignore_patterns("bundle-*", "__pycache__", "*.py"))
    monkeypatch.chdir(copy)
    return copy


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]):
    """Call ``tagline``, which must succeed, and return its stdout."""

    def _say(*argv: str) -> str:
        capfd.readouterr()
        status = main(list(argv))
        out, err = capfd.readouterr()
        assert status == 0, err
        return out

    return _say


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


ADDED = {"reason"}  # columns of predictions that came later
HALF_OF_4_DECIMALS = 5.001e-5


def without(content: Any, keys: set[str]) -> Any:
    """Return JSON without some keys, wherever they stand."""
    if isinstance(content, dict):
        return {key: without(value, keys) for key, value in content.items() if key not in keys}
    return [without(value, keys) for value in content] if isinstance(content, list) else content


def same(found: Any, expected: Any, tolerance: float, place: str = "") -> None:
    """Assert that two JSON values are equal, floats within a tolerance."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), place
        assert sorted(found) == sorted(expected), place
        for key, value in expected.items():
            same(found[key], value, tolerance, f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list), place
        assert len(found) == len(expected), place
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            same(one, other, tolerance, f"{place}[{number}]")
    elif isinstance(expected, float):
        assert math.isclose(found, expected, rel_tol=0, abs_tol=tolerance), f"{place}: {found} is not {expected}"
    else:
        assert (type(found), found) == (type(expected), expected), place


def table(text: str) -> list[dict[str, Any]]:
    """Return the rows of CSV, with floats where there are any."""

    def value(cell: str) -> Any:
        return float(cell) if "." in cell and cell.replace(".", "").replace("e-", "").isdigit() else cell

    return [{name: value(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]


# --- bundles ----------------------------------------------------------------------------------------------------------


def tolerance_of(kind: str) -> float:
    return 1e-6 if kind in NETWORK_KINDS else 1e-12


def test_there_is_a_bundle_of_each_kind() -> None:
    found = {path.name.removeprefix("bundle-v2-") for path in GOLDEN.glob("bundle-v2-*")}
    assert found == {*KINDS, "network"}
    assert {"ngrams", "network"} == set(CLASSIFIERS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_says_what_it_said(kind: str) -> None:
    folder, tolerance = GOLDEN / f"bundle-v2-{kind}", tolerance_of(kind)
    clf, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    requested = expected["texts"]
    for name in ("task", "threshold", "positive", "n_features"):
        assert getattr(clf, f"{name}_") == expected[name]
    same(clf.classes_.tolist(), expected["classes"], 0)
    same(clf.predict_proba(requested).tolist(), expected["proba"], tolerance)
    same(clf.decision_function(requested).tolist(), expected["decision_function"], 10 * tolerance)
    same(clf.predict(requested).tolist(), expected["predict"], 0)
    assert clf.card_ == {"made_by": "tests/golden/make_bundle.py"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "ids"])
def test_a_bundle_explains_itself_as_it_did(kind: str) -> None:
    folder, tolerance = GOLDEN / f"bundle-v2-{kind}", 10 * tolerance_of(kind)
    clf, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    said, told = explain_text(clf, expected["texts"][1]), expected["explanation"]
    assert (said.class_name, said.scale) == (told["class"], told["scale"])
    same([said.intercept, said.score], [told["intercept"], told["score"]], tolerance)
    parts = sorted([part.name, part.value] for part in said.contributions)
    same(parts, sorted(told["contributions"]), tolerance)
    same([list(word) for word in said.words()], told["words"], tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bundle_saved_again_has_the_same_parts(kind: str, tmp_path: Path) -> None:
    folder = GOLDEN / f"bundle-v2-{kind}" / "model"
    clf = TextClassifier.load(folder)
    clf.save(tmp_path / "model", clf.card_)
    parts = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "tagline.json"}
    assert {p.name: p.read_bytes() for p in (tmp_path / "model").iterdir() if p.name != "tagline.json"} == parts


@pytest.mark.parametrize("kind", NETWORK_KINDS)
def test_a_bundle_of_a_network_says_the_same_in_onnx_runtime(kind: str) -> None:
    folder = GOLDEN / f"bundle-v2-{kind}"
    loaded, expected = TextClassifier.load(folder / "model"), read(folder / "expected.json")
    clf = loaded.on_onnx_runtime()
    assert clf is not loaded
    same(clf.predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-5)


@pytest.mark.parametrize("name", ["onnx-v1", "onnx-v1-network"])
def test_an_export_says_what_it_said(name: str) -> None:
    clf, expected = TextClassifier.load(GOLDEN / name / "model"), read(GOLDEN / name / "expected.json")
    assert clf.classes_.tolist() == expected["classes"]
    same(clf.predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-6)
    assert clf.predict(expected["texts"]).tolist() == expected["predict"]


@pytest.mark.parametrize(("name", "run"), [("onnx-v1", "run-v1"), ("onnx-v1-network", "run-v1-network")])
def test_a_run_is_exported_as_it_was(here: Path, say, name: str, run: str) -> None:
    say("export", run, "--format", "onnx", "--out", "again", "--quiet")
    parts = {path.name for path in (here / name / "model").iterdir()}
    assert {path.name for path in (here / "again").iterdir()} == parts
    for part in parts & {"ngrams.safetensors", "words.txt", "model.onnx"}:
        assert (here / "again" / part).read_bytes() == (here / name / "model" / part).read_bytes(), part
    expected = read(here / name / "expected.json")
    same(TextClassifier.load("again").predict_proba(expected["texts"]).tolist(), expected["proba"], 1e-6)


# --- runs -------------------------------------------------------------------------------------------------------------


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
    same(found, read(here / run / "metrics.json")["test"], 1e-6)


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
    found, expected = (read(here / name / "metrics.json")["test"] for name in ("again", "tune-run-v1"))
    same(found, expected, 1e-6)


@pytest.mark.parametrize("run", ["run-v1", "run-v1-network"])
def test_a_run_trained_again_is_the_same(here: Path, say, run: str) -> None:
    command = read(here / run / "run.json")["command"][1:]
    say(*(f"{run}-again" if word == run else word for word in command))
    found, expected = (TextClassifier.load(here / name / "model") for name in (f"{run}-again", run))
    requested = [row["review"] for row in table((here / "data" / "later.csv").read_text(encoding="utf-8"))]
    tolerance = 1e-4 if run == "run-v1-network" else 1e-7
    np.testing.assert_allclose(
        found.predict_proba(requested), expected.predict_proba(requested), rtol=0, atol=tolerance
    )
    assert {path.name for path in (here / run).iterdir()} | {"plots", "report.html"} == {
        path.name for path in (here / f"{run}-again").iterdir()
    }


def test_a_run_may_be_replaced(here: Path, say) -> None:
    """A folder that is not recognised as a complete run would be refused."""
    for run in (*RUNS, "run-v1-folds"):
        requested = ("--out", run, "--recipe", "naive-bayes", "--quiet", "--json")
        say("train", "data/later.csv", *requested)
        assert read(here / run / "run.json")["dataset"]["name"] == "later"


# --- sweeps, and what was stopped -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sweep-v1", "sweep-v1-curve"])
def test_a_finished_sweep_is_known_as_one(here: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["sweep", "--resume", name, "--quiet"]) == 2
    assert f"`{name}` is finished" in capfd.readouterr().err
    assert main(["sweep", "data/reviews.csv", "--seeds", "2", "--out", name, "--quiet"]) == 2
    assert f"`{name}` is not empty" in capfd.readouterr().err


def going_on(here: Path, requested: Path, *argv: str, capfd: pytest.CaptureFixture[str], **changes: Any) -> bool:
    """Go on with what was stopped; False where other versions are installed, for which that is refused."""
    content = read(requested)
    content["data"] = str(here / "data" / "reviews.csv")
    for name, value in changes.items():
        content["settings"][name] = value
    requested.write_text(json.dumps(content), encoding="utf-8")
    status, err = main([*argv, "--quiet"]), capfd.readouterr().err
    if status == 2 and "was started with" in err:
        return False
    assert status == 0, err
    return True


@pytest.mark.slow
def test_a_stopped_training_is_resumed(here: Path, say, capfd: pytest.CaptureFixture[str]) -> None:
    requested = here / "stopped-v1.unfinished" / "asked.json"
    if going_on(here, requested, "train", "--resume", "stopped-v1", capfd=capfd):
        found = say("predict", "stopped-v1", "--input", "data/later.csv", "--proba", "--format", "csv", "-q")
        expected = (EXPECTED / "resumed-v1.predict.csv").read_text(encoding="utf-8")
        same(without(table(found), ADDED), table(expected), 1e-4)
        assert not requested.parent.exists()


@pytest.mark.slow
def test_a_stopped_sweep_is_resumed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = here / "stopped-sweep-v1"
    if going_on(here, folder / "sweep.json", "sweep", "--resume", folder.name, capfd=capfd):
        found = table((folder / "trials.csv").read_text(encoding="utf-8"))
        expected = table((EXPECTED / "resumed-sweep-v1.trials.csv").read_text(encoding="utf-8"))
        same(without(found, ABOUT_TIME), without(expected, ABOUT_TIME), 1e-6)
        assert (folder / "report.html").exists()


@pytest.mark.slow
def test_a_stopped_search_is_resumed(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its time is made so short that it is over: of what was judged, the best is taken."""
    requested = here / "stopped-tune-v1.tuning" / "asked.json"
    if going_on(here, requested, "tune", "--resume", "stopped-tune-v1", capfd=capfd, budget=1.0):
        board = table((here / "stopped-tune-v1" / "leaderboard.csv").read_text(encoding="utf-8"))
        assert [(row["place"], row["trial"], row["accuracy"]) for row in board[:2]] == [
            ("1", "0", 0.88194),
            ("2", "1", 0.67361),
        ]
        assert not requested.parent.exists()


# --- recipes ----------------------------------------------------------------------------------------------------------

RECIPES = sorted(path.name for path in GOLDEN.glob("recipe-v1-*.toml"))


def test_there_are_recipes() -> None:
    assert sorted(read(EXPECTED / "recipes.json")) == RECIPES
    assert len(RECIPES) == 9


def renamed(content: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return settings with today's names: what was `strength` is `C` or `alpha`, and trees have none of them."""
    name = {"multinomial-nb": "alpha", "complement-nb": "alpha", "random-forest": ""}.get(kind, "C")
    names = {"strength": name, "strengths": f"{name}_grid" if name else ""}
    found = {names.get(key, key): value for key, value in content.items() if names.get(key, key)}
    if "tried" in found:
        found["tried"] = [names.get(key, key) for key in found["tried"]]
    return found


@OLD_NAMES
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_read_and_trains_what_it_trained(name: str) -> None:
    found, expected = made_of(GOLDEN / name), read(EXPECTED / "recipes.json")[name]
    network = expected["tables"]["training"] is not None
    kind = expected["tables"]["model"]["kind"]
    tables, chosen = expected["tables"], renamed(expected["chosen"], kind)
    if not network:
        model = {"C": 1.0, "C_grid": [0.3, 1.0, 3.0], "alpha": 1.0, "alpha_grid": [0.3, 1.0, 3.0]}
        tables = tables | {"model": model | renamed(tables["model"], kind)}
    same(found["tables"], tables, 0)
    same(found["chosen"], chosen, 1e-3 if network else 1e-5)
    same(found["proba"], expected["proba"], 1e-4 if network else 1e-7)


@OLD_NAMES
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_written_as_it_can_be_read(name: str, tmp_path: Path, say) -> None:
    recipe = load_recipe(GOLDEN / name)
    path = tmp_path / "again.toml"
    path.write_text(format_recipe(recipe, "again"), encoding="utf-8")
    assert load_recipe(path) == recipe == make_recipe(recipe.to_json(), name)
    assert say("recipes", "show", str(GOLDEN / name)) == (GOLDEN / name).read_text(encoding="utf-8")


def test_a_setting_of_strength_is_taken_on_the_command_line(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    requested = ("train", "data/later.csv", "--recipe", "recipe-v1-strengths.toml", "--json")
    assert main([*requested, "--set", "model.strength=0.25", "--out", "set"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "deprecated" in line] == [
        "warning: `model.strength` is deprecated: it is called `model.C` for `linear-svm`.",
        "warning: `model.strengths` is deprecated: it is called `model.C_grid` for `linear-svm`.",
    ]
    assert read(here / "set" / "run.json")["recipe"]["model"]["C"] == 0.25
    assert main([*requested, "--quiet", "--set", "model.strengths=[0.5]", "--out", "several"]) == 0
    assert "deprecated" not in capfd.readouterr().err
    assert read(here / "several" / "run.json")["chosen"]["C"] == 0.5


# --- damage -----------------------------------------------------------------------------------------------------------


def test_a_damaged_bundle_is_refused(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "bundle-v2-cnn" / "model", tmp_path / "model")
    with (tmp_path / "model" / "weights.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"?")
    with pytest.raises(BundleError, match="is damaged: its checksum does not match"):
        TextClassifier.load(tmp_path / "model")
