"""Compressed files: gzip, bzip2, xz, Zstandard, and ZIP archives of one file.

The suffix of a file says whether it is compressed: text may begin like a compressed stream. Where there is no suffix,
as for standard input, the first bytes decide. What is decompressed is bounded: a small file may hold terabytes.
"""

import bz2
import gzip
import io
import lzma
import re
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

    name: str
    suffix: str
    magic: re.Pattern[bytes]
    open: Callable[[BinaryIO], BinaryIO]


def decompress(stream: BinaryIO, name: str, suffix: str) -> tuple[BinaryIO, str | None]:
    """Return a stream of the decompressed bytes, and the name of the file inside a ZIP archive.

    ``suffix`` is that of the file; empty if it has none. A file that is not what its suffix says is read as it is:
    browsers decompress while they save.

    Raises:
        DataError: the file is compressed and its name does not say so.

    """
    start = peek(stream)
    is_zip = start.startswith(_ZIP_MAGIC)
    if is_zip and suffix in ("", ".zip"):
        return _open_zip(stream, name)
    found = next((each for each in _COMPRESSIONS if each.magic.match(start)), None)
    if found is not None and suffix in ("", found.suffix):
        read = _Counted()
        return _bounded(found.open(stream_of(read.count(chunks_of(stream)))), lambda: read.n_bytes, name), None
    if found is not None:
        raise _misnamed(name, found.name, f"`{found.suffix}`")
    if is_zip:
        raise _misnamed(name, "ZIP", "`.zip`, or `.xlsx` if Excel wrote it,")
    return stream, None


def _misnamed(name: str, kind: str, suffix: str) -> DataError:
    return DataError(f"`{name}` is compressed ({kind}), but its name does not say so: add {suffix} to its name.")


class _Counted:
    """The number of compressed bytes that were read."""

    def __init__(self) -> None:
        self.n_bytes = 0

    def count(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.n_bytes += len(chunk)
            yield chunk


def _bounded(plain: BinaryIO, n_read: Callable[[], int], name: str) -> BinaryIO:
    """Return the stream; it raises `DataError` where it becomes much larger than the bytes that were read for it."""

    def chunks() -> Iterator[bytes]:
        size = 0
        for chunk in chunks_of(plain):
            size += len(chunk)
            check_decompressed_size(size, n_read(), name)
            yield chunk

    return stream_of(chunks())


def check_decompressed_size(size: int, compressed: int, name: str) -> None:
    """Raise `DataError` for much more data than its compressed form has, see `MAX_RATIO`."""
    if size > MAX_DECOMPRESSED or (size > UNBOUNDED and size > MAX_RATIO * compressed):
        raise DataError(f"`{name}` {_TOO_LARGE}")


def _buffered(stream: object) -> BinaryIO:
    return io.BufferedReader(cast(io.RawIOBase, stream), CHUNK_BYTES)


def _open_zip(stream: BinaryIO, name: str) -> tuple[BinaryIO, str]:
    with readable(name):
        file = stream if stream.seekable() else io.BytesIO(stream.read())
        archive = zipfile.ZipFile(file)
        members = [member for member in archive.infolist() if not member.is_dir() and not _is_hidden(member.filename)]
        if len(members) > 1:
            members = [member for member in members if not _BESIDE_DATA.fullmatch(member.filename)] or members
        if len(members) != 1:
            names = [member.filename for member in members]
            held = f"holds {len(names):,} files ({listed(names)})" if names else "holds no file"
            raise DataError(f"`{name}` {held}: extract the one to read, or put just one file into the archive.")
        if members[0].flag_bits & 1:
            raise DataError(f"`{name}` is encrypted: extract it with its password.")
        member = members[0]
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Python decompresses whatever other methods make of 4 KB at once: up to 5 GB.
            raise DataError(f"`{name}` is compressed by a method that cannot be read: extract it and give that file.")
        # The archive may claim any size of what it holds.
        size = min(member.compress_size, file.seek(0, io.SEEK_END))
        return _bounded(_buffered(archive.open(member)), lambda: size, name), member.filename


def _is_hidden(path: str) -> bool:
    """Say whether an archived file is one that macOS or a file manager adds."""
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(path).parts)


def check_extracted(start: bytes, name: str) -> None:
    """Raise `DataError` for decompressed bytes that are compressed as well, or in a way that cannot be read."""
    found = next((each.name for each in _COMPRESSIONS if each.magic.match(start)), None)
    kind = found or next((kind for magic, kind in _UNREAD.items() if start.startswith(magic)), None)
    if kind is not None:
        raise DataError(f"`{name}` holds compressed data ({kind}) that cannot be read: extract it and give that file.")


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
    for chunk in chunks_of(stream):
        for start in range(0, len(chunk), _ZSTD_BYTES):
            part = chunk[start : start + _ZSTD_BYTES]
            while part:
                if decoder.eof:
                    decoder = _zstd_decoder()
                yield decoder.decompress(part)
                started = True
                part = decoder.unused_data if decoder.eof else b""
    if started and not decoder.eof:
        raise EOFError("the Zstandard stream ends before its end mark")


_UNREAD = {b"\x5d\0\0": "LZMA", b"\x1f\x9d": "compress", b"PK\x03\x04": "ZIP"}
#: What an archive holds beside its data.
_BESIDE_DATA = re.compile(r"(?i)(.*/)?((readme|licen[sc]e|changelog)[^/]*|thumbs\.db|desktop\.ini|[^/]*\.(md|pdf))")
_ZIP_MAGIC = b"PK\x03\x04"
_ZSTD_MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # the second of a frame that is skipped
#: Zstandard decoders return all at once, and 4 bytes may stand for 128 KB: they get so much at a time.
_ZSTD_BYTES = 1 << 10
_COMPRESSIONS = (
    Compression("gzip", ".gz", re.compile(rb"\x1f\x8b"), lambda stream: _buffered(gzip.GzipFile(fileobj=stream))),
    Compression(
        "bzip2", ".bz2", re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), lambda stream: _buffered(bz2.BZ2File(stream))
    ),
    Compression("xz", ".xz", re.compile(rb"\xfd7zXZ\x00"), lambda stream: _buffered(lzma.LZMAFile(stream))),  # noqa: SIM115  # closed with the file
    Compression("Zstandard", ".zst", _ZSTD_MAGIC, lambda stream: stream_of(_unzstd(stream))),
)
#: Suffixes of compressed files, lower-case.
SUFFIXES = (*(compression.suffix for compression in _COMPRESSIONS), ".zip")
#: Text becomes a tenth of its size, that of copies a fiftieth. Smaller results than `UNBOUNDED` do no harm.
MAX_RATIO = 200
UNBOUNDED = 256 << 20
MAX_DECOMPRESSED = 100 << 30
_TOO_LARGE = (
    f"holds more than {MAX_RATIO} times its size, or more than {MAX_DECOMPRESSED >> 30} GB: if you trust it, "
    "extract it and give the extracted file."
)
