"""`Format`, how one kind of file is read, and `Source`, the file that it reads."""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polars as pl

from tagline.data.reading import DETECT, FileLayout, ReadLog
from tagline.data.rows import EXCERPT_CHARS, Rejected, Rows
from tagline.data.streams import read_blocks
from tagline.data.streams.encodings import encoding_note
from tagline.errors import DataError

#: Columns of a streamed file beside its own: the unchanged line of JSON Lines, and why a row cannot be read.
LINE, REASON = "\0line", "\0reason"


@dataclass(frozen=True, eq=False)
class Source:
    """A file, a URL or standard input, that a format reads.

    ``name`` is for messages. Of ``path`` and ``url`` one is None, of standard input both. Text comes decompressed from
    ``stream`` after ``sample``, its first bytes, which are all of it if ``sample_is_whole``. ``header_names`` are
    lower-case column names that make the first line of a file a header. ``layout`` is what the user says of the file;
    what the reader finds is added to ``log``. Frames hold about ``block_bytes`` bytes or ``batch_rows`` rows of the
    file; None for both reads it at once. A streamed file keeps rows that cannot be read, empty and with a `REASON`.
    """

    name: str
    path: Path | None
    stream: BinaryIO | None = None
    sample: bytes = b""
    sample_is_whole: bool = True
    header_names: frozenset[str] = frozenset()
    layout: FileLayout = DETECT
    log: ReadLog = field(default_factory=ReadLog)
    block_bytes: int | None = None
    batch_rows: int | None = None
    url: str | None = None

    @property
    def streamed(self) -> bool:
        """Whether the file is read part by part."""
        return self.block_bytes is not None

    def reject(self, line: int, reason: str, beginning: str, remedy: str = "") -> None:
        """Record a row that cannot be read; ``line`` counts from 1."""
        self.log.rejected.append(Rejected(self.name, line, reason, beginning, remedy))

    def number_rows(self, lines: pl.Series) -> None:
        """Record the lines, from 1, of the rows of the next frame, (n_rows,); a streamed file keeps no others."""
        if self.streamed:
            self.log.part_lines = lines.cast(pl.UInt32)
            if self.log.first_line is None and len(lines):
                self.log.first_line = int(lines[0])
        else:
            self.log.lines.append(lines.cast(pl.UInt32))

    def check_names(self, names: Iterable[str]) -> None:
        """Raise `DataError` for the name of a column that begins with NUL: only those of tagline itself do."""
        for name in names:
            if name.startswith("\0"):
                raise DataError(f"`{self.name}` has a column whose name begins with NUL, {name[:20]!r}: rename it.")

    def announce_encoding(self, encoding: str, in_part: bool) -> None:
        """Note that the file, or a part of it, is not UTF-8."""
        self.log.encoding = encoding
        self.log.notes.append(encoding_note(f"`{self.name}`", encoding, in_part=in_part))

    def blocks(self) -> Iterator[bytes]:
        """Return the text in blocks of whole lines."""
        return read_blocks(self.sample, self.stream or io.BytesIO(), self.block_bytes, self.name)

    def binary(self) -> Path | BinaryIO:
        """Return the file, or all bytes of the stream where it has been opened already."""
        if self.path is not None and self.stream is None:
            return self.path
        return io.BytesIO(self.sample + (self.stream.read() if self.stream else b""))


def _never(source: Source) -> int:
    return 0


def _unchanged(rows: Rows) -> Rows:
    return rows


@dataclass(frozen=True)
class Format:
    """How one kind of file is recognised and read.

    ``suffixes`` are lower-case and decide the format. Of files with another suffix, ``magic`` recognises a binary
    file, and ``sniff(source)`` returns how well text fits, from 0 (not at all) to 100; the best format
    reads it. ``read`` returns frames of the columns of the file. ``binary`` files are opened by their path.
    ``requires`` is a package that ``read`` needs, and ``extra`` the extra of tagline that installs it. ``finish``
    adds to the rows of a whole file what the format knows about them, such as the label column.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[[Source], Iterator[pl.DataFrame]]
    sniff: Callable[[Source], int] = _never
    magic: bytes = b""
    binary: bool = False
    requires: str = ""
    extra: str = ""
    finish: Callable[[Rows], Rows] = _unchanged


def first_line(sample: bytes) -> str:
    """Return the first line that is not blank."""
    return sample.lstrip().split(b"\n", 1)[0].decode("utf-8", "replace")


def split_lines(block: bytes) -> list[bytes]:
    """Split at LF only, without an empty line after the last."""
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return lines


def excerpt(line: bytes) -> str:
    """Return the beginning of a row that cannot be read."""
    return line[: 4 * EXCERPT_CHARS].decode("utf-8", "replace")[:EXCERPT_CHARS]


def not_utf8(raw: bytes, error: UnicodeDecodeError) -> str:
    """Say which byte of a row is not UTF-8, and what to do."""
    return (
        f"byte 0x{raw[error.start]:02X} at position {error.start + 1} of the row is not UTF-8 "
        "(name the encoding of the file with `--encoding`, or save it as UTF-8)"
    )
