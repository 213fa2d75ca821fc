"""A search on disk: what a process that was killed had written down is taken up, at whatever moment it was killed."""

import os
from pathlib import Path

import numpy as np
import pytest

from tagline.experiments.tune.candidates import Limits
from tagline.experiments.tune.objective import METRICS
from tagline.experiments.tune.scoring import Cost, FoldResult
from tagline.experiments.tune.search_space import DataProfile
from tagline.experiments.tune.study import Study, _drop_partial_line

PROFILE = DataProfile(maxlen=20, spaced=True, large=False, huge=False, n_classes=2)
ROWS = (np.arange(100) < 80).astype(np.float32)


class KilledError(Exception):
    """In place of the end of the process."""


def study_in(folder: Path) -> Study:
    return Study(folder, METRICS["accuracy"], Limits(), PROFILE, ["fast", "tf-idf"], n_folds=1, seed=0)


def part() -> FoldResult:
    return FoldResult(0, ROWS, {"features": 0.1, "fit": 0.2}, Cost(1.0, 2.0))


@pytest.mark.parametrize("moment", ["tell", "set_user_attr"])
def test_a_candidate_that_was_just_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Killed after its rows were written it counts; killed before, it is the next that is request for."""
    study = study_in(tmp_path)
    candidate = study.ask()

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    monkeypatch.setattr(study._study, moment, killed)
    with pytest.raises(KilledError):
        study.report(candidate, part(), 3.0)
    again = study_in(tmp_path)
    if moment == "tell":
        assert again.candidates[candidate.number].score(METRICS["accuracy"]) == pytest.approx(0.8)
        assert again.candidates[candidate.number].cost == Cost(1.0, 2.0)
        assert again.ask().tables["features"] != candidate.tables["features"]
    else:
        assert not again.candidates
        request = [again.ask() for _ in range(9)]
        assert candidate.tables["features"] in [each.tables["features"] for each in request]


def test_a_journal_is_whole_if_its_repair_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b"1\n2\n3")

    def killed(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KilledError):
        _drop_partial_line(journal)
    assert journal.read_bytes() == b"1\n2\n3"
    monkeypatch.undo()
    _drop_partial_line(journal)
    assert journal.read_bytes() == b"1\n2\n"


def test_a_stopped_trial_is_proposed_again(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    candidate = study.ask()
    study.stop_running(1.0)
    again = study_in(tmp_path)
    assert not again.candidates
    request = [again.ask().tables["features"] for _ in range(9)]
    assert candidate.tables["features"] in request


def test_half_a_line_of_the_journal_is_cut_off(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.report(study.ask(), part(), 1.0)
    with (tmp_path / "journal.log").open("ab") as journal:
        journal.write(b'{"op_code": 4, "work')
    again = study_in(tmp_path)
    assert len(again.candidates) == 1
    again.report(again.ask(), part(), 2.0)
    assert len(study_in(tmp_path).candidates) == 2


def test_time_that_passed_while_nothing_ended_is_not_given_again(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    for second in range(60):
        study.note_time(float(second))
    assert 55 <= study_in(tmp_path).elapsed <= 59
    assert (tmp_path / "journal.log").read_text().count('"spent"') <= 30


def test_a_copy_of_one_beyond_the_limits_is_beyond_them_too(tmp_path: Path) -> None:
    """Duplicate recipes are reported to the sampler."""
    study = Study(tmp_path, METRICS["accuracy"], Limits(size_mb=0.5), PROFILE, ["fast"], n_folds=1, seed=0)
    first = study.ask()
    study.report(first, part(), 1.0)
    study._study.enqueue_trial(study._study.trials[first.number].params)
    drawn = [study.ask() for _ in range(20)]
    told = [trial for trial in study._study.trials if trial.state.name == "COMPLETE"]
    assert len(told) == 2
    assert first not in drawn
    assert told[0].constraints == told[1].constraints == {"beyond the limits": 1.0}


@pytest.mark.parametrize("moment", ["tell", "end"])
@pytest.mark.parametrize("size", [0, 100])
def test_damaged_rows_count_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, size: int) -> None:
    """A power cut can leave an empty file, or half of one: the candidate is judged again."""
    study = study_in(tmp_path)
    candidate = study.ask()

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    if moment == "tell":
        monkeypatch.setattr(study._study, "tell", killed)
        with pytest.raises(KilledError):
            study.report(candidate, part(), 3.0)
    else:
        study.report(candidate, part(), 3.0)
    path = study._rows_of(candidate.number)
    path.write_bytes(path.read_bytes()[:size])
    again = study_in(tmp_path)
    assert not again.candidates
    assert candidate.tables["features"] in [again.ask().tables["features"] for _ in range(9)]
