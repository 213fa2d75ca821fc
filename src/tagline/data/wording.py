"""Numbers, names and places as messages write them."""

from collections.abc import Iterable

import polars as pl

_LONG_LABEL = 40  # characters


def counted(n: int, noun: str) -> str:
    """Write a number with its noun: ``1 row``, ``2,000 rows``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def have(n: int) -> str:
    """Write the verb of a number of things: 1 row *has*, 2 rows *have*."""
    return "has" if n == 1 else "have"


def kind_of_values(dtype: pl.DataType) -> str:
    """Write what a column of a type holds.

    >>> kind_of_values(pl.Duration()), kind_of_values(pl.List(pl.List(pl.String)))
    ('durations', 'lists of lists of strings')
    """
    if isinstance(dtype, pl.List | pl.Array):
        return f"lists of {kind_of_values(dtype.inner)}"  # type: ignore[arg-type]  # an instance in any schema
    kinds = {
        pl.String: "strings",
        pl.Binary: "bytes that are not UTF-8",
        pl.Duration: "durations",
        pl.Struct: "objects",
        pl.Object: "Python objects",
    }
    return next((kind for each, kind in kinds.items() if dtype == each), f"values of the type `{dtype}`")


def listed(names: Iterable[str], limit: int = 20) -> str:
    """Write the first ``limit`` names in backticks."""
    found = list(names)
    more = f" and {len(found) - limit:,} more" if len(found) > limit else ""
    return quoted(found[:limit]) + more


def quoted(names: Iterable[str]) -> str:
    """Write all names in backticks."""
    return ", ".join(f"`{name}`" for name in names)


def label_text(label: str | Iterable[str]) -> str:
    """Write the label of a row, or its labels, a long one cut."""
    names = [label] if isinstance(label, str) else list(label)
    cut = (name if len(name) <= _LONG_LABEL else f"{name[:_LONG_LABEL]}…" for name in names)
    return " and ".join(f"`{name}`" for name in cut) or "without a label"


def row_place(table: pl.DataFrame, row: int = 0) -> str:
    """Write the place of a row of a frame of ``file``, ``line`` and ``source``.

    The line is the one that an editor or Excel shows. Rows that come from no file are numbered from 0, as in Python;
    ``source`` is null if there is only one.
    """
    place = table.select(pl.col("file").cast(pl.String), "line", "source").row(row, named=True)
    return place_text(place["file"], place["line"], place["source"])


def place_text(file: str | None, line: int, source: str | None = None) -> str:
    """Write the place of a row, whose ``line`` counts from 1; see `row_place`."""
    if file is not None:
        return f"line {line:,} of `{file}`"
    return f"row {line - 1:,} of `{source}`" if source else f"row {line - 1:,}"
