"""Formats of label columns.

`read_labels` reads a column as class names. Each entry of `LABEL_FORMATS` reads one way to write labels; the first
that recognises a column reads it, so that special formats come before general ones. To support another way, add
a function and its entry.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import polars as pl

from tagline.data.frames import as_string_lists, as_strings, scalar_text
from tagline.data.labels.characters import visible
from tagline.data.labels.column import LabelColumn, LabelOptions, Labels
from tagline.data.labels.indicators import read_bare_indicators, read_indicator_columns
from tagline.data.labels.joined import (
    comma_joins,
    find_possible_separator,
    find_separator,
    joined_example,
    question,
    split_names,
)
from tagline.data.labels.lists import clean_lists, lists_of_names, lists_or_positions
from tagline.data.labels.marks import is_mark
from tagline.data.labels.structures import NotLabelsError, is_structure, labels_in, parsed
from tagline.data.rows import places
from tagline.data.wording import counted
from tagline.errors import DataError

#: Several names in one cell that each have a mark: ``<a><b>`` as Stack Overflow has them, ``#a #b``, fastText's labels.
_MARKED = ("<([^<>]+)>", r"#([^#\s]+)\s*", r"__label__(\S+)\s*")


def _read_lists(column: LabelColumn) -> Labels | None:
    """Read lists of labels, or of one 0 or 1 for each label."""
    dtype = column.values.dtype
    if not isinstance(dtype, pl.List | pl.Array):
        return None
    if isinstance(dtype.inner, pl.List | pl.Array | pl.Struct):
        return _labels_of_values(column, column.values.to_list())
    lists = as_string_lists(column.values)
    if lists is None:
        return None
    if lists.explode().str.starts_with("{").any():
        values = [None if row is None else [item and (parsed(item) or item) for item in row] for row in lists.to_list()]
        return _labels_of_values(column, values)
    return lists_or_positions(column, lists)


def _read_objects(column: LabelColumn) -> Labels | None:
    """Read objects: of 0, 1 or a probability for each label, or a list of chosen labels."""
    return _labels_of_values(column, column.values.to_list()) if isinstance(column.values.dtype, pl.Struct) else None


def _read_json(column: LabelColumn) -> Labels | None:
    """Read strings of which some are JSON, or what Python or NumPy prints: lists or objects. Others are names."""
    if column.values.dtype != pl.String or not column.distinct.str.contains(r"(?s)^[\[{(].*[\]})]$|^set\(\)$").any():
        return None
    values = {text: parsed(text) for text in column.distinct.to_list()}
    unquoted = [text for text, value in values.items() if value is None]
    if len(unquoted) == len(values) and not _are_unquoted_lists(unquoted):
        return None  # names in brackets
    if all(isinstance(value, list) for value in values.values()):
        texts = {
            text: [scalar_text(item) for item in value or [] if item is not None] for text, value in values.items()
        }
        if not any(isinstance(item, list | dict) for value in values.values() for item in value or []):
            return lists_or_positions(column, column.map_distinct(texts))
    if unquoted and _are_unquoted_lists([text for text, value in values.items() if value != []]):
        return lists_of_names(column, column.map_distinct({text: split_names(text[1:-1], ",") for text in values}))
    found: dict[str, list[str]] = {}
    for text, value in values.items():
        try:
            found[text] = [text] if value is None else labels_in(value)
        except NotLabelsError as error:
            raise column.fail(text, str(error)) from None
    return Labels(clean_lists(column.map_distinct(found)), _threshold_notes(column, values.values()))


def _are_unquoted_lists(texts: Sequence[str]) -> bool:
    """Return whether all strings are lists of names without quotes, ``[a, b]`` or PostgreSQL's ``{a,b}``."""
    if not texts or any(text[:1] + text[-1:] not in ("[]", "{}", "()") for text in texts):
        return False
    return comma_joins([text[1:-1].strip() for text in texts])


def _read_floats(column: LabelColumn) -> Labels | None:
    """Read numbers; if all of them are whole, without ``.0``: a null in pandas makes floats of integers."""
    values = column.values
    if not values.dtype.is_float():
        return None
    values = values.fill_nan(None)
    if values.is_infinite().any():
        raise DataError(f"`{column.source}`: column `{values.name}` holds infinite numbers, which cannot be labels.")
    whole = (values == values.round(0)) & (values.abs() < 2**53)
    return Labels(values.cast(pl.Int64).cast(pl.String) if whole.all() else values.cast(pl.String))


def _read_joined(column: LabelColumn) -> Labels | None:
    """Read several names in one cell, joined by the separator that the options give or that the names show."""
    separator = column.options.separator
    if column.values.dtype != pl.String or separator == "":
        return None
    names = [text for text in column.distinct.to_list() if not is_mark(text)]
    found = find_separator(names) if separator is None else separator
    if found is None:
        return None
    marks = {text: [text] for text in column.distinct.to_list() if is_mark(text)}
    lists = column.map_distinct({text: split_names(text, found) for text in names} | marks)
    empty = column.strings.is_null()
    nothing = pl.lit([], pl.List(pl.String))
    lists = lists.to_frame("label").select(pl.when(empty).then(nothing).otherwise("label")).to_series()
    notes = []
    if separator is None:
        notes.append(
            f"Column `{column.values.name}` holds several labels joined by `{visible(found)}`, such as "
            f"`{joined_example(found, names)}`: read as multi-label. Give `--label-separator ''` if these are single "
            "names."
        )
    if n := int(empty.sum()):
        notes.append(f"{counted(n, 'row')} without a label: read as texts to which no label applies.")
    return Labels(clean_lists(lists.alias(column.values.name)), tuple(notes), found)


def _read_marked(column: LabelColumn) -> Labels | None:
    """Read several names in one cell that each have a mark, such as ``<a><b>`` or ``#a #b``."""
    if column.values.dtype != pl.String or column.options.separator is not None:
        return None
    distinct = column.distinct
    for name in _MARKED:
        several = distinct.str.contains(f"^(?:{name}){{2}}").any() or column.options.multilabel
        if len(distinct) and several and distinct.str.contains(f"^(?:{name})+$").all():
            names = {text: re.findall(name, text) for text in distinct.to_list()}
            example = max(names, key=lambda text: len(names[text]))
            note = (
                f"Column `{column.values.name}` holds several labels in a cell, such as `{visible(example)}`: read as "
                "multi-label. Give `--label-separator ''` if these are single names."
            )
            return Labels(clean_lists(column.map_distinct(names)), (note,))
    return None


def _read_names(column: LabelColumn) -> Labels | None:
    """Read class names, integers and booleans; ask about names that several may be joined in."""
    dtype = column.values.dtype
    if isinstance(dtype, pl.List | pl.Array | pl.Struct | pl.Object | pl.Binary):
        return None
    if dtype != pl.String or column.options.separator is not None:
        return Labels(column.strings)
    names = [text for text in column.distinct.to_list() if not is_mark(text)]
    separator = find_possible_separator(names)
    if separator is None:
        return Labels(column.strings)
    return Labels(column.strings, (question(column.values.name, separator, names),))


#: Readers of a label column by the name of what it holds; each returns None for a column that it does not recognise.
LABEL_FORMATS: dict[str, Callable[[LabelColumn], Labels | None]] = {
    "lists": _read_lists,
    "objects": _read_objects,
    "floats": _read_floats,
    "JSON": _read_json,
    "0 and 1": read_bare_indicators,
    "marked names": _read_marked,
    "joined names": _read_joined,
    "names": _read_names,
}


def read_labels(
    frame: pl.DataFrame,
    columns: Sequence[str],
    source: str,
    options: LabelOptions,
    place: pl.DataFrame | None = None,
) -> Labels:
    """Read one label column, or several of 0 and 1 that are one label each; a missing label is null.

    Spaces around a label are trimmed; an empty label is missing. Text is a label exactly as written; integers are
    written as they are, whole floats of a typed column without their ``.0`` (a null in pandas makes floats of
    integers), booleans as ``true`` and ``false``. Labels within a list are distinct and sorted, missing ones left
    out; an empty list is a text without any label.

    ``place`` is that of `Rows`, for messages.

    Raises:
        DataError: a value names no class.

    """
    if len(columns) > 1:
        where = places(None, pl.arange(1, frame.height + 1, eager=True)) if place is None else place
        return read_indicator_columns(frame, columns, source, where)
    values = frame[columns[0]]
    if isinstance(values.dtype, pl.Categorical | pl.Enum | pl.Binary):
        strings = as_strings(values)
        values = values if strings is None else strings
    column = LabelColumn(values, source, options)
    for read in LABEL_FORMATS.values():
        if (labels := read(column)) is not None:
            _refuse_structures(column, labels.values)
            return labels
    raise column.no_labels()


def _labels_of_values(column: LabelColumn, values: Sequence[Any]) -> Labels:
    """Return the labels of structures, one of each row."""
    lists: list[list[str] | None] = []
    for value in values:
        try:
            lists.append(None if value is None else labels_in(value))
        except NotLabelsError as error:
            raise column.fail(value, str(error)) from None
    found = pl.Series(column.values.name, lists, dtype=pl.List(pl.String))
    return Labels(clean_lists(found), _threshold_notes(column, values))


def _threshold_notes(column: LabelColumn, values: Iterable[Any]) -> tuple[str, ...]:
    """Say from which probability a label applies, if objects hold any."""
    numbers = (number for value in values if isinstance(value, dict) for number in value.values())
    if any(isinstance(number, float) and 0 < number < 1 for number in numbers):
        return (f"Column `{column.values.name}` holds probabilities: a label applies from 0.5.",)
    return ()


def _refuse_structures(column: LabelColumn, labels: pl.Series) -> None:
    """Raise `DataError` if a label is still a structure, such as the span of an annotation."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    for label in flat.drop_nulls().unique().to_list():
        if is_structure(label):
            raise column.fail(label, "it is a structure that names no class")


def spaces_trimmed(values: pl.Series, labels: pl.Series) -> pl.Series:
    """Return whether spaces around each label were trimmed, Boolean, (n_rows,); False for lists."""
    if values.dtype == pl.String and labels.dtype == pl.String:
        return (values.str.len_bytes() != values.str.strip_chars().str.len_bytes()).fill_null(value=False)
    return pl.repeat(False, len(values), eager=True)
