"""Exact sums of counts that are more than memory: divided by a hash of the key among files, and added file by file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

_SEED = 0x9E3779B97F4A7C15
_FEWEST_FILES = 16
_RECORD = np.dtype([("key", np.int64), ("df", np.int64)])


class Partitions:
    """Counts of keys, integers or strings, in files of a folder whose names begin with ``name``.

    Frames have the columns ``key`` and ``df``. ``most_bytes`` are counted in memory before they are written, and about
    as many are in each file, if all counts take ``expected_bytes``.
    """

    def __init__(self, folder: Path, name: str, most_bytes: int, expected_bytes: int) -> None:
        self._folder, self._name, self._most_bytes = folder, name, most_bytes
        self._n_files = max(_FEWEST_FILES, expected_bytes // most_bytes)
        self._pending: list[pl.DataFrame] = []
        self._n_bytes = self._n_written = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob(f"{name}-*"):
            path.unlink()

    def add(self, counts: pl.DataFrame) -> None:
        """Add the counts of some keys, each of which occurs once."""
        self._pending.append(counts)
        self._n_bytes += int(counts.estimated_size())
        if self._n_bytes > self._most_bytes:
            self._write()

    def summed(self, least: int) -> Iterator[pl.DataFrame]:
        """Yield the keys whose counts add up to ``least`` or more, in several frames, and delete the files."""
        if not self._n_written:
            yield summed_counts(self._pending).filter(pl.col("df") >= least)
            self._pending = []
            return
        if self._pending:
            self._write()
        for number in range(self._n_files):
            files = self._files(number)
            yield summed_counts([_read(file) for file in files]).filter(pl.col("df") >= least)
            for file in files:
                file.unlink()

    def _write(self) -> None:
        frame = summed_counts(self._pending)
        self._pending, self._n_bytes = [], 0
        of_file = (frame["key"].hash(seed=_SEED) % self._n_files).to_numpy()
        order = np.argsort(of_file, kind="stable")
        bounds = np.searchsorted(of_file[order], range(self._n_files + 1)).tolist()
        for number in range(self._n_files):
            self._append(number, frame[order[bounds[number] : bounds[number + 1]]])
        self._n_written += 1

    def _append(self, number: int, counts: pl.DataFrame) -> None:
        """Add counts to a file; those of strings to another one, as they are read again as a whole."""
        path = self._folder / f"{self._name}-{number:05}"
        if counts.schema["key"] == pl.String:
            counts.write_ipc(f"{path}-{self._n_written:06}.arrow", compression="lz4")
            return
        with path.open("ab") as file:
            file.write(_records(counts).tobytes())

    def _files(self, number: int) -> list[Path]:
        return sorted(self._folder.glob(f"{self._name}-{number:05}*"))


def _records(counts: pl.DataFrame) -> NDArray[np.void]:
    records = np.empty(counts.height, dtype=_RECORD)
    records["key"], records["df"] = counts["key"].to_numpy(), counts["df"].to_numpy()
    return records


def _read(file: Path) -> pl.DataFrame:
    if file.suffix:
        return pl.read_ipc(file)
    records = np.fromfile(file, dtype=_RECORD)
    return pl.DataFrame({"key": records["key"], "df": records["df"]})


def summed_counts(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of the counts of keys, which each frame has once; ``frames`` has one or more."""
    if frames[0].schema["key"] == pl.String:
        return frames[0] if len(frames) == 1 else pl.concat(frames).group_by("key").agg(pl.col("df").sum())
    keys, df = (np.concatenate([frame[name].to_numpy() for frame in frames]) for name in ("key", "df"))
    if not len(keys):
        return frames[0]
    order = np.argsort(keys, kind="stable")  # `group_by` takes several times the memory of its rows
    keys, df = keys[order], df[order]
    firsts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return pl.DataFrame({"key": keys[firsts], "df": np.add.reduceat(df, firsts)})
