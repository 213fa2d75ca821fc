"""Exact sums of counts that are more than memory: divided by a hash of the key among files, and added file by file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

_SEED = 0x9E3779B97F4A7C15
_N_FILES = 32


class Partitions:
    """Counts of keys in files ``name-00.…`` of a folder. ``most_bytes`` are counted in memory before they are written.

    Frames have the columns ``key`` and ``df``.
    """

    def __init__(self, folder: Path, name: str, most_bytes: int) -> None:
        self._folder, self._name, self._most_bytes = folder, name, most_bytes
        self._pending: list[pl.DataFrame] = []
        self._n_bytes = self._n_written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"{name}-*.arrow"):
            path.unlink()

    def add(self, counts: pl.DataFrame) -> None:
        """Add the counts of some keys, each of which occurs once."""
        self._pending.append(counts)
        self._n_bytes += int(counts.estimated_size())
        if self._n_bytes > self._most_bytes:
            self._write()

    def _write(self) -> None:
        frame = _summed(self._pending)
        part = (frame["key"].hash(seed=_SEED) % _N_FILES).to_numpy()
        order = np.argsort(part, kind="stable")
        frame, bounds = frame[order], np.searchsorted(part[order], range(_N_FILES + 1)).tolist()
        for number in range(_N_FILES):
            piece = frame.slice(bounds[number], bounds[number + 1] - bounds[number])
            piece.write_ipc(self._file(number, self._n_written), compression="lz4")
        self._n_written += 1
        self._pending, self._n_bytes = [], 0

    def _file(self, number: int, written: int) -> Path:
        return self._folder / f"{self._name}-{number:02}-{written:06}.arrow"

    def summed(self, least: int) -> Iterator[pl.DataFrame]:
        """Yield the keys whose counts add up to ``least`` or more, in several frames, and delete the files."""
        if not self._n_written:
            yield _summed(self._pending).filter(pl.col("df") >= least)
            self._pending = []
            return
        if self._pending:
            self._write()
        for number in range(_N_FILES):
            files = [self._file(number, written) for written in range(self._n_written)]
            yield _summed([pl.read_ipc(file) for file in files]).filter(pl.col("df") >= least)
            for file in files:
                file.unlink()


def _summed(frames: list[pl.DataFrame]) -> pl.DataFrame:
    if len(frames) == 1:
        return frames[0]
    if frames[0].schema["key"] == pl.String:
        return pl.concat(frames).group_by("key").agg(pl.col("df").sum())
    keys, df = (np.concatenate([frame[name].to_numpy() for frame in frames]) for name in ("key", "df"))
    if not len(keys):
        return frames[0]
    order = np.argsort(keys, kind="stable")  # `group_by` takes several times the memory of its rows
    keys, df = keys[order], df[order]
    firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return pl.DataFrame({"key": keys[firsts], "df": np.add.reduceat(df, firsts)})
