"""Arrays that several processes have in memory once."""

import subprocess
import sys

import numpy as np
import polars as pl
import psutil
import pytest

from tagline import TextClassifier, shared_arrays
from tagline.features._core.index import Index
from tests.synthetic_texts import made_up


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(shared_arrays, "_folder", tmp_path)
    return tmp_path


def test_equal_arrays_are_one_file_as_long_as_a_process_has_them(folder):
    array = np.arange(100_000.0).reshape(1000, 100)
    kept, again, other = (shared_arrays.shared(given) for given in (array, array.copy(), array.T))
    for found, wanted in ((kept, array), (again, array), (other, array.T)):
        np.testing.assert_array_equal(found, wanted)
        assert not found.flags.writeable
    assert len(list(folder.iterdir())) == 2
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from tagline.shared_arrays import share_arrays_in, shared\n"
        f"share_arrays_in(Path({str(folder)!r}))\n"
        "array = shared(np.arange(100_000.0).reshape(1000, 100))\n"
        "print(array.sum(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert float(process.stdout.readline()) == array.sum()
        mapped = {found.path for found in psutil.Process(process.pid).memory_maps()}
        del kept, again
        shared_arrays.remove_unused_arrays()
        assert len(list(folder.iterdir())) == 2  # the other process has one, and this process the other
        assert len({str(path) for path in folder.iterdir()} & mapped) == 1
        del other, found
        shared_arrays.remove_unused_arrays()
        (left,) = folder.iterdir()
        assert str(left) in mapped
        process.stdin.close()
    shared_arrays.remove_unused_arrays()
    assert not list(folder.iterdir())


def test_arrays_that_cannot_be_shared_are_returned_as_they_are(folder, monkeypatch):
    small, large = np.arange(10), np.arange(100_000)
    assert shared_arrays.shared(small) is small
    monkeypatch.setattr(shared_arrays, "_folder", folder / "missing")
    assert shared_arrays.shared(large) is large
    shared_arrays.remove_unused_arrays()
    monkeypatch.setattr(shared_arrays, "_folder", None)
    assert shared_arrays.shared(large) is large
    shared_arrays.remove_unused_arrays()


def test_a_model_of_shared_arrays_gives_the_same(folder, tmp_path_factory, monkeypatch):
    texts, labels = made_up(400, 4)
    saved = tmp_path_factory.mktemp("model") / "model"
    TextClassifier("fast").fit(texts, labels).save(saved)
    monkeypatch.setattr(shared_arrays, "_FEWEST_BYTES", 1)
    sharing = TextClassifier.load(saved)
    shared_probabilities = sharing.predict_proba(texts)  # makes the hash tables
    assert not sharing.model_.coef.flags.writeable
    monkeypatch.setattr(shared_arrays, "_folder", None)
    own = TextClassifier.load(saved)
    assert own.model_.coef.flags.writeable
    np.testing.assert_array_equal(shared_probabilities, own.predict_proba(texts))
    column = pl.Series(texts)
    ours, theirs = (model.vectorizer_.transform(column) for model in (sharing, own))
    np.testing.assert_array_equal(ours.toarray(), theirs.toarray())
    np.testing.assert_array_equal(sharing.model_.logits(ours), own.model_.logits(theirs))
    sharing.save(tmp_path_factory.mktemp("again") / "model")


def test_a_hash_table_takes_an_equal_copy_only():
    keys = np.arange(0, 3000, 3)
    index = Index(keys)
    entries = np.array(index.entries())
    for wrong in (
        entries[:-16],
        np.append(entries, entries),
        np.where(np.arange(len(entries)) == 5, 7, entries).astype(np.uint8),
    ):
        with pytest.raises(ValueError, match="differs"):
            index.replace_entries(wrong)
    index.replace_entries(entries)
    index.replace_entries(entries.copy())  # the first copy is released
    del entries
    symbols = np.array([0, 1, 2, 3], dtype=np.int32)
    ids = np.empty(4, dtype=np.int32)
    index.extend(symbols, symbols, np.array([0, 4]), 0, 1, 2, 1000, ids)
    wanted = [keys.tolist().index(key) if key in keys else -1 for key in (0 * 1000 + 1, 1 * 1000 + 2, 2 * 1000 + 3)]
    assert ids.tolist() == [*wanted, -1]
