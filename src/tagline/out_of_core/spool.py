"""The first stage: read all rows once, draw their splits, and keep the train rows on disk.

A row is drawn by a hash of its text, or of its group, so that copies of a text and rows of a group stay in one split
wherever they are read. Validation and test rows stay in memory; if there are more than fit, the rest are train rows.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.data.columns import Columns, choose_columns, join_texts
from tagline.data.columns.names import SPLIT_COLUMNS
from tagline.data.frames import as_strings
from tagline.data.options import ReadOptions
from tagline.data.origin import row_hashes
from tagline.data.reading import ReadLog
from tagline.data.rows import check_rejected, is_blank, places
from tagline.data.sources.parts import RowsPart, StreamedFiles, read_parts, streamed_files
from tagline.data.splits import SET_ASIDE, SPLIT_NAMES, TEST, TRAIN, VALIDATION
from tagline.data.text_hashes import text_hashes
from tagline.data.weights import check_weights, read_weights
from tagline.errors import DataError
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.kept_rows import KeptRows, chances
from tagline.out_of_core.label_cells import LabelCells
from tagline.parallel import ahead
from tagline.storage.atomic import write_json
from tagline.task import Floats, Ints

STATE = "spool.json"
CELLS = "cells.arrow"
HASHES = "hashes"
SAMPLE = "sample"

_BATCH_ROWS = 10_000
_MOST_ROWS = {VALIDATION: 50_000, "drawn-validation": 50_000, "drawn-test": 100_000}
_MOST_OF_SAMPLE = 5_000
_SHARE = 0.1  # of the rows is drawn for each of the two
_DRAW, _SAMPLE = 0, 1

Share = Callable[[float], None]


def is_spooled(folder: Path) -> bool:
    """Return whether the first stage has ended."""
    return (folder / STATE).is_file()


def write_spool(
    data: Any,
    options: ReadOptions,
    seed: int,
    budget: Budget,
    folder: Path,
    *,
    progress: Share = lambda share: None,
    exceeded: Callable[[], None] = lambda: None,
) -> bool:
    """Read the rows of all sources and write them into ``folder``; return whether they fit into memory.

    Args:
        data: the train rows, and others unless ``options`` name their files.
        options: how rows are read.
        seed: of the draw of validation and test rows.
        budget: the memory that may be used.
        folder: where the rows are written.
        progress: called with the share of the files that has been read.
        exceeded: called as soon as the rows no longer fit into memory.

    Raises:
        DataError: the rows cannot be read.

    """
    writer = _SpoolWriter(options, seed, budget, folder, exceeded)
    sources: dict[str | None, StreamedFiles] = {None: streamed_files(data)}
    for name, given in ((TEST, options.test), (VALIDATION, options.validation)):
        if given is not None:
            sources[name] = streamed_files(given)
    n_files, done = sum(len(source.files) for source in sources.values()), 0
    for part, source in sources.items():
        reader = _SourceReader(source, options, part, {name for name in sources if name}, budget.read)
        for rows, share in reader.read():
            writer.add(rows)
            progress((done + share) / n_files)
        done += len(source.files)
        writer.sources.append(reader.state())
    writer.finish()
    return writer.fits


@dataclass
class _SourceReader:
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

    def read(self) -> Iterator[tuple[pl.DataFrame, float]]:
        """Yield the rows, and the share of the files that has been read."""
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
            for part in ahead(parts):
                if options.strict:
                    check_rejected(log.rejected, None, strict=True)
                yield self._frame(part, self.part or split), number + (log.share_read() if log.share_read else 0.0)
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

    def _frame(self, part: RowsPart, split: str | None) -> pl.DataFrame:
        rows, options = part.rows, self.options
        readable = part.reasons.is_null()
        frame = rows.frame
        group, weight = options.group, options.weight
        if self.columns is None:
            whole = replace(rows, frame=frame.filter(readable), source=self.source.source)
            if self.part is not None:
                group, weight = (name if name in frame.columns else None for name in (group, weight))
            self.columns = choose_columns(whole, options.text, options.label, group, weight)
            if self.columns.split is None and split is None:
                self.columns = replace(self.columns, split=_possible_split(whole.frame))
            self.notes += rows.notes
        columns = self.columns
        named = [*columns.text, *columns.label, *(name for name in (columns.split, group, weight) if name)]
        missing = [name for name in named if name not in frame.columns]
        if readable.any() and set(columns.text) <= set(missing):
            raise DataError(f"`{rows.source}` has none of the text columns of `{self.source.source}`.")
        frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in missing)
        self.n_rows += int(readable.sum())
        nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        named_split = nothing
        if columns.split is not None and self.part is None:
            names = frame[columns.split].cast(pl.String).str.strip_chars().str.to_lowercase()
            named_split = names.replace_strict(SPLIT_NAMES, default=None)
        weights = read_weights(frame[weight], rows.source) if weight and self.part != TEST and weight in named else None
        found = pl.DataFrame(
            {
                "text": join_texts(frame, columns.text, rows.source),
                "part": named_split if split is None else pl.repeat(split, frame.height, eager=True),
                "group": as_strings(frame[group]) if group and group in named else nothing,
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


class _SpoolWriter:
    """Draws the splits of rows, and writes those to learn from."""

    def __init__(
        self, options: ReadOptions, seed: int, budget: Budget, folder: Path, exceeded: Callable[[], None]
    ) -> None:
        self.options, self.seed, self.budget, self.folder = options, seed, budget, folder
        self.fits, self._exceeded = True, exceeded
        self.sources: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        # Official rows, those drawn, and some train rows to look at.
        self._pools = {name: KeptRows(most, budget.kept) for name, most in _MOST_ROWS.items()}
        self._pools[SAMPLE] = KeptRows(_MOST_OF_SAMPLE, budget.kept // 8)
        self._pools[TEST] = KeptRows(2**62, 4 * budget.kept)  # what is more is an error
        self._cells = LabelCells("the data")
        self._counts: Ints = np.zeros(0, dtype=np.int64)
        self._weights: Floats = np.zeros(0)
        self._digest = hashlib.sha256()
        self._buffer: list[pl.DataFrame] = []
        self._buffered = self._n_parts = self._n_rows = self._text_bytes = self._n_train = 0
        self._dropped: dict[str, dict[str, Any]] = {}
        (folder / HASHES).unlink(missing_ok=True)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows, see `_SourceReader`."""
        rows = self._usable(rows)
        if not rows.height:
            return
        if self.options.weight:
            check_weights(rows.filter(pl.col("part").ne_missing(TEST)), self.options.weight)
        labels = [name for name in rows.columns if name.startswith("label")]
        codes = self._cells.codes(rows.select(labels), rows.select("file", "line"))
        hashes = text_hashes(rows["text"])
        units = hashes
        if self.options.group:
            of_groups = text_hashes(rows["group"].fill_null(""))
            units = np.where(rows["group"].is_null().to_numpy(), hashes, of_groups)
        for array in (hashes, codes, rows["weight"].to_numpy()):
            self._digest.update(np.ascontiguousarray(array).tobytes())
        numbers = np.arange(self._n_rows, self._n_rows + rows.height)
        self._n_rows += rows.height
        rows = rows.drop(labels, "left_out").with_columns(
            code=codes, hash=hashes, chance=chances(units, self.seed, _DRAW), number=numbers
        )
        part, chance = rows["part"].fill_null(TRAIN), rows["chance"]
        train = part == TRAIN
        into = {
            TEST: part == TEST,
            VALIDATION: part == VALIDATION,
            "drawn-test": train & (chance < _SHARE),
            "drawn-validation": train & (chance >= _SHARE) & (chance < 2 * _SHARE),
        }
        for name, chosen in into.items():
            if chosen.any():
                self._learn(self._pools[name].add(rows.filter(chosen)), of=name)
        self._learn(rows.filter(train & (chance >= 2 * _SHARE)))

    def _usable(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Leave out rows without a text; those without a label are known at the end."""
        text = pl.col("text")
        reasons = {
            "unlabelled": pl.col("part").eq_missing(SET_ASIDE),
            "no text": text.is_null(),
            "empty text": is_blank(text),
        }
        chain = pl.lit(None, dtype=pl.String)
        for reason, fails in reversed(reasons.items()):
            chain = pl.when(fails.fill_null(value=False)).then(pl.lit(reason)).otherwise(chain)
        why = rows.select(pl.coalesce("left_out", chain)).to_series()
        for reason, n in why.drop_nulls().value_counts().iter_rows():
            first = rows.row(int((why == reason).arg_max() or 0), named=True)
            entry = self._dropped.setdefault(reason, {"n": 0, "file": first["file"], "line": first["line"]})
            entry["n"] += n
        return rows.filter(why.is_null())

    def _learn(self, rows: pl.DataFrame, of: str = TRAIN) -> None:
        """Write rows to learn from; rows of a test set that are more than can be kept are an error."""
        if not rows.height:
            return
        if of == TEST:
            raise DataError(
                f"The test rows take more than {4 * self.budget.kept / 1e6:,.0f} MB, too much for `--memory`: give "
                "fewer, and evaluate the model on all of them with `tagline evaluate`."
            )
        pool = rows.with_columns(chance=chances(rows["hash"].to_numpy(), self.seed, _SAMPLE))
        self._pools[SAMPLE].add(pool)
        self._n_train += rows.height
        with (self.folder / HASHES).open("ab") as file:
            file.write(rows["hash"].to_numpy().tobytes())
        self._count(rows)
        learned = rows.select("text", "code", "weight")
        if self.options.weight:
            learned = learned.filter(pl.col("weight") > 0)
        n_bytes = int(learned["text"].str.len_bytes().sum())
        self._buffer.append(learned)
        self._buffered += n_bytes
        self._text_bytes += n_bytes
        if self.fits and not self.budget.fits(self._text_bytes):
            self.fits = False
            self._exceeded()
        if self._buffered >= self.budget.part:
            self._flush()

    def _count(self, rows: pl.DataFrame) -> None:
        codes = rows["code"].to_numpy()
        n = max(len(self._counts), int(codes.max()) + 1)
        self._counts = np.bincount(codes, minlength=n) + np.pad(self._counts, (0, n - len(self._counts)))
        weights: Floats = np.bincount(codes, rows["weight"].fill_null(1.0).to_numpy(), n).astype(np.float64)
        self._weights = weights + np.pad(self._weights, (0, n - len(self._weights)))

    def _flush(self) -> None:
        if self._buffer:
            frame = pl.concat(self._buffer)
            frame.write_ipc(part_file(self.folder, self._n_parts), compression="lz4")
            self._n_parts += 1
            self._buffer, self._buffered = [], 0

    def finish(self) -> None:
        """Write what is kept in memory, and the state that ends the stage."""
        kept: dict[str, pl.DataFrame] = {}
        for name in (VALIDATION, TEST):
            if self._pools[name].n_rows:
                kept[name], rest = self._pools[name].finish()
                self._learn(rest, of=name)
        official = list(kept)
        for name in (VALIDATION, TEST):
            pool = self._pools[f"drawn-{name}"]
            if not pool.n_rows:
                continue
            rows, rest = pool.finish()
            self._learn(rest)
            if name in official:
                self._learn(rows)
            else:
                kept[name] = rows
        self._flush()
        if self._pools[SAMPLE].n_rows:
            kept[SAMPLE] = self._pools[SAMPLE].finish()[0]
        for name, rows in kept.items():
            rows.drop("chance").write_ipc(self.folder / f"{name}.arrow", compression="lz4")
        cells = self._cells.frame()
        cells.write_ipc(self.folder / CELLS, compression="lz4")
        missing = cells.height - len(self._counts)
        state = {
            "sources": self.sources,
            "official": official,
            "dropped": self._dropped,
            "counts": np.pad(self._counts, (0, missing)).tolist(),
            "weights": np.pad(self._weights, (0, missing)).tolist(),
            "n_train": self._n_train,
            "n_parts": self._n_parts,
            "text_bytes": self._text_bytes,
            "digest": self._digest.hexdigest(),
        }
        write_json(self.folder / STATE, state)


def part_file(folder: Path, number: int) -> Path:
    """Return the file of a part of the train rows: ``text``, ``code`` and ``weight``."""
    return folder / f"texts-{number:06}.arrow"
