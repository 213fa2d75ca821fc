"""The folder of a run: written whole, never over files that are not of a run, recovered after a kill."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.errors import InputError
from tagline.experiments.sweep.run import SweepSettings, run_sweep
from tagline.export.onnx import export_onnx
from tagline.metrics import measure
from tagline.run_folder import RunFolder, building, check_target, load_model, reserved, run_name
from tagline.runs.evaluate import evaluate_model
from tagline.runs.listing import list_runs
from tagline.runs.predicting.tables import open_table
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import LEDGER
from tagline.runs.train import train_run
from tagline.storage.atomic import remove_abandoned

BUILD_AND_WAIT = """
import sys, time
from pathlib import Path
from tagline.run_folder import building
with building(Path(sys.argv[1])):
    print("built", flush=True)
    time.sleep(60)
"""


ROWS = pl.DataFrame({"text": [f"{w} {i}" for i in range(40) for w in ("good", "bad")], "label": ["pos", "neg"] * 40})


RUN = {"format": 1, "name": "x", "created": "x", "recipe": {}, "dataset": {}}


def read_record(run):
    return RunFolder(run).record


def evaluate_on_rows(run):
    return evaluate_model(run, ROWS)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def build(target, content, fault=None):
    with building(target) as folder:
        (folder / "run.json").write_text(json.dumps(RUN | {"name": content}))
        if fault:
            raise fault


def test_a_folder_appears_whole(tmp_path):
    with building(tmp_path / "runs" / "one") as folder:
        (folder / "a").write_text("x")
        assert not (tmp_path / "runs" / "one").exists()
        assert folder.parent == tmp_path / "runs"
    assert names(tmp_path / "runs") == ["one"]
    assert names(tmp_path / "runs" / "one") == ["a"]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_fault_leaves_nothing(fault, tmp_path):
    with pytest.raises(fault):
        build(tmp_path / "runs" / "deep" / "one", "x", fault)
    assert names(tmp_path) == []


def test_a_fault_leaves_the_old_run_and_its_neighbours(tmp_path):
    build(tmp_path / "one", "old")
    with pytest.raises(OSError, match="full"):
        build(tmp_path / "one", "new", OSError("full"))
    assert '"old"' in (tmp_path / "one" / "run.json").read_text()
    build(tmp_path / "one", "new")
    assert '"new"' in (tmp_path / "one" / "run.json").read_text()
    assert names(tmp_path) == ["one"]


def test_a_killed_run_is_cleaned_up_and_a_living_one_is_not(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", BUILD_AND_WAIT, str(tmp_path / "one")], stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        [hidden] = tmp_path.iterdir()
        assert hidden.name.startswith(".")
        remove_abandoned(tmp_path)
        assert hidden.is_dir()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert hidden.is_dir()
    with building(tmp_path / "two"):
        pass
    assert names(tmp_path) == ["two"]


KILLED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from tagline.run_folder import RunFolder, load_model
from tagline.run_folder import building

target, rename = Path(sys.argv[1]), Path.rename

def kill(self, to):
    if Path(to) == target:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, to)

Path.rename = kill
with building(target) as folder:
    (folder / "run.json").write_text("{}")
"""


def test_a_run_is_recovered_after_a_kill_between_the_renames(trained_again, tmp_path):
    runs = tmp_path / "runs"
    shutil.copytree(trained_again, runs / "run")
    killed = subprocess.run([sys.executable, "-c", KILLED_BETWEEN_THE_RENAMES, runs / "run"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (runs / "run").exists()
    [found], damaged = list_runs(runs)
    assert (found.name, damaged) == ("run", [])
    build(runs / "run", "new")  # the next writer
    assert '"new"' in (runs / "run" / "run.json").read_text()
    assert names(runs) == ["run"]


@pytest.mark.parametrize("reader", [load_model, read_record, evaluate_on_rows])
def test_whoever_reads_a_run_recovers_it(trained_again, reader, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained_again, tmp_path / ".run.tagline-old")
    assert reader(run)
    assert names(tmp_path) == ["run", *([LEDGER] if reader is evaluate_on_rows else [])]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_between_the_renames_leaves_the_old_run(interrupt, tmp_path, monkeypatch):
    build(tmp_path / "one", "old")
    rename, interrupted = Path.rename, []

    def interrupted_once(self, to):
        if Path(to) == tmp_path / "one" and not interrupted:
            interrupted.append(to)
            raise interrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupted_once)
    with pytest.raises(interrupt):
        build(tmp_path / "one", "new")
    assert '"old"' in (tmp_path / "one" / "run.json").read_text()
    assert names(tmp_path) == ["one"]


def test_targets_that_are_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").touch()
    (tmp_path / "empty").mkdir()
    for name, content in {"run": json.dumps(RUN), "other": "{}", "list": "[]", "broken": "{"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content)
    for name in ("file", "full", "file/below", "other", "list", "broken"):
        with pytest.raises(InputError):
            check_target(tmp_path / name)
    for name in ("empty", "run", "new/deep"):
        check_target(tmp_path / name)


def test_what_cannot_be_written_is_refused_before_the_data_is_read(tmp_path, monkeypatch):
    """Also for root, who has all permissions; nothing is left behind."""
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    reasons = {
        "file/below/run": "not a directory",
        "x" * 300: "file name too long",
        "a/b/" + "x" * 300: "file name too long",
        "x" * 250: "file name too long",  # when it is replaced
        "/proc/run": "no such file or directory",
        "/sys/run": "(permission denied|read-only file system|operation not permitted)",
    }
    before = names(tmp_path)
    for out, reason in reasons.items():
        for run in (
            partial(train_run, "missing.csv"),
            partial(run_sweep, "missing.csv", SweepSettings(grid=("model.C=1,2",))),
            partial(export_onnx, "missing"),
        ):
            with pytest.raises(InputError, match=f"`{out}` cannot be written: {reason}"):
                run(folder=out) if run.func is export_onnx else run(out=out)
    (tmp_path / "mount").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "mount")
    with pytest.raises(InputError, match="`mount` cannot be written: it is a mount point"):
        train_run("missing.csv", out="mount")
    assert names(tmp_path) == sorted([*before, "mount"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_seen_before_the_data_is_read(number, tmp_path, monkeypatch):
    def refuse(descriptor, content):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(OSError, match=os.strerror(number)):
        train_run("missing.csv", out=tmp_path / "deep" / "run")
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_processes_that_check_one_new_folder_do_not_hinder_each_other(tmp_path):
    def check():
        for _ in range(50):
            check_target(tmp_path / "a" / "b" / "run")

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(check) for _ in range(4)]:
            future.result()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names(tmp_path):
    when = datetime(2025, 1, 31, 9, 5, 7)
    assert run_name("my/../recipe", "..", when) == "20250131-090507-my-..-recipe"
    assert run_name("fast", "Überraschung 1", when) == "20250131-090507-fast-Überraschung-1"
    assert len(run_name("ä" * 70, "𠀀" * 70, when).encode()) <= 220
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    with reserved(tmp_path, "a") as path:
        assert path.name == "a-3"
        with building(path) as folder:
            (folder / "x").touch()
    assert names(path) == ["x"]
    with pytest.raises(KeyboardInterrupt), reserved(tmp_path / "deep" / "runs", "a"):
        raise KeyboardInterrupt
    assert not (tmp_path / "deep").exists()


def test_runs_that_end_together_do_not_replace_each_other(tmp_path):
    def make(content):
        with reserved(tmp_path, "same") as target, building(target) as folder:
            (folder / "content").write_text(str(content))
        return target

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(40)))
    assert [(path / "content").read_text() for path in made] == [str(i) for i in range(40)]
    assert len(names(tmp_path)) == 40


@pytest.fixture(scope="module")
def trained_again(tmp_path_factory):
    """A run in the place of an older one."""
    run = tmp_path_factory.mktemp("again") / "run"
    for _ in range(2):
        train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=run)
    return run


@pytest.mark.parametrize("foreign", ["thesis.doc", "plots/holiday.jpg", "model/notes.txt", "deep/below/x"])
def test_foreign_files_are_not_lost(foreign, trained_again, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained_again, run)
    path = run / foreign
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(InputError, match="deep" if "deep" in foreign else foreign):
        train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=run)
    assert path.read_text() == "mine"


def test_foreign_files_that_come_while_training_are_not_lost(tmp_path):
    build(tmp_path / "run", "old")
    with pytest.raises(InputError, match="thesis"), building(tmp_path / "run"):
        (tmp_path / "run" / "thesis.doc").write_text("mine")
    assert names(tmp_path) == ["run"]
    assert names(tmp_path / "run") == ["run.json", "thesis.doc"]


@pytest.mark.parametrize("out", [".", "..", "a/..", "../here"])
def test_the_current_folder_is_refused_before_training(out, tmp_path, monkeypatch):
    here = tmp_path / "here"
    (here / "a").mkdir(parents=True)
    monkeypatch.chdir(here)
    stages = []
    with pytest.raises(InputError, match="current folder"):
        train_run(ROWS, TrainSettings(recipe="naive-bayes"), out=out, log=stages.append)
    assert stages == []
    assert names(here) == ["a"]
    assert names(tmp_path) == ["here"]


def test_only_runs_are_taken_for_abandoned(tmp_path):
    with open_table(tmp_path / "out.parquet") as write:
        write(pl.DataFrame({"a": [1]}))
        with building(tmp_path / "run"):
            pass
        (tmp_path / ".tagline-mine").mkdir()
        remove_abandoned(tmp_path)
        write(pl.DataFrame({"a": [2]}))
    assert pl.read_parquet(tmp_path / "out.parquet")["a"].to_list() == [1, 2]
    assert names(tmp_path) == [".tagline-mine", "out.parquet", "run"]


def test_metrics_of_very_many_classes_are_rows_of_a_file(tmp_path):
    names, y = [f"item {k}" for k in range(3_001)], np.arange(4_000) % 2_000
    block = measure(y, np.where(np.arange(4_000) % 3, y, 7), None, names, task="multiclass", n_bootstrap=10)
    metrics = {"validation": None, "test": block, "classes": names}
    run = RunFolder(tmp_path)
    run.write_metrics(metrics)
    assert run.metrics == metrics
    assert list(run.metrics["test"]["per_class"]) == names
    written = json.loads((tmp_path / "metrics.json").read_text())["test"]["per_class"]
    assert 20 <= len(written) <= 60
    assert "item 7" in written  # the worst precision
    assert all(block["per_class"][name] == row for name, row in written.items())
    pl.read_parquet(tmp_path / "classes.parquet").drop("class").write_parquet(tmp_path / "classes.parquet")
    with pytest.raises(InputError, match=r"classes.parquet` is damaged: it lacks the columns `split` and `class`"):
        _ = RunFolder(tmp_path).metrics


def test_metrics_of_few_classes_are_in_one_file(tmp_path):
    block = measure([0, 1, 1], [0, 1, 0], None, ["a", "b"], task="binary", n_bootstrap=10)
    RunFolder(tmp_path).write_metrics({"validation": None, "test": block})
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    assert RunFolder(tmp_path).metrics["test"] == block
