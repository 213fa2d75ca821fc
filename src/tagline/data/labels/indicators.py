"""A 0 or 1 for each label: in one cell without brackets, or in a column for each label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tagline.data.labels.advice import IF_SINGLE_NAMES
from tagline.data.labels.column import LabelColumn, Labels, shortened
from tagline.data.labels.joined import are_decimals, question
from tagline.data.labels.lists import lists_or_positions
from tagline.data.labels.marks import is_unknown_flag
from tagline.data.labels.structures import indicator
from tagline.data.wording import counted, place_text
from tagline.errors import DataError

_FLAG = r"(?:[01]\b(?:\.0)?|true|false)"
#: What joins flags; in names such as ``1/0`` and ``1-0``, which may be scores, only three or more.
_JOINED_FLAGS = rf"^{_FLAG}(?:(\s*[,;|\s]\s*{_FLAG})+|(?:\s*[/:_-]\s*{_FLAG}){{2,}})$"
#: Strings of 0 and 1 are indicators if they are at least that many different ones.
_FEWEST_BITS = 3


def read_bare_indicators(column: LabelColumn) -> Labels | None:
    """Read a 0 or 1 for each label without brackets, ``0,1,0``, ``0 1 0``, ``0/1/0`` or ``010``."""
    if column.values.dtype != pl.String or not len(column.distinct):
        return None
    if _are_strings_of_bits(column) and not column.options.keep_spelling:
        found = lists_or_positions(column, column.strings.str.extract_all("[01]"))
        return replace(found, notes=(f"{found.notes[0]}{IF_SINGLE_NAMES}",))
    if _may_be_decimals(column):
        names = column.distinct.to_list()
        is_clear = column.options.separator is not None or are_decimals(names)
        return Labels(column.strings, () if is_clear else (question(column.values.name, ",", names),))
    flags = column.strings.str.to_lowercase()
    if not flags.drop_nulls().str.contains(_JOINED_FLAGS).all():
        return None
    return lists_or_positions(column, flags.str.extract_all(_FLAG))


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


@dataclass(frozen=True, eq=False)
class _Flags:
    """A column of one label, (n_rows,): whether it applies, null for an empty cell; whether that is not known."""

    applies: pl.Series
    is_unknown: pl.Series
    has_probabilities: bool

    @property
    def name(self) -> str:
        return self.applies.name


def read_indicator_columns(frame: pl.DataFrame, columns: Sequence[str], source: str, place: pl.DataFrame) -> Labels:
    """Read columns of 0 and 1, or of probabilities, as lists of the names of those that are set.

    A row is unlabelled if all of its cells are empty, or if one says that it is not known, as -1 does; but where only
    those that are set hold anything, such as ``x``, a row without any is a text to which no label applies. Where no
    cell is 0 or empty, a single mark such as ``-`` or -1 means 0.

    Raises:
        DataError: a cell holds something else.

    """
    opposite = _mark_for_zero([frame[name] for name in columns])
    flags = [_read_flags(frame[name], source, place, opposite) for name in columns]
    notes = [
        f"Column `{one.name}` holds probabilities: the label applies from 0.5."
        for one in flags
        if one.has_probabilities
    ]
    is_known = ~pl.select(pl.any_horizontal(one.is_unknown for one in flags)).to_series()
    if not is_known.all():
        notes.append(_note_on_unknown(frame, [one.is_unknown for one in flags], n=int((~is_known).sum()), place=place))
    applies = pl.DataFrame([one.applies for one in flags])
    if not all(one.applies.drop_nulls().all() for one in flags):
        n_set = applies.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
        in_part = is_known & (n_set > 0) & (n_set < len(columns))
        if in_part.any():
            row, name = _first_cell([one.applies.is_null() & in_part for one in flags])
            notes.append(
                f"Empty cells in label columns are read as 0, in {counted(int(in_part.sum()), 'row')} (first: column "
                f"`{name}`, {_place(place, row)})."
            )
        is_known &= n_set > 0
    chosen = pl.concat_list([pl.when(pl.col(name)).then(pl.lit(name)) for name in columns]).list.drop_nulls()
    return Labels(applies.select(pl.when(pl.lit(is_known)).then(chosen).alias("label")).to_series(), tuple(notes))


def _mark_for_zero(columns: Sequence[pl.Series]) -> str | None:
    """Return the mark that is the only other value beside those that mean 1, None if there is no such mark."""
    texts = [_as_text(column) for column in columns if not column.dtype.is_nested()]
    cells = {cell.strip() for column in texts for cell in column.unique().fill_null("").to_list()}
    marks = {cell for cell in cells if is_unknown_flag(cell)}
    own_names = {column.name.casefold() for column in columns}
    others = [1.0 if cell.casefold() in own_names else indicator(cell) for cell in cells - marks]
    return next(iter(marks)) if len(marks) == 1 and others and set(others) == {1.0} else None


def _as_text(cells: pl.Series) -> pl.Series:
    if cells.dtype.is_nested():
        return cells
    return (cells.fill_nan(None) if cells.dtype.is_float() else cells).cast(pl.String)


def _distinct(cells: pl.Series) -> list[Any]:
    return [cell for cell in cells.drop_nulls().unique().to_list() if not isinstance(cell, str) or cell.strip()]


def _read_flags(cells: pl.Series, source: str, place: pl.DataFrame, opposite: str | None) -> _Flags:
    """Read a column of 0 and 1, words for them, the name of the column for 1, or probabilities."""
    name = cells.name
    cells = _as_text(cells)
    distinct = _distinct(cells)
    given = {cell: cell.strip() for cell in distinct if isinstance(cell, str)}
    marks = [cell for cell, text in given.items() if is_unknown_flag(text) and text != opposite]
    meanings = {cell: indicator(cell) for cell in distinct if cell not in marks}
    meanings |= {cell: 0.0 for cell, text in given.items() if text == opposite}
    meanings |= {cell: 1.0 for cell, text in given.items() if text.casefold() == name.casefold()}
    for cell, meaning in meanings.items():
        if meaning is None:
            raise DataError(
                f"`{source}`: several label columns hold 0 and 1, one column for each label; `{name}` holds "
                f"`{shortened(cell)}` in {_place(place, cells.to_list().index(cell))}. Give a single `--label` "
                "if it holds names, or write 1 where its label applies and 0 elsewhere."
            )
    probabilities = pl.Series(list(meanings.values()), dtype=pl.Float64)
    numbers = cells.replace_strict(list(meanings), probabilities, default=None, return_dtype=pl.Float64)
    unknown = cells.is_in(marks).fill_null(value=False) if marks else pl.repeat(False, len(cells), eager=True)
    return _Flags((numbers >= 0.5).alias(name), unknown.alias(name), not probabilities.is_in([0.0, 1.0]).all())


def _note_on_unknown(frame: pl.DataFrame, is_unknown: Sequence[pl.Series], *, n: int, place: pl.DataFrame) -> str:
    row, name = _first_cell(is_unknown)
    return (
        f"{counted(n, 'row')} {'has' if n == 1 else 'have'} a label that is not known, such as `{frame[name][row]}` in "
        f"column `{name}` ({_place(place, row)}): read as unlabelled. Write 0 for a label that does not apply."
    )


def _place(place: pl.DataFrame, row: int) -> str:
    return place_text(str(place["file"][row]) if place["file"][row] else None, place["line"][row])


def _first_cell(flags: Sequence[pl.Series]) -> tuple[int, str]:
    """Return row, from 0, and column of the first cell that is true."""
    row, column = min(
        (found, k) for k, series in enumerate(flags) if (found := series.arg_max()) is not None and series[found]
    )
    return row, flags[column].name
