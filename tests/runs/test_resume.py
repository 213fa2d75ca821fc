"""Requests, stored and read again."""

import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tagline.errors import InputError
from tagline.recipes import load_recipe, make_recipe
from tagline.runs.resume import (
    UnfinishedRun,
    find_requests,
    hold,
    kept_until_finished,
    make_unfinished,
    read_request,
    read_unfinished,
    with_versions,
)
from tagline.runs.settings import TrainSettings
from tagline.storage.locks import is_locked


def read(path: Path) -> str:
    return read_request(path, 1, lambda requested: requested["settings"]["colour"], Path("run"), "start over")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(with_versions(1, {"data": "a.csv", "settings": {"colour": "red"}})))
    assert read(path) == "red"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, r"asked\.json` was written by another version of tagline: start over\.$"),
        ({"data": None}, r"^The data of `run` cannot be read a second time: start over\.$"),
        ({"versions": {"python": "9.0"}}, r"^`run` was started with python 9\.0, and this is .*, or start over\.$"),
        ({"versions": {}}, r"^`run` was started with python of an unknown version, and"),
        ({"versions": 3}, r"asked\.json` cannot be read \(TypeError: .*\): start over\.$"),
        ({"settings": {}}, r"asked\.json` cannot be read \(KeyError: 'colour'\): start over\.$"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(with_versions(1, {"data": "a.csv", "settings": {"colour": "red"}}) | changes))
    with pytest.raises(InputError, match=said):
        read(path)


@pytest.mark.parametrize("damaged", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "asked.json"
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"asked\.json` cannot be read"):
        read(path)


def test_a_recipe_that_is_wrong_is_damage_too(tmp_path: Path) -> None:
    path = tmp_path / "asked.json"
    path.write_text(json.dumps(with_versions(1, {"data": "a.csv", "recipe": {}})))
    with pytest.raises(InputError, match=r"asked\.json` cannot be read \(RecipeError: .*\): start over\.$"):
        read_request(path, 1, lambda requested: make_recipe(requested["recipe"], "mine"), Path("run"), "start over")


def test_what_is_not_there_is_for_the_caller_to_say(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "asked.json")


def test_a_folder_is_locked_by_one(tmp_path: Path) -> None:
    with hold(tmp_path, "works here"):
        assert is_locked(tmp_path)
        with pytest.raises(InputError, match="is in use: another process works here"), hold(tmp_path, "works here"):
            raise AssertionError("not reached")
    assert not is_locked(tmp_path)


def test_listing_does_not_lock_others_out(tmp_path: Path) -> None:
    """`tagline runs` looks at the lock of each unfinished run: a `--resume` at that moment is not refused."""
    folder = tmp_path / "run.unfinished"
    folder.mkdir()
    (folder / "asked.json").write_text(json.dumps({"data": "a.csv"}))
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            find_requests(tmp_path, ".unfinished", "asked.json")

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(300):
            with hold(folder, "trains this run"):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()


def test_a_resumed_run_names_its_files_as_they_were_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    started = UnfinishedRun(
        Path("run"),
        "data/a.csv",
        load_recipe("embedding-average"),
        TrainSettings(recipe="embedding-average", test="test.csv"),
        ("train", "data/a.csv"),
        "fingerprint",
    )
    (tmp_path / "run.unfinished").mkdir()
    (tmp_path / "run.unfinished" / "notes.txt").touch()
    with pytest.raises(InputError, match="is unfinished"):  # a folder of the user's
        make_unfinished(started)
    (tmp_path / "run.unfinished" / "notes.txt").unlink()
    make_unfinished(started)
    for place, folder in ((tmp_path, None), (tmp_path.parent, tmp_path)):  # once more, by the second process
        with suppress(KeyboardInterrupt), kept_until_finished(started):
            started.checkpoints.mkdir(exist_ok=True)
            (started.checkpoints / "1.pt").touch()
            raise KeyboardInterrupt
        monkeypatch.chdir(place)
        started = read_unfinished(tmp_path / "run")
        expected = ("data/a.csv", "test.csv") if folder is None else (f"{folder}/data/a.csv", f"{folder}/test.csv")
        assert (started.data, started.settings.test, started.settings.validation) == (*expected, None)
