"""`Inspection`, one thing that is looked for in a dataset, and what it is given and returns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from tagline.data.rows import Rejected
from tagline.data.splits import SPLITS
from tagline.data.table import Dropped
from tagline.key_findings import KeyFinding


@dataclass(frozen=True, eq=False)
class InspectedData:
    """Labelled rows after splitting, and the rows that are not among them.

    ``table`` has the columns of `tagline.data.table`; in it ``part`` is the split of every row, and ``key`` a number
    that copies of a text share. ``classes`` are sorted. ``official`` says whether the splits are the data's own;
    ``encoding`` is that of the files, None unless it was given, ``detected`` the one that was detected; ``weight`` is
    the column of weights. ``n_rows`` is the number of all labelled rows, where the table holds some of them only.
    """

    table: pl.DataFrame
    classes: Sequence[str]
    official: bool
    dropped: Sequence[Dropped]
    rejected: Sequence[Rejected]
    encoding: str | None = None
    detected: str | None = None
    weight: str | None = None
    n_rows: int = 0

    def __post_init__(self) -> None:
        """Count the rows, unless their number is given."""
        object.__setattr__(self, "n_rows", self.n_rows or self.table.height)

    @cached_property
    def parts(self) -> dict[str, pl.DataFrame]:
        """The rows of each split that has any, train first."""
        parts = {name: self.table.filter(pl.col("part") == name) for name in SPLITS}
        return {name: part for name, part in parts.items() if part.height}


@dataclass(frozen=True)
class Finding:
    """The result of an inspection.

    ``facts`` are JSON values by name, without any text of the data: they become part of `Facts`, and so of
    ``dataset.facts`` in ``run.json``. ``warnings`` are whole sentences for the terminal and the report, as are those
    of ``key``, which may be shown first. ``copies`` are rows for ``copies.csv``.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    key: Sequence[KeyFinding] = ()
    copies: pl.DataFrame | None = None


def _no_lines(facts: Mapping[str, Any]) -> list[str]:
    return []


@dataclass(frozen=True)
class Inspection:
    """One inspection.

    ``inspect`` returns the finding. The report shows the lines that ``describe`` makes of all facts of a run, in
    a list under ``title``, where inspections may share a title. ``order`` sorts facts and warnings: what matters
    more for the figures has the smaller number.
    """

    name: str
    inspect: Callable[[InspectedData], Finding]
    title: str = ""
    describe: Callable[[Mapping[str, Any]], list[str]] = _no_lines
    order: int = 100
