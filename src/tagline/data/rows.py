"""Rows as a source holds them, before the columns of text and label are chosen.

Every reader of files, folders, Python objects and built-in sets returns `Rows`; `dataset.py` makes a `Dataset` of
them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from tagline.errors import DataError

Strings = TypeVar("Strings", pl.Expr, pl.Series)

EXCERPT_CHARS = 200
MAX_REJECTED_SHARE = 0.01
#: … where such rows are kept; more of them mean that the file is written in another way.
MAX_UNREADABLE_KEPT = 0.5
#: From this share on, another layout of the file is the likely cause rather than errors in single rows.
_MANY_UNREADABLE = 0.1
#: The reason of a row of which the data needs nothing; where rows are kept, it is rejected too.
REPEATED_HEADER = "the row repeats the header"


@dataclass(frozen=True)
class Rejected:
    """A row that could not be read: its place, the reason, and how it begins.

    ``line`` counts from 1 (for Parquet and Excel, rows); ``excerpt`` holds at most `EXCERPT_CHARS`
    characters. ``remedy`` is a sentence on what else to do where many rows of a file cannot be read.
    """

    file: str
    line: int
    reason: str
    excerpt: str
    remedy: str = ""


@dataclass(frozen=True, eq=False)
class Rows:
    """A frame of rows and what its source knows about it.

    ``text``, ``label`` and ``split`` name columns where the structure of the source determines them (folders per
    class, fastText lines, built-in sets) and are None where they must be found. ``notes`` are warnings of the reader.
    ``left_out``, String (n_rows,), says why a row is not to be used, as an annotator who rejected it; null for others.
    ``place`` has the columns ``file`` (Categorical) and ``line`` (UInt32, from 1): where each row is written; None for
    rows that come from no file. ``questions`` are columns of answers in an export of an annotation tool, of which one
    must be chosen as the label. ``encoding`` is the detected one of a file that is not UTF-8.
    """

    frame: pl.DataFrame
    name: str
    source: str
    rejected: tuple[Rejected, ...] = ()
    text: str | None = None
    label: str | None = None
    split: str | None = None
    notes: tuple[str, ...] = ()
    left_out: pl.Series | None = None
    place: pl.DataFrame | None = None
    questions: tuple[str, ...] = ()
    encoding: str | None = None


def places(file: str | None, lines: pl.Series) -> pl.DataFrame:
    """Return the ``place`` of rows that are written on these lines of a file, (n_rows,)."""
    return pl.select(file=pl.repeat(file, len(lines), dtype=pl.Categorical), line=lines.cast(pl.UInt32))


def is_blank(text: Strings) -> Strings:
    """Say which texts are empty or white space, (n_texts,), as Unicode defines it: `str.isspace` differs."""
    return text.str.strip_chars_start().str.len_bytes() == 0


def unreadable(rejected: Sequence[Rejected]) -> list[Rejected]:
    """Return the rejected rows that do not just repeat the header."""
    return [row for row in rejected if row.reason != REPEATED_HEADER]


def check_rejected(
    rejected: Sequence[Rejected],
    n_read: int | None,
    *,
    strict: bool = False,
    limit: float = MAX_REJECTED_SHARE,
    adjustable: bool = True,
) -> None:
    """Raise `DataError` when more than a share of the rows could not be read, or any of them under ``strict``.

    Rows that repeat the header do not count. ``n_read`` is the number of rows that could be read; None, under
    ``strict``, if the file has not been read to its end. ``adjustable``: whether the user can raise the limit.
    """
    faults = unreadable(rejected)
    if not faults:
        return
    first = faults[0]
    if n_read is None:
        raise DataError(
            f"`{first.file}`: line {first.line} cannot be read (strict reading allows none): {first.reason}."
        )
    total = n_read + len(faults)
    if strict or len(faults) > limit * total:
        allowed = "strict reading allows none" if strict else f"more than {limit:.0%}".replace("%", " %")
        remedy = " Correct them, or allow more with `--max-unreadable`." if adjustable and not strict else ""
        many = len(faults) >= _MANY_UNREADABLE * total
        remedy += f" {first.remedy}" if first.remedy and many and not strict else ""
        raise DataError(
            f"`{first.file}`: {len(faults):,} of {total:,} rows cannot be read ({allowed}); "
            f"the first is line {first.line}: {first.reason}.{remedy}"
        )
