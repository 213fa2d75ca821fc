"""`load_data` and its companions, compared with Keras's functions on synthetic corpora."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline import keras_datasets
from tagline.data.builtin import imdb as reviews
from tagline.data.builtin import reuters as stories
from tagline.data.builtin.word_index import SEPARATORS
from tagline.errors import DataError, DownloadError, InputError
from tagline.features.tokenizer import KERAS_SEPARATORS
from tagline.keras_datasets import imdb, reuters
from tests.lazy_keras import keras

Save = Callable[..., None]
CORPORA = st.lists(st.tuples(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(0, 4)), min_size=1)
OPTIONS = {
    "num_words": st.none() | st.integers(0, 40),
    "skip_top": st.integers(0, 10),
    "maxlen": st.none() | st.integers(0, 11),
    "seed": st.integers(0, 5) | st.just(113),
    "start_char": st.none() | st.integers(0, 4),
    "oov_char": st.none() | st.integers(0, 4),
    "index_from": st.integers(0, 5),
}


@pytest.fixture(autouse=True)
def fresh(folders: Path) -> Iterator[None]:
    yield
    imdb._words.cache_clear()
    reuters._words.cache_clear()


def plain(splits: Any) -> list[tuple[list[list[int]], list[int]]]:
    return [([list(map(int, ids)) for ids in x], list(map(int, y))) for x, y in splits]


def compare(ours: Any, theirs: ModuleType, path: Path, options: dict[str, Any]) -> None:
    with mock.patch.object(theirs, "get_file", return_value=str(path)):
        try:
            expected = plain(theirs.load_data(**options))
        except ValueError:
            expected = None
    if options.get("maxlen") and (expected is None or not any(x for x, _ in expected)):
        with pytest.raises(ValueError, match=f"shorter than `maxlen={options['maxlen']}`"):
            ours.load_data(path, **options)
        return
    found = ours.load_data(path, **options)
    assert plain(found) == expected
    for x, y in found:
        assert (x.dtype, y.dtype, x.ndim, y.ndim) == (object, np.int64, 1, 1)
        assert all(type(ids) is list for ids in x)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(train=CORPORA, test=CORPORA, options=st.fixed_dictionaries({}, optional=OPTIONS))
def test_imdb_is_kerass(
    train: list[tuple[list[int], int]],
    test: list[tuple[list[int], int]],
    options: dict[str, Any],
    folders: Path,
    save_npz: Save,
) -> None:
    x_train, y_train = map(list, zip(*train, strict=True))
    x_test, y_test = map(list, zip(*test, strict=True))
    save_npz(folders / "a.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    compare(imdb, keras.src.datasets.imdb, folders / "a.npz", options)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(corpus=CORPORA, options=st.fixed_dictionaries({}, optional={**OPTIONS, "test_split": st.floats(0, 1)}))
def test_reuters_is_kerass(
    corpus: list[tuple[list[int], int]], options: dict[str, Any], folders: Path, save_npz: Save
) -> None:
    x, y = map(list, zip(*corpus, strict=True))
    save_npz(folders / "a.npz", x=x, y=y)
    compare(reuters, keras.src.datasets.reuters, folders / "a.npz", options)


def test_the_package_has_what_the_tutorials_import() -> None:
    assert keras_datasets.__all__ == ["imdb", "reuters"]
    assert reuters.get_label_names() == keras.src.datasets.reuters.get_label_names()


@pytest.mark.parametrize("load", [imdb.load_data, reuters.load_data])
def test_an_unknown_argument_is_a_type_error(load: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match="no argument `nb_words`: it is called `num_words` since Keras 2"):
        load(nb_words=10)
    with pytest.raises(TypeError, match=r"no argument `max_len`\. Did you mean `maxlen`\?"):
        load(max_len=10)


def test_empty_texts_are_loaded(folders: Path, save_npz: Save) -> None:
    save_npz(folders / "imdb.npz", x_train=[[], [5]], y_train=[0, 1], x_test=[[]], y_test=[1])
    assert plain(imdb.load_data(start_char=None, seed=0))[1] == ([[]], [1])
    assert sorted(plain(imdb.load_data(num_words=9))[0][0]) == [[1], [1, 8]]


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ([[1, "a"]], [0], r"does not contain lists of word ranks: Row 0 has the id `'a'`"),
        ([[1, -2]], [0], "Row 0 has the id `-2`"),
        ([[1]], [0, 1], "does not contain a class number for each of its 1 texts"),
    ],
)
def test_other_content_is_rejected(x: list[Any], y: list[int], message: str, folders: Path, save_npz: Save) -> None:
    save_npz(folders / "reuters.npz", x=x, y=y)
    with pytest.raises(DataError, match=message):
        reuters.load_data()


# Where the files are looked for.


def test_folders_are_searched_in_order(folders: Path, save_npz: Save, tmp_path: Path) -> None:
    places = [tmp_path / "cache", tmp_path / "keras" / "datasets", folders, folders / "reuters21578"]
    for mark, place in enumerate(places, 10):
        place.mkdir(parents=True, exist_ok=True)
        save_npz(place / "reuters.npz", x=[[mark]], y=[0])
        (place / "reuters_word_index.json").write_text(json.dumps({f"word{mark}": 1}))
        assert plain(reuters.load_data(num_words=99, test_split=0))[0] == ([[1, mark + 3]], [0])
        assert reuters.get_word_index() == {f"word{mark}": 1}
    save_npz(tmp_path / "own.npz", x=[[50]], y=[1])
    assert plain(reuters.load_data(tmp_path / "own.npz", 99, test_split=0))[0] == ([[1, 53]], [1])
    (tmp_path / "own.json").write_text('{"own": 1}')
    assert reuters.get_word_index(str(tmp_path / "own.json")) == {"own": 1}


def add(tar: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text.encode())
    tar.addfile(member, io.BytesIO(text.encode()))


def test_imdb_rebuilt_from_texts_is_kerass(
    folders: Path, save_npz: Save, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reviews, "N_PER_CLASS", 3)
    index = {"a": 1, "film": 2, "don't": 3, "Àngel": 4, "br": 5, "\x85": 6}
    (folders / "imdb_word_index.json").write_text(json.dumps(index))
    # By name, `10_9` stands before `2_8` and `2_8` before `9_7`; words without a rank are skipped.
    texts = {
        "pos": {"9_7": "Film unseen", "10_9": "A film! Don't\ta.", "2_8": "àngel ÀNGEL<br />\x85"},
        "neg": {"9_4": "a a\na", "10_1": "film", "2_3": "none"},
    }
    in_order = [[1, 2, 3, 1], [4, 5, 6], [2], [2], [], [1, 1, 1]]
    with tarfile.open(folders / "aclImdb_v1.tar.gz", "w:gz") as tar:
        for split in ("test", "train"):
            for label, files in texts.items():
                for name, text in files.items():
                    add(tar, f"aclImdb/{split}/{label}/{name}.txt", text)
        add(tar, "aclImdb/train/unsup/0_0.txt", "a film")
    y = [1, 1, 1, 0, 0, 0]
    save_npz(tmp_path / "same.npz", x_train=in_order, y_train=y, x_test=in_order, y_test=y)
    with mock.patch.object(keras.src.datasets.imdb, "get_file", return_value=str(tmp_path / "same.npz")):
        for options in ({}, {"num_words": 6, "seed": 3}, {"maxlen": 4}):
            assert plain(imdb.load_data(**options)) == plain(keras.src.datasets.imdb.load_data(**options))
    assert imdb.decode_review([1, 4, 5, 2, 0, 7]) == "? a film ? ? Àngel"


SGML = "".join(
    f"<REUTERS><TOPICS><D>{topic}</D></TOPICS><BODY>{body}</BODY></REUTERS>\n"
    for topic, body in [("grain", "Corn corn, wheat"), ("cocoa", "cocoa corn"), ("grain", "wheat"), ("cocoa", "corn")]
)


def test_reuters_rebuilt_from_texts(folders: Path, monkeypatch: pytest.MonkeyPatch, save_npz: Save) -> None:
    for name, value in {"MIN_STORIES": 2, "N_STORIES": 4, "N_CLASSES": 2, "N_TRAIN": 3}.items():
        monkeypatch.setattr(stories, name, value)
    with tarfile.open(folders / stories.ARCHIVE.name, "w:gz") as tar:
        add(tar, "reut2-000.sgm", SGML)
    assert reuters.get_word_index() == {"corn": 1, "wheat": 2, "cocoa": 3}
    x, y = [[1, 1, 2], [3, 1], [2], [1]], [1, 0, 1, 0]
    save_npz(folders / "same.npz", x=x, y=y)
    with mock.patch.object(keras.src.datasets.reuters, "get_file", return_value=str(folders / "same.npz")):
        for options in ({}, {"seed": 2, "test_split": 0.5}, {"maxlen": 3, "num_words": 9}):
            assert plain(reuters.load_data(**options)) == plain(keras.src.datasets.reuters.load_data(**options))
    assert reuters.decode_newswire([1, 4, 6]) == "? corn cocoa"
    # Keras's own ranks, where they lie, are those of the words and of the ids.
    (folders / "reuters_word_index.json").write_text('{"corn": 2, "wheat": 1}')
    assert reuters.get_word_index() == {"corn": 2, "wheat": 1}
    (ids, _), _ = reuters.load_data(num_words=99, test_split=0)
    assert sorted(ids) == [[1, 4], [1, 5], [1, 5], [1, 5, 5, 4]]


def test_invalid_ranks_are_rejected(folders: Path) -> None:
    (folders / "imdb_word_index.json").write_text("[1]")
    with pytest.raises(DataError, match="is not a word index: it should be a JSON object"):
        imdb.get_word_index()
    (folders / "imdb_word_index.json").write_text("{")
    with pytest.raises(DataError, match="is not JSON"):
        imdb.get_word_index()


def test_a_copy_with_replaced_words_is_repaired(monkeypatch: pytest.MonkeyPatch) -> None:
    right = b'{"tagline": 14277, "assay": 77765, "assays": 73426, "taglines": 36555, "assayas": 49393}'
    wrong = right.replace(b"assay", b"tagline")
    assert reviews.restore_word_index(wrong) == wrong  # not Keras's file, so none of our business
    digest = hashlib.sha256(right).hexdigest()
    monkeypatch.setattr(reviews, "WORD_INDEX", replace(reviews.WORD_INDEX, sha256=digest))
    assert reviews.restore_word_index(wrong) == right
    assert reviews.restore_word_index(right) == right


# Downloads.


def test_a_missing_file_is_downloaded_once(
    server: Any, save_npz: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_npz(tmp_path / "served.npz", x=[[1], [2]], y=[0, 1])
    arrays, index = (tmp_path / "served.npz").read_bytes(), b'{"corn": 1, "wheat": 2}'
    server.content = {"reuters.npz": arrays, "reuters_word_index.json": index}
    sha256 = hashlib.sha256(arrays).hexdigest()
    monkeypatch.setattr(stories, "ARRAYS", replace(stories.ARRAYS, url=server.url("reuters.npz"), sha256=sha256))
    md5 = hashlib.md5(index).hexdigest()
    url = server.url("reuters_word_index.json")
    monkeypatch.setattr(stories, "WORD_INDEX", replace(stories.WORD_INDEX, url=url, md5=md5))
    for _ in range(2):
        (ids, labels), _ = reuters.load_data(num_words=9, test_split=0)
        assert sorted(zip(ids, labels.tolist(), strict=True)) == [([1, 4], 0), ([1, 5], 1)]
        assert reuters.get_word_index() == {"corn": 1, "wheat": 2}
    assert server.requested == ["reuters.npz", "reuters_word_index.json"]
    assert {place.name for place in (tmp_path / "cache").iterdir()} == {"reuters.npz", "reuters_word_index.json"}


@pytest.mark.parametrize("kind", ["SHA-256", "MD5"])
def test_a_wrong_download_is_rejected(kind: str, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = {"file": b"something else"}
    module, load = (reviews, imdb.get_word_index) if kind == "SHA-256" else (stories, reuters.get_word_index)
    monkeypatch.setattr(module, "WORD_INDEX", replace(module.WORD_INDEX, url=server.url("file")))
    with pytest.raises(DownloadError, match=f"expected checksum and was deleted: {kind} is"):
        load()
    assert not list((tmp_path / "cache").iterdir())


def test_one_rule_for_separators() -> None:
    # Two rooms that do not import each other hold it.
    assert SEPARATORS == KERAS_SEPARATORS


def test_keras_and_our_table_agree_on_the_files() -> None:
    """The addresses and checksums are those in Keras's source."""
    for ours, theirs, call in (
        (reviews.ARRAYS, keras.src.datasets.imdb, "load_data"),
        (reviews.WORD_INDEX, keras.src.datasets.imdb, "get_word_index"),
        (stories.ARRAYS, keras.src.datasets.reuters, "load_data"),
        (stories.WORD_INDEX, keras.src.datasets.reuters, "get_word_index"),
    ):
        with mock.patch.object(theirs, "get_file", side_effect=InputError) as requested, pytest.raises(InputError):
            getattr(theirs, call)()
        assert ours.url == requested.call_args.kwargs["origin"]
        if ours is not reviews.WORD_INDEX:  # Keras knows its MD5 alone
            assert requested.call_args.kwargs["file_hash"] == (ours.sha256 or ours.md5)
