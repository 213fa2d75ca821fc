"""The arenas of glibc that the threads of the server share."""

import os
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, threading
from tagline.serve.memory import limit_arenas
limit_arenas()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fdopen.restype = ctypes.c_void_p
wait = threading.Barrier(9)
def take():
    libc.malloc(ctypes.c_size_t(100_000))
    wait.wait()
    wait.wait()
for _ in range(8):
    threading.Thread(target=take).start()
wait.wait()
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
wait.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_threads_share_two_arenas_unless_the_user_says_otherwise():
    found = []
    for given in ({}, {"MALLOC_ARENA_MAX": "5"}):
        env = {name: value for name, value in os.environ.items() if name != "MALLOC_ARENA_MAX"} | given
        done = subprocess.run([sys.executable, "-c", ARENAS], capture_output=True, text=True, check=True, env=env)
        found.append(done.stdout.count("<heap nr="))
    assert found == [2, 5]
