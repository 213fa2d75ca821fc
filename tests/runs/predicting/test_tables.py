"""Tables written frame by frame."""

import polars as pl
import pytest

from tagline.errors import InputError
from tagline.runs.predicting.tables import open_table


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_both(path, frames):
    with open_table(path) as write:
        for frame in frames:
            write(frame)


def test_columns_that_come_late(tmp_path):
    first, later = pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"], "b": [[1]]})
    write_both(tmp_path / "out.parquet", [first, later])
    assert pl.read_parquet(tmp_path / "out.parquet").to_dicts() == [{"a": "1", "b": None}, {"a": "x", "b": [1]}]
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(InputError, match=r"\.jsonl"):
        write_both(tmp_path / "out.csv", [first, later])
    assert (tmp_path / "out.csv").read_text() == "old"
    assert names(tmp_path) == ["out.csv", "out.parquet"]
