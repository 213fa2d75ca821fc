"""Locks that end with their process.

They are ``flock`` locks: the system releases them when the process ends, however it ends. Where there are none
(Windows, some network file systems) every lock is granted.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if os.name == "posix":
    import fcntl

_PATIENCE = 1.0  # seconds that an exclusive lock waits for shared ones, which `is_locked` holds for an instant
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05  # seconds between two attempts to get a lock


@contextmanager
def lock(path: Path, *, shared: bool = False, wait: bool = True, create: bool = False) -> Iterator[None]:
    """Hold a lock on a file or folder: alone, or together with others that share it.

    Args:
        path: an existing file or folder.
        shared: allow other shared locks.
        wait: wait while another process, or another thread, holds it.
        create: make the file if it is missing.

    Raises:
        BlockingIOError: it is held, and ``wait`` is False.
        FileNotFoundError: ``path`` does not exist.

    """
    if os.name != "posix":
        yield
        return
    descriptor = _open_locked(path, shared=shared, wait=wait, create=create)
    try:
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether a process holds an exclusive lock on a file or folder; checking refuses no other process."""
    try:
        with lock(path, shared=True, wait=False):
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def _open_locked(path: Path, *, shared: bool, wait: bool, create: bool) -> int:
    """Return a descriptor of ``path`` that holds the lock."""
    while True:
        descriptor = os.open(path, os.O_RDONLY | (os.O_CREAT if create else 0), 0o666)
        try:
            lock_descriptor(descriptor, shared=shared, wait=wait)
            if os.path.lexists(path) and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was renamed or removed before it was locked


def lock_descriptor(descriptor: int, *, shared: bool = False, wait: bool = True) -> None:
    """Lock an open file or folder until it is closed, see `lock`."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        if wait:
            wait_for_lock(descriptor, kind)
        else:
            _flock_or_refuse(descriptor, kind)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        pass


def wait_for_lock(descriptor: int, kind: int) -> None:
    """Wait until the lock is granted.

    A signal handler may raise in this function, even where it must let other cleanup run to its end. It polls, because
    a blocking call would not return for a signal that comes just before it.
    """
    pause = _SHORTEST_PAUSE
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def _flock_or_refuse(descriptor: int, kind: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            # Refused by an exclusive lock, or only by the shared one of `is_locked`? The former refuses this too.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            time.sleep(random.uniform(0.0005, 0.005))  # noqa: S311 (two that wait must not stay in step)
