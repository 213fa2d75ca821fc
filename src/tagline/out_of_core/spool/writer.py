"""The first stage: read all rows once, draw their splits, and keep the train rows on disk.

A row is drawn by a hash of its text, or of its group, so that copies of a text and rows of a group stay in one split
wherever they are read. Validation and test rows stay in memory; if there are more than fit, the rest are train rows.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tagline.data.labels import sorted_classes
from tagline.data.options import ReadOptions
from tagline.data.rows import is_blank
from tagline.data.sources.parts import StreamedFiles, streamed_files
from tagline.data.splits import SET_ASIDE, TEST, TRAIN, VALIDATION
from tagline.data.text_hashes import text_hashes
from tagline.data.weights import check_weights
from tagline.errors import DataError
from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.spool.hash_file import HashFile
from tagline.out_of_core.spool.kept_rows import KeptRows, chances
from tagline.out_of_core.spool.label_cells import Codes, LabelCells, labels_of
from tagline.out_of_core.spool.source_reader import SourceReader
from tagline.storage.atomic import write_json
from tagline.task import Floats

STATE = "spool.json"
CELLS = "cells.arrow"
HASHES = "hashes"
SAMPLE = "sample"

_COPIED = "text of another group in another split"
_MOST_ROWS = {VALIDATION: 50_000, "drawn-validation": 50_000, "drawn-test": 100_000}
_MOST_OF_SAMPLE = 5_000
_SHARE = 0.1  # of the rows is drawn for each of the two
_DRAW, _SAMPLE = 0, 1

Share = Callable[[float], None]


def is_spooled(folder: Path) -> bool:
    """Return whether the first stage has ended, and found more than fits into memory."""
    state = folder / STATE
    return state.is_file() and not json.loads(state.read_text(encoding="utf-8"))["fits"]


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
        reader = SourceReader(source, options, part, {name for name in sources if name}, budget.read)
        for rows, n_bytes, share in reader.read():
            writer.add(rows, n_bytes)
            progress((done + share) / n_files)
        done += len(source.files)
        writer.sources.append(reader.state())
    writer.finish()
    return writer.fits


class _CodeSums:
    """A sum for each label code; there are more codes as more rows are read."""

    def __init__(self) -> None:
        self._sums: Floats = np.zeros(0)

    def add(self, codes: Codes, values: Floats) -> None:
        """Add the value of each row, (n_rows,), to the sum of its code."""
        sums = np.bincount(codes, values, len(self._sums)).astype(np.float64)
        self._sums = sums + np.pad(self._sums, (0, len(sums) - len(self._sums)))

    def of(self, n_codes: int) -> Floats:
        """Return the sums of so many codes, (n_codes,)."""
        return np.pad(self._sums, (0, n_codes - len(self._sums)))


class _SpoolWriter:
    """Draws the splits of rows, and writes those to learn from."""

    def __init__(
        self, options: ReadOptions, seed: int, budget: Budget, folder: Path, exceeded: Callable[[], None]
    ) -> None:
        self.options, self.seed, self.budget, self.folder = options, seed, budget, folder
        self.fits, self._exceeded = True, exceeded
        self.sources: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.iterdir():  # by a process that was killed
            left.unlink()
        # Official rows, those drawn, and some train rows to look at.
        self._pools = {name: KeptRows(most, budget.kept) for name, most in _MOST_ROWS.items()}
        self._pools[SAMPLE] = KeptRows(_MOST_OF_SAMPLE, budget.kept // 8)
        self._pools[TEST] = KeptRows(2**62, 4 * budget.kept)  # what is more is an error
        self._cells = LabelCells("the data")
        # By label code: of all rows, and of the train rows.
        self._counts_of_all, self._counts, self._weights = _CodeSums(), _CodeSums(), _CodeSums()
        self._digest = hashlib.sha256()
        self._buffer: list[pl.DataFrame] = []
        self._buffered = self._n_parts = self._n_rows = self._n_train = 0
        self._text_bytes = self._read_bytes = 0
        self._dropped: dict[str, dict[str, Any]] = {}
        self._hashes = HashFile(folder / HASHES)

    def add(self, rows: pl.DataFrame, n_bytes: int) -> None:
        """Take rows, which are ``n_bytes`` with all columns, see `SourceReader`."""
        self._read_bytes += n_bytes
        self._check_fits()
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
        self._counts_of_all.add(codes, np.ones(len(codes)))
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
        return self._leave_out(rows, why)

    def _leave_out(self, rows: pl.DataFrame, why: pl.Series) -> pl.DataFrame:
        """Count the rows with a reason to leave them out; return the others."""
        for reason, n in why.drop_nulls().value_counts(sort=True).iter_rows():
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
                f"The test rows and their probabilities are too much for `--memory`, {self._pools[TEST].n_rows:,} "
                "would fit: give fewer, and evaluate the model on all of them with `tagline evaluate`."
            )
        pool = rows.with_columns(chance=chances(rows["hash"].to_numpy(), self.seed, _SAMPLE))
        self._pools[SAMPLE].add(pool)
        self._n_train += rows.height
        codes = rows["code"].to_numpy()
        self._counts.add(codes, np.ones(len(codes)))
        self._weights.add(codes, rows["weight"].fill_null(1.0).to_numpy())
        learned = rows.filter(pl.col("weight") > 0) if self.options.weight else rows
        self._hashes.append(learned["hash"].to_numpy())
        n_bytes = int(learned["text"].str.len_bytes().sum())
        self._buffer.append(learned.select("text", "code", "weight"))
        self._buffered += n_bytes
        self._text_bytes += n_bytes
        if self._buffered >= self.budget.part:
            self._flush()

    def _check_fits(self, n_outputs: int = 0) -> None:
        if self.fits and not self.budget.fits(self._text_bytes, self._read_bytes, n_outputs):
            self.fits = False
            self._exceeded()

    def _flush(self) -> None:
        if self._buffer:
            frame = pl.concat(self._buffer)
            frame.write_ipc(part_file(self.folder, self._n_parts), compression="lz4")
            self._n_parts += 1
            self._buffer, self._buffered = [], 0

    def finish(self) -> None:
        """Write what is kept in memory, and the state that ends the stage."""
        cells = self._cells.frame()
        n_classes = self._n_classes(cells)
        kept: dict[str, pl.DataFrame] = {}
        for pool in self._pools.values():
            pool.limit(self.budget.held_out(n_classes))
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
        if self.options.group:
            self._leave_out_copies(kept, [name for name in (VALIDATION, TEST) if name not in official])
        if self._pools[SAMPLE].n_rows:
            kept[SAMPLE] = self._pools[SAMPLE].finish()[0]
        for name, rows in kept.items():
            rows.drop("chance").write_ipc(self.folder / f"{name}.arrow", compression="lz4")
        cells.write_ipc(self.folder / CELLS, compression="lz4")
        self._check_fits(n_classes if n_classes <= MOST_DENSE_CLASSES else 0)  # others are learned by a label tree
        state = {
            "sources": self.sources,
            "official": official,
            "dropped": self._dropped,
            "counts": self._counts.of(cells.height).astype(np.int64).tolist(),
            "counts_of_all": self._counts_of_all.of(cells.height).astype(np.int64).tolist(),
            "weights": self._weights.of(cells.height).tolist(),
            "n_train": self._n_train,
            "n_parts": self._n_parts,
            "text_bytes": self._text_bytes,
            "digest": self._digest.hexdigest(),
            "fits": self.fits,
        }
        write_json(self.folder / STATE, state)

    def _n_classes(self, cells: pl.DataFrame) -> int:
        if cells.is_empty():
            return 1
        main = self.sources[0]
        counts = self._counts_of_all.of(cells.height).astype(np.int64)
        labels = labels_of(cells, counts, main["columns"]["label"], main["source"], self.options.labels)
        return max(1, len(sorted_classes(labels.values)))

    def _leave_out_copies(self, kept: dict[str, pl.DataFrame], drawn: Sequence[str]) -> None:
        """Leave out drawn rows whose text rows of other groups have too, which train or validate the model."""
        validation = np.zeros(0, dtype=np.uint64)
        for name in (VALIDATION, TEST):
            if name in kept:
                hashes = kept[name]["hash"].to_numpy()
                if name in drawn:
                    copied = pl.Series(self._hashes.has(hashes) | np.isin(hashes, validation))
                    why = pl.select(pl.when(copied).then(pl.lit(_COPIED))).to_series()
                    kept[name] = self._leave_out(kept[name], why)
                validation = hashes


def part_file(folder: Path, number: int) -> Path:
    """Return the file of a part of the train rows: ``text``, ``code`` and ``weight``."""
    return folder / f"texts-{number:06}.arrow"
