"""The data of a run, recorded and read again."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tagline.data.text_hashes import text_hashes
from tagline.run_folder import RunFolder
from tagline.runs.reading.data import reload_data
from tagline.runs.settings import TrainSettings
from tagline.runs.train import train_run

TEXTS = [f"{word} {k}" for k in range(60) for word in ("good film", "bad film")]
LABELS = ["pos", "neg"] * 60
ROWS = pl.DataFrame({"review": TEXTS, "stars": LABELS, "author": [f"a{k // 4}" for k in range(120)]})
TEST = pl.DataFrame({"review": ["a good one", "a bad one"], "stars": ["pos", "neg"]})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    ROWS.write_csv(folder / "bbc-news.csv")  # named as a built-in data set
    TEST.write_csv(folder / "test.csv")
    return folder


def train(data: Any, out: Path, **settings: Any) -> RunFolder:
    return RunFolder(train_run(data, TrainSettings(recipe="naive-bayes", **settings), out=out).folder)


def change(run: RunFolder, **changes: Any) -> RunFolder:
    run.write_record({key: value for key, value in (run.record | changes).items() if value is not None})
    return run


@pytest.mark.parametrize("options", [{}, {"group": "author"}, {"folds": 3}, {"test": "test.csv"}])
def test_the_data_of_a_run_made_in_python_is_read_again(files: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    """The recorded command is empty: what decides about the rows is in `data` of run.json."""
    if "test" in options:
        options = {"test": files / "test.csv"}
    run = train(files / "bbc-news.csv", tmp_path / "run", text=("review",), label="stars", seed=5, **options)
    assert run.record["command"] == []
    again = reload_data(run)
    assert again is not None
    assert again.fingerprint == run.record["dataset"]["fingerprint"]
    measured = again.test if again.folds is None else again.train
    assert measured is not None
    assert run.predictions is not None
    assert measured.labels.to_list() == run.predictions["label"].to_list()


def test_data_that_cannot_be_read_again_is_recorded_as_such(files: Path, tmp_path: Path) -> None:
    assert train(ROWS, tmp_path / "objects").record["data"]["source"] is None
    run = train(files / "bbc-news.csv", tmp_path / "run", test=TEST)
    assert run.record["data"]["source"] is None
    assert reload_data(run) is None


def test_only_the_same_data_is_read_again(files: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    shutil.copy(files / "bbc-news.csv", data)
    run = train(data, tmp_path / "run")
    assert reload_data(run) is not None
    data.write_text(data.read_text().replace("film", "movie"))
    assert reload_data(run) is None
    data.unlink()
    assert reload_data(run) is None


def test_an_old_run_is_read_again_by_its_command(files: Path, tmp_path: Path) -> None:
    test = str(files / "test.csv")
    run = train(files / "bbc-news.csv", tmp_path / "run", test=test)
    old = change(run, data=None, command=["tagline", "train", "bbc-news.csv", "--test", test])
    assert "data" not in json.loads((run.path / "run.json").read_text())
    assert reload_data(old) is not None
    assert reload_data(change(old, command=["tagline", "train", "bbc-news.csv", f"--test={test}"])) is not None
    assert reload_data(change(old, command=["tagline", "train", "bbc-news.csv"])) is None
    assert reload_data(change(old, command=["tagline", "train", "bbc-news.csv", "--test", "-"])) is None


def test_hashes_of_texts_stay_the_same() -> None:
    hashes = text_hashes(pl.Series(["a film", "  A Film\n", "Überraschung", ""]))
    assert [f"{value:x}" for value in hashes] == [
        "f629adc212850c2c",
        "f629adc212850c2c",
        "c7f19bc6171d2cb5",
        "b4b2797457a0a6e4",
    ]
