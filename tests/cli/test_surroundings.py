"""What the caller gives a command besides arguments: closed streams, little memory, paths that are not UTF-8, links."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.cli_data import write_reviews

TAGLINE = [sys.executable, "-m", "tagline"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(run_folder: Path, closed: str) -> None:
    shell = f'"$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *TAGLINE, "predict", run_folder, "superb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ("superb" in done.stdout) == (" >" not in f" {closed}")


def test_too_little_memory_is_said_at_once() -> None:
    command = ["sh", "-c", 'ulimit -v 400000; exec "$@"', "sh", *TAGLINE, "recipes", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "error: there is not enough memory: `ulimit -v` allows 390 MB, and tagline needs 1,024 MB.\n"


def test_paths_that_are_not_utf8_and_links(call, here: Path) -> None:
    data, out = (Path(os.fsdecode(name)) for name in (b"data-\xff.csv", b"run-\xfe"))
    write_reviews(data)
    (here / "place").mkdir()
    (here / "link").symlink_to("place")
    for target in (out, "link"):
        status, _, err = call("train", data, "--recipe", "naive-bayes", "--out", target, "-q")
        assert status == 0, err
        assert json.loads((here / target / "run.json").read_bytes())["data"]["source"] == str(data)
    assert (here / "link").is_symlink()
    assert (here / "place" / "model").is_dir()
    status, _, err = call("evaluate", out, data, "--out", "evaluation", "-q")
    assert status == 0, err
    assert "data-\ufffd" in call("runs", here)[1]
