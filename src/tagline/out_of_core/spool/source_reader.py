"""Labelled rows of files that are read part by part, as frames of the same columns."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from tagline.data.columns import Columns, choose_columns, join_texts
from tagline.data.columns.names import SPLIT_COLUMNS
from tagline.data.options import ReadOptions
from tagline.data.origin import row_hashes
from tagline.data.reading import ReadLog
from tagline.data.rows import check_rejected, places
from tagline.data.sources.parts import RowsPart, StreamedFiles, read_parts
from tagline.data.splits import SPLIT_NAMES, TEST, VALIDATION
from tagline.data.table import read_groups
from tagline.data.weights import read_weights
from tagline.errors import DataError
from tagline.parallel import ahead

_BATCH_ROWS = 10_000


@dataclass
class SourceReader:
    """The rows of one source as frames of text, label cells, part, group, weight and place."""

    source: StreamedFiles
    options: ReadOptions
    part: str | None  # what all rows are for, if anything
    replaced: set[str]  # parts that come from other sources
    block_bytes: int  # of a file that are read together
    columns: Columns | None = None
    log: ReadLog = field(default_factory=ReadLog)
    notes: list[str] = field(default_factory=list)
    n_rows: int = 0
    n_replaced: int = 0

    def read(self) -> Iterator[tuple[pl.DataFrame, int, float]]:
        """Yield the rows, how many bytes they take with all columns, and the share of the files that has been read."""
        options = self.options
        expected = [name for name in (*options.text, *options.label, options.group, options.weight) if name]
        for number, (split, file) in enumerate(self.source.files):
            log = ReadLog()
            parts = read_parts(
                file,
                block_bytes=self.block_bytes,
                batch_rows=_BATCH_ROWS,
                expected=expected,
                layout=options.layout,
                log=log,
            )
            for at, part in enumerate(ahead(parts)):
                if options.strict:
                    check_rejected(log.rejected, None, strict=True)
                rows = self._frame(part, self.part or split, first=at == 0)
                n_bytes = int(part.rows.frame.estimated_size())
                yield rows, n_bytes, number + (log.share_read() if log.share_read else 0.0)
            self.log.rejected += log.rejected
            self.log.notes += [note for note in log.notes if note not in self.log.notes]
            self.log.encoding = self.log.encoding or log.encoding
        check_rejected(self.log.rejected, self.n_rows, strict=options.strict, limit=options.max_unreadable)

    def state(self) -> dict[str, Any]:
        """Return what is known of the source, as JSON."""
        columns = self.columns
        if columns is None:
            raise DataError(f"`{self.source.source}` is empty: it has no rows.")
        notes = [*self.log.notes, *self.notes, *columns.notes]
        if self.n_replaced:
            notes.append(
                f"{self.n_replaced:,} rows of `{self.source.source}` are left out: another file replaces them."
            )
        return {
            "name": self.source.name,
            "source": self.source.source,
            "columns": asdict(columns),
            "notes": notes,
            "rejected": [asdict(row) for row in self.log.rejected],
            "encoding": self.log.encoding,
            "rows": self.n_rows,
        }

    def _frame(self, part: RowsPart, split: str | None, *, first: bool) -> pl.DataFrame:
        """Return the readable rows of a part, the ``first`` one of its file or a later one."""
        rows, options = part.rows, self.options
        readable = part.reasons.is_null()
        frame = rows.frame
        group, weight = options.group, options.weight
        if self.columns is None:
            whole = replace(rows, frame=frame.filter(readable), source=self.source.source)
            if self.part is not None:
                group, weight = (name if name in frame.columns else None for name in (group, weight))
            self.columns = choose_columns(whole, options.text, options.label, group, weight)
            if self.part == VALIDATION and options.weight and weight is None:
                self.notes.append(
                    f"`{rows.source}` has no column `{options.weight}`: its validation rows have weight 1."
                )
            if self.columns.split is None and split is None:
                self.columns = replace(self.columns, split=_possible_split(whole.frame))
            self.notes += rows.notes
        columns = self.columns
        named = [*columns.text, *columns.label, *(name for name in (columns.split, group, weight) if name)]
        missing = [name for name in named if name not in frame.columns]
        if first and readable.any() and set(columns.text) <= set(missing):  # later objects of JSON may lack them
            raise DataError(f"`{rows.source}` has none of the text columns of `{self.source.source}`.")
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
        self.n_rows += int(readable.sum())
        nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        named_split = nothing
        if columns.split is not None and self.part is None:
            names = frame[columns.split].cast(pl.String).str.strip_chars().str.to_lowercase()
            named_split = names.replace_strict(SPLIT_NAMES, default=None)
            unknown = names.filter(readable & named_split.is_null() & (names != ""))
            if len(unknown) and rows.split is None:
                raise DataError(
                    f"`{rows.source}`: `{unknown[0]}` in column `{columns.split}` names no split, and rows before it "
                    "name one: write `train`, `validation` and `test`, or rename the column."
                )
        weights = read_weights(frame[weight], rows.source) if weight and self.part != TEST and weight in named else None
        found = pl.DataFrame(
            {
                "text": join_texts(frame, columns.text, rows.source),
                "part": named_split if split is None else pl.repeat(split, frame.height, eager=True),
                "group": read_groups(frame[group], rows.source) if group and group in named else nothing,
                "weight": nothing.cast(pl.Float64) if weights is None else weights.weight,
                "weight_cell": nothing if weights is None else weights.cell,
                "left_out": nothing if rows.left_out is None else rows.left_out,
                "row_hash": row_hashes(frame if columns.split is None else frame.drop(columns.split)),
            }
        ).hstack(places(rows.source, part.lines))
        found = found.with_columns(source=pl.lit(rows.source), file=pl.col("file").cast(pl.String))
        found = found.hstack(frame.select(pl.col(name).alias(f"label{i}") for i, name in enumerate(columns.label)))
        found = found.filter(readable)
        if self.part is None and self.replaced:
            replaced = found["part"].is_in(list(self.replaced)).fill_null(value=False)
            self.n_replaced += int(replaced.sum())
            found = found.filter(~replaced)
        if self.part == VALIDATION and options.weight and weights is None:
            found = found.with_columns(weight=pl.lit(1.0), weight_cell=pl.lit("1"))
        return found


def _possible_split(frame: pl.DataFrame) -> str | None:
    """Return a column named ``split`` or alike that names splits; the first rows of a sorted file are of one only."""
    for column in frame.columns:
        if column.strip().casefold() in SPLIT_COLUMNS and frame.schema[column] == pl.String:
            values = frame[column].drop_nulls().str.strip_chars().str.to_lowercase().unique()
            if len(values) and all(value in SPLIT_NAMES for value in values):
                return column
    return None
