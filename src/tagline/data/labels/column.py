"""A label column, how it is read, and the labels that were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from tagline.data.frames import as_strings
from tagline.data.labels.printed import PRINTED, parsed, without_constructors
from tagline.data.wording import kind_of_values
from tagline.errors import DataError
from tagline.key_findings import KeyFinding

_SHOWN_CHARS = 60


@dataclass(frozen=True)
class LabelOptions:
    """How labels are read.

    Attributes:
        separator: what joins several labels in one cell; None: it is detected, and the empty string: nothing does.
        keep_spelling: labels that differ only in case, spaces or the way a number is written stay apart.
        multilabel: a row may have several labels, even if every row has exactly one.

    """

    separator: str | None = None
    keep_spelling: bool = False
    multilabel: bool = False


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a source, String or List(String), (n_rows,), notes for the user, and what joined several in a cell.

    The sentences of ``key_findings`` are also among the notes.
    """

    values: pl.Series
    notes: tuple[str, ...] = ()
    separator: str | None = None
    key_findings: tuple[KeyFinding, ...] = ()


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """A label column, (n_rows,), the name of its source for messages, and how to read it."""

    values: pl.Series
    source: str
    options: LabelOptions = field(default_factory=LabelOptions)

    @cached_property
    def strings(self) -> pl.Series:
        """The values as String without spaces around them and NUL behind them; an empty one is null. (n_rows,)."""
        read = as_strings(self.values)
        if read is None:
            raise self.no_labels()
        strings = read.str.replace(r"[\s\x00]+$", "").str.strip_chars()  # NumPy drops NUL at the end of class names
        if self.values.dtype == pl.String and strings.str.contains(PRINTED).any():
            strings = without_constructors(strings)
        return strings.to_frame().select(pl.when(pl.col(strings.name) != "").then(pl.col(strings.name))).to_series()

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct `strings` without null, in the order of their first rows."""
        return self.strings.drop_nulls().unique(maintain_order=True)

    def map_distinct(self, lists: Mapping[str, Sequence[str | None]]) -> pl.Series:
        """Replace every distinct string by its list of labels."""
        return self.strings.replace_strict(lists, default=None, return_dtype=pl.List(pl.String))

    def no_labels(self) -> DataError:
        """Return the error for a column of values that cannot be labels."""
        kind = kind_of_values(self.values.dtype)
        return DataError(f"`{self.source}`: column `{self.values.name}` holds {kind}, which cannot be labels.")

    def fail(self, value: object, reason: str) -> DataError:
        """Return the error for a value that is no label."""
        found = parsed(value) if isinstance(value, str) else value
        if isinstance(found, dict) and found:
            reason += f"; `--label {self.values.name}.{next(iter(found))}` names a value inside it"
        return DataError(f"`{self.source}`: column `{self.values.name}` holds `{shortened(value)}`: {reason}.")


def shortened(value: object) -> str:
    """Return a value as messages show it."""
    shown = str(value)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"
