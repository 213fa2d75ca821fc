"""Errors that ask the user for a column."""

import polars as pl

from tagline.data.columns.nested import nested_names
from tagline.data.wording import listed
from tagline.errors import ColumnError, nearest


def require_column(frame: pl.DataFrame, name: str, source: str) -> None:
    """Raise `ColumnError` that lists the columns, and the nearest, if ``frame`` has no column ``name``."""
    if name not in frame.columns:
        hint = nearest(name, frame.columns)
        message = f"`{source}` has no column `{name}`.{hint} {_columns_of(frame)}"
        raise ColumnError(message, (), frame.columns)


def ambiguous(what: str, candidates: list[str], n_likely: int, frame: pl.DataFrame, source: str) -> ColumnError:
    """Return the error that asks for the column of the text or label; the first ``n_likely`` candidates are likely."""
    if candidates:
        problem, columns = f"the {what} column is ambiguous", f"Candidates are {listed(candidates)}."
    else:
        problem, columns = f"no column looks like a {what}", _columns_of(frame)
    if not candidates and (nested := nested_names(frame)):
        columns = f"{columns} Objects in them hold {listed(nested)}, which may be named too."
    likely = candidates[:n_likely]
    return ColumnError(
        f"`{source}`: {problem}: name the {what} column with `--{what}` (`{what}=` in Python). {columns}",
        tuple(part for name in likely for part in (f"--{what}", name)),
        frame.columns,
    )


def _columns_of(frame: pl.DataFrame) -> str:
    return f"Its columns are {listed(frame.columns)}." if frame.columns else "It has no columns at all."
