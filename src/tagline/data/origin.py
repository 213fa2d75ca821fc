"""`Origin`: where rows were read, and hashes that recognise the same rows in another run."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.task import Ints

#: Rows that are joined at once: small joins stay in the processor's cache.
HASH_ROWS = 512

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Origin:
    """Where rows were read.

    ``places`` has for each row ``file`` (Categorical; null if it comes from no file), ``line`` (UInt32, from 1; of
    Parquet, Excel and JSON documents the row), and its place in ``frames``: ``frame`` and ``row``, which counts from 1.
    ``frames`` are the sources with all their columns.
    """

    places: pl.DataFrame
    frames: tuple[pl.DataFrame, ...]

    @property
    def file(self) -> pl.Series:
        """The file of each row, Categorical (n,); null if it comes from no file."""
        return self.places["file"]

    @property
    def line(self) -> pl.Series:
        """The line of each row, UInt32 (n,), from 1; of Parquet, Excel and JSON documents the row."""
        return self.places["line"]

    def place(self, row: int) -> dict[str, str | int | None]:
        """Return file and line of a row."""
        return self.places.select(pl.col("file").cast(pl.String), "line").row(row, named=True)

    def take(self, rows: Ints) -> "Origin":
        """Return the origin of the rows at some places, in the order given."""
        return Origin(self.places[rows], self.frames)

    def followed_by(self, other: "Origin") -> "Origin":
        """Return the origin of these rows and then of others of the same data."""
        return Origin(pl.concat([self.places, other.places]), self.frames)

    @cached_property
    def hashes(self) -> Hashes:
        """64 bits of the SHA-256 of all cells of each row, (n,): not of the columns that were chosen among them."""
        found = np.empty(self.places.height, dtype=np.uint64)
        for number, frame in enumerate(self.frames):
            here = self.places.select(is_here=pl.col("frame") == number, row=pl.col("row") - 1)
            found[here["is_here"].to_numpy()] = _hashes(frame, here.filter("is_here").select("row"))
        return found


def source_frame(frame: pl.DataFrame, left_out: Iterable[str | None]) -> pl.DataFrame:
    """Return the columns of a source that identify its rows."""
    objects = [name for name, dtype in frame.schema.items() if dtype == pl.Object]
    return frame.drop(*objects, *(name for name in left_out if name is not None))


def _hashes(frame: pl.DataFrame, rows: pl.DataFrame) -> Hashes:
    cells = [_cell(name, dtype) for name, dtype in sorted(frame.schema.items())]
    joined = pl.concat_str(cells, separator="\0\0", ignore_nulls=True).cast(pl.Binary)
    digests: list[bytes] = []
    for part in rows.iter_slices(HASH_ROWS):
        digests += [sha256(row).digest()[:8] for row in frame[part.to_series()].select(joined).to_series().to_list()]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _cell(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Binary:
        text = pl.col(name).bin.encode("hex")
    elif dtype.is_nested():
        text = pl.struct(name).struct.json_encode()
    else:
        text = pl.col(name).cast(pl.String)
    return pl.lit(f"{name}\0") + text
