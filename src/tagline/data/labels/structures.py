"""Structures that labelling tools write into a cell: lists, and objects of indicators or choices."""

import ast
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from tagline.data.frames import scalar_text

if TYPE_CHECKING:
    from tagline.data.labels.formats import LabelColumn

_LONGEST = 20_000  # characters of a cell that is parsed
_CHOICES = ("choices", "labels", "label")
_INDICATORS = {"0": "0", "1": "1", "0.0": "0", "1.0": "1", "false": "0", "true": "1"}


class IndicatorNames:
    """What was found in objects of a number for each class."""

    def __init__(self) -> None:
        self.probabilities = False

    def notes(self, column: "LabelColumn") -> tuple[str, ...]:
        """Return what to tell the user."""
        if not self.probabilities:
            return ()
        return (f"Column `{column.values.name}` holds probabilities: a label applies from 0.5.",)


def parsed(text: str) -> Any:
    """Return the list or object that a string is in JSON, or as Python prints it; None if it is neither."""
    if len(text) > _LONGEST or text[:1] not in ("[", "{") or text[-1:] not in ("]", "}"):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list | dict):
            return value
    return None


def is_structure(label: str) -> bool:
    """Say whether a label is a list or an object."""
    return parsed(label) is not None


def labels_in(value: Any, names: IndicatorNames) -> list[str] | None:
    """Return the labels of a list, of ``{"choices": [...]}`` or of a number for each class; None for others."""
    if isinstance(value, dict):
        chosen = next((value[key] for key in _CHOICES if key in value and not _is_number(value[key])), None)
        if chosen is not None:
            return labels_in(chosen if isinstance(chosen, list) else [chosen], names)
        if not value or not all(number is None or _is_number(number) for number in value.values()):
            return None
        names.probabilities |= any(number not in (None, 0, 1) for number in value.values())
        return [str(name) for name, number in value.items() if number is not None and number >= 0.5]
    if any(isinstance(item, list | dict) for item in value):
        return None
    return [scalar_text(item) for item in value if item is not None]


def indicator_lists(lists: pl.Series) -> pl.Series | None:
    """Return the positions of ones, as names, of lists of equal length that hold a 0 or 1 each; None for others."""
    known = lists.drop_nulls()
    if not len(known) or known.list.len().n_unique() > 1 or known.list.len()[0] < 2:
        return None
    if not known.explode().is_in(list(_INDICATORS)).all():
        return None
    positions = [
        None if row is None else [str(i) for i, item in enumerate(row) if _INDICATORS[item] == "1"]
        for row in lists.to_list()
    ]
    return pl.Series(lists.name, positions, dtype=pl.List(pl.String))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1
