"""Compressed files of each kind; ZIP archives hold one file."""

import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tagline.data.sources.files import read_file, read_texts
from tagline.data.streams import compression
from tagline.errors import DataError

ROWS = [(f"text {i}", "ab"[i % 2]) for i in range(500)]
DATA = ("text,label\n" + "".join(f"{text},{label}\n" for text, label in ROWS)).encode()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lambda data: lzma.compress(data, preset=0),  # the default takes ten times as long
    ".zst": zstandard.compress,
    ".zip": lambda data: zipped({"folder/data.csv": data, "__MACOSX/folder/._data.csv": b"x", ".DS_Store": b"y"}),
}


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("name", ["data.csv{}", "data{}", "data"])
def test_compressed_files_are_read(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / name.format(suffix)
    path.write_bytes(COMPRESS[suffix](DATA))
    assert read_file(path).frame.rows() == ROWS
    assert read_file(path).name == "data"
    assert [text for batch in read_texts(path) for text in batch.texts] == [text for text, _ in ROWS]


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_cut_file_is_damaged(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data.csv{suffix}"
    data = COMPRESS[suffix](DATA * 20)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_file(path)


def test_the_member_of_an_archive_has_its_own_format(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"rows.jsonl": b'{"text": "good", "label": "pos"}\n{"text": "bad", "label": "neg"}\n'}))
    assert read_file(path).frame.rows() == [("good", "pos"), ("bad", "neg")]


def test_archives_of_several_files_or_none_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(zipped({"a.csv": DATA, "b.csv": DATA}))
    with pytest.raises(DataError, match=r"holds 2 files \(`a.csv`, `b.csv`\): extract"):
        read_file(path)
    path.write_bytes(zipped({"folder/": b"", ".hidden": b""}))
    with pytest.raises(DataError, match="holds no file"):
        read_file(path)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_the_name_says_whether_a_file_is_compressed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(COMPRESS[suffix](DATA))
    with pytest.raises(DataError, match=rf"its name does not say so: add `\{suffix}`"):
        read_file(path)
    named = tmp_path / f"data.csv{suffix}"
    named.write_bytes(DATA)  # as a browser saves it
    assert read_file(named).frame.rows() == ROWS


@pytest.mark.parametrize("start", [b"x^2", b"x\x01", b"BZh", b"BZh9", b"PK", b"PAR1", b"\x78\x5e is", b"(\x7f/"])
def test_text_may_begin_like_a_compressed_stream(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\n" + start + b" + 3x,maths\n" + DATA.split(b"\n", 1)[1])
    assert read_file(path).frame.rows() == [(f"{start.decode()} + 3x", "maths"), *ROWS]
    path.write_bytes(start + b" + 3x,maths\n" + DATA)
    assert read_file(path).frame.height >= len(ROWS)


def test_compressed_bytes_below_a_header_are_not_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"text\n" + zlib.compress(b"row\n" * 100_000))
    assert read_file(path).frame.height < 10


@pytest.mark.parametrize("suffix", COMPRESS)
def test_a_small_file_that_holds_much_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"data.csv{suffix}"
    path.write_bytes(COMPRESS[suffix](DATA + b"\0" * 20_000_000))
    monkeypatch.setattr(compression, "UNBOUNDED", 4_000_000)
    with pytest.raises(DataError, match="holds more than 200 times its size"):
        read_file(path)
    path.write_bytes(COMPRESS[suffix](b"text,label\n" + os.urandom(3_000_000).hex().encode()))
    assert read_file(path).frame.height == 0


def test_what_an_archive_holds_beside_its_data_is_left_out(tmp_path: Path) -> None:
    rows = b"text,label\nx,a\ny,b\n"
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("data.csv", "README.md", "LICENSE", "Thumbs.db"):
            archive.writestr(f"folder/{name}", rows)
    assert read_file(path).frame.rows() == [("x", "a"), ("y", "b")]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.csv.gz", gzip.compress(rows))
    (tmp_path / "a.csv.lzma").write_bytes(lzma.compress(rows, lzma.FORMAT_ALONE))
    (tmp_path / "a.csv.gz.gz").write_bytes(gzip.compress(gzip.compress(rows)))
    for name, kind in (("a.zip", "gzip"), ("a.csv.lzma", "LZMA"), ("a.csv.gz.gz", "gzip")):
        with pytest.raises(DataError, match=rf"{name}` holds compressed data \({kind}\).* extract it"):
            read_file(tmp_path / name)


def test_what_decoders_return_at_once_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.zst"
    block = ((131_072 << 3) | 2).to_bytes(3, "little") + b"a"  # 128 KB of one letter in 4 bytes
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x58" + block * 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="holds more than 200 times its size"):
            read_file(path)
        assert tracemalloc.get_traced_memory()[1] < 800 << 20
    finally:
        tracemalloc.stop()


def test_zstandard_may_begin_with_a_frame_to_skip(tmp_path: Path) -> None:
    path = tmp_path / "data.csv.zst"
    path.write_bytes(b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstandard.compress(DATA))
    assert read_file(path).frame.rows() == ROWS


def test_an_archive_may_claim_another_size_and_has_one_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.zip"
    data = bytearray(zipped({"data.csv": DATA + b"\0" * 8_000_000 + os.urandom(1_300_000).hex().encode()}))
    at = data.index(b"PK\x01\x02") + 20
    data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(data)
    monkeypatch.setattr(compression, "UNBOUNDED", 4_000_000)
    monkeypatch.setattr(compression, "MAX_RATIO", 4)
    with pytest.raises(DataError, match="holds more than"):
        read_file(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("data.csv", DATA)
    with pytest.raises(DataError, match="by a method that cannot be read: extract it"):
        read_file(path)
