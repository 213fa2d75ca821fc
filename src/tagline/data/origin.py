"""`Origin`: where rows were read, and hashes that recognise the same rows in another run."""

from dataclasses import dataclass
from hashlib import sha256
from typing import cast

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.task import Ints

#: Rows that are joined at once: small joins stay in the processor's cache.
HASH_ROWS = 512


@dataclass(frozen=True, eq=False)
class Origin:
    """Where rows were read.

    ``places`` has for each row ``file`` (Categorical; null if it comes from no file), ``line`` (UInt32, from 1; of
    Parquet, Excel and JSON documents the row), and ``hash``: see `row_hashes`.
    """

    places: pl.DataFrame

    @property
    def file(self) -> pl.Series:
        """The file of each row, Categorical (n,); null if it comes from no file."""
        return self.places["file"]

    @property
    def line(self) -> pl.Series:
        """The line of each row, UInt32 (n,), from 1; of Parquet, Excel and JSON documents the row."""
        return self.places["line"]

    @property
    def hashes(self) -> npt.NDArray[np.uint64]:
        """The hash of each row, (n,): see `row_hashes`."""
        return self.places["hash"].to_numpy()

    def place(self, row: int) -> dict[str, str | int | None]:
        """Return file and line of a row."""
        return self.places.select(pl.col("file").cast(pl.String), "line").row(row, named=True)

    def take(self, rows: Ints) -> "Origin":
        """Return the origin of the rows at some places, in the order given."""
        return Origin(self.places[rows])

    def followed_by(self, other: "Origin") -> "Origin":
        """Return the origin of these rows and then of others of the same data."""
        return Origin(pl.concat([self.places, other.places]))


def row_hashes(frame: pl.DataFrame) -> pl.Series:
    """Return 64 bits of the SHA-256 of all cells of each row, UInt64 (n,), whichever columns are chosen among them.

    Python objects have no content that another run would recognise: their columns are left out.
    """
    columns = sorted((name, dtype) for name, dtype in frame.schema.items() if dtype != pl.Object)
    cells = [pl.lit(f"{name}\0") + _text(pl.col(name), dtype) for name, dtype in columns]
    joined = pl.concat_str(cells, separator="\0\0", ignore_nulls=True).cast(pl.Binary)
    digests: list[bytes] = []
    for part in frame.iter_slices(HASH_ROWS):
        digests += [sha256(row).digest()[:8] for row in part.select(joined).to_series().to_list()]
    return pl.Series("hash", np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64))


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
