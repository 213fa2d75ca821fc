"""The table of labelled rows that `load_dataset` works on: made from rows, stacked, cleaned.

Columns: ``text`` (String), ``label`` (String or List(String)), ``part`` (the official split, or null), ``group``,
``weight`` and ``weight_cell`` (see `tagline.data.weights`; null without a column of weights), ``trimmed`` (spaces
around the label were removed), ``left_out`` (why its source leaves the row out, or null) and ``source``; ``file`` and
``line``, where the row is written (null, and the number of the row from 1, of rows that come from no file); ``row``,
its number in the frame that was read, from 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tagline.data.columns import Columns, join_texts
from tagline.data.frames import as_strings
from tagline.data.labels import LabelOptions, Labels, read_labels, spaces_trimmed
from tagline.data.rows import Rows, is_blank, places
from tagline.data.splits import SET_ASIDE, SPLIT_NAMES, TRAIN
from tagline.data.weights import read_weights
from tagline.data.wording import kind_of_values, row_place
from tagline.errors import DataError


@dataclass(frozen=True)
class Dropped:
    """Rows that cannot be used, by reason; ``first`` is the place of the first as messages write it."""

    reason: str
    n: int
    first: str


def labelled_table(
    rows: Rows, columns: Columns, group: str | None, weight: str | None, options: LabelOptions
) -> tuple[pl.DataFrame, Labels]:
    """Return the table of ``rows`` with the chosen columns, see the top of this module, and the labels read."""
    frame = rows.frame
    if rows.left_out is not None:
        used = rows.left_out.is_null()
        frame = frame.with_columns(pl.when(used).then(pl.col(name)) for name in columns.label)
    place = places(None, pl.arange(1, frame.height + 1, eager=True)) if rows.place is None else rows.place
    labels = read_labels(frame, columns.label, rows.source, options, place)
    nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    part = nothing
    if columns.split is not None:
        names = frame[columns.split].str.strip_chars().str.to_lowercase()
        part = names.replace_strict(SPLIT_NAMES, default=None)
    weights = None if weight is None else read_weights(frame[weight], rows.source)
    named = {
        "text": join_texts(frame, columns.text, rows.source),
        "label": labels.values,
        "part": part,
        "group": read_groups(frame[group], rows.source) if group else nothing,
        "weight": nothing.cast(pl.Float64) if weights is None else weights.weight,
        "weight_cell": nothing if weights is None else weights.cell,
        "trimmed": spaces_trimmed(frame[columns.label[0]], labels.values),
        "left_out": nothing if rows.left_out is None else rows.left_out,
    }
    table = pl.DataFrame([series.alias(name) for name, series in named.items()])
    numbers = pl.int_range(frame.height, dtype=pl.UInt32)
    return table.with_columns(row=numbers, source=pl.lit(rows.source)).hstack(place), labels


def read_groups(column: pl.Series, source: str) -> pl.Series:
    """Return the groups of rows as strings; raise `DataError` if they are none."""
    groups = as_strings(column)
    if groups is None:
        raise DataError(
            f"`{source}`: column `{column.name}` holds {kind_of_values(column.dtype)}, which name no group."
        )
    return groups


def stack_tables(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Stack tables; the ``source`` of a single one becomes null: messages omit it."""
    first, *others = tables
    if not others:
        return first.with_columns(source=pl.lit(None, dtype=pl.String))
    if first["part"].is_null().all():
        # The rows that come with a test or validation file are split further, or are train rows.
        first = first.with_columns(part=pl.lit(TRAIN))
    stacked = [first, *others]
    if any(isinstance(table.schema["label"], pl.List) for table in stacked):
        stacked = [_with_label_lists(table) for table in stacked]
    return pl.concat(stacked)


def _with_label_lists(table: pl.DataFrame) -> pl.DataFrame:
    if isinstance(table.schema["label"], pl.List):
        return table
    label = pl.col("label")
    return table.with_columns(pl.when(label.is_not_null()).then(pl.concat_list(label)))


def drop_unusable(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows that can be used, and of the others ``reason``, ``file``, ``line`` and ``source``."""
    text = pl.col("text")
    reasons = {
        "unlabelled": pl.col("part").eq_missing(SET_ASIDE),
        "no label": pl.col("label").is_null(),
        "no text": text.is_null(),
        "empty text": is_blank(text),
    }
    chain = pl.lit(None, dtype=pl.String)
    for reason, fails in reversed(reasons.items()):
        chain = pl.when(fails.fill_null(value=False)).then(pl.lit(reason)).otherwise(chain)
    why = table.select(pl.coalesce("left_out", chain).alias("reason"), "file", "line", "source")
    used = why["reason"].is_null()
    return (table, why.clear()) if used.all() else (table.filter(used), why.filter(~used))


def dropped_rows(left_out: pl.DataFrame) -> list[Dropped]:
    """Return rows that were left out, see `drop_unusable`, by reason."""
    found = left_out.group_by("reason", maintain_order=True).agg(pl.len(), pl.col("file", "line", "source").first())
    return [
        Dropped(reason, n, row_place(found, row))
        for row, (reason, n) in enumerate(found.select("reason", "len").iter_rows())
    ]
