"""The request that a search stores in its folder."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tagline.errors import InputError
from tagline.experiments.tune.candidates import Limits
from tagline.experiments.tune.folder import (
    TuneRequest,
    TuneSettings,
    create_folder,
    find_searches,
    load_request,
    mark_ended,
    unmark_ended,
)
from tagline.runs.settings import TrainSettings
from tagline.storage.locks import lock


@pytest.fixture
def search(tmp_path: Path) -> TuneRequest:
    run = TrainSettings(test=str(tmp_path / "test.csv"), track=("mlflow",), seed=3)
    settings = TuneSettings(run, 60.0, "macro_f1", Limits(size_mb=5.0))
    made = TuneRequest(tmp_path / "run", str(tmp_path / "data.csv"), settings, ("tune", "data.csv"))
    create_folder(made, "fingerprint")
    return made


@pytest.mark.parametrize("name", ["run", "run.tuning"])
def test_the_request_survives_writing_and_reading(search: TuneRequest, name: str) -> None:
    assert load_request(search.target.with_name(name)) == (search, "fingerprint")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"format": 2},
            r"asked\.json` was written by another version of tagline: remove `.*tuning` and start again",
        ),
        ({"data": None}, r"The data of `.*run` cannot be read a second time: remove"),
        ({"versions": {"python": "3.0"}}, r"`.*run` was started with python 3\.0, and this is"),
        ({"settings": {}}, r"asked\.json` cannot be read \(KeyError: 'run'\): remove"),
    ],
)
def test_a_damaged_or_foreign_request_cannot_be_resumed(
    search: TuneRequest, changes: dict[str, Any], said: str
) -> None:
    path = search.folder / "asked.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(InputError, match=said):
        load_request(search.target)


def test_a_folder_without_a_request_is_no_search(search: TuneRequest) -> None:
    """A process was killed as it began, or as it deleted the folder of a finished search."""
    with pytest.raises(InputError, match="is unfinished: resume it"):
        create_folder(search, "fingerprint")
    (search.folder / "asked.json").unlink()
    (search.folder / "journal.log").touch()
    with lock(search.folder), pytest.raises(InputError):
        create_folder(search, "fingerprint")
    (search.folder / "notes.txt").touch()
    with pytest.raises(InputError):  # a file of the user
        create_folder(search, "fingerprint")
    (search.folder / "notes.txt").unlink()
    create_folder(search, "fingerprint")
    assert [path.name for path in search.folder.iterdir()] == ["asked.json"]


def test_a_search_that_was_ended_early_may_be_resumed_or_started_again(search: TuneRequest, tmp_path: Path) -> None:
    assert find_searches(tmp_path) == [(search.target, False)]
    with pytest.raises(InputError, match="is unfinished: resume it"):
        create_folder(search, "fingerprint")
    assert mark_ended(search)
    assert find_searches(tmp_path) == []  # there is a run
    assert load_request(search.target) == (search, "fingerprint")
    unmark_ended(search)
    assert find_searches(tmp_path) == [(search.target, False)]
    mark_ended(search)
    (search.folder / "journal.log").touch()
    create_folder(search, "other")
    assert load_request(search.target) == (search, "other")
    assert [path.name for path in search.folder.iterdir()] == ["asked.json"]
    assert not mark_ended(replace(search, data=[("a text", "label")]))  # which cannot be read again


def test_only_unfinished_searches_can_be_resumed(search: TuneRequest, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("{}")
    for name, said in (
        (tmp_path / "other", "is finished"),
        (tmp_path / "none", "is not an unfinished search"),
        ("/", "is not a run"),
    ):
        with pytest.raises(InputError, match=f"{said}.*: there is nothing to (resume|go on with)"):
            load_request(name)
