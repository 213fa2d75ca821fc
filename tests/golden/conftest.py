"""A copy of the golden files to work in, and the command line in it."""

import shutil
from pathlib import Path

import pytest
from comparing import GOLDEN

from tagline.cli import main


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
