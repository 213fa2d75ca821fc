"""How the C library keeps memory that was freed."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

_ARENAS, _MMAP_BYTES, _TRIM_BYTES = -8, -3, -1  # M_ARENA_MAX, … of glibc's <malloc.h>
#: The settings, and the variables with which a user makes them.
_SETTINGS = [
    (_ARENAS, 2, "MALLOC_ARENA_MAX"),
    (_MMAP_BYTES, 1 << 20, "MALLOC_MMAP_THRESHOLD_"),
    (_TRIM_BYTES, 8 << 20, "MALLOC_TRIM_THRESHOLD_"),
]
_TRIM_SECONDS = 10.0


def limit_freed_memory() -> None:
    """Let glibc keep less of what was freed: otherwise the memory of the server grows with its largest requests.

    All threads share two arenas; by default there are eight for each core, and what large requests have freed stays in
    each of them. Blocks of 1 MB and more go back to the system at once; by default each larger block that is freed
    raises this size, up to 32 MB, and such blocks then leave gaps in the arenas. Below 1 MB scoring takes more time:
    the arrays of every batch would be allocated with a system call each time.
    """
    libc = _glibc()
    if libc is not None:
        for parameter, value, variable in _SETTINGS:
            if variable not in os.environ:
                libc.mallopt(parameter, value)


@contextmanager
def freed_memory_returned() -> Iterator[None]:
    """Return the gaps in the arenas of glibc to the system every ten seconds, in a thread."""
    libc = _glibc()
    if libc is None:
        yield
        return
    stopped = Event()

    def trim() -> None:
        while not stopped.wait(_TRIM_SECONDS):
            libc.malloc_trim(0)

    thread = Thread(target=trim, name="trim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _glibc() -> ctypes.CDLL | None:
    """Return the C library, None if it is another one."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None
