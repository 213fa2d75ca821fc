"""A search as a user sees it: what it finds, what it keeps to, and how it survives."""

import csv
import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from tagline import InputError, TextClassifier
from tagline.cli import main
from tagline.experiments import TuneSettings, resume_tune, tune_run
from tagline.experiments.tune.folder import load_request
from tagline.recipes import Recipe, load_recipe
from tagline.runs.reading.data import RunInputs
from tagline.runs.settings import TrainSettings
from tagline.runs.train import Run, fit_and_write
from tests.synthetic_texts import made_up

pytestmark = [pytest.mark.slow, pytest.mark.alone]

BUDGET = 20.0  # seconds: a process takes some to start


def write_data(path: Path, n: int = 600) -> Path:
    texts, labels = made_up(n, 3, noise=0.2)
    split = ["train" if k < 0.8 * n else "test" for k in range(n)]
    pl.DataFrame({"text": texts, "label": labels, "split": split}).write_csv(path)
    return path


def start(*argv: object, cwd: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tagline", "tune", *map(str, argv)]
    return subprocess.Popen(
        command,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # who runs the tests may ignore it
    )


def interrupted(process: "subprocess.Popen[str]", words: str) -> tuple[str, str]:
    """Stop a search by Ctrl-C once it has said some words; return what it says after them."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            break
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)


def no_child_of(pid: int) -> bool:
    return not any(process.ppid() == pid for process in psutil.process_iter())


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tuned")
    data = write_data(folder / "data.csv")
    started_at = time.monotonic()
    process = start(data, "--budget", f"{BUDGET:.0f}s", "--out", "run", "--json", "--max-size", "5MB", cwd=folder)
    out, err = process.communicate()
    (folder / "seconds").write_text(str(time.monotonic() - started_at))
    (folder / "out.json").write_text(out)
    (folder / "err.txt").write_text(err)
    assert process.returncode == 0, err
    return folder


def search_of(folder: Path) -> dict:
    return json.loads((folder / "run" / "run.json").read_text())["search"]


def leaderboard(folder: Path) -> list[dict]:
    with (folder / "run" / "leaderboard.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_it_keeps_to_its_budget(tuned: Path) -> None:
    """The last run is reckoned for a quiet machine, so that a busy one may make it late, but never early."""
    seconds = float((tuned / "seconds").read_text())
    assert 0.75 * BUDGET < seconds < 1.25 * BUDGET
    assert json.loads((tuned / "out.json").read_text())["seconds"]["total"] <= seconds


def test_the_run_is_a_run_like_any_other(tuned: Path) -> None:
    run = tuned / "run"
    assert json.loads((tuned / "out.json").read_text()) == json.loads((run / "metrics.json").read_text())
    clf = TextClassifier.load(run / "model")
    assert set(clf.classes_) == {"c0", "c1", "c2"}
    assert not list(tuned.glob("*.tuning"))
    assert main(["report", str(run), "--quiet"]) == 0


def test_the_leaderboard_has_all_that_was_tried(tuned: Path) -> None:
    rows, search = leaderboard(tuned), search_of(tuned)
    evaluated = [row for row in rows if row["state"] == "evaluated"]
    assert 1 < len(evaluated) <= search["tried"]["whole"]
    assert sum(row["state"] == "dropped" for row in rows) == search["tried"]["dropped"]
    assert [int(row["place"]) for row in evaluated] == list(range(1, len(evaluated) + 1))
    assert f'model.kind="{load_recipe(tuned / "run" / "recipe.toml").model.kind}"' in evaluated[0]["settings"]
    assert {row["family"] for row in rows} > {"fast", "tf-idf"}
    assert all(float(row["size_mb"]) < 5 for row in evaluated)


def test_the_size_of_the_winner_is_known_before_it_is_made(tuned: Path) -> None:
    (size,) = {float(row["size_mb"]) for row in leaderboard(tuned) if row["place"] == "1"}
    model = tuned / "run" / "model"
    assert size == pytest.approx(sum(file.stat().st_size for file in model.iterdir()) / 1e6, rel=0.1, abs=0.02)


def test_the_figure_is_corrected_for_the_choice(tuned: Path) -> None:
    search = search_of(tuned)
    low, high = search["corrected_ci95"]
    assert low <= search["corrected"] <= min(search["chosen"], high) + 1e-9
    assert search["judged_on"]["rows"] == 96 * search["judged_on"]["parts"]  # of 480 train rows, and no test row


def test_the_recipe_trains_the_same_model_again(tuned: Path) -> None:
    recipe = tuned / "run" / "recipe.toml"
    assert load_recipe(recipe).recipe.name.startswith("tuned-")
    again = tuned / "again"
    assert main(["train", str(tuned / "data.csv"), "--recipe", str(recipe), "--out", str(again), "--quiet"]) == 0
    for path in (tuned / "run" / "model").iterdir():
        if path.name != "tagline.json":
            assert path.read_bytes() == (again / "model" / path.name).read_bytes()
    metrics = [json.loads((run / "metrics.json").read_text()) for run in (tuned / "run", again)]
    assert metrics[0]["test"] == metrics[1]["test"]


def test_the_report_tells_of_the_search(tuned: Path) -> None:
    page = (tuned / "run" / "report.html").read_text()
    assert "recipes were tried" in page
    assert "for selection bias" in page
    assert (tuned / "run" / "plots" / "search.svg").exists()


def test_ctrl_c_keeps_the_best_so_far(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.csv")
    with start(data, "--budget", "1h", "--out", "run", cwd=tmp_path) as process:
        out, err = interrupted(process, "best accuracy")
    assert process.returncode == 0, err
    assert "Accuracy" in out
    best = search_of(tmp_path)["best"][0]
    assert f"Found: {best['family']}, {best['settings']}" in out
    assert "none of them test rows" in out
    assert "leaderboard.csv" in out
    assert search_of(tmp_path)["stopped"]
    assert no_child_of(process.pid)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "run", "run.tuning", "test_ledger.jsonl"]
    assert "`tagline tune --resume run` searches for the rest of the budget, 3," in err
    assert not (tmp_path / "run.tuning" / "material").exists()
    load_request(tmp_path / "run")


def test_ctrl_c_before_anything_is_known_leaves_nothing(tmp_path: Path) -> None:
    data = write_data(tmp_path / "data.csv")
    with start(data, "--budget", "1h", cwd=tmp_path) as process:
        _, err = interrupted(process, "searching for")
    assert process.returncode == 130
    assert "stopped before a recipe was evaluated: there is no result to keep" in err
    assert no_child_of(process.pid)
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


def test_kill_and_resume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_data(tmp_path / "data.csv")
    started_at = time.monotonic()
    with start(data, "--budget", "18s", "--out", "run", cwd=tmp_path) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "best accuracy" in line:
                break
        process.kill()
    first = time.monotonic() - started_at
    kept = tmp_path / "run.tuning"
    judged = {path.name: path.stat().st_mtime_ns for path in (kept / "rows").glob("*.npz")}
    assert judged
    assert main(["tune", str(data), "--out", str(tmp_path / "run"), "--budget", "18s"]) == 2
    assert "is unfinished: resume it with `tagline tune --resume" in capsys.readouterr().err
    assert main(["runs", str(tmp_path)]) == 0
    assert f"`{tmp_path / 'run'}` is unfinished: resume it with `tagline tune --resume" in capsys.readouterr().err
    started_at = time.monotonic()
    with start("--resume", "run", "--json", cwd=tmp_path) as process:
        time.sleep(1.5)
        there = {path.name: path.stat().st_mtime_ns for path in (kept / "rows").glob("*.npz")}
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert judged.items() <= there.items()  # what was judged is not judged again
    assert time.monotonic() - started_at < 18 - 0.3 * first + 6
    whole = ("evaluated", "too slow or over the limits")
    trials = {row["trial"] for row in leaderboard(tmp_path) if row["state"] in whole}
    assert {Path(name).stem for name in judged} <= trials
    assert json.loads(out)["search"]["tried"]["whole"] == len(trials)
    assert not kept.exists()


def test_a_winner_that_cannot_learn_from_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one is taken; where none can, nothing that was found is lost."""
    data = write_data(tmp_path / "data.csv", 200)
    settings = TuneSettings(TrainSettings(), budget=20.0)
    made: list[Recipe] = []
    failing = True

    def fit_or_fail(inputs: RunInputs, *args: Any, **kwargs: Any) -> Run:
        made.append(inputs.recipe)
        if failing or len(made) == 1:
            raise InputError("The loss is not a number any more.")
        return fit_and_write(inputs, *args, **kwargs)

    monkeypatch.setattr("tagline.experiments.tune.run.available_families", lambda profile: ["embedding-average"])
    monkeypatch.setattr("tagline.experiments.tune.final_run.fit_and_write", fit_or_fail)
    with pytest.raises(InputError, match=r"not a number any more\. The results of the search are kept in"):
        tune_run(data, settings, out=tmp_path / "run")
    assert len(made) > 1
    assert (tmp_path / "run.tuning").is_dir()
    found, made[:], failing = [*made], [], False
    run = resume_tune(tmp_path / "run")
    assert len(made) == 2
    # The best may be another one now: in what was left of the time, or one that was evaluated as the time was over.
    board = (run.folder / "leaderboard.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(board) >= len(found)
    assert load_recipe(run.folder / "recipe.toml") == made[1]
    assert not (tmp_path / "run.tuning").exists()


def test_limits_that_nothing_keeps_to(tmp_path: Path) -> None:
    """Two searches at the same time: each takes its budget, and what is checked depends on no other clock."""
    words = {
        ("--max-latency", "0.001ms"): "None of",
        ("--max-memory", "10MB"): "MB of memory, more than the limit of 10 MB",
    }
    with ExitStack() as stack:
        started = {}
        for limit in words:
            folder = tmp_path / limit[0]
            folder.mkdir()
            data = write_data(folder / "data.csv", 300)
            command = (data, "--budget", "20s", "--out", "run", *limit, "-q")
            started[limit] = stack.enter_context(start(*command, cwd=folder))
        for limit, process in started.items():
            _, err = process.communicate()
            assert process.returncode == 2
            assert err.startswith("error: ")
            assert err.count("\n") == 1
            assert words[limit] in err
            assert [path.name for path in (tmp_path / limit[0]).iterdir()] == ["data.csv"]


def test_a_budget_without_time_for_a_recipe_ends_with_the_default_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = write_data(tmp_path / "data.csv", 300)
    warned: list[str] = []
    run = tune_run(data, TuneSettings(TrainSettings(), 0.01), warn=warned.append)
    assert warned == [
        "No recipe could be evaluated within 0 s, as workers need time to start: the default recipe `fast` is "
        "trained. Raise `--budget` for a search."
    ]
    clf = TextClassifier.load(run.model)
    assert clf.recipe_ == load_recipe("fast")
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.is_dir()] == [run.folder.name]
    assert clf.predict_proba(["x"]).shape == (1, 3)
    assert main(["report", str(run.folder)]) == 0
