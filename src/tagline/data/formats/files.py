"""One file, or standard input, as a frame of rows or as a stream of frames.

Training reads a file whole, prediction in blocks; both go through the same parsers, so that they agree on
every row.

========================  =================================================================
``.csv`` ``.tsv``         all cells are strings; see `tagline.data.formats.delimited`
``.jsonl`` ``.ndjson``    one object a line; ``.json``: the same, or one array of objects
``.parquet``              typed columns
``.xlsx``                 the first sheet; extra ``xlsx``
``.txt`` and others       fastText's ``__label__x text`` if a word of the first line begins so;
                          else CSV if it is a header with a known name, JSON Lines if it
                          begins with ``{``; else fastText's if a later line has a label (it
                          passes over lines without one), and one text a line otherwise
``.gz`` ``.zst`` on top   of all that is text; extra ``zst`` before Python 3.14
========================  =================================================================

Text is UTF-8, with or without a byte order mark, or UTF-16 with one.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from tagline.data.columns import HEADER_NAMES, find_text_columns, join_texts, listed
from tagline.data.formats.delimited import SAMPLE_BYTES, read_delimited, sniff_dialect
from tagline.data.formats.lines import (
    LINE,
    has_fasttext_label,
    read_fasttext,
    read_json_array,
    read_json_lines,
    read_text_lines,
)
from tagline.data.formats.streams import STDIN, display_name, open_stream, read_blocks, read_start
from tagline.data.rows import Rejected, Rows, concat
from tagline.errors import DataError, MissingExtraError

BLOCK_BYTES = 8 << 20
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
}
COMPRESSIONS = (".gz", ".zst")


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of a stream: ``texts`` (String, never null), and ``rows``, all columns of the file.

    ``lines`` are the lines of JSON Lines as they stand (String); None for other files.
    """

    texts: pl.Series
    rows: pl.DataFrame
    lines: pl.Series | None = None


def read_file(path: str | Path, *, expected: Sequence[str] = ()) -> Rows:
    """Read one file, or standard input for ``-``, whole.

    ``expected`` are column names the caller asks for: they count as known names when a header is looked for.
    Raises `DataError` for a file that is missing, empty or of a kind that cannot be read.
    """
    rejected: list[Rejected] = []
    name = display_name(path)
    with ExitStack() as opened:
        kind, frames = _open_frames(path, expected, rejected, opened, block_bytes=None, batch_rows=None)
        frame = concat(frames)
    if not frame.height and not rejected:
        raise DataError(f"`{name}` is empty: it has no rows.")
    if kind == "fasttext":
        labels = frame["label"]
        if labels.list.len().max() == 1:
            frame = frame.with_columns(labels.list.first())
        return Rows(frame, _stem(name), name, tuple(rejected), text="text", label="label")
    notes = []
    if kind in ("csv", "tsv") and frame.columns == [f"column_{i + 1}" for i in range(frame.width)]:
        notes.append(f"`{name}` has no header: its columns are called {listed(frame.columns)}.")
    return Rows(frame, _stem(name), name, tuple(rejected), notes=tuple(notes))


def read_texts(
    path: str | Path,
    *,
    batch_rows: int = 10_000,
    text: str | Sequence[str] | None = None,
    rejected: list[Rejected] | None = None,
) -> Iterator[Batch]:
    """Stream a file, or standard input for ``-``, in batches of at most ``batch_rows`` rows.

    Memory is bounded by the batch and the block of the file it stands in. All columns are kept, in the order
    of the file. ``text`` names the column of the texts to classify, or several that are joined by a newline;
    without it the column is found by the first rows, as for training, but no label is needed. A null text
    becomes the empty string. Rows that cannot be read are appended to ``rejected`` with line and reason as
    the stream comes to them. Raises `DataError` like `read_file`, and for a missing ``text`` column. Excel
    files are read whole.
    """
    wanted = _names(text)
    columns: tuple[str, ...] | None = None
    found = [] if rejected is None else rejected
    with ExitStack() as opened:
        _, frames = _open_frames(path, wanted, found, opened, block_bytes=BLOCK_BYTES, batch_rows=batch_rows)
        for frame in frames:
            for sliced in frame.iter_slices(batch_rows):
                lines = sliced[LINE] if LINE in sliced.columns else None
                rows = sliced.drop(LINE, strict=False)
                if columns is None:
                    columns = find_text_columns(rows, wanted, display_name(path))
                yield Batch(join_texts(rows, columns).fill_null(""), rows, lines)


def _names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _stem(name: str) -> str:
    path = Path(name)
    while path.suffix in COMPRESSIONS or path.suffix in FORMATS or path.suffix == ".txt":
        path = path.with_suffix("")
    return path.name


def _open_frames(
    path: str | Path,
    expected: Sequence[str],
    rejected: list[Rejected],
    opened: ExitStack,
    *,
    block_bytes: int | None,
    batch_rows: int | None,
) -> tuple[str, Iterator[pl.DataFrame]]:
    """Return the format of a file and the frames it holds; ``block_bytes`` None means one block."""
    name = display_name(path)
    if str(path) != STDIN:
        _check_file(Path(path))
    suffix = format_suffix(Path(path)) if str(path) != STDIN else ""
    kind = FORMATS.get(suffix)
    if kind in ("parquet", "xlsx"):
        return kind, _binary_frames(Path(path), kind, batch_rows)
    stream = open_stream(path, opened)
    sample = read_start(stream, SAMPLE_BYTES, name)
    if sample[:4] == b"PAR1":
        return "parquet", iter([_read_parquet(io.BytesIO(sample + stream.read()), name)])
    if not sample.strip():
        raise DataError(f"`{name}` is empty: it has no rows.")
    if sample.count(0) > len(sample) // 10:
        raise DataError(f"`{name}` is not text, or UTF-16 without a byte order mark: save it as UTF-8.")
    known = HEADER_NAMES | {wanted.casefold() for wanted in expected}
    kind = kind or _sniff_kind(sample, known)
    blocks = read_blocks(sample, stream, block_bytes, name)
    if kind == "json" and sample.lstrip()[:1] == b"[":
        return kind, iter([read_json_array(b"".join(blocks), name)])
    if kind in ("json", "jsonl"):
        return kind, read_json_lines(blocks, name, rejected, keep_lines=block_bytes is not None)
    if kind == "fasttext":
        return kind, read_fasttext(blocks, name, rejected)
    if kind == "lines":
        return kind, read_text_lines(blocks, name, rejected)
    whole = len(sample) < SAMPLE_BYTES
    dialect = sniff_dialect(sample, name, known, tabs=kind == "tsv", whole=whole)
    return kind, read_delimited(blocks, dialect, name, rejected)


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise DataError(f"`{path}` is a folder: a file is needed here.")
    if not path.exists():
        raise DataError(f"`{path}` does not exist.")
    if not os.access(path, os.R_OK):
        raise DataError(f"`{path}` may not be read: check its permissions.")
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"`{path}` is empty: it has no rows.")


def format_suffix(path: Path) -> str:
    """Return the suffix that says what a file is, lower-case, looking through ``.gz`` and ``.zst``."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in COMPRESSIONS else suffix


def _sniff_kind(sample: bytes, known: frozenset[str]) -> str:
    first = sample.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace")
    if has_fasttext_label(first.encode()):
        return "fasttext"
    if first.startswith("{"):
        return "jsonl"
    if first.startswith(("[{", "[\r")) or first.strip() == "[":
        return "json"
    for separator in ("\t", ",", ";", "|"):
        if any(cell.strip(' "\r').casefold() in known for cell in first.split(separator)):
            return "tsv" if separator == "\t" else "csv"
    return "fasttext" if has_fasttext_label(sample) else "lines"


def _binary_frames(path: Path, kind: str, batch_rows: int | None) -> Iterator[pl.DataFrame]:
    if kind == "xlsx":
        yield _read_excel(path)
    elif batch_rows is None:
        yield _read_parquet(path, str(path))
    else:
        try:
            yield from pl.scan_parquet(path, glob=False).collect_batches(chunk_size=batch_rows)
        except pl.exceptions.PolarsError as error:
            raise _not_parquet(str(path), error) from error


def _read_parquet(source: Path | BinaryIO, name: str) -> pl.DataFrame:
    try:
        return pl.read_parquet(source, glob=False)
    except pl.exceptions.PolarsError as error:
        raise _not_parquet(name, error) from error


def _not_parquet(name: str, error: Exception) -> DataError:
    return DataError(f"`{name}` is not a whole Parquet file: {str(error).splitlines()[0]}.")


def _read_excel(path: Path) -> pl.DataFrame:
    try:
        import fastexcel  # noqa: F401  # polars reads by it, and says less when it is not there
    except ImportError:
        raise MissingExtraError("Reading `.xlsx`", "xlsx") from None
    try:
        return pl.read_excel(path, engine="calamine", raise_if_empty=False)
    except Exception as error:
        # fastexcel raises exceptions of its own that are no common type.
        raise DataError(f"`{path}` is not a readable Excel file: {str(error).splitlines()[0]}.") from error
