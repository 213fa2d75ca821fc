"""Where a sweep can be started."""

from pathlib import Path

import pytest

from tagline.errors import InputError
from tagline.experiments.sweep.folder import check_out


def test_what_a_sweep_left_that_was_killed_as_it_began_is_in_nobodys_way(tmp_path: Path) -> None:
    work = tmp_path / "sweep" / "work"
    work.mkdir(parents=True)
    check_out(tmp_path / "sweep")
    work.mkdir(exist_ok=True)
    (work / "texts.arrow").touch()
    with pytest.raises(InputError, match="is not empty"):
        check_out(tmp_path / "sweep")
    assert (work / "texts.arrow").exists()
