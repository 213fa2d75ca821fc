"""Tables written frame by frame."""

import errno
import io

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


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_columns_of_a_wide_frame_are_listed_a_few_times(kind, monkeypatch):
    frame, listed = pl.DataFrame({f"c{i}": [""] for i in range(300)}), []
    made = pl.DataFrame.columns.fget
    monkeypatch.setattr(
        pl.DataFrame, "columns", property(lambda it: listed.append(0) or made(it), pl.DataFrame.columns.fset)
    )
    with open_table(io.BytesIO(), kind) as write:
        write(frame)
    assert len(listed) < 50  # each takes as long as there are columns


class FullDisk(io.BytesIO):
    def write(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_one_error_for_excel():
    with pytest.raises(OSError, match="No space left") as caught, open_table(FullDisk(), "xlsx") as write:
        write(pl.DataFrame({"a": ["x"]}))
    assert caught.value.errno == errno.ENOSPC
    del caught  # the workbook is deleted, which must not write again


@pytest.mark.parametrize("stop", [InputError("stop"), KeyboardInterrupt()])
def test_rows_of_excel_are_kept_beside_the_target_and_not_left_there(tmp_path, monkeypatch, stop):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    write_both(tmp_path / "out.xlsx", [pl.DataFrame({"a": ["x"]})])
    old = (tmp_path / "out.xlsx").read_bytes()

    def stopped():
        yield pl.DataFrame({"a": ["y"]})
        raise stop

    with pytest.raises(type(stop)):
        write_both(tmp_path / "out.xlsx", stopped())
    assert (tmp_path / "out.xlsx").read_bytes() == old
    assert names(tmp_path) == ["out.xlsx"]


@pytest.mark.parametrize("index", ["tagline.json", "tokens.json"])
def test_no_table_is_written_into_a_model(tmp_path, index):
    model = tmp_path / "model"
    model.mkdir()
    (model / index).write_text("{}")
    (model / "weights.safetensors").write_text("weights")
    (tmp_path / "link.csv").symlink_to(model / "weights.safetensors")
    for target in (model / "weights.safetensors", model / "new.csv", tmp_path / "link.csv"):
        with pytest.raises(InputError, match="in the folder of a model"), open_table(target, "csv"):
            pass
    assert names(model) == sorted([index, "weights.safetensors"])
    assert (model / "weights.safetensors").read_text() == "weights"


def test_no_table_replaces_a_file_of_a_run(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "predictions.parquet").write_text("old")
    with pytest.raises(InputError, match="is a file of the run"):
        write_both(tmp_path / "predictions.parquet", [pl.DataFrame({"a": [1]})])
    write_both(tmp_path / "labelled.csv", [pl.DataFrame({"a": [1]})])
    assert (tmp_path / "predictions.parquet").read_text() == "old"
    assert names(tmp_path) == ["labelled.csv", "predictions.parquet", "run.json"]


def test_a_link_into_a_folder_that_is_missing(tmp_path):
    (tmp_path / "out.csv").symlink_to(tmp_path / "missing" / "out.csv")
    with pytest.raises(InputError, match="cannot be written: no such file"):
        write_both(tmp_path / "out.csv", [pl.DataFrame({"a": [1]})])
