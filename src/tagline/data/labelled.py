"""The labelled rows of all arguments of `load_dataset`, in one table, before they are split."""

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from tagline.data.columns import Columns, choose_columns
from tagline.data.labels import Labels, check_labels, match_values, sorted_classes, unify_labels
from tagline.data.options import ReadOptions
from tagline.data.origin import SourceRows, number_rows
from tagline.data.rows import Rows, check_rejected
from tagline.data.sources.read import read_source
from tagline.data.splits import NO_GROUP, TEST, VALIDATION, copy_keys, unify_groups
from tagline.data.table import drop_unusable, dropped_rows, labelled_table, stack_tables
from tagline.data.weights import check_weights
from tagline.data.wording import counted
from tagline.errors import DataError


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows with a text and a label, the sources that they come from, and what was found on the way.

    ``table`` has the columns of `tagline.data.table`, and ``key``, a number that copies of a text share. ``left_out``
    are the rows that cannot be used; ``rows`` are all rows of each source as they were read.
    """

    main: "Part"
    extra: dict[str, "Part"]
    table: pl.DataFrame
    classes: list[str]
    unified: Labels
    left_out: pl.DataFrame
    rows: tuple[SourceRows, ...]
    notes: tuple[str, ...]

    @property
    def sources(self) -> tuple["Part", ...]:
        """All sources, the main one first."""
        return self.main, *self.extra.values()


@dataclass(frozen=True, eq=False)
class Part:
    """Data read from one argument of `load_dataset`: rows, their chosen columns, the labelled table and its labels."""

    rows: Rows
    columns: Columns
    table: pl.DataFrame
    labels: Labels

    def source_rows(self) -> SourceRows:
        """Return the rows as they were read, without the column that names their split."""
        frame, split = self.rows.frame, self.columns.split
        return SourceRows.of(frame if split is None else frame.drop(split), self.table["text"])


def _read_part(data: Any, options: ReadOptions, part: str | None = None) -> Part:
    """Read and check ``data``; if it is for one ``part`` only and has official splits, keep that part."""
    expected = [column for column in (*options.text, *options.label, options.group, options.weight) if column]
    rows = read_source(data, expected=expected, layout=options.layout)
    check_rejected(rows.rejected, rows.frame.height, strict=options.strict, limit=options.max_unreadable)
    group, weight = options.group, options.weight
    if part is None:
        if not rows.frame.height:
            raise DataError(f"`{rows.source}` is empty: it has no rows.")
        columns = choose_columns(rows, options.text, options.label, group, weight)
        return Part(rows, columns, *labelled_table(rows, columns, group, weight, options.labels))
    group, found = (name if name in rows.frame.columns else None for name in (group, weight))
    columns = choose_columns(rows, options.text, options.label, None, found)
    table, labels = labelled_table(rows, columns, group, None if part == TEST else found, options.labels)
    if weight and found is None and part == VALIDATION:
        note = f"`{rows.source}` has no column `{weight}`: its validation rows have weight 1."
        table, labels = table.with_columns(weight=1.0), replace(labels, notes=(*labels.notes, note))
    if (table["part"] == part).any():
        table = table.filter(pl.col("part") == part)
    return Part(rows, columns, table.with_columns(part=pl.lit(part)), labels)


def _with_values_of(main: Part, part: Part) -> Part:
    """Return test or validation rows, in which numbers and days are written as in the main rows."""
    labels, notes = match_values(part.table["label"], main.table["label"], part.rows.source)
    table = part.table.with_columns(label=labels)
    return replace(part, table=table, labels=replace(part.labels, notes=(*part.labels.notes, *notes)))


def _options_of_others(main: Part, options: ReadOptions) -> ReadOptions:
    """Return how test and validation rows are read: as the main rows were, so that no name of one label is split."""
    labels = main.labels.values
    lists = isinstance(labels.dtype, pl.List)
    separator = options.label_separator if main.labels.separator is None else main.labels.separator
    return replace(
        options,
        label_separator="" if separator is None and not lists else separator,
        multilabel=options.multilabel or (lists and bool((labels.list.len() != 1).any())),
    )


def _replace_parts(main: Part, extra: dict[str, Part]) -> tuple[list[pl.DataFrame], list[str]]:
    """Return the tables to stack, without the parts of ``main`` that ``extra`` replaces, and notes on those."""
    table, notes = main.table, []
    for part, given in extra.items():
        replaced = int((table["part"] == part).sum())
        if replaced:
            notes.append(
                f"{counted(replaced, part + ' row')} of `{main.rows.source}` left out: "
                f"`{given.rows.source}` replaces them."
            )
            table = table.filter(pl.col("part").ne_missing(part))
    return [table, *(given.table for given in extra.values())], notes


def read_labelled(data: Any, options: ReadOptions, *, fewest_classes: int) -> Labelled:
    """Read and check the rows of all sources; fewer classes than ``fewest_classes`` are refused."""
    main = _read_part(data, options)
    extra = {
        part: _read_part(given, _options_of_others(main, options), part)
        for part, given in ((TEST, options.test), (VALIDATION, options.validation))
        if given is not None
    }
    if not options.keep_label_spelling:
        extra = {part: _with_values_of(main, given) for part, given in extra.items()}
    tables, notes = _replace_parts(main, extra)
    read = tuple(source.source_rows() for source in (main, *extra.values()))
    table = stack_tables(number_rows(tables, read))
    unified = unify_labels(table["label"], options.labels)
    table, left_out = drop_unusable(table.with_columns(label=unified.values))
    if not table.height:
        reasons = ", ".join(f"{one.n:,} {one.reason}" for one in dropped_rows(left_out))
        raise DataError(f"`{main.rows.source}` has no row with both a text and a label ({reasons}).")
    if options.weight:
        is_test = pl.col("part").eq_missing(TEST) if options.folds is None else pl.lit(value=False)
        check_weights(table.filter(~is_test), options.weight)
    classes = sorted_classes(table["label"])
    check_labels(table["label"], classes, main.rows, main.columns.label, fewest_classes)
    table = table.with_columns(key=copy_keys(table["text"]))
    if options.group:
        groups, merged = unify_groups(table["group"], options.group)
        notes += merged
        table = table.with_columns(group=groups)
        table = table.with_columns(pl.coalesce("group", pl.format(f"{NO_GROUP}{{}}", pl.int_range(pl.len()))))
    return Labelled(main, extra, table, classes, unified, left_out, read, tuple(notes))
