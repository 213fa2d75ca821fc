"""Compressed files of each kind; ZIP archives hold one file."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tagline.data.sources.files import read_file, read_texts
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
    ".xz": lzma.compress,
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
