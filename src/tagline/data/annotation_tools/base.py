"""`Tool`, how the exports of one annotation tool are recognised and read, and what tools share."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tagline.data.json_values import parse_json
from tagline.data.rows import Rows

#: Labels of one text; None: it is not labelled.
Answer = tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Export:
    """The rows of an export, as many as it has, with columns of texts and labels.

    ``text`` and ``label`` name those columns where the tool determines them, and ``questions`` those that each may be
    the label. ``left_out``, String (n_rows,), says why
    a row is not to be used; null for others. ``notes`` are whole sentences for the user.
    """

    frame: pl.DataFrame
    text: str | None = None
    label: str | None = None
    left_out: pl.Series | None = None
    notes: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tool:
    """An annotation tool: ``is_export`` recognises the columns of its exports, and ``read`` makes rows of them."""

    name: str
    is_export: Callable[[pl.DataFrame], bool]
    read: Callable[[Rows], Export]


def cells(column: pl.Series) -> list[Any]:
    """Return the values of a column; lists and objects that are written as JSON, read."""
    return [_read(value) for value in column.to_list()]


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(item) for item in value]
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return parse_json(value)
        except ValueError:
            return value
    return value


def as_list(cell: Any) -> list[Any]:
    """Return the items of a list; none of what should be one and is something else."""
    return cell if isinstance(cell, list) else []


def holds(frame: pl.DataFrame, name: str, kind: type) -> bool:
    """Return whether the first cell of a column that holds anything is of a kind, which JSON may write."""
    if name not in frame.columns:
        return False
    first = frame[name].drop_nulls().head(1)
    return len(first) == 1 and isinstance(cells(first)[0], kind)


def label_column(name: str, answers: Sequence[Answer]) -> pl.Series:
    """Return a column of answers, List(String)."""
    return pl.Series(name, [None if a is None else list(a) for a in answers], dtype=pl.List(pl.String))


def agreed(answers: Sequence[Answer]) -> tuple[Answer, bool]:
    """Return the most frequent of several annotators' answers, the first of equally frequent ones, and if all agree."""
    given = [tuple(sorted(answer)) for answer in answers if answer is not None]
    if not given:
        return None, True
    counts = Counter(given)
    return max(counts, key=counts.__getitem__), len(counts) == 1


def disagreement_note(n: int) -> tuple[str, ...]:
    """Say in how many rows annotators disagree."""
    if not n:
        return ()
    rows = "1 row has" if n == 1 else f"{n:,} rows have"
    return (f"{rows} annotations that disagree: the most frequent is used, the first of equally frequent ones.",)
