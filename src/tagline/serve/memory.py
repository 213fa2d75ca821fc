"""How the C library keeps memory that was freed."""

import ctypes
import os
import sys
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of glibc's <malloc.h>
_ARENAS = 2
_VARIABLE = "MALLOC_ARENA_MAX"  # with which a user sets the number


def limit_arenas() -> None:
    """Let all threads share two arenas of glibc.

    By default it has eight for each core, and what large requests have freed stays in each of them: the memory of the
    server grows with the number of threads that have ever parsed one.
    """
    if sys.platform == "linux" and _VARIABLE not in os.environ:
        with suppress(AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)
