"""Bytes of a file or of standard input: decompressed, converted to UTF-8, in blocks of whole lines."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from tagline.data.streams.chunks import CHUNK_BYTES, peek
from tagline.data.streams.compression import decompress, readable
from tagline.data.streams.encodings import to_utf8
from tagline.data.streams.urls import is_url, open_url, public_url, url_path
from tagline.errors import as_unicode

__all__ = [
    "STDIN",
    "Opened",
    "display_name",
    "let_interrupts_end_waits",
    "open_stream",
    "read_blocks",
    "read_start",
    "to_utf8",
]

STDIN = "-"


@dataclass(frozen=True, eq=False)
class Opened:
    """A decompressed stream of bytes.

    ``member`` is the name of the file inside a ZIP archive. ``share_read`` returns the share of the file that has been
    read, from 0 to 1; None if its size is not known.
    """

    stream: BinaryIO
    member: str | None = None
    share_read: Callable[[], float] | None = None


def display_name(path: str | Path) -> str:
    """Name a source in messages and tables: its path, with U+FFFD for bytes that are not UTF-8, or standard input.

    A URL is named without its password and query.
    """
    if is_url(path):
        return public_url(str(path))
    return "standard input" if str(path) == STDIN else as_unicode(path)


def open_stream(path: str | Path, opened: ExitStack) -> Opened:
    """Open a file, a URL, or standard input for ``-``, decompressed; ``opened`` closes the file."""
    let_interrupts_end_waits()
    stream: BinaryIO
    share_read = None
    if str(path) == STDIN:
        buffered = BufferedReader(cast(RawIOBase, sys.stdin.buffer), CHUNK_BYTES)
        opened.callback(buffered.detach)
        stream, suffix = buffered, ""
    elif is_url(path):
        stream, suffix = open_url(str(path), opened), url_path(str(path)).suffix.lower()
    else:
        stream = Path(path).open("rb", CHUNK_BYTES)  # noqa: SIM115  # `opened` closes it
        opened.callback(stream.close)
        if Path(path).is_file():
            share_read = partial(_share_read, stream, Path(path).stat().st_size)
        suffix = "" if Path(path).is_fifo() else Path(path).suffix.lower()  # what comes through a pipe decides
    name = display_name(path)
    plain, member = decompress(stream, name, suffix)
    with readable(name):
        peek(plain)
    return Opened(plain, member, share_read)


def _share_read(stream: BinaryIO, size: int) -> float:
    # `stream.tell` is not safe while another thread reads: it sets the position from which the stream seeks.
    try:
        return min(1.0, os.lseek(stream.fileno(), 0, os.SEEK_CUR) / max(1, size))
    except (ValueError, OSError):  # closed
        return 1.0


def let_interrupts_end_waits() -> None:
    """Make Ctrl-C end a read that waits for data, or the wait for a thread, as Python does.

    polars installs a handler of its own when it is imported, with which the system restarts both.
    """
    if os.name == "posix":
        signal.siginterrupt(signal.SIGINT, True)


def read_start(stream: BinaryIO, size: int, name: str) -> bytes:
    """Read ``size`` bytes, or fewer at the end; a single read of a pipe may return less."""
    parts = []
    with readable(name):
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def read_blocks(start: bytes, stream: BinaryIO, size: int | None, name: str) -> Iterator[bytes]:
    """Cut ``start`` and the rest of the stream into blocks of whole lines, of ``size`` bytes each; None gives one."""
    if size is None:
        with readable(name):
            rest = stream.read()
        yield start + rest if rest else start
        return
    carry = [start]
    while part := read_start(stream, size, name):
        end = part.rfind(b"\n") + 1
        if end:
            yield b"".join([*carry, part[:end]])
            carry = [part[end:]]
        else:
            carry.append(part)
    if last := b"".join(carry):
        yield last
