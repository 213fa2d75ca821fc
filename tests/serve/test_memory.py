"""What glibc keeps of the memory that the server frees."""

import os
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, threading
from tagline.serve.memory import limit_freed_memory
limit_freed_memory()
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


FREED = """
import ctypes, time
from tagline.serve import memory
memory._TRIM_SECONDS = 0.05
memory.limit_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
def take(size, n):
    blocks = [libc.malloc(ctypes.c_size_t(size)) for _ in range(n)]
    for block in blocks:
        ctypes.memset(block, 1, size)
    return blocks
before = resident_mb()
libc.free(take(20_000_000, 1)[0])
large, gap = take(10_000_000, 1), take(100, 1)
libc.free(large[0])
print(resident_mb() - before)
small = take(10_000, 4000)
for block in small[:-1]:
    libc.free(block)
kept = resident_mb()
with memory.freed_memory_returned():
    while resident_mb() > kept - 30:
        time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_what_was_freed_is_returned_to_the_system():
    done = subprocess.run([sys.executable, "-c", FREED], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) < 5
