"""What is flushed to the disk, and when: a file or a folder is either there as a whole after a power cut, or not."""

import os
from pathlib import Path

import pytest

from tagline.storage.atomic import rename_file, replace_folder, write_file


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes of the files and folders that are flushed, in order."""
    inodes: list[int] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        inodes.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return inodes


def test_a_file_and_its_folder_are_flushed_to_the_disk(tmp_path: Path, flushed: list[int]) -> None:
    write_file(tmp_path / "a", "a")
    assert flushed == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]
    (tmp_path / "a.part").write_text("b")
    rename_file(tmp_path / "a.part", tmp_path / "a")
    assert flushed[2:] == [(tmp_path / "a").stat().st_ino, tmp_path.stat().st_ino]
    del flushed[:]
    with replace_folder(folder := tmp_path / "folder") as unfinished:
        (unfinished / "part").write_text("content")
    assert set(flushed) == {path.stat().st_ino for path in (folder / "part", folder, tmp_path)}


def test_a_folder_that_is_built_is_flushed_once_when_it_is_finished(tmp_path: Path, flushed: list[int]) -> None:
    target = tmp_path / "run"
    with replace_folder(target) as folder:
        write_file(folder / "a", "a")
        write_file(folder / "a", "b")
        with replace_folder(folder / "model") as inner:
            write_file(inner / "c", "c")
        assert flushed == []
    parts = (target, target / "a", target / "model", target / "model" / "c", tmp_path)
    assert sorted(flushed) == sorted(path.stat().st_ino for path in parts)
    assert flushed[-1] == tmp_path.stat().st_ino
