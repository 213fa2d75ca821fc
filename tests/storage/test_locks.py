"""Locks: they keep others out, and end with their process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tagline.storage.locks import is_locked, lock

POSIX = pytest.mark.skipif(os.name != "posix", reason="no locks")


@POSIX
def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    with lock(tmp_path, wait=False):
        assert is_locked(tmp_path)
        for shared in (False, True):
            with pytest.raises(BlockingIOError), lock(tmp_path, wait=False, shared=shared):
                raise AssertionError("not reached")
    assert not is_locked(tmp_path)
    with lock(tmp_path, shared=True), lock(tmp_path, shared=True, wait=False):
        assert not is_locked(tmp_path)
        with pytest.raises(BlockingIOError), lock(tmp_path, wait=False):
            raise AssertionError("not reached")


@POSIX
def test_a_lock_is_released_when_its_process_is_killed(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from tagline.storage.locks import lock
with lock(Path(sys.argv[1])):
    input()
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE)
    while not is_locked(tmp_path):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.communicate()
    assert not is_locked(tmp_path)


@POSIX
def test_a_lock_is_never_refused_because_somebody_looks(tmp_path: Path) -> None:
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_locked(tmp_path)

    watchers = [threading.Thread(target=look) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    try:
        for _ in range(200):
            with lock(tmp_path, wait=False):
                pass
    finally:
        stop.set()
        for watcher in watchers:
            watcher.join()


def test_a_lock_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), lock(tmp_path / "lock"):
        raise AssertionError("not reached")
    with lock(tmp_path / "lock", create=True):
        assert (tmp_path / "lock").exists()
    assert not is_locked(tmp_path / "missing")
