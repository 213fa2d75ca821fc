"""Streams made of an iterator of byte strings."""

import io
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

CHUNK_BYTES = 1 << 20


def stream_of(chunks: Iterator[bytes]) -> BinaryIO:
    """Return a buffered stream of the byte strings of an iterator."""
    return io.BufferedReader(_Chunks(chunks), CHUNK_BYTES)


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """Return the bytes of a stream in chunks."""
    while part := stream.read(CHUNK_BYTES):
        yield part


def peek(stream: BinaryIO, size: int = 16) -> bytes:
    """Return the first bytes of a buffered stream without taking them."""
    return cast(io.BufferedReader, stream).peek(size)[:size]


class _Chunks(io.RawIOBase):
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

    def readall(self) -> bytes:
        # The inherited method reads in pieces of 8 kB.
        ready, self._ready = bytes(self._ready), memoryview(b"")
        return b"".join([ready, *self._chunks])
