"""`ReadOptions`: how labelled texts are read and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypedDict

from tagline.data.labels import LabelOptions
from tagline.data.reading import FileLayout
from tagline.data.rows import MAX_REJECTED_SHARE
from tagline.errors import InputError

#: How the first versions read labels: one name in a cell, and any difference makes another class.
OLD_LABELS: dict[str, Any] = {"label_separator": "", "keep_label_spelling": True}


class Reading(TypedDict, total=False):
    """Further options of `load_dataset` and `evaluate_model`; see `ReadOptions`."""

    label_separator: str | None
    keep_label_spelling: bool
    multilabel: bool
    encoding: str | None
    separator: str | None
    quote: str | None
    label_prefix: str | None
    max_unreadable: float


def column_names(columns: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of columns that are given as one name, as several, or not at all; each one once."""
    return () if columns is None else (columns,) if isinstance(columns, str) else tuple(dict.fromkeys(columns))


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How labelled texts are read and split; the names are those of `load_dataset` and of the command line.

    A single column may be given as a string.

    Attributes:
        text: the text columns, joined by a newline; empty: the column is detected.
        label: the label column, or several of 0 and 1, one for each label; empty: the column is detected.
        group: a column whose rows with the same value stay in one split.
        weight: a column of numbers that say how many times each row counts in training.
        test: separate test rows.
        validation: separate validation rows.
        folds: the number of folds of a cross-validation.
        strict: a row that cannot be read is an error.
        label_separator: what joins several labels in one cell; None: it is detected; empty: nothing does.
        keep_label_spelling: labels that differ only in case, spaces or the format of a number are different classes.
        multilabel: a row may have several labels, even if every row has exactly one.
        encoding, separator, quote, label_prefix: see `FileLayout`.
        max_unreadable: the share of rows that may be unreadable; they are left out.

    """

    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    group: str | None = None
    weight: str | None = None
    test: Any = None
    validation: Any = None
    folds: int | None = None
    strict: bool = False
    label_separator: str | None = None
    keep_label_spelling: bool = False
    multilabel: bool = False
    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    label_prefix: str | None = None
    max_unreadable: float = MAX_REJECTED_SHARE

    def __post_init__(self) -> None:
        """Make tuples of single column names."""
        for name in ("text", "label"):
            object.__setattr__(self, name, column_names(getattr(self, name)))
        for name in ("group", "weight"):
            if getattr(self, name) == "":
                raise InputError(f"`{name}` is empty: name a column, or leave it out.")
        if not 0 <= self.max_unreadable <= 1:
            raise InputError(f"The share of unreadable rows must be from 0 to 1, not {self.max_unreadable:g}.")
        _ = self.layout  # checks it

    @property
    def labels(self) -> LabelOptions:
        """How labels are read."""
        separator = self.label_separator and self.label_separator.replace(r"\n", "\n").replace(r"\t", "\t")
        return LabelOptions(separator, self.keep_label_spelling, self.multilabel)

    @property
    def layout(self) -> FileLayout:
        """How text files are written."""
        return FileLayout(self.encoding, self.separator, self.quote, self.label_prefix)

    def reading(self) -> dict[str, Any]:
        """Return the options of reading by name, without those that a subclass adds."""
        return {field.name: getattr(self, field.name) for field in fields(ReadOptions)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return options from JSON values.

        The first versions wrote a single ``label``, or null, and read labels without the options for them.
        """
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
        }
        return cls(**(OLD_LABELS | values))
