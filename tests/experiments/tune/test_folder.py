"""What a search keeps of what it was asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from tagline.errors import InputError
from tagline.experiments.tune.candidates import Limits
from tagline.experiments.tune.folder import Asked, TuneSettings, begin, read_asked
from tagline.runs.settings import TrainSettings


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    told = TrainSettings(test=str(tmp_path / "test.csv"), track=("mlflow",), seed=3)
    settings = TuneSettings(told, 60.0, "macro_f1", Limits(size_mb=5.0))
    made = Asked(tmp_path / "run", str(tmp_path / "data.csv"), settings, ("tune", "data.csv"))
    begin(made, "fingerprint")
    return made


@pytest.mark.parametrize("name", ["run", "run.tuning"])
def test_what_was_asked_for_is_read_again(asked: Asked, name: str) -> None:
    assert read_asked(asked.target.with_name(name)) == (asked, "fingerprint")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"format": 2},
            r"asked\.json` was written by another version of tagline: remove `.*run\.tuning` and begin anew",
        ),
        ({"data": None}, r"The data of `.*run` cannot be read a second time: remove"),
        ({"versions": {"python": "3.0"}}, r"`.*run` was started with python 3\.0, and this is"),
        ({"settings": {}}, r"asked\.json` cannot be read \(KeyError: 'run'\): remove"),
    ],
)
def test_what_cannot_be_gone_on_with(asked: Asked, changes: dict[str, Any], said: str) -> None:
    path = asked.folder / "asked.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(InputError, match=said):
        read_asked(asked.target)


def test_what_is_finished_was_never_begun_or_is_no_place(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("{}")
    for name, said in (
        (tmp_path / "other", "is finished"),
        (tmp_path / "none", "is not a search"),
        ("/", "is not a run"),
    ):
        with pytest.raises(InputError, match=f"{said}.*: there is nothing to (go on with|resume)"):
            read_asked(name)
