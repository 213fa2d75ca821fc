"""``runs``, ``report``, ``recipes``, ``datasets``, and the help."""

import json
import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from tagline.data import BUILT_IN
from tagline.recipes import recipe_names
from tests.cli.cli_data import write_reviews


def test_runs(call, run_folder, topics_run, here):
    shutil.copytree(run_folder, here / "runs" / "first")
    shutil.copytree(topics_run, here / "runs" / "second")
    (here / "runs" / "notes").mkdir()
    (here / "runs" / "broken").mkdir()
    (here / "runs" / "broken" / "run.json").write_text("{")
    status, out, err = call("runs")
    assert status == 0
    lines = out.splitlines()
    assert "test accuracy" in lines[0]
    assert sorted(line.split()[0] for line in lines[2:]) == ["first", "second"]
    assert "broken" in err
    status, out, _ = call("runs", "--json", "-q")
    first, second = sorted(json.loads(out), key=lambda run: run["name"])
    metrics = json.loads((run_folder / "metrics.json").read_text())
    assert first["accuracy"] == metrics["test"]["accuracy"]
    assert first["accuracy_ci95"] == metrics["test"]["accuracy_ci95"]
    assert first["seconds"] == metrics["seconds"]["total"]
    assert (second["recipe"], second["dataset"], second["task"]) == ("naive-bayes", "topics", "multiclass")


def test_no_runs_yet(call, here):
    status, out, _ = call("runs")
    assert status == 0
    assert "tagline train" in out
    status, out, _ = call("runs", "--json")
    assert json.loads(out) == []


def test_the_report_is_written_again(call, run_folder, here):
    shutil.copytree(run_folder, here / "run")
    before = (here / "run" / "report.html").read_text()
    (here / "run" / "report.html").unlink()
    status, out, _ = call("report", "run", "-q")
    assert (status, out) == (0, "run/report.html\n")
    assert (here / "run" / "report.html").read_text() == before


def test_recipes(call, here):
    status, out, _ = call("recipes")
    assert status == 0
    assert all(name in out for name in recipe_names())
    status, out, _ = call("recipes", "--json")
    assert [recipe["recipe"]["name"] for recipe in json.loads(out)] == list(recipe_names())
    status, out, _ = call("recipes", "show", "fast")
    assert tomllib.loads(out)["recipe"]["name"] == "fast"
    (here / "mine.toml").write_text(out.replace('name = "fast"', 'name = "mine"'))
    status, out, _ = call("recipes", "show", "mine.toml")
    assert tomllib.loads(out)["recipe"]["name"] == "mine"


def test_built_in_datasets(call, monkeypatch, tmp_path):
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TAGLINE_DATA", raising=False)
    _, out, _ = call("datasets", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert set(rows) == set(BUILT_IN)
    assert rows["imdb"]["here"] is False
    (tmp_path / "data" / "imdb").mkdir(parents=True)
    for part in ("train", "test"):
        (tmp_path / "data" / "imdb" / f"{part}.parquet").touch()
    (tmp_path / "data" / "reuters21578.tar.gz").touch()
    monkeypatch.setenv("TAGLINE_DATA", str(tmp_path / "data"))
    _, out, _ = call("datasets", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows["imdb"]["here"] is True
    assert rows["reuters"]["here"] is True
    _status, out, _ = call("datasets")
    assert all(f"{row.rows:,}" in out for row in BUILT_IN.values())


def test_a_file_as_a_dataset(call, reviews):
    status, out, _ = call("datasets", "show", reviews, "--samples", "3")
    assert status == 0
    assert "240 texts, 2 classes" in out
    assert "80/10/10" in out
    assert out.count("film") + out.count("plot") + out.count("actor") > 0
    status, out, _ = call("datasets", "show", reviews, "--json", "-q")
    facts = json.loads(out)
    assert facts["class_counts"]["train"] == {"neg": 96, "pos": 96}


def test_texts_cannot_move_the_cursor(call, tmp_path):
    data = write_reviews(tmp_path / "hostile.csv", mark="\x1b[2J ")
    status, out, err = call("datasets", "show", data, "--samples", "200")
    assert status == 0
    assert "\x1b" not in out + err
    assert "[2J" in out


COMMANDS = ["train", "predict", "evaluate", "compare", "explain", "report", "runs", "datasets", "recipes"]


def test_help_lists_every_command(call):
    status, out, err = call("--help")
    assert (status, err) == (0, "")
    assert all(name in out for name in COMMANDS)
    assert call()[1] == out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_an_example(command, call):
    status, out, _ = call(command, "--help")
    assert status == 0
    assert "Example" in out
    assert f"tagline {command}" in out.split("Example", 1)[1]


def test_version(in_shell):
    done = in_shell("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("tagline ")


@pytest.mark.slow
def test_help_is_quick(in_shell):
    seconds = []
    for _ in range(3):
        before = os.times()
        in_shell("--help")
        after = os.times()
        # Of a core: a busy machine is no failure.
        seconds.append(sum(after[2:4]) - sum(before[2:4]))
    assert 0 < min(seconds) < 0.6


def test_help_imports_nothing_heavy():
    script = "import sys; from tagline.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & {"numpy", "polars", "sklearn", "matplotlib", "jinja2", "pydantic"}
