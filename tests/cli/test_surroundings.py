"""What the caller gives a command besides arguments: closed streams, little memory, paths that are not UTF-8, links."""

import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tagline.cli.app import explain_error
from tagline.cli.terminal import Session
from tests.cli.cli_data import write_reviews

TAGLINE = [sys.executable, "-m", "tagline"]


ASCII = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}


@pytest.mark.parametrize(
    ("closed", "environment"), [("<&-", ASCII), (">&-", {}), ("2>&-", ASCII), ("<&- >&- 2>&-", ASCII)]
)
def test_closed_streams_and_streams_of_ascii(run_folder: Path, closed: str, environment: dict[str, str]) -> None:
    shell = f'"$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *TAGLINE, "predict", run_folder, "a superb \u00e9tude"],
        env={**os.environ, **environment},
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
    assert done.stderr == "error: there is not enough memory: `ulimit -v` allows 390 MB, and tagline needs 2,048 MB.\n"


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libgfortran.so.5: failed to map segment from shared object"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
        RuntimeError("can't start new thread"),
        MemoryError(),
    ],
)
def test_whatever_lacks_memory_says_so(error: Exception) -> None:
    wrapped = ImportError("Importing the C-extensions failed.")
    wrapped.__cause__ = error
    for given in (error, wrapped):
        assert explain_error(given) == ("there is not enough memory.", 1)


def test_other_errors_are_no_lack_of_memory() -> None:
    assert "memory" not in explain_error(FileNotFoundError(errno.ENOENT, "not found", "bad_alloc.csv"))[0]
    assert explain_error(ImportError("no module `x`"))[0].startswith("unexpected ImportError: no module `x`")


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


def test_a_full_disk_that_libraries_tell_of():
    number = errno.EFBIG
    assert explain_error(OSError(f"File too large (os error {number})"))[0].startswith("the disk is full")
    assert explain_error(OSError("33059 requested and 13280 written"))[0].startswith("the disk is full")
    assert explain_error(sqlite3.OperationalError("database or disk is full"))[0].startswith("the disk is full")
    assert explain_error(OSError("cannot be read (os error 5)")) == ("cannot be read (os error 5).", 1)


def test_a_recorded_command_has_no_password_and_no_signature() -> None:
    recorded = {
        "https://ann:secret@host/a.csv": "https://host/a.csv",
        "https://host/a.csv?signature=x y": "https://host/a.csv",
        "--test=s3://bucket/b.csv?signature=x": "--test=s3://bucket/b.csv",
        "-ihttps://ann:secret@host/a.csv": "-ihttps://host/a.csv",
        "SELECT * FROM 'https://h/a.csv?signature=x' WHERE n > 1": "SELECT * FROM 'https://h/a.csv' WHERE n > 1",
        "a://b c?d": "a://b c?d",
        "http://[ is no URL": "http://[ is no URL",
    }
    assert Session(["tagline", *recorded]).command[1:] == [*recorded.values()]
