import subprocess
import sys

import pytest

from tagline.cli import main
from tests.cli.cli_data import write_reviews, write_topics
from tests.plots_of_runs import drawn


@pytest.fixture
def reviews(tmp_path):
    return write_reviews(tmp_path / "reviews.csv")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory):
    """A run on reviews, made once; tests that change it copy it."""
    folder = tmp_path_factory.mktemp("trained")
    data = write_reviews(folder / "reviews.csv")
    with drawn():
        assert main(["train", str(data), "--out", str(folder / "run"), "--quiet", "--json"]) == 0
    return folder / "run"


@pytest.fixture(scope="session")
def topics_run(tmp_path_factory):
    """A run of three classes."""
    folder = tmp_path_factory.mktemp("topics")
    data = write_topics(folder / "topics.csv")
    command = ["train", str(data), "--recipe", "naive-bayes", "--out", str(folder / "run")]
    assert main([*command, "--quiet", "--json"]) == 0
    return folder / "run"


@pytest.fixture
def call(capfd):
    """Call ``tagline`` in this process: exit status, stdout, stderr."""

    def _call(*argv):
        capfd.readouterr()
        status = main([str(argument) for argument in argv])
        out, err = capfd.readouterr()
        return status, out, err

    return _call


@pytest.fixture
def fails(call):
    """Call ``tagline`` and return the one line it fails with; nothing else may be printed."""

    def _fails(*argv, status=2):
        found, out, err = call(*argv, "--quiet")
        assert found == status, err
        assert out == ""
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return _fails


def tagline(*argv, **options):
    """Run ``tagline`` as a user does."""
    command = [sys.executable, "-m", "tagline", *map(str, argv)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


@pytest.fixture
def in_shell():
    return tagline
