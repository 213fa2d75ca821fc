"""`Origin`: where rows were read, and hashes that recognise the same rows in another run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.task import Ints

_JOINED_BYTES = 1 << 20  # at once: small joins stay in the processor's cache
_KEPT_COLUMNS = 2.0  # times the texts, which are kept anyway: the size up to which all cells of rows are kept


@dataclass(frozen=True, eq=False)
class SourceRows:
    """The rows of one source as they were read, by which they are recognised in another run.

    ``cells`` are all columns but those that name the split. Where they are much larger than the texts, such as images,
    they are not kept, and ``hashes``, UInt64 (n_rows,), have been computed at once.
    """

    n_rows: int
    cells: pl.DataFrame | None
    hashes: pl.Series | None = None

    @classmethod
    def of(cls, frame: pl.DataFrame, texts: pl.Series) -> "SourceRows":
        """Return the rows of a frame whose texts, (n_rows,), are kept anyway."""
        if frame.estimated_size() <= _KEPT_COLUMNS * texts.estimated_size():
            return cls(frame.height, frame)
        return cls(frame.height, None, row_hashes(frame))

    def hashes_of(self, rows: Ints) -> npt.NDArray[np.uint64]:
        """Return the hashes of the rows at some places, (n,): see `row_hashes`."""
        if self.hashes is not None:
            return self.hashes.gather(rows).to_numpy()
        assert self.cells is not None
        return row_hashes(self.cells[rows]).to_numpy()


@dataclass(frozen=True, eq=False)
class Origin:
    """Where rows were read.

    ``places`` has for each row ``file`` (Categorical; null if it comes from no file), ``line`` (UInt32, from 1; of
    Parquet, Excel and JSON documents the row), and ``row`` (UInt32): its number in ``sources``, one after the other.
    """

    places: pl.DataFrame
    sources: tuple[SourceRows, ...]

    @property
    def file(self) -> pl.Series:
        """The file of each row, Categorical (n,); null if it comes from no file."""
        return self.places["file"]

    @property
    def line(self) -> pl.Series:
        """The line of each row, UInt32 (n,), from 1; of Parquet, Excel and JSON documents the row."""
        return self.places["line"]

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """The hash of each row, (n,): see `row_hashes`. Computed when it is asked for: most rows need none."""
        rows = self.places["row"].to_numpy().astype(np.int64)
        found, first = np.zeros(len(rows), dtype=np.uint64), 0
        for source in self.sources:
            mine = np.flatnonzero((rows >= first) & (rows < first + source.n_rows))
            found[mine] = source.hashes_of(rows[mine] - first)
            first += source.n_rows
        return found

    def place(self, row: int) -> dict[str, str | int | None]:
        """Return file and line of a row."""
        return self.places.slice(row, 1).select(pl.col("file").cast(pl.String), "line").row(0, named=True)

    def take(self, rows: Ints) -> "Origin":
        """Return the origin of the rows at some places, in the order given."""
        return Origin(self.places[rows], self.sources)

    def followed_by(self, other: "Origin") -> "Origin":
        """Return the origin of these rows and then of others of the same data."""
        return Origin(pl.concat([self.places, other.places]), self.sources)


def number_rows(tables: Sequence[pl.DataFrame], sources: Sequence[SourceRows]) -> list[pl.DataFrame]:
    """Return the table of each source, with a ``row`` that counts the rows of all sources."""
    firsts = np.cumsum([0, *(source.n_rows for source in sources)]).tolist()
    return [
        table.with_columns(pl.col("row") + pl.lit(first, dtype=pl.UInt32))
        for table, first in zip(tables, firsts, strict=False)
    ]


def row_hashes(frame: pl.DataFrame) -> pl.Series:
    """Return 64 bits of the SHA-256 of all cells of each row, UInt64 (n,), whichever columns are chosen among them.

    Python objects have no content that another run would recognise: their columns are left out.
    """
    columns = sorted((name, dtype) for name, dtype in frame.schema.items() if dtype != pl.Object)
    cells = [pl.lit(f"{name}\0") + _text(pl.col(name), dtype) for name, dtype in columns]
    joined = pl.concat_str(cells, separator="\0\0", ignore_nulls=True).cast(pl.Binary)
    digests: list[bytes] = []
    for part in cached_slices(frame):
        digests += [sha256(row).digest()[:8] for row in part.select(joined).to_series().to_list()]
    return pl.Series("hash", np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64))


def cached_slices(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut a frame into parts that fit into the processor's cache."""
    row_bytes = max(1, int(frame.estimated_size()) // max(1, frame.height))
    return frame.iter_slices(max(256, _JOINED_BYTES // row_bytes))


def _text(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_nested():
        return pl.struct(_writable(cell, dtype)).struct.json_encode()
    return _writable(cell, dtype).cast(pl.String)


def _writable(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Replace what polars cannot write as text, or inside of others as JSON."""
    if isinstance(dtype, pl.BaseExtension):
        return _writable(cell.ext.storage(), cast("pl.DataType", dtype.ext_storage()))
    if dtype == pl.Duration:
        return cell.cast(pl.Int64)
    if not _is_unwritable(dtype):
        return cell
    if isinstance(dtype, pl.Struct):
        parts = [_writable(pl.field(name), inner) for name, inner in _inner(dtype).items()]
        return cell.struct.with_fields(parts)
    if isinstance(dtype, pl.List | pl.Array):
        values = cell if isinstance(dtype, pl.List) else cell.arr.to_list()
        return values.list.eval(_writable(pl.element(), *_inner(dtype).values()))
    return cell.bin.encode("hex")


def _is_unwritable(dtype: pl.DataType) -> bool:
    """Say whether polars cannot write a type as JSON, for what it is or holds."""
    return isinstance(dtype, pl.Binary | pl.BaseExtension) or any(map(_is_unwritable, _inner(dtype).values()))


def _inner(dtype: pl.DataType) -> dict[str, pl.DataType]:
    """Return the types inside of a nested type, by name; those of a column are always instances."""
    if isinstance(dtype, pl.Struct):
        return {field.name: cast("pl.DataType", field.dtype) for field in dtype.fields}
    return {"": cast("pl.DataType", dtype.inner)} if isinstance(dtype, pl.List | pl.Array) else {}
