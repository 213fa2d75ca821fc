"""Sweeps stopped by Ctrl-C or killed on the command line, and resumed."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pytest

from tagline.cli import main
from tagline.errors import InputError
from tagline.experiments import resume_sweep
from tests.synthetic_texts import made_up

pytestmark = pytest.mark.slow
N_TRIALS = 7
TREES = ",".join(str(number) for number in range(20, 20 + N_TRIALS))
COMMAND = [sys.executable, "-m", "tagline", "sweep"]
Row = tuple[object, ...]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    texts, labels = made_up(300, noise=0.2)
    pl.DataFrame({"text": texts, "label": labels}).write_csv(tmp_path / "reviews.csv")
    return tmp_path


def create_folder(here: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=here,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def table(folder: Path) -> list[Row]:
    if not (folder / "trials.sqlite").exists():
        return []
    try:
        with sqlite3.connect(f"file:{folder / 'trials.sqlite'}?mode=ro", uri=True) as connection:
            return connection.execute("SELECT * FROM trials ORDER BY number").fetchall()
    except sqlite3.OperationalError:  # it is being made
        return []


def wait_for(process: "subprocess.Popen[str]", folder: Path, n_trials: int) -> None:
    """Wait until so many trials have ended while others are still to come."""
    for _ in range(6000):
        if len(table(folder)) >= n_trials or process.poll() is not None:
            break
        time.sleep(0.02)
    assert process.poll() is None


def test_no_trial_is_lost_or_made_twice(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ("reviews.csv", "--recipe", "random-forest", "--grid", f"model.n_trees={TREES}", "--processes", "2")
    place = here / "sweep"

    process = create_folder(here, *request, "--out", "sweep")
    wait_for(process, place, 2)
    with pytest.raises(InputError, match="is in use"):
        resume_sweep(place)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "stopped; resume with `tagline sweep --resume sweep`" in err
    assert not psutil.wait_procs(children, timeout=30)[1]
    after_ctrl_c = table(place)
    assert 2 <= len(after_ctrl_c) < N_TRIALS

    process = create_folder(here, "--resume", "sweep")
    wait_for(process, place, len(after_ctrl_c) + 2)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    assert not psutil.wait_procs(children, timeout=30)[1]
    after_kill = table(place)
    assert len(after_ctrl_c) + 2 <= len(after_kill) < N_TRIALS
    assert set(after_ctrl_c) <= set(after_kill)
    assert not (place / "report.html").exists()
    assert main(["runs", str(here)]) == 0
    assert f"`{place}` is unfinished: resume it with `tagline sweep --resume" in capsys.readouterr().err

    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert main(["sweep", "--resume", "../sweep", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    whole = table(place)
    assert len(whole) == N_TRIALS
    assert set(after_kill) <= set(whole)  # with the moment at which each ended
    assert not (place / "work").exists()
    assert (place / "report.html").exists()

    monkeypatch.chdir(here)
    assert main(["sweep", *request, "--out", "undisturbed", "--quiet"]) == 0
    first, second = (pl.read_csv(here / name / "trials.csv").drop("seconds") for name in ("sweep", "undisturbed"))
    assert first.equals(second)
