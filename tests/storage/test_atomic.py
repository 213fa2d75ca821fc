"""Files and folders that appear whole or not at all, and locks."""

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tagline.storage.atomic import (
    _remove,
    open_file,
    recover,
    recover_all,
    remove_folder,
    replace_folder,
    write_file,
    write_json,
)

if os.name == "posix":
    import fcntl

POSIX = pytest.mark.skipif(os.name != "posix", reason="no locks")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_folder(target: Path, content: str) -> None:
    with replace_folder(target) as folder:
        (folder / "part").write_text(content)


def python(code: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], text=True, capture_output=True)


KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from tagline.storage.atomic import replace_folder

target, rename = Path(sys.argv[1]), Path.rename

def kill(self, to):
    if Path(to) == target:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, to)

Path.rename = kill
with replace_folder(target) as folder:
    (folder / "part").write_text("new")
"""


def killed_between_the_renames(target: Path) -> None:
    write_folder(target, "old")
    assert python(KILLED_BETWEEN, target).returncode == -signal.SIGKILL
    assert not target.exists()


def test_json_is_written_as_utf8_and_read_back(tmp_path: Path) -> None:
    content = {"größe": [1, 2.5, None], "path": tmp_path}
    write_json(tmp_path / "a.json", content)
    written = (tmp_path / "a.json").read_bytes()
    assert json.loads(written) == content | {"path": str(tmp_path)}
    assert "größe".encode() in written
    assert written.endswith(b"}\n")
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert (tmp_path / "a.json").read_bytes() == written


def test_a_file_is_written(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", "ä\n")
    assert (tmp_path / "a.txt").read_bytes() == "ä\n".encode()
    write_file(tmp_path / "a.txt", b"\0")
    assert (tmp_path / "a.txt").read_bytes() == b"\0"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_a_file_that_is_not_finished_leaves_the_old_one(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a").write_text("old")

    def write() -> None:
        with open_file(tmp_path / "a") as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(error):
        write()
    assert (tmp_path / "a").read_text() == "old"
    assert names(tmp_path) == ["a"]


@POSIX
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_decides_about_permissions(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_file(tmp_path / "a", "a")
        write_folder(tmp_path / "folder", "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~mask


def test_a_folder_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "below" / "folder"
    write_folder(target, "old")
    (target / "other").touch()
    write_folder(target, "new")
    assert names(target) == ["part"]
    assert (target / "part").read_text() == "new"
    assert names(target.parent) == ["folder"]


def test_a_folder_that_must_not_be_deleted_is_checked_twice(tmp_path: Path) -> None:
    calls: list[Path] = []
    with replace_folder(tmp_path / "folder", calls.append):
        pass
    assert calls == []  # there was nothing
    with replace_folder(tmp_path / "folder", calls.append) as folder:
        (folder / "a").touch()
        assert calls == [tmp_path / "folder"]
        (tmp_path / "folder" / "late").touch()
    assert calls == 2 * [tmp_path / "folder"]

    def refuse(target: Path) -> None:
        raise ValueError(target)

    with pytest.raises(ValueError, match="folder"), replace_folder(tmp_path / "folder", refuse):
        raise AssertionError("not reached")


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
def test_a_folder_that_is_not_finished_leaves_the_old_one(tmp_path: Path, error: type[BaseException]) -> None:
    write_folder(tmp_path / "folder", "old")

    def write() -> None:
        with replace_folder(tmp_path / "folder") as folder:
            (folder / "part").write_text("new")
            raise error

    with pytest.raises(error):
        write()
    assert (tmp_path / "folder" / "part").read_text() == "old"
    with pytest.raises(error), replace_folder(tmp_path / "above" / "folder"):
        raise error
    assert names(tmp_path) == ["folder"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("after", [False, True])
def test_an_interrupt_between_the_renames_leaves_a_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException], after: bool
) -> None:
    target = tmp_path / "folder"
    write_folder(target, "old")
    rename, interrupted = Path.rename, []

    def interrupt(self: Path, to: Path) -> Path:
        if Path(to) == target and not interrupted:
            interrupted.append(to)
            if after:
                rename(self, to)
            raise error
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", interrupt)
    with pytest.raises(error):
        write_folder(target, "new")
    assert (target / "part").read_text() == ("new" if after else "old")
    write_folder(target, "newer")
    assert names(tmp_path) == ["folder"]


@POSIX
def test_a_folder_is_recovered_after_a_kill_between_the_renames(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    killed_between_the_renames(target)
    recover(target / "part")  # a reader of a file in it
    assert (target / "part").read_text() == "old"
    write_folder(target, "newer")
    assert names(tmp_path) == ["folder"]  # what the killed process was writing is gone, too


@POSIX
def test_the_next_writer_recovers_a_folder(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    killed_between_the_renames(target)
    with pytest.raises(KeyboardInterrupt), replace_folder(target):
        raise KeyboardInterrupt
    assert (target / "part").read_text() == "old"
    assert names(tmp_path) == ["folder"]


@POSIX
def test_all_folders_of_a_parent_are_recovered(tmp_path: Path) -> None:
    killed_between_the_renames(tmp_path / "one")
    killed_between_the_renames(tmp_path / "two")
    write_folder(tmp_path / ".three.tagline-old", "older")  # killed before the old one was deleted
    write_folder(tmp_path / "three", "new")
    recover_all(tmp_path)
    assert [path for path in names(tmp_path) if not path.startswith(".tagline-tmp-")] == ["one", "three", "two"]
    assert (tmp_path / "three" / "part").read_text() == "new"


@POSIX
@pytest.mark.parametrize("recover_folder", [recover, lambda target: recover_all(target.parent)])
def test_a_replaced_folder_does_not_return_after_an_interrupted_cleanup(
    tmp_path: Path, recover_folder: Callable[[Path], None]
) -> None:
    target = tmp_path / "folder"
    write_folder(target, "new")
    write_folder(tmp_path / ".folder.tagline-old", "old")  # the process was killed before it renamed it
    recover_folder(target)
    shutil.rmtree(target)
    recover_folder(target)
    assert names(tmp_path) == []


def test_an_old_folder_that_cannot_be_deleted_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, rename = tmp_path / "folder", Path.rename
    write_folder(target, "old")

    def refuse(self: Path, to: Path) -> Path:
        if self.name == ".folder.tagline-old" and Path(to) != target:
            raise PermissionError(self)
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", refuse)
    write_folder(target, "new")
    assert (target / "part").read_text() == "new"
    monkeypatch.undo()
    recover(target)
    assert names(tmp_path) == ["folder"]


@POSIX
def test_a_reader_waits_for_a_folder_that_is_being_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, rename, between = tmp_path / "folder", Path.rename, threading.Event()
    write_folder(target, "old")

    def slow(self: Path, to: Path) -> Path:
        if Path(to) == target:
            between.set()
            time.sleep(0.2)
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", slow)
    writer = threading.Thread(target=write_folder, args=(target, "new"))
    writer.start()
    assert between.wait(10)
    recover(target)
    assert (target / "part").read_text() == "new"
    writer.join()


@POSIX
def test_writers_of_one_folder_take_turns(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    errors: list[BaseException] = []

    def write(content: str) -> None:
        try:
            for _ in range(30):
                write_folder(target, content)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    writers = [threading.Thread(target=write, args=(str(k),)) for k in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        recover(target)
        write_folder(target, "4")
    for writer in writers:
        writer.join()
    assert errors == []
    assert (target / "part").read_text() in {str(k) for k in range(5)}
    assert names(tmp_path) == ["folder"]


WRITING = """
import sys
from pathlib import Path
from tagline.storage.atomic import open_file, replace_folder, temporary_folder
here = Path(sys.argv[1])
with replace_folder(here / "folder") as folder, open_file(here / "file") as stream, temporary_folder(here) as scratch:
    for path in (folder / "part", scratch / "part"):
        path.write_text("part")
    print("writing", flush=True)
    input()
"""


@POSIX
def test_what_a_killed_process_was_writing_is_removed_by_the_next_writer_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / ".tagline-tmp-notes").touch()  # of the user
    (tmp_path / "kept").touch()
    (tmp_path / ".tagline-tmp-0123456789abcdef").symlink_to(tmp_path / "kept")
    os.mkfifo(tmp_path / ".tagline-tmp-fedcba9876543210")
    foreign = [*names(tmp_path), "next"]
    arguments = [sys.executable, "-c", WRITING, str(tmp_path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        writing = set(names(tmp_path)) - set(foreign)
        assert len(writing) == 3
        for write in (write_file, write_folder):
            write(tmp_path / "next", "next")
            assert set(names(tmp_path)) == {*foreign, *writing}
            _remove(tmp_path / "next")
        process.kill()
    assert set(names(tmp_path)) == {*foreign, *writing} - {"next"}
    write_file(tmp_path / "next", "next")
    assert names(tmp_path) == sorted(foreign)


@POSIX
def test_a_folder_is_removed_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, ignore_errors: bool = False) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "search"
    (folder / "within").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove_folder(folder)
    assert not folder.exists()
    write_file(tmp_path / "next", "next")
    assert names(tmp_path) == ["next"]
    remove_folder(folder)  # missing: nothing to do
    (folder / "within").mkdir(parents=True)
    remove_folder(folder)
    assert names(tmp_path) == ["next"]


@POSIX
def test_nothing_is_removed_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, kind: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with open_file(tmp_path / "one") as stream:
        write_file(tmp_path / "two", "two")
        write_folder(tmp_path / "three", "three")
        stream.write(b"one")
    assert names(tmp_path) == ["one", "three", "two"]


@POSIX
def test_the_group_is_kept_if_only_the_owner_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, groups = tmp_path / "file", []
    path.write_text("old")

    def change(descriptor: int, user: int, group: int) -> None:
        if user != -1:
            raise PermissionError
        groups.append(group)

    monkeypatch.setattr(os, "fchown", change)
    with open_file(path, keep_mode=True) as stream:
        stream.write(b"new")
    assert (path.read_text(), groups) == ("new", [path.stat().st_gid])
