"""`ReadOptions`: how labelled texts are read and split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

from tagline.data.labels import LabelOptions

#: How the first versions read labels: one name in a cell, and any difference makes another class.
OLD_LABELS: dict[str, Any] = {"label_separator": "", "keep_label_spelling": True}


def column_names(columns: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of columns that are given as one name, as several, or not at all."""
    return () if columns is None else (columns,) if isinstance(columns, str) else tuple(columns)


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How labelled texts are read and split; the names are those of `load_dataset` and of the command line.

    A single column may be given as a string.

    Attributes:
        text: the text columns, joined by a newline; empty: the column is detected.
        label: the label column, or several of 0 and 1, one for each label; empty: the column is detected.
        group: a column whose rows with the same value stay in one split.
        test: separate test rows.
        validation: separate validation rows.
        folds: the number of folds of a cross-validation.
        strict: a row that cannot be read is an error.
        label_separator: what joins several labels in one cell; None: it is detected; empty: nothing does.
        keep_label_spelling: labels that differ only in case, spaces or the format of a number are different classes.
        multilabel: a row may have several labels, even if every row has exactly one.

    """

    text: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    group: str | None = None
    test: Any = None
    validation: Any = None
    folds: int | None = None
    strict: bool = False
    label_separator: str | None = None
    keep_label_spelling: bool = False
    multilabel: bool = False

    def __post_init__(self) -> None:
        """Make tuples of single column names."""
        for name in ("text", "label"):
            object.__setattr__(self, name, column_names(getattr(self, name)))

    @property
    def labels(self) -> LabelOptions:
        """How labels are read."""
        return LabelOptions(self.label_separator, self.keep_label_spelling, self.multilabel)

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
