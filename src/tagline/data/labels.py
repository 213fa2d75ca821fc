"""Formats of label columns.

`label_strings` reads a column as class names. Each entry of `LABEL_FORMATS` reads one way to write labels; the first
that recognises a column reads it, so that special formats come before general ones. To support another way, add
a function and its entry.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from tagline.data.frames import scalar_text
from tagline.data.rows import Rows
from tagline.data.wording import listed
from tagline.errors import DataError

#: A longer label, in characters, is a text; so many labels that mostly differ are numbers of rows.
LONGEST_LABEL = 1000
FEW_LABELS = 100


@dataclass(frozen=True, eq=False)
class LabelColumn:
    """A label column, (n_rows,), and the name of its source for messages."""

    values: pl.Series
    source: str

    @cached_property
    def strings(self) -> pl.Series:
        """The values as String without spaces around them; an empty one is null. (n_rows,)."""
        strings = self.values.cast(pl.String).str.strip_chars()
        return strings.to_frame().select(pl.when(pl.col(strings.name) != "").then(pl.col(strings.name))).to_series()

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct `strings` without null."""
        return self.strings.drop_nulls().unique()

    def all_match(self, pattern: str) -> bool:
        """Say whether there are values and all of them match a regular expression."""
        return bool(len(self.distinct)) and bool(self.distinct.str.contains(pattern).all())


def _read_lists(column: LabelColumn) -> pl.Series | None:
    """Read lists of labels."""
    dtype = column.values.dtype
    if not isinstance(dtype, pl.List | pl.Array):
        return None
    return _clean_lists(column.values.cast(pl.List(dtype.inner)))


def _read_floats(column: LabelColumn) -> pl.Series | None:
    """Read numbers; if all of them are whole, without ``.0``: a null in pandas makes floats of integers."""
    values = column.values
    if not values.dtype.is_float():
        return None
    values = values.fill_nan(None)
    if values.is_infinite().any():
        raise DataError(f"`{column.source}`: column `{values.name}` holds infinite numbers, which cannot be labels.")
    whole = (values == values.round(0)) & (values.abs() < 2**53)
    return values.cast(pl.Int64).cast(pl.String) if whole.all() else values.cast(pl.String)


def _read_json_lists(column: LabelColumn) -> pl.Series | None:
    """Read strings that are JSON lists of labels, or lists as Python prints them."""
    if column.values.dtype.is_nested() or not column.all_match(r"^\[.*\]$"):
        return None
    lists: dict[str, list[str]] = {}
    for text in column.distinct.to_list():
        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            # Python's own quotes, or labels that happen to be in brackets.
            items = re.findall(r"'([^']*)'", text)
            if not items and text.strip("[] "):
                return None
        lists[text] = [scalar_text(item) for item in items if item is not None]
    return _clean_lists(column.strings.replace_strict(lists, default=None, return_dtype=pl.List(pl.String)))


def _read_whole_numbers(column: LabelColumn) -> pl.Series | None:
    """Read strings that are whole numbers written as floats, ``1.0``, as integers."""
    if column.values.dtype.is_nested() or not column.all_match(r"^-?\d+\.0$"):
        return None
    return column.strings.str.strip_suffix(".0")


def _read_names(column: LabelColumn) -> pl.Series | None:
    """Read class names, integers and booleans."""
    dtype = column.values.dtype
    return None if isinstance(dtype, pl.Struct | pl.Object | pl.Binary) else column.strings


#: Readers of a label column by the name of what it holds: String or List(String), (n_rows,), or None if it is not that.
LABEL_FORMATS: dict[str, Callable[[LabelColumn], pl.Series | None]] = {
    "lists": _read_lists,
    "floats": _read_floats,
    "JSON lists": _read_json_lists,
    "whole numbers": _read_whole_numbers,
    "names": _read_names,
}


def label_strings(values: pl.Series, source: str) -> pl.Series:
    """Return labels as a String series, or List(String) for multi-label data, (n_rows,); a missing label is null.

    Spaces around a label are trimmed; an empty label is missing. Integers are written as they are, whole
    floats without their ``.0`` (a null in pandas makes floats of integers), booleans as ``true`` and
    ``false``. A column of JSON lists is multi-label. Labels within a list are distinct and sorted, missing
    ones left out; an empty list is a text without any label. Raises `DataError` for a type that names no
    class, and for infinite numbers.
    """
    column = LabelColumn(values, source)
    for read in LABEL_FORMATS.values():
        if (labels := read(column)) is not None:
            return labels
    raise DataError(f"`{source}`: column `{values.name}` holds {values.dtype}, which cannot be labels.")


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


def sorted_classes(labels: pl.Series) -> list[str]:
    """Return the distinct labels, sorted; by number when all of them are integers."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    classes: list[str] = flat.drop_nulls().unique().to_list()
    if all(re.fullmatch(r"-?\d{1,18}", name) for name in classes):
        return sorted(classes, key=lambda name: (int(name), name))
    return sorted(classes)


def check_labels(labels: pl.Series, classes: list[str], rows: Rows, column: str) -> None:
    """Raise `DataError` for fewer than two classes, and for labels that look like texts or like row numbers."""
    if len(classes) < 2:
        only = f"only `{classes[0]}`" if classes else "no class at all"
        raise DataError(f"`{rows.source}`: a classifier needs at least two classes, but column `{column}` has {only}.")
    n_labels = int(labels.list.len().sum()) if isinstance(labels.dtype, pl.List) else len(labels)
    longest = max(map(len, classes))
    if longest > LONGEST_LABEL:
        found = f"one of its values has {longest:,} characters"
    elif n_labels > FEW_LABELS and len(classes) > n_labels / 2:
        found = f"{n_labels:,} labels have {len(classes):,} different values"
    else:
        return
    raise DataError(
        f"`{rows.source}`: column `{column}` does not look like labels: {found}. Choose another with `--label`. "
        f"The columns are {listed(rows.frame.columns)}."
    )
