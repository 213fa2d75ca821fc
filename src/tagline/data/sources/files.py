"""One file, a URL, or standard input, as a frame of rows or as a stream of frames.

Training reads a file whole, prediction in blocks; both use the same readers and so agree on every row. The
suffix decides the format, else the first bytes do: see `tagline.data.formats`. Text may be compressed, and in any
encoding: see `tagline.data.streams`.
"""

import os
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePath

import polars as pl

from tagline.data.annotation_tools import read_export
from tagline.data.columns import HEADER_NAMES, find_text_columns, join_texts, with_nested
from tagline.data.formats import FORMATS, SUFFIXES, Format, Source
from tagline.data.formats.base import LINE, REASON
from tagline.data.frames import concat
from tagline.data.options import column_names
from tagline.data.reading import DETECT, FileLayout, ReadLog
from tagline.data.rows import Rows, places
from tagline.data.streams import STDIN, display_name, open_stream, read_start, to_utf8
from tagline.data.streams.chunks import peek
from tagline.data.streams.compression import SUFFIXES as COMPRESSIONS
from tagline.data.streams.compression import check_extracted
from tagline.data.streams.encodings import marked_encoding
from tagline.data.streams.urls import download, is_url, url_path
from tagline.data.wording import listed
from tagline.errors import DataError, MissingExtraError

SAMPLE_BYTES = 1 << 20
BLOCK_BYTES = 8 << 20
_WEB_PAGE = re.compile(rb"(?i)\s*<(!doctype )?html\b")
#: A suffix of text in any format.
TEXT_SUFFIX = ".txt"


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a stream: ``texts`` (String, never null) of the columns ``text``, and ``rows``, all columns of the file.

    ``lines`` are the unchanged lines of JSON Lines (String); None for other files. ``reasons`` says why a row cannot be
    read (String); such a row is empty. Null for other rows.
    """

    texts: pl.Series
    rows: pl.DataFrame
    text: tuple[str, ...]
    lines: pl.Series | None
    reasons: pl.Series

    def __len__(self) -> int:
        return len(self.texts)

    def rows_from(self, start: int, n_rows: int) -> "Batch":
        """Return ``n_rows`` rows from ``start`` on, or as many as there are."""
        lines = None if self.lines is None else self.lines.slice(start, n_rows)
        rows, reasons = self.rows.slice(start, n_rows), self.reasons.slice(start, n_rows)
        return Batch(self.texts.slice(start, n_rows), rows, self.text, lines, reasons)


def read_file(path: str | Path, *, expected: Sequence[str] = (), layout: FileLayout = DETECT) -> Rows:
    """Read one file, a URL, or standard input for ``-``, whole.

    ``expected`` are column names that the caller requests: they count as known names of a header. Raises
    `DataError` for a file that is missing, empty or unreadable.
    """
    source = replace(new_source(path, expected), layout=layout)
    with ExitStack() as opened:
        format_, source = open_source(source, opened)
        frame = concat(format_.read(source))
    log = source.log
    if not frame.height and not log.rejected:
        raise DataError(f"`{source.name}` is empty: it has no rows.")
    lines = pl.concat(log.lines) if log.lines else pl.arange(1, frame.height + 1, eager=True)
    name = source.name if source.url is None else url_path(source.url).name or source.name
    rows = Rows(frame, stem(name), source.name, tuple(log.rejected), notes=tuple(log.notes), encoding=log.encoding)
    return format_.finish(replace(rows, place=places(source.name, lines)))


def read_texts(
    path: str | Path,
    *,
    batch_rows: int = 10_000,
    text: str | Sequence[str] | None = None,
    preferred: Sequence[str] = (),
    layout: FileLayout = DETECT,
    log: ReadLog | None = None,
) -> Iterator[Batch]:
    """Stream a file, a URL, or standard input for ``-``, in batches of at most ``batch_rows`` rows.

    Memory is bounded by the batch and a block of the file; Excel files and JSON documents are read whole. All columns
    are kept, in the order of the file. ``text`` names the column of the texts to classify, or several that are
    joined by a newline; without it the columns ``preferred`` are taken if the file has them, and otherwise the column
    is found from the first rows, as for training, but no label is needed. A null text becomes the empty string. A row
    that cannot be read is an empty row with a reason, and is added to ``log`` with its line. Raises `DataError` like
    `read_file`, and for a missing ``text`` column.
    """
    wanted = column_names(text)
    source = replace(
        new_source(path, (*wanted, *preferred)), layout=layout, block_bytes=BLOCK_BYTES, batch_rows=batch_rows
    )
    if log is not None:
        source = replace(source, log=log)
    columns: tuple[str, ...] | None = None
    with ExitStack() as opened:
        format_, source = open_source(source, opened)
        for part in parts_of(format_.read(source), batch_rows):
            rows = part.drop(LINE, REASON, strict=False)
            requested = wanted or preferred
            read = read_export(Rows(rows, "", source.name), requested)
            read = replace(read, frame=with_nested(read.frame, requested))
            if columns is None:
                known = tuple(preferred) if set(preferred) <= set(read.frame.columns) else ()
                known = wanted or known or ((read.text,) if read.text else ())
                columns = find_text_columns(read.frame, known, source.name)
            lines = part[LINE] if LINE in part.columns else None
            nothing = pl.repeat(None, part.height, dtype=pl.String, eager=True)
            reasons = part[REASON] if REASON in part.columns else nothing
            texts = join_texts(_with_columns(read.frame, columns), columns, source.name).fill_null("")
            yield Batch(texts, rows, columns, lines, reasons)


def _with_columns(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Add the columns, of nulls, that a later part of JSON lacks."""
    missing = [name for name in names if name not in frame.columns]
    return frame.with_columns(pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias(n) for n in missing)


def parts_of(frames: Iterator[pl.DataFrame], batch_rows: int) -> Iterator[pl.DataFrame]:
    """Cut frames into parts; a file of no rows has one without rows, which shows its columns."""
    n_rows, frame = 0, pl.DataFrame()
    for frame in frames:
        n_rows += frame.height
        yield from frame.iter_slices(batch_rows)
    if not n_rows and frame.width:
        yield frame


def is_readable(path: PurePath) -> bool:
    """Say whether the suffix of a file is that of a readable format."""
    return format_suffix(path) in SUFFIXES


def format_suffix(path: PurePath) -> str:
    """Return the suffix that names the format of a file, lower-case, without that of a compression."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSIONS else suffix


def stem(name: str) -> str:
    """Return the name of a file without the suffixes of its format and compression."""
    path = Path(name)
    while path.suffix in COMPRESSIONS or path.suffix in SUFFIXES or path.suffix == TEXT_SUFFIX:
        path = path.with_suffix("")
    return path.name


def new_source(path: str | Path, expected: Sequence[str]) -> Source:
    """Return a file to read; ``expected`` are names of columns that the caller requests."""
    header_names = HEADER_NAMES | {name.casefold() for name in expected}
    if str(path) == STDIN:
        return Source(display_name(path), None, header_names=header_names)
    if is_url(path):
        return Source(display_name(path), None, header_names=header_names, url=str(path))
    _check_file(Path(path))
    return Source(display_name(path), Path(path), header_names=header_names)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"`{path}` is a folder: a file is needed here.")
    if not path.exists():
        raise DataError(f"`{path}` does not exist.")
    if not (path.is_file() or path.is_fifo()):
        raise DataError(f"`{path}` is a device or a socket: a file is needed here.")
    if not os.access(path, os.R_OK):
        raise DataError(f"`{path}` cannot be opened: check its permissions.")
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"`{path}` is empty: it has no rows.")


def open_source(source: Source, opened: ExitStack) -> tuple[Format, Source]:
    """Return the format of a file, and the file opened with its first bytes; ``opened`` closes it."""
    path = source.path if source.url is None else url_path(source.url)
    suffix = format_suffix(path) if path is not None else ""
    named = SUFFIXES.get(suffix)
    is_pipe = source.path is not None and source.path.is_fifo()
    if is_pipe and named is not None and named.binary and not named.magic:
        raise DataError(f"`{source.name}` is a pipe: Excel files are read from the disk only, so save it there first.")
    if named is not None and named.binary and not is_pipe:
        _check_requirement(named, suffix)
        return named, source if source.url is None else replace(source, path=download(source.url, opened))
    plain = open_stream(source.url or source.path or STDIN, opened)
    source.log.share_read = plain.share_read
    if plain.member is not None:
        suffix = format_suffix(Path(plain.member))
        named = SUFFIXES.get(suffix)
    start = peek(plain.stream)
    for binary in FORMATS.values():
        if (binary is named and binary.binary) or (binary.magic and start.startswith(binary.magic)):
            _check_requirement(binary, binary.suffixes[0])
            return binary, replace(source, stream=plain.stream)
    check_extracted(start, source.name)
    source.log.byte_order_mark = start.startswith(BOM_UTF8)
    source.log.marked_encoding = marked_encoding(start)
    stream = to_utf8(plain.stream, source.layout.encoding, source.announce_encoding)
    sample = read_start(stream, SAMPLE_BYTES, source.name)
    source = replace(source, stream=stream, sample=sample, sample_is_whole=len(sample) < SAMPLE_BYTES)
    if not sample.strip():
        raise DataError(f"`{source.name}` is empty: it has no rows.")
    if source.url is not None and _WEB_PAGE.match(sample):
        raise DataError(f"`{source.name}` is a web page, such as one to sign in, and not a file of data.")
    if sample.count(0) > len(sample) // 10:
        raise DataError(
            f"`{source.name}` is not text that can be read: save it as UTF-8 text. "
            f"Readable suffixes are {listed(SUFFIXES)}."
        )
    return named or max(FORMATS.values(), key=lambda format_: format_.sniff(source)), source


def _check_requirement(format_: Format, suffix: str) -> None:
    if format_.requires and find_spec(format_.requires) is None:
        raise MissingExtraError(f"Reading `{suffix}`", format_.extra)
