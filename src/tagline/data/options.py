"""`ReadOptions`: how labelled texts are read and split."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from tagline.data.labels import LabelOptions


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How labelled texts are read and split; the names are those of `load_dataset` and of the command line.

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
        multilabel: labels stay lists where every row has exactly one.

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

    @property
    def labels(self) -> LabelOptions:
        """How labels are read."""
        return LabelOptions(self.label_separator, self.keep_label_spelling, self.multilabel)

    def reading(self) -> dict[str, Any]:
        """Return the options of reading by name, without those that a subclass adds."""
        return {field.name: getattr(self, field.name) for field in fields(ReadOptions)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return options from JSON values; version 0.1 wrote a single ``label``, or null."""
        label = content.get("label") or ()
        lists = {field.name for field in fields(cls) if str(field.type).startswith("tuple")}
        values: dict[str, Any] = {
            name: tuple(value) if name in lists else value for name, value in content.items() if value is not None
        }
        return cls(**values | {"label": (label,) if isinstance(label, str) else tuple(label)})
