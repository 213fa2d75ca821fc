"""Formats of label columns.

`read_labels` reads a column as class names. Each entry of `LABEL_FORMATS` reads one way to write labels; the first
that recognises a column reads it, so that special formats come before general ones. To support another way, add
a function and its entry.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from tagline.data.frames import scalar_text
from tagline.data.labels.characters import visible
from tagline.data.labels.joined import are_decimals, comma_joins, find_possible_separator, find_separator, split_names
from tagline.data.labels.marks import is_mark, is_unknown_flag
from tagline.data.labels.structures import (
    NotLabelsError,
    indicator,
    is_structure,
    labels_in,
    parsed,
    positions_set,
    without_constructors,
)
from tagline.data.rows import places
from tagline.data.wording import counted, place_text
from tagline.errors import DataError
from tagline.key_findings import KeyFinding

_SHOWN_CHARS = 60
#: What begins a cell that a program printed instead of its value: ``tensor([0, 1])``, ``np.str_('a')``, ``b'a'``.
_PRINTED = r"^\[?(?:\w+\.)?(?:tensor|array|frozenset|str_|u?int\d+|float\d+|bool_?)\(|^b'"
_FLAG = r"(?:[01]\b(?:\.0)?|true|false)"
#: Several names in one cell that each have a mark: ``<a><b>`` as Stack Overflow has them, ``#a #b``, fastText's labels.
_MARKED = ("<([^<>]+)>", r"#([^#\s]+)\s*", r"__label__(\S+)\s*")
#: Strings of 0 and 1 are indicators if they are at least that many different ones.
_FEWEST_BITS = 3


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
        """The values as String without spaces around them; an empty one is null. (n_rows,)."""
        if self.values.dtype == pl.Duration:
            raise DataError(f"`{self.source}`: column `{self.values.name}` holds durations, which cannot be labels.")
        strings = self.values.cast(pl.String).str.strip_chars()
        if self.values.dtype == pl.String and strings.str.contains(_PRINTED).any():
            strings = without_constructors(strings)
        return strings.to_frame().select(pl.when(pl.col(strings.name) != "").then(pl.col(strings.name))).to_series()

    @cached_property
    def distinct(self) -> pl.Series:
        """The distinct `strings` without null, in the order of their first rows."""
        return self.strings.drop_nulls().unique(maintain_order=True)

    def map_distinct(self, lists: Mapping[str, list[str]]) -> pl.Series:
        """Replace every distinct string by its list of labels."""
        return self.strings.replace_strict(lists, default=None, return_dtype=pl.List(pl.String))

    def fail(self, value: object, reason: str) -> DataError:
        """Return the error for a value that is no label."""
        found = parsed(value) if isinstance(value, str) else value
        if isinstance(found, dict) and found:
            reason += f"; `--label {self.values.name}.{next(iter(found))}` names a value inside it"
        return DataError(f"`{self.source}`: column `{self.values.name}` holds `{_shortened(value)}`: {reason}.")


def _read_lists(column: LabelColumn) -> Labels | None:
    """Read lists of labels, or of one 0 or 1 for each label."""
    dtype = column.values.dtype
    if not isinstance(dtype, pl.List | pl.Array):
        return None
    if isinstance(dtype.inner, pl.List | pl.Array | pl.Struct):
        return _labels_of_values(column, column.values.to_list())
    lists = column.values.cast(pl.List(pl.String))
    if lists.explode().str.starts_with("{").any():
        values = [None if row is None else [item and (parsed(item) or item) for item in row] for row in lists.to_list()]
        return _labels_of_values(column, values)
    return _lists_or_positions(column, lists)


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
            return _lists_or_positions(column, column.map_distinct(texts))
    if unquoted and _are_unquoted_lists([text for text, value in values.items() if value != []]):
        return _lists_of_names(column, column.map_distinct({text: split_names(text[1:-1], ",") for text in values}))
    found: dict[str, list[str]] = {}
    for text, value in values.items():
        try:
            found[text] = [text] if value is None else labels_in(value)
        except NotLabelsError as error:
            raise column.fail(text, str(error)) from None
    return Labels(_clean_lists(column.map_distinct(found)), _threshold_notes(column, values.values()))


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


def _read_bare_indicators(column: LabelColumn) -> Labels | None:
    """Read a 0 or 1 for each label without brackets, ``0,1,0``, ``0 1 0`` or ``010``."""
    if column.values.dtype != pl.String or not len(column.distinct):
        return None
    if _are_strings_of_bits(column) and not column.options.keep_spelling:
        found = _lists_or_positions(column, column.strings.str.extract_all("[01]"))
        return replace(found, notes=(f"{found.notes[0]} Give `--keep-label-spelling` if these are single names.",))
    if _may_be_decimals(column):
        names = column.distinct.to_list()
        return Labels(column.strings, () if are_decimals(names) else (_question(column, ",", names),))
    flags = column.strings.str.to_lowercase()
    if not flags.drop_nulls().str.contains(rf"^{_FLAG}(\s*[,;|\s]\s*{_FLAG})+$").all():
        return None
    return _lists_or_positions(column, flags.str.extract_all(_FLAG))


def _may_be_decimals(column: LabelColumn) -> bool:
    """Return whether cells such as ``0,1`` are numbers with a decimal comma, or a 0 or 1 for each of two labels."""
    options = column.options
    given = options.multilabel or options.separator == ","
    return not given and bool(column.distinct.str.contains("^[01],[01]$").all())


def _are_strings_of_bits(column: LabelColumn) -> bool:
    """Return whether strings have a 0 or 1 for each of at least three labels, and are not numbers such as 100."""
    distinct = column.distinct
    if not distinct.str.contains(r"^[01]{3,}$").all() or distinct.str.len_chars().n_unique() > 1:
        return False
    return column.options.multilabel or (len(distinct) >= _FEWEST_BITS and distinct.str.starts_with("0").any())


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
            f"`{_joined_example(found, names)}`: read as multi-label. Give `--label-separator ''` if these are single "
            "names."
        )
    if n := int(empty.sum()):
        notes.append(f"{counted(n, 'row')} without a label: read as texts to which no label applies.")
    return Labels(_clean_lists(lists.alias(column.values.name)), tuple(notes), found)


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
            return Labels(_clean_lists(column.map_distinct(names)), (note,))
    return None


def _joined_example(separator: str, names: Sequence[str]) -> str:
    return visible(next(name for name in names if separator in name))


def _read_names(column: LabelColumn) -> Labels | None:
    """Read class names, integers and booleans; ask about names that several may be joined in."""
    dtype = column.values.dtype
    if isinstance(dtype, pl.Struct | pl.Object | pl.Binary):
        return None
    if dtype != pl.String or column.options.separator is not None:
        return Labels(column.strings)
    names = [text for text in column.distinct.to_list() if not is_mark(text)]
    separator = find_possible_separator(names)
    if separator is None:
        return Labels(column.strings)
    return Labels(column.strings, (_question(column, separator, names),))


def _question(column: LabelColumn, separator: str, names: Sequence[str]) -> str:
    """Say that names are read as single ones, though they may be joined."""
    return (
        f"Labels of column `{column.values.name}` such as `{_joined_example(separator, names)}` are read as single "
        f"names. If they are several joined by `{separator}`, give `--label-separator '{separator}'`."
    )


#: Readers of a label column by the name of what it holds; each returns None for a column that it does not recognise.
LABEL_FORMATS: dict[str, Callable[[LabelColumn], Labels | None]] = {
    "lists": _read_lists,
    "objects": _read_objects,
    "floats": _read_floats,
    "JSON": _read_json,
    "0 and 1": _read_bare_indicators,
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
        return _read_indicator_columns(frame, columns, source, where)
    values = frame[columns[0]]
    values = values.cast(pl.String) if isinstance(values.dtype, pl.Categorical | pl.Enum) else values
    column = LabelColumn(values, source, options)
    for read in LABEL_FORMATS.values():
        if (labels := read(column)) is not None:
            _refuse_structures(column, labels.values)
            return labels
    raise DataError(f"`{source}`: column `{columns[0]}` holds {column.values.dtype}, which cannot be labels.")


def _read_indicator_columns(frame: pl.DataFrame, columns: Sequence[str], source: str, place: pl.DataFrame) -> Labels:
    """Read columns of 0 and 1, or of probabilities, as lists of the names of those that are set.

    A row is unlabelled if all of its cells are empty, or if one says that it is not known, as -1 does; but where only
    those that are set hold anything, such as ``x``, a row without any is a text to which no label applies.
    """
    flags = []
    unknown = []
    notes = []
    for name in columns:
        cells = frame[name]
        if not cells.dtype.is_nested():
            cells = (cells.fill_nan(None) if cells.dtype.is_float() else cells).cast(pl.String)
        distinct = [cell for cell in cells.drop_nulls().unique().to_list() if not isinstance(cell, str) or cell.strip()]
        marks = [cell for cell in distinct if isinstance(cell, str) and is_unknown_flag(cell.strip())]
        meanings = {cell: indicator(cell) for cell in distinct if cell not in marks}
        for cell, meaning in meanings.items():
            if meaning is None:
                row = cells.to_list().index(cell)
                raise DataError(
                    f"`{source}`: several label columns hold 0 and 1, one column for each label; `{name}` holds "
                    f"`{_shortened(cell)}` in {_place(place, row)}. Give a single `--label`."
                )
        probabilities = pl.Series(list(meanings.values()), dtype=pl.Float64)
        numbers = cells.replace_strict(list(meanings), probabilities, default=None, return_dtype=pl.Float64)
        flags.append((numbers >= 0.5).alias(name))
        unknown.append(pl.Series(name, cells.is_in(marks).fill_null(value=False) if marks else [False] * len(cells)))
        if not probabilities.is_in([0.0, 1.0]).all():
            notes.append(f"Column `{name}` holds probabilities: the label applies from 0.5.")
    table = pl.DataFrame(flags)
    chosen = pl.concat_list([pl.when(pl.col(name)).then(pl.lit(name)) for name in columns]).list.drop_nulls()
    is_known = ~pl.DataFrame(unknown).select(pl.any_horizontal(pl.all())).to_series()
    if not is_known.all():
        row, name = _first_cell(unknown)
        n = len(is_known) - int(is_known.sum())
        have = "has" if n == 1 else "have"
        notes.append(
            f"{counted(n, 'row')} {have} a label that is not known, such as `{frame[name][row]}` in column `{name}` "
            f"({_place(place, row)}): read as unlabelled. Write 0 for a label that does not apply."
        )
    if not all(series.drop_nulls().all() for series in flags):
        n_set = table.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
        in_part = is_known & (n_set > 0) & (n_set < len(columns))
        if in_part.any():
            row, name = _first_cell([series.is_null() & in_part for series in flags])
            notes.append(
                f"Empty cells in label columns are read as 0, in {counted(int(in_part.sum()), 'row')} (first: column "
                f"`{name}`, {_place(place, row)})."
            )
        is_known &= n_set > 0
    known = pl.when(pl.lit(is_known)).then(chosen).alias("label")
    return Labels(table.select(known).to_series(), tuple(notes))


def _place(place: pl.DataFrame, row: int) -> str:
    return place_text(str(place["file"][row]) if place["file"][row] else None, place["line"][row])


def _first_cell(flags: Sequence[pl.Series]) -> tuple[int, str]:
    """Return row, from 0, and column of the first cell that is true."""
    row, column = min(
        (found, k) for k, series in enumerate(flags) if (found := series.arg_max()) is not None and series[found]
    )
    return row, flags[column].name


def _labels_of_values(column: LabelColumn, values: Sequence[Any]) -> Labels:
    """Return the labels of structures, one of each row."""
    lists: list[list[str] | None] = []
    for value in values:
        try:
            lists.append(None if value is None else labels_in(value))
        except NotLabelsError as error:
            raise column.fail(value, str(error)) from None
    found = pl.Series(column.values.name, lists, dtype=pl.List(pl.String))
    return Labels(_clean_lists(found), _threshold_notes(column, values))


def _lists_or_positions(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names as they are, and of a 0 or 1 for each label the positions of ones."""
    if any(indicator(item) is None for item in lists.explode().drop_nulls().unique().to_list()):
        return _lists_of_names(column, lists)
    try:
        positions = positions_set(lists.to_list())
    except NotLabelsError as error:
        raise column.fail(next(row for row in lists.to_list() if row), str(error)) from None
    if positions is None:
        return _lists_of_names(column, lists)
    note = f"Column `{column.values.name}` holds a 0 or 1 for each label: labels are named by their positions, from 0."
    return Labels(pl.Series(column.values.name, positions, dtype=pl.List(pl.String)), (note,))


def _lists_of_names(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names; where no row has several, a row without any is unlabelled."""
    lists = _clean_lists(lists)
    lengths = lists.list.len()
    n_empty = int((lengths == 0).sum())
    if not n_empty or column.options.multilabel or (lengths > 1).any():
        return Labels(lists)
    note = (
        f"{counted(n_empty, 'row')} with an empty list in `{column.values.name}`, read as unlabelled because no row "
        "has several labels. `--multilabel` reads them as texts to which no label applies."
    )
    return Labels(lists.to_frame("label").select(pl.when(lengths > 0).then(pl.col("label"))).to_series(), (note,))


def _threshold_notes(column: LabelColumn, values: Iterable[Any]) -> tuple[str, ...]:
    """Say from which probability a label applies, if objects hold any."""
    numbers = (number for value in values if isinstance(value, dict) for number in value.values())
    if any(isinstance(number, float) and 0 < number < 1 for number in numbers):
        return (f"Column `{column.values.name}` holds probabilities: a label applies from 0.5.",)
    return ()


def _shortened(value: object) -> str:
    shown = str(value)
    return shown if len(shown) <= _SHOWN_CHARS else f"{shown[:_SHOWN_CHARS]}…"


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
