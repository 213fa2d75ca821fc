"""Rows as they come out of a source, before anybody asks which column is the text.

Every reader, of files, folders, Python objects or built-in sets, answers with `Rows`; `dataset.py` makes a
`Dataset` of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from tagline.errors import DataError

EXCERPT_CHARS = 200
MAX_REJECTED_SHARE = 0.01

TRAIN, VALIDATION, TEST, SET_ASIDE = "train", "validation", "test", "unlabelled"

#: What the values of a split column, and the names of files and folders, mean.
SPLIT_NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "dev": VALIDATION,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "val": VALIDATION,
    "test": TEST,
    "testing": TEST,
    "unsup": SET_ASIDE,
    "unsupervised": SET_ASIDE,
    "unlabeled": SET_ASIDE,
    "unlabelled": SET_ASIDE,
}


@dataclass(frozen=True)
class Rejected:
    """A row that could not be read: where it stands, why, and how it begins.

    ``line`` counts from 1 (for Parquet and Excel, rows); ``excerpt`` holds at most `EXCERPT_CHARS`
    characters.
    """

    file: str
    line: int
    reason: str
    excerpt: str


@dataclass(frozen=True, eq=False)
class Rows:
    """A frame of rows and what its source knows about it.

    ``text``, ``label`` and ``split`` name columns where the source settles them by its structure (folders per
    class, fastText lines, built-in sets) and are None where they are still to be found. ``notes`` are
    warnings of the reader.
    """

    frame: pl.DataFrame
    name: str
    source: str
    rejected: tuple[Rejected, ...] = ()
    text: str | None = None
    label: str | None = None
    split: str | None = None
    notes: tuple[str, ...] = ()


def counted(n: int, noun: str) -> str:
    """Write a number with its noun: ``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def is_blank(text: pl.Expr) -> pl.Expr:
    """Say which texts are empty but for spaces."""
    return text.str.strip_chars_start().str.len_bytes() == 0


def check_rejected(rejected: list[Rejected], n_read: int, *, strict: bool) -> None:
    """Raise `DataError` when more than 1 % of the rows could not be read, or any of them under ``strict``.

    ``n_read`` is the number of rows that could be read.
    """
    if not rejected:
        return
    total = n_read + len(rejected)
    if strict or len(rejected) > MAX_REJECTED_SHARE * total:
        first = rejected[0]
        limit = "none may be, in strict reading" if strict else "more than 1 %"
        raise DataError(
            f"`{first.file}`: {len(rejected):,} of {total:,} rows cannot be read ({limit}); "
            f"the first is line {first.line}: {first.reason}."
        )


def concat(frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Stack frames of the same columns; where a column's type differs between them, it becomes text."""
    found = [frame for frame in frames if frame.width]
    if not found:
        return pl.DataFrame()
    schemas = {tuple(frame.schema.items()) for frame in found}
    if len(schemas) > 1:
        columns = list(dict.fromkeys(name for frame in found for name in frame.columns))
        for name in columns:
            kinds = {frame.schema[name] for frame in found if name in frame.columns} - {pl.Null()}
            if len(kinds) > 1:
                found = [
                    frame.with_columns(_as_text(frame[name])) if name in frame.columns else frame for frame in found
                ]
        return pl.concat(found, how="diagonal_relaxed", rechunk=True)
    return pl.concat(found, rechunk=True)


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column.cast(pl.String)
    if isinstance(column.dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(" ")
    return column.cast(pl.String)
