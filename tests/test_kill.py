"""`kill -9` at random moments, as a short version of `benchmarks/kill.py`; the moments depend on the seed."""

from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["predict, CSV", "predict, parts"])
def test_predictions_are_equal_after_a_kill(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import kill

    kill.make_inputs(tmp_path, rows_to_predict=2_000)
    predict = next(command for command in kill.COMMANDS if command.name == name)
    outcome = kill.kill_and_check(replace(predict, old=()), tmp_path, kills=1, seed=0)
    assert outcome.wrong == []
    assert outcome.kills + outcome.finished == 1
