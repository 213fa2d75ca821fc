"""Labelled rows part by part, so that data larger than memory can be read: files, URLs, globs and folders of tables."""

import glob
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tagline.data.annotation_tools import read_export
from tagline.data.builtin.catalog import BUILT_IN
from tagline.data.columns import with_nested
from tagline.data.formats.base import LINE, REASON
from tagline.data.reading import FileLayout, ReadLog
from tagline.data.rows import Rows
from tagline.data.sources.files import is_readable, new_source, open_source, parts_of, stem
from tagline.data.sources.folders import is_glob, split_of
from tagline.data.streams import STDIN, display_name
from tagline.data.streams.urls import files_at, is_url, url_path
from tagline.errors import DataError


@dataclass(frozen=True)
class StreamedFiles:
    """Files that are read one after the other, each with the split that its name says, if any does."""

    name: str
    source: str
    files: tuple[tuple[str | None, str], ...]


@dataclass(frozen=True, eq=False)
class RowsPart:
    """Some rows of a file, their lines, UInt32 (n_rows,), from 1, and why they cannot be read, String (n_rows,)."""

    rows: Rows
    lines: pl.Series
    reasons: pl.Series


def streamed_files(data: Any) -> StreamedFiles:
    """Return the files of a path, a URL, a glob or a folder.

    Raises:
        DataError: there are none, or the data is none of these, so that it is not read part by part.

    """
    if not isinstance(data, str | Path) or str(data) == STDIN or data in BUILT_IN or _is_pipe(data):
        raise DataError(
            "`--memory` and `--engine ray` read files part by part: give a file, a folder of tables, a glob or a URL."
        )
    name = str(data)
    if is_url(name):
        found = files_at(name)
        files = [name] if found is None else [each for each in found if is_readable(url_path(each))]
        named = [(split_of(url_path(each).name), each) for each in files]
        return _chosen(url_path(name).stem, display_name(name), named)
    if Path(name).is_dir():
        folder = Path(name).resolve()
        paths = sorted(path for path in Path(name).iterdir() if path.is_file() and is_readable(path))
        return _chosen(folder.name, name, [(split_of(path.name), str(path)) for path in paths])
    if is_glob(name):
        found = sorted(path for path in glob.glob(name, recursive=True) if Path(path).is_file())  # noqa: PTH207  # Path.glob takes no absolute one
        return _chosen(name, name, [(None, path) for path in found])
    return StreamedFiles(stem(Path(name).name), name, ((None, name),))


def _is_pipe(name: str | Path) -> bool:
    return not is_url(name) and Path(name).is_fifo()


def _chosen(name: str, source: str, files: Sequence[tuple[str | None, str]]) -> StreamedFiles:
    """Return files, and their splits if one of them is for training."""
    if not files:
        raise DataError(f"`{source}` has no file of rows that can be read part by part.")
    if any(split == "train" for split, _ in files):
        return StreamedFiles(name, source, tuple((split, file) for split, file in files if split is not None))
    return StreamedFiles(name, source, tuple((None, file) for _, file in files))


def read_parts(
    path: str, *, block_bytes: int, batch_rows: int, expected: Sequence[str], layout: FileLayout, log: ReadLog
) -> Iterator[RowsPart]:
    """Read a file in blocks of bytes, and parts of at most ``batch_rows`` rows.

    Excel files and JSON documents are read whole. A row that cannot be read is an empty row with a reason, and is added
    to ``log`` with its line.
    """
    source = replace(new_source(path, expected), layout=layout, block_bytes=block_bytes, batch_rows=batch_rows, log=log)
    n_before, done = 0, 0  # rows before the frame at hand, and those of it that have been read
    lines: pl.Series | None = None
    with ExitStack() as opened:
        format_, source = open_source(source, opened)
        for part in parts_of(format_.read(source), batch_rows):
            if log.part_lines is not lines:
                n_before, done, lines = n_before + done, 0, log.part_lines
            numbers = None if lines is None else lines.slice(done, part.height)
            if numbers is None or len(numbers) != part.height:  # of Parquet, Excel and JSON documents the row
                numbers = pl.arange(n_before + done + 1, n_before + done + part.height + 1, eager=True, dtype=pl.UInt32)
            done += part.height
            frame = part.drop(LINE, REASON, strict=False)
            rows = read_export(format_.finish(Rows(frame, stem(Path(source.name).name), source.name)), expected)
            nothing = pl.repeat(None, part.height, dtype=pl.String, eager=True)
            reasons = part[REASON] if REASON in part.columns else nothing
            yield RowsPart(replace(rows, frame=with_nested(rows.frame, expected)), numbers, reasons)
