"""What a training may hold in memory: the limit that the user gave, divided among its stages."""

import ctypes
import os
import re
from dataclasses import dataclass

from tagline.errors import InputError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
#: The interpreter and its libraries, in bytes: measured, and rounded up.
_LIBRARIES = 300_000_000
_LEAST, _MOST = 500_000_000, 2**60
# What a training in memory takes, measured: for the process that draws plots; for each byte of text, 60 of reviews and
# 105 of words of random letters; for each byte of other columns of JSON; for each byte and output, as coefficients.
_PLOTS = 60_000_000
_IN_MEMORY, _OTHER_COLUMNS, _COEFFICIENTS = 100, 5, 0.6
# Of a column, in bytes, at the end of a training: key, hash tables, scale and spread; and of each of its coefficients.
_COLUMN, _COEFFICIENT = 96, 16
_PROBABILITY = 100  # bytes for each probability of a held-out row while they are measured
_FEWEST_HELD_OUT = 1_000
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8  # of glibc's <malloc.h>
_LARGE_ARRAY = 1 << 20  # bytes


def return_freed_arrays() -> None:
    """Let glibc return the memory of an array to the system as soon as it is freed.

    By default it comes to keep free blocks of up to 32 MB, in pools of each thread: a fifth of the memory of a training
    out of core. Other C libraries stay as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE_ARRAY)
        mallopt(_ARENA_MAX, 2)


def parse_memory(given: str) -> int:
    """Return a size such as ``1GB`` in bytes.

    Raises:
        InputError: it is none, or too small to train.

    """
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d+)?)\s*([a-z]*)\s*", given.lower())
    if match is None or match[2] not in _UNITS:
        raise InputError(f"`--memory {given}` is invalid: use a number and a unit (`MB`, `GB`), such as `1GB`.")
    n_bytes = min(int(float(match[1]) * _UNITS[match[2]]), _MOST)
    if n_bytes < _LEAST:
        raise InputError(
            f"`--memory {given}` is too little: Python and its libraries take {_LIBRARIES // 10**6} MB of it. The "
            f"smallest that works is `{_LEAST // 10**6}MB`."
        )
    return n_bytes


@dataclass(frozen=True)
class Budget:
    """The memory that a process may take, in bytes, its libraries included.

    ``in_memory``: data that fits is trained on in memory.
    """

    total: int
    in_memory: bool = True

    @property
    def working(self) -> int:
        """What is left for the data."""
        return self.total - _LIBRARIES

    def fits(self, text_bytes: int, read_bytes: int, n_outputs: int) -> bool:
        """Return whether texts can be trained on in memory, of rows of ``read_bytes`` with all columns."""
        of_text = (_IN_MEMORY + _COEFFICIENTS * n_outputs) * text_bytes
        of_others = _OTHER_COLUMNS * max(0, read_bytes - 2 * text_bytes)
        return self.in_memory and _LIBRARIES + _PLOTS + of_text + of_others <= self.total

    @property
    def part(self) -> int:
        """Bytes of text that are processed together."""
        return min(max(self.working // 60, 1_000_000), 16_000_000)

    @property
    def read(self) -> int:
        """Bytes of a file that are read together."""
        return min(max(self.working // 100, 1_000_000), 8_000_000)

    @property
    def kept(self) -> int:
        """Bytes of text of the rows of a split that are kept in memory."""
        return self.working // 16

    def held_out(self, n_classes: int) -> int:
        """Return how many rows of a split can be measured."""
        return max(_FEWEST_HELD_OUT, int(0.4 * self.working) // (_PROBABILITY * n_classes))

    @property
    def counts(self) -> int:
        """Bytes of counts that are aggregated together."""
        return self.working // 16

    @property
    def block(self) -> int:
        """Bytes of a block of the matrix, of which two are in memory."""
        return min(max(self.working // 10, 100_000), 128_000_000)

    @property
    def shard(self) -> int:
        """Bytes of text of a shard, which becomes four to eight times as much in the memory of its process."""
        return self.working // 40

    def columns(self, n_outputs: int) -> int:
        """Return how many n-grams a model may have."""
        return int(0.8 * self.working) // (_COLUMN + _COEFFICIENT * n_outputs)
