"""Folders per class, split folders and files, globs."""

import os
import socket
from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.errors import DataError


def fill(folder: Path, n: int, word: str) -> None:
    folder.mkdir(parents=True)
    for i in range(n):
        (folder / f"{i}_7.txt").write_text(f"{word} {folder} {i}", encoding="utf-8")


def test_a_folder_per_class(tmp_path: Path) -> None:
    fill(tmp_path / "pos", 20, "good")
    fill(tmp_path / "neg", 20, "bad")
    (tmp_path / "README").write_text("not data")
    data = load_dataset(tmp_path)
    assert data.classes == ["neg", "pos"]
    assert data.facts.rows_read == 40
    assert not data.facts.official
    assert load_dataset(str(tmp_path / "*" / "*.txt")).fingerprint == data.fingerprint


def test_a_byte_order_mark_decides_for_its_file(tmp_path: Path) -> None:
    encodings = ("utf-16", "utf-16-le", "utf-8-sig", "utf-8", "cp1252")
    for i in range(20):
        folder = tmp_path / "ab"[i % 2]
        folder.mkdir(exist_ok=True)
        (folder / f"{i}.txt").write_text(f"für März {i}", encoding=encodings[i % 5])
    data = load_dataset(tmp_path)
    texts = {text for part in (data.train, data.validation, data.test) if part for text in part.texts}
    assert texts == {f"für März {i}" for i in range(20)}
    assert any("4 of 20 files" in warning and "Windows-1252" in warning for warning in data.facts.warnings)


def test_the_layout_of_aclimdb(tmp_path: Path) -> None:
    root = tmp_path / "aclImdb"
    for split, n in (("train", 6), ("test", 4)):
        for label in ("pos", "neg"):
            fill(root / split / label, n, label)
    fill(root / "train" / "unsup", 5, "?")
    (root / "imdb.vocab").write_text("the\n")
    (root / "train" / "urls_pos.txt").write_text("http://example.org\n")
    data = load_dataset(root)
    assert data.name == "aclImdb"
    assert data.test is not None
    assert (len(data.train), data.validation, len(data.test)) == (12, None, 8)
    assert data.train.labels.to_list() == ["neg"] * 6 + ["pos"] * 6
    assert sum(data.facts.dropped.values()) == 5


def test_split_files(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": [f"t{i}" for i in range(10)], "label": ["a", "b"] * 5})
    rows.write_csv(tmp_path / "train.csv")
    rows.with_columns(pl.col("text") + "d").write_csv(tmp_path / "dev.csv")
    rows.with_columns(pl.col("text") + "e").write_csv(tmp_path / "test.csv")
    data = load_dataset(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test) if part] == [10, 10, 10]


def test_globs_stack_files(tmp_path: Path) -> None:
    for i in range(3):
        labels = {"label": ["a", "b"]} if i else {"label": [1, 2]}
        pl.DataFrame({"text": [f"t{i}", f"u{i}"]} | labels).write_parquet(tmp_path / f"part-{i}.parquet")
    data = load_dataset(str(tmp_path / "part-*.parquet"))
    assert data.facts.rows_read == 6
    assert data.classes == ["1", "2", "a", "b"]


def test_a_text_that_is_not_utf8_is_decoded_and_said(tmp_path: Path) -> None:
    fill(tmp_path / "pos", 100, "good")
    fill(tmp_path / "neg", 100, "bad")
    (tmp_path / "pos" / "0_7.txt").write_bytes(b"caf\xe9")
    data = load_dataset(tmp_path)
    assert any("1 of 200 files" in warning and "Windows-1252" in warning for warning in data.facts.warnings)
    texts = [text for part in (data.train, data.validation, data.test) if part for text in part.texts]
    assert len(texts) == 200
    assert "café" in texts


def test_other_folders_are_explained(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder of texts"):
        load_dataset(tmp_path)


def test_pipes_and_loops_of_links_are_no_texts(tmp_path: Path) -> None:
    fill(tmp_path / "pos", 6, "good")
    fill(tmp_path / "neg", 6, "bad")
    os.mkfifo(tmp_path / "pos" / "pipe.txt")
    os.mkfifo(tmp_path / "train.csv")
    (tmp_path / "neg" / "loop.txt").symlink_to("loop.txt")
    (tmp_path / "neg" / "again").symlink_to(tmp_path)
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    for source in (tmp_path, tmp_path / "*" / "*.txt", tmp_path / "**" / "*.txt"):
        assert len(load_dataset(str(source), folds=2).train) == 12
    with pytest.raises(DataError, match=r"one` does not exist"):
        load_dataset(tmp_path / "one")
    with pytest.raises(DataError, match=r"cannot be read: File name too long"):
        load_dataset("good film " * 500)


def test_devices_and_sockets_are_no_files(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "socket.csv"))
        for path in ("/dev/zero", tmp_path / "socket.csv"):
            with pytest.raises(DataError, match="is a device or a socket: a file is needed here"):
                load_dataset(path)
