"""Bytes of a file or of standard input: decompressed, converted to UTF-8, in blocks of whole lines."""

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from tagline.errors import DataError, MissingExtraError

STDIN = "-"
CHUNK_BYTES = 1 << 20


def display_name(path: str | Path) -> str:
    """Name a source in messages: its path, or ``standard input`` for ``-``."""
    return "standard input" if str(path) == STDIN else str(path)


def open_stream(path: str | Path, opened: ExitStack) -> BinaryIO:
    """Open a file, or standard input for ``-``, decompressing gzip and Zstandard by their first bytes.

    ``opened`` closes the file; standard input stays open. UTF-16 with a byte order mark is converted to UTF-8, and
    the byte order mark of UTF-8 is removed.
    """
    stream: BinaryIO
    if str(path) == STDIN:
        buffered = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer), CHUNK_BYTES)
        opened.callback(buffered.detach)
        stream = buffered
    else:
        stream = Path(path).open("rb", CHUNK_BYTES)  # noqa: SIM115  # `opened` closes it
        opened.callback(stream.close)
    start = _peek(stream)
    if start[:2] == b"\x1f\x8b":
        stream = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=stream)), CHUNK_BYTES)
    elif start == b"\x28\xb5\x2f\xfd":
        stream = io.BufferedReader(_Chunks(_unzstd(stream)), CHUNK_BYTES)
    with _readable(display_name(path)):
        start = _peek(stream)
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.BufferedReader(_Chunks(_utf16_as_utf8(stream)), CHUNK_BYTES)
    if start[:3] == codecs.BOM_UTF8:
        stream.read(3)
    return stream


def _peek(stream: BinaryIO) -> bytes:
    return cast(io.BufferedReader, stream).peek(4)[:4]


def read_start(stream: BinaryIO, size: int, name: str) -> bytes:
    """Read ``size`` bytes, or fewer at the end; a single read of a pipe may return less."""
    parts = []
    with _readable(name):
        while size > 0 and (part := stream.read(size)):
            parts.append(part)
            size -= len(part)
    return b"".join(parts)


def read_blocks(start: bytes, stream: BinaryIO, size: int | None, name: str) -> Iterator[bytes]:
    """Cut ``start`` and the rest of the stream into blocks of whole lines, of ``size`` bytes each; None gives one."""
    if size is None:
        with _readable(name):
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


class _readable:  # noqa: N801  # used as a function is: `with _readable(...)`
    """Raise errors of a damaged compressed file as `DataError`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        damaged = isinstance(error, EOFError | OSError | zlib.error) or type(error).__name__ == "ZstdError"
        if damaged:
            raise DataError(f"`{self._name}` is damaged or cut short and cannot be read: {error}.") from error


class _Chunks(io.RawIOBase):
    """A raw stream of the byte strings of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._ready = memoryview(chunk)
        view = memoryview(buffer)
        n = min(len(view), len(self._ready))
        view[:n] = self._ready[:n]
        self._ready = self._ready[n:]
        return n


class _ZstdDecoder(Protocol):
    """The common interface of `zstandard` and Python 3.14."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes) -> bytes: ...


def _zstd_decoder() -> _ZstdDecoder:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor

        return cast(_ZstdDecoder, ZstdDecompressor())
    try:
        from zstandard import ZstdDecompressor
    except ImportError:
        raise MissingExtraError("Reading `.zst`", "zst") from None
    return cast(_ZstdDecoder, ZstdDecompressor().decompressobj())


def _unzstd(stream: BinaryIO) -> Iterator[bytes]:
    decoder = _zstd_decoder()
    started = False
    while part := stream.read(CHUNK_BYTES):
        while part:
            if decoder.eof:
                decoder = _zstd_decoder()
            yield decoder.decompress(part)
            started = True
            part = decoder.unused_data if decoder.eof else b""
    if started and not decoder.eof:
        raise EOFError("the Zstandard stream ends before its end mark")


def _utf16_as_utf8(stream: BinaryIO) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    while part := stream.read(CHUNK_BYTES):
        yield decoder.decode(part).encode()
    yield decoder.decode(b"", final=True).encode()
