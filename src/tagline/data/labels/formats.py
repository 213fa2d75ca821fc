"""Formats of label columns.

`read_labels` reads a column as class names. Each entry of `LABEL_FORMATS` reads one way to write labels; the first
that recognises a column reads it, so that special formats come before general ones. To support another way, add
a function and its entry.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from tagline.data.frames import scalar_text
from tagline.data.labels.joined import find_separator, split_names
from tagline.data.labels.structures import IndicatorNames, indicator_lists, is_structure, labels_in, parsed
from tagline.data.wording import counted
from tagline.errors import DataError


@dataclass(frozen=True)
class LabelOptions:
    """How labels are read.

    Attributes:
        separator: what joins several labels in one cell; None: it is detected, and the empty string: nothing does.
        keep_spelling: labels that differ only in case, spaces or the way a number is written stay apart.
        multilabel: labels stay lists where every row has exactly one.

    """

    separator: str | None = None
    keep_spelling: bool = False
    multilabel: bool = False


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels of a source, String or List(String), (n_rows,), notes for the user, and what joined several in a cell."""

    values: pl.Series
    notes: tuple[str, ...] = ()
    separator: str | None = None


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """A label column, (n_rows,), the name of its source for messages, and how to read it."""

    values: pl.Series
    source: str
    options: LabelOptions = field(default_factory=LabelOptions)

    @cached_property
    def strings(self) -> pl.Series:
        """The values as String without spaces around them; an empty one is null. (n_rows,)."""
        strings = self.values.cast(pl.String).str.strip_chars()
        return strings.to_frame().select(pl.when(pl.col(strings.name) != "").then(pl.col(strings.name))).to_series()

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct `strings` without null, in the order of their first rows."""
        return self.strings.drop_nulls().unique(maintain_order=True)

    def map_distinct(self, lists: dict[str, list[str] | None]) -> pl.Series:
        """Replace every distinct string by its list of labels."""
        return self.strings.replace_strict(lists, default=None, return_dtype=pl.List(pl.String))

    def fail(self, value: object, reason: str) -> DataError:
        """Return the error for a value that is no label."""
        shown = str(value)
        shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
        return DataError(f"`{self.source}`: column `{self.values.name}` holds `{shown}`: {reason}.")


def _read_lists(column: LabelColumn) -> Labels | None:
    """Read lists of labels, or of one 0 or 1 for each class."""
    dtype = column.values.dtype
    if not isinstance(dtype, pl.List | pl.Array):
        return None
    if isinstance(dtype.inner, pl.List | pl.Array | pl.Struct):
        raise column.fail(column.values.drop_nulls()[0].to_list(), "structures inside a list name no class")
    lists = column.values.cast(pl.List(dtype.inner))
    indicators = indicator_lists(lists.cast(pl.List(pl.String)))
    return Labels(_clean_lists(lists)) if indicators is None else _positions(column, indicators)


def _read_objects(column: LabelColumn) -> Labels | None:
    """Read objects: of 0, 1 or a probability for each class, or a list of chosen labels."""
    if not isinstance(column.values.dtype, pl.Struct):
        return None
    objects = column.values.to_list()
    names = IndicatorNames()
    lists = [None if value is None else labels_in(value, names) for value in objects]
    for value, found in zip(objects, lists, strict=True):
        if value is not None and found is None:
            raise column.fail(value, "an object must have 0, 1 or a probability for each class, or `choices`")
    return Labels(_clean_lists(pl.Series(column.values.name, lists, dtype=pl.List(pl.String))), names.notes(column))


def _read_json(column: LabelColumn) -> Labels | None:
    """Read strings of which some are JSON, or what Python prints: lists or objects. Others are names."""
    if column.values.dtype.is_nested() or not column.distinct.str.contains(r"^[\[{].*[\]}]$").any():
        return None
    values = {text: parsed(text) for text in column.distinct.to_list()}
    if all(value is None for value in values.values()):
        return None  # names in brackets
    if all(isinstance(value, list) for value in values.values()):
        lists = column.map_distinct(
            {text: [scalar_text(item) for item in value or []] for text, value in values.items()}
        )
        indicators = indicator_lists(lists)
        if indicators is not None:
            return _positions(column, indicators)
    names = IndicatorNames()
    found: dict[str, list[str] | None] = {}
    for text, value in values.items():
        found[text] = [text] if value is None else labels_in(value, names)
        if found[text] is None:
            raise column.fail(text, "it is a structure that names no class")
    return Labels(_clean_lists(column.map_distinct(found)), names.notes(column))


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
    found = find_separator(column.distinct.to_list()) if separator is None else separator
    if found is None:
        return None
    lists = column.map_distinct({text: split_names(text, found) for text in column.distinct.to_list()})
    empty = column.strings.is_null()
    nothing = pl.lit([], pl.List(pl.String))
    lists = lists.to_frame("label").select(pl.when(empty).then(nothing).otherwise("label")).to_series()
    shown = next((text for text in column.distinct.to_list() if found in text), None)
    notes = []
    if separator is None:
        notes.append(
            f"Column `{column.values.name}` holds several labels joined by `{found}`, such as `{shown}`: read as "
            "multi-label. Give `--label-separator ''` if these are single names."
        )
    if n := int(empty.sum()):
        notes.append(f"{counted(n, 'row')} without a label: read as texts to which no label applies.")
    return Labels(_clean_lists(lists.alias(column.values.name)), tuple(notes), found)


def _read_names(column: LabelColumn) -> Labels | None:
    """Read class names, integers and booleans."""
    dtype = column.values.dtype
    return None if isinstance(dtype, pl.Struct | pl.Object | pl.Binary) else Labels(column.strings)


#: Readers of a label column by the name of what it holds; each returns None for a column that it does not recognise.
LABEL_FORMATS: dict[str, Callable[[LabelColumn], Labels | None]] = {
    "lists": _read_lists,
    "objects": _read_objects,
    "floats": _read_floats,
    "JSON": _read_json,
    "joined names": _read_joined,
    "names": _read_names,
}


def read_labels(frame: pl.DataFrame, columns: Sequence[str], source: str, options: LabelOptions) -> Labels:
    """Read one label column, or several of 0 and 1 that are one label each; a missing label is null.

    Spaces around a label are trimmed; an empty label is missing. Text is a label exactly as written; integers are
    written as they are, whole floats of a typed column without their ``.0`` (a null in pandas makes floats of
    integers), booleans as ``true`` and ``false``. Labels within a list are distinct and sorted, missing ones left
    out; an empty list is a text without any label.

    Raises:
        DataError: a value names no class.

    """
    if len(columns) > 1:
        return _read_indicator_columns(frame, columns, source)
    column = LabelColumn(frame[columns[0]], source, options)
    for read in LABEL_FORMATS.values():
        if (labels := read(column)) is not None:
            _refuse_structures(column, labels.values)
            return labels
    raise DataError(f"`{source}`: column `{columns[0]}` holds {column.values.dtype}, which cannot be labels.")


def _read_indicator_columns(frame: pl.DataFrame, columns: Sequence[str], source: str) -> Labels:
    """Read columns of 0 and 1, or of probabilities, as lists of the names of those that are set."""
    chosen = []
    for name in columns:
        values = frame[name]
        known = values.is_not_null()
        if values.dtype == pl.String:
            words = values.str.strip_chars().str.to_lowercase()
            known = words.is_not_null() & (words != "")
            words = words.replace({"true": "1", "false": "0", "yes": "1", "no": "0"})
            numbers = words.cast(pl.Float64, strict=False)
        elif values.dtype.is_numeric() or values.dtype == pl.Boolean:
            numbers = values.cast(pl.Float64)
        else:
            numbers = pl.Series(name, [None] * len(values), dtype=pl.Float64)
        sound = numbers.is_between(0, 1).fill_null(value=False) | ~known
        if not sound.all():
            wrong = values.filter(~sound)[0]
            raise DataError(
                f"`{source}`: several label columns hold 0 and 1, one column for each label; `{name}` holds `{wrong}`. "
                "Give a single `--label`."
            )
        chosen.append(pl.when(numbers.is_null()).then(None).otherwise(numbers >= 0.5).alias(name))
    flags = frame.select(chosen)
    labels = flags.select(
        pl.when(~pl.all_horizontal(pl.all().is_null()))
        .then(pl.concat_list([pl.when(pl.col(name)).then(pl.lit(name)) for name in columns]).list.drop_nulls())
        .alias("label")
    ).to_series()
    return Labels(labels)


def _positions(column: LabelColumn, indicators: pl.Series) -> Labels:
    note = f"Column `{column.values.name}` holds a 0 or 1 for each label: labels are named by their positions, from 0."
    return Labels(indicators.alias(column.values.name), (note,))


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


def _clean_lists(column: pl.Series) -> pl.Series:
    # `list.eval` works row by row, which takes five times as long.
    rows = pl.DataFrame({"row": pl.arange(len(column), eager=True), "label": column})
    labels = pl.col("label").cast(pl.String).str.strip_chars()
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label").select("row", labels)
    flat = flat.filter(pl.col("label").str.len_bytes() > 0).unique().sort("row", "label")
    lists = rows.join(flat.group_by("row").agg("label"), on="row", how="left", suffix="_clean").sort("row")
    empty = pl.lit([], dtype=pl.List(pl.String))
    return lists.select(
        pl.when(pl.col("label").is_not_null()).then(pl.coalesce("label_clean", empty)).alias(column.name)
    ).to_series()
