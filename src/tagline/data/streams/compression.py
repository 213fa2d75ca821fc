"""Compressed files: gzip, bzip2, xz, Zstandard, and ZIP archives of one file, recognised by their first bytes."""

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol, cast

from tagline.data.streams.chunks import CHUNK_BYTES, chunks_of, peek, stream_of
from tagline.data.wording import listed
from tagline.errors import DataError, MissingExtraError


@dataclass(frozen=True)
class Compression:
    """How one kind of compressed file is recognised and decompressed."""

    suffix: str
    magic: bytes
    open: Callable[[BinaryIO], BinaryIO]


def decompress(stream: BinaryIO, name: str) -> tuple[BinaryIO, str | None]:
    """Return a stream of the decompressed bytes, and the name of the file inside a ZIP archive."""
    start = peek(stream)
    if start.startswith(_ZIP_MAGIC):
        return _open_zip(stream, name)
    for compression in _COMPRESSIONS:
        if start.startswith(compression.magic):
            return compression.open(stream), None
    return stream, None


def _buffered(stream: object) -> BinaryIO:
    return io.BufferedReader(cast(io.RawIOBase, stream), CHUNK_BYTES)


def _open_zip(stream: BinaryIO, name: str) -> tuple[BinaryIO, str]:
    with readable(name):
        archive = zipfile.ZipFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
        if len(members) != 1:
            names = [member.filename for member in members]
            held = f"holds {len(names):,} files ({listed(names)})" if names else "holds no file"
            raise DataError(f"`{name}` {held}: extract the one to read, or put just one file into the archive.")
        if members[0].flag_bits & 1:
            raise DataError(f"`{name}` is encrypted: extract it with its password.")
        return _buffered(archive.open(members[0])), members[0].filename


def _is_hidden(path: str) -> bool:
    """Say whether an archived file is one that macOS or a file manager adds."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(path).parts)


class readable:  # noqa: N801  # used as a function is: `with readable(...)`
    """Raise errors of a damaged compressed file as `DataError`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        damaged = isinstance(error, _DAMAGED) or type(error).__name__ == "ZstdError"
        if damaged:
            raise DataError(f"`{self._name}` is damaged or cut short and cannot be read: {error}.") from error


_DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)


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
    for part in chunks_of(stream):
        while part:
            if decoder.eof:
                decoder = _zstd_decoder()
            yield decoder.decompress(part)
            started = True
            part = decoder.unused_data if decoder.eof else b""
    if started and not decoder.eof:
        raise EOFError("the Zstandard stream ends before its end mark")


_ZIP_MAGIC = b"PK\x03\x04"
_COMPRESSIONS = (
    Compression(".gz", b"\x1f\x8b", lambda stream: _buffered(gzip.GzipFile(fileobj=stream))),
    Compression(".bz2", b"BZh", lambda stream: _buffered(bz2.BZ2File(stream))),
    Compression(".xz", b"\xfd7zXZ\x00", lambda stream: _buffered(lzma.LZMAFile(stream))),  # noqa: SIM115  # closed with the file
    Compression(".zst", b"\x28\xb5\x2f\xfd", lambda stream: stream_of(_unzstd(stream))),
)
#: Suffixes of compressed files, lower-case.
SUFFIXES = (*(compression.suffix for compression in _COMPRESSIONS), ".zip")
