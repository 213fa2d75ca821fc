"""What earlier versions were stopped in is resumed: trainings, sweeps, searches.

`make_runs.py` made them, once. Only public names and the command line are used.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from comparing import ABOUT_TIME, ADDED, EXPECTED, read, same, table, without

from tagline.cli import main


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
    """Of four missing trials two are left: each takes seconds."""
    folder = here / "stopped-sweep-v1"
    requested = folder / "sweep.json"
    content = read(requested)
    content["variants"] = content["variants"][:4]
    requested.write_text(json.dumps(content), encoding="utf-8")
    if going_on(here, requested, "sweep", "--resume", folder.name, capfd=capfd):
        found = table((folder / "trials.csv").read_text(encoding="utf-8"))
        expected = table((EXPECTED / "resumed-sweep-v1.trials.csv").read_text(encoding="utf-8"))[:4]
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
