"""Large arrays that processes of one machine have in memory once: files that all of them map, named by their content.

A file stays until no process has its array any more and `remove_unused_arrays` is called.
"""

import hashlib
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

if os.name == "posix":
    import fcntl

_Scalar = TypeVar("_Scalar", bound=np.generic)
_FEWEST_BYTES = 1 << 18
_SUFFIX = ".array"
_folder: Path | None = None


def share_arrays_in(folder: Path) -> None:
    """Let this process share arrays with the others that do so in the same folder, which nobody else can write."""
    global _folder
    _folder = folder


def shared(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """Return a read-only array with the same content, which other processes that have it share.

    It is ``array`` itself if this process shares none, if it is small, or if the file cannot be written.
    """
    if _folder is None or array.nbytes < _FEWEST_BYTES:
        return array
    content = np.ascontiguousarray(array).view(np.uint8).data
    path = _folder / f"{hashlib.sha256(content).hexdigest()}{_SUFFIX}"
    try:
        while (mapped := _map(path)) is None:
            _write(path, content)
    except OSError:  # the disk is full
        return array
    return np.frombuffer(mapped, dtype=array.dtype).reshape(array.shape)


def remove_unused_arrays() -> None:
    """Delete the files of arrays that no process has any more."""
    for path in _folder.glob(f"*{_SUFFIX}") if _folder else ():
        with suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _map(path: Path) -> mmap.mmap | None:
    """Return the content of a file; None if there is none."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # the lock is held until the memory is released: `mmap` keeps the file open
        if os.fstat(file.fileno()).st_nlink:  # it was not deleted meanwhile
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return None


def _write(path: Path, content: memoryview) -> None:
    """Write a file, unless another process has done so."""
    with tempfile.NamedTemporaryFile(dir=path.parent) as file:
        file.write(content)
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)
