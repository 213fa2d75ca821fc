"""Formats of label columns.

`read_labels` reads a column as class names. Each entry of `LABEL_FORMATS` reads one way to write labels; the first
that recognises a column reads it, so that special formats come before general ones. To support another way, add
a function and its entry.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from tagline.data.frames import as_string_lists, as_strings, scalar_text
from tagline.data.labels.characters import visible
from tagline.data.labels.column import LabelColumn, LabelOptions, Labels
from tagline.data.labels.indicators import read_bare_indicators, read_indicator_columns
from tagline.data.labels.joined import (
    find_list_separator,
    find_possible_separator,
    find_separator,
    joined_example,
    question,
    split_names,
)
from tagline.data.labels.lists import applying_labels, clean_lists, lists_of_names, lists_or_positions
from tagline.data.labels.marks import is_mark
from tagline.data.labels.printed import is_structure, parsed, why_unreadable
from tagline.data.labels.structures import NotLabelsError, is_scored_name, labels_in, scored_lists
from tagline.data.rows import places
from tagline.data.wording import counted
from tagline.errors import DataError

#: Several names in one cell that each have a mark: ``<a><b>`` as Stack Overflow has them, ``#a #b``, fastText's labels.
_MARKED = ("<([^<>]+)>", r"#([^#\s]+)\s*", r"__label__(\S+)\s*")

#: Columns of scores beside a column of labels.
_SCORES = ("scores", "probabilities", "confidences")
#: A cell that may be a list or an object.
_STRUCTURE = r"(?s)^[\[{(].*[\]})]$|^set\(\)$|^\"[\[{].*[\]}]\"$"


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
    if column.values.dtype != pl.String or not column.distinct.str.contains(_STRUCTURE).any():
        return None
    for text in column.distinct.filter(column.distinct.str.contains(_STRUCTURE)).to_list():
        if reason := why_unreadable(text):
            raise column.fail(text, reason)
    values = {text: parsed(text) for text in column.distinct.to_list()}
    unquoted = [text for text, value in values.items() if value is None]
    separator = _list_separator(column.options, [text for text, value in values.items() if value != []])
    if unquoted and separator is not None:
        names = {text: split_names(text[1:-1], separator) for text in values}
        return replace(lists_of_names(column, column.map_distinct(names)), separator=separator)
    if len(unquoted) == len(values):
        return None  # names in brackets
    if all(isinstance(value, list) for value in values.values()):
        texts = {
            text: [None if item is None else scalar_text(item) for item in value or []]
            for text, value in values.items()
        }
        items = (item for value in values.values() for item in value or [])
        if not any(isinstance(item, list | tuple | dict) for item in items) and not all(
            map(is_scored_name, values.values())
        ):
            return lists_or_positions(column, column.map_distinct(texts))
    found: dict[str, dict[str, float]] = {}
    for text, value in values.items():
        try:
            found[text] = {text: 1.0} if value is None else labels_in(value)
        except NotLabelsError as error:
            raise column.fail(text, str(error)) from None
    return applying_labels(column, [None if text is None else found[text] for text in column.strings.to_list()])


def _list_separator(options: LabelOptions, texts: Sequence[str]) -> str | None:
    """Return what joins names in lists without quotes, ``[a, b]`` or PostgreSQL's ``{a,b}``, if all strings are."""
    if options.separator == "" or not texts or any(text[:1] + text[-1:] not in ("[]", "{}", "()") for text in texts):
        return None
    if options.separator:
        return options.separator
    names = [text[1:-1].strip() for text in texts]
    return find_list_separator(names, spaces=all(text[0] in "[{" for text in texts))  # `(a b)` is a name


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
    if column.values.dtype != pl.String:
        return None
    distinct = column.distinct
    if len(distinct) and distinct.str.contains(r"^__label__\S+$").all():
        note = f"The prefix `__label__` of the labels in `{column.values.name}` is left out."
        return Labels(column.strings.str.strip_prefix("__label__"), (note,))
    if column.options.separator is not None:
        return None
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
    if (labels := _read_with_scores(frame, column)) is not None:
        return labels
    for read in LABEL_FORMATS.values():
        if (labels := read(column)) is not None:
            _refuse_structures(column, labels.values)
            return labels
    raise column.no_labels()


def _read_with_scores(frame: pl.DataFrame, column: LabelColumn) -> Labels | None:
    """Read lists of all labels beside lists of their scores, as zero-shot classifiers return them."""
    for name in _SCORES:
        if name in frame.columns and name != column.values.name:
            scores = scored_lists(_lists(column.values), _lists(frame[name]))
            if scores is not None:
                return applying_labels(column, scores)
    return None


def _lists(column: pl.Series) -> list[Any]:
    """Return the values of a column, its lists also of text."""
    if column.dtype == pl.String:
        return [(parsed(text.strip()) or text) if text else None for text in column.to_list()]
    return column.to_list() if isinstance(column.dtype, pl.List | pl.Array) else [None] * len(column)


def _labels_of_values(column: LabelColumn, values: Sequence[Any]) -> Labels:
    """Return the labels of structures, one of each row."""
    numbers: list[dict[str, float] | None] = []
    for value in values:
        try:
            numbers.append(None if value is None else labels_in(value))
        except NotLabelsError as error:
            raise column.fail(value, str(error)) from None
    return applying_labels(column, numbers)


def _refuse_structures(column: LabelColumn, labels: pl.Series) -> None:
    """Raise `DataError` if a label is still a structure, such as the span of an annotation."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    for label in flat.drop_nulls().unique().to_list():
        if is_structure(label):
            raise column.fail(label, "it is a structure that names no class")
        if reason := why_unreadable(label):
            raise column.fail(label, reason)


def spaces_trimmed(values: pl.Series, labels: pl.Series) -> pl.Series:
    """Return whether spaces around each label were trimmed, Boolean, (n_rows,); False for lists."""
    if values.dtype == pl.String and labels.dtype == pl.String:
        return (values.str.len_bytes() != values.str.strip_chars().str.len_bytes()).fill_null(value=False)
    return pl.repeat(False, len(values), eager=True)
