"""Word vectors out of files. gensim, which wrote most of those that there are, writes what is read here."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from gensim.models import KeyedVectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tagline.errors import DataError, InputError, MissingExtraError
from tagline.features.vectors import files as vector_files
from tagline.features.vectors import load_vectors
from tagline.features.vectors.load import BUILT_IN_VECTORS, coverage_sentence

WORDS = ["the", "film", "don't", "naïve", "映", "good"]
TABLE = np.random.default_rng(0).normal(0, 0.5, (len(WORDS), 7)).astype(np.float32)


def series(*words: str) -> pl.Series:
    return pl.Series("word", words, dtype=pl.String)


def keyed(words: list[str] = WORDS, table: np.ndarray = TABLE) -> KeyedVectors:
    made = KeyedVectors(table.shape[1])
    made.add_vectors(words, table)
    return made


def write(path: Path, words: list[str] = WORDS, table: np.ndarray = TABLE) -> Path:
    """Write vectors in the format that the name of the file stands for; `glove` has no header."""
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    if plain.suffix == ".npz":
        np.savez(plain, words=np.array(words), vectors=table)
    elif plain.suffix == ".npy":
        np.save(plain, table)
        plain.with_suffix(".txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    else:
        header = not plain.name.startswith("glove")
        keyed(words, table).save_word2vec_format(str(plain), binary=plain.suffix == ".bin", write_header=header)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


FILES = ["a.bin", "a.vec", "a.npy", "a.npz", "glove.txt", "a.bin.gz", "glove.txt.gz", "a.npy.gz"]


@pytest.mark.parametrize("block", [100, 1 << 24])
@pytest.mark.parametrize("name", FILES)
def test_files_written_by_gensim_and_numpy_are_read(
    name: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_files, "_BLOCK", block)  # many blocks, or one
    found = load_vectors(str(write(tmp_path / name)), series("映", "unseen", "the", "don't"))
    assert found.words.to_list() == ["映", "the", "don't"]
    assert found.table.dtype == np.float32
    np.testing.assert_array_equal(found.table, TABLE[[4, 0, 2]])
    assert (found.source, found.size) == (name, 7)


def test_binary_files_of_word2vec_are_read(tmp_path: Path) -> None:
    """With a line break behind each vector, which gensim leaves out, as in its own `distance` and `accuracy`."""
    rows = b"".join(w.encode() + b" " + v.tobytes() + b"\n" for w, v in zip(WORDS, TABLE, strict=True))
    (tmp_path / "a.bin").write_bytes(b"6 7\n" + rows)
    np.testing.assert_array_equal(load_vectors(str(tmp_path / "a.bin"), series(*WORDS)).table, TABLE)
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "a.bin"), binary=True)
    np.testing.assert_array_equal(theirs.vectors, TABLE)


WORD = st.text(st.characters(blacklist_categories=["Cs", "Zs", "Zl", "Zp", "Cc"]), min_size=1, max_size=8)
NUMBERS = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(WORD, min_size=1, max_size=12, unique=True),
    size=st.integers(1, 5),
    name=st.sampled_from(["a.vec", "glove.txt", "a.bin"]),
    block=st.sampled_from([64, 4096]),
    data=st.data(),
)
def test_any_words_and_numbers(words, size, name, block, data, tmp_path: Path) -> None:
    if name == "glove.txt" and size == 1 and words[0].isdecimal():
        return  # a word and an integer look like a header
    table = data.draw(arrays(np.float32, (len(words), size), elements=NUMBERS))
    path = write(tmp_path / name, words, table)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vector_files, "_BLOCK", block)
        found = load_vectors(str(path), series(*words))
    assert found.words.to_list() == words
    np.testing.assert_array_equal(found.table, table)


def test_tabs_spaces_at_ends_and_other_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good 1 2 \r\nbad\t-1\t2.5e-1\r\n\r\n")  # fastText ends its lines in a space
    found = load_vectors(str(tmp_path / "a.txt"), series("bad", "good"))
    np.testing.assert_array_equal(found.table, np.array([[-1, 0.25], [1, 2]], np.float32))


def test_words_with_spaces_are_skipped(tmp_path: Path) -> None:
    """As they stand in GloVe's 840B: `. . .` and `at name@domain.com`."""
    (tmp_path / "a.txt").write_text("good 1 2\n. . . 3 4\nat name@domain.com 5 6\nbad 7 8\n")
    found = load_vectors(str(tmp_path / "a.txt"), series("bad", ".", "at"))
    assert found.words.to_list() == ["bad"]
    assert found.table.tolist() == [[7, 8]]


def test_same_spelling_wins_over_other_case_and_first_over_later(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Paris 1\npARIS 2\nLondon 3\nlondon 4\nrome 5\nrome 6\n")
    found = load_vectors(str(tmp_path / "a.txt"), series("paris", "london", "rome", "Rome", "LONDON"))
    assert dict(zip(found.words, found.table[:, 0].tolist(), strict=True)) == {
        "paris": 1,  # the first that differs in capitals alone
        "london": 4,  # the one that is spelt so, though another came before
        "rome": 5,
        "Rome": 5,
        "LONDON": 3,
    }


GOOD = "the 1 2 3\nfilm 4 5 6\ngood 7 8 9\n"
DAMAGES = {
    "a number too few": ("a.txt", GOOD.replace("5 6", "5"), "row 2, has 2 numbers where others have 3"),
    "a number too many": ("a.txt", GOOD.replace("5 6", "5 6 7"), "row 2, has 4 numbers where others have 3"),
    "no number": ("a.txt", GOOD.replace("5", "five"), "row 2, has `five` instead of a number"),
    "not finite": ("a.txt", GOOD.replace("8", "nan"), "row 3: the vector of `good` is not finite"),
    "infinite": ("a.txt", GOOD.replace("8", "1e999"), "row 3: the vector of `good` is not finite"),
    "cut short": ("a.vec", "4 3\n" + GOOD, "declares 4 words but has 3"),
    "too long": ("a.vec", "2 3\n" + GOOD, "declares 2 words but has 3"),
    "another size": ("a.vec", "3 4\n" + GOOD, "row 2, has 3 numbers where others have 4"),
    "words alone": ("a.txt", "the\nfilm\n", "row 1, is not a word with its numbers"),
    "empty": ("a.txt", "", "row 1, is not a word with its numbers"),
    "a text for a binary": ("a.bin", GOOD, "does not begin with the number of words and the size"),
    "a broken archive": ("a.npz", "PK not", "cannot be read: File is not a zip file"),
    "a broken array": ("a.npy", "NUMPY", "is not a readable array"),
    "not compressed": ("a.txt.gz", GOOD, "cannot be read: Not a gzipped file"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_error_of_a_damaged_file_names_its_row(damage: str, tmp_path: Path) -> None:
    name, content, sentence = DAMAGES[damage]
    (tmp_path / name).write_text(content)
    (tmp_path / "a.txt").touch()  # the words of the array
    with pytest.raises(DataError, match=re.escape(sentence)) as caught:
        load_vectors(str(tmp_path / name), series("the", "film", "good"))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.bin", "a.npy", "glove.txt.gz"])
def test_truncated_files(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"ends after 5|cannot be read: Compressed file ended"):
        load_vectors(str(path), series(*WORDS))


def test_a_binary_file_with_more_words_than_declared(tmp_path: Path) -> None:
    path = write(tmp_path / "a.bin")
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(DataError, match="declares 6 words but has more"):
        load_vectors(str(path), series(*WORDS))


def test_a_fasttext_model_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes((793712314).to_bytes(4, "little") + bytes(50))
    with pytest.raises(DataError, match=r"is a fastText model.*`\.vec`"):
        load_vectors(str(tmp_path / "a.bin"), series("the"))


def test_invalid_arrays(tmp_path: Path) -> None:
    def refused(match: str, **arrays_: np.ndarray) -> None:
        np.savez(tmp_path / "a.npz", **arrays_)
        with pytest.raises(DataError, match=match):
            load_vectors(str(tmp_path / "a.npz"), series("the"))

    refused("must have two arrays, `words` and `vectors`; it has `vectors`, `w`", w=np.array(WORDS), vectors=TABLE)
    refused("has 6 vectors for 5 words", words=np.array(WORDS[:5]), vectors=TABLE)
    refused("instead of rows of floating-point numbers", words=np.array(WORDS), vectors=TABLE.astype(int))
    refused("instead of rows of floating-point numbers", words=np.array(WORDS), vectors=TABLE[0])
    refused("`words` cannot be read: Object arrays", words=np.array(WORDS, dtype=object), vectors=TABLE)
    refused("instead of a row of strings", words=TABLE, vectors=TABLE)


def test_column_major_and_double_precision_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", words=np.array(WORDS), vectors=np.asfortranarray(TABLE.astype(np.float64)))
    np.testing.assert_array_equal(load_vectors(str(tmp_path / "a.npz"), series(*WORDS)).table, TABLE)


def test_missing_vectors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no vectors `glove-50d`\. Did you mean `glove-6b-50d`"):
        load_vectors("glove-50d", series("the"))
    with pytest.raises(InputError, match="None of the 1 words of the vocabulary has a vector"):
        load_vectors(str(write(tmp_path / "a.vec")), series("unseen"))
    np.save(tmp_path / "b.npy", TABLE)
    with pytest.raises(DataError, match=r"b\.txt` cannot be read: No such file"):
        load_vectors(str(tmp_path / "b.npy"), series("the"))


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN_VECTORS, "glove-6b-50d", ("no_such_package", "a.npy", "a.parquet"))
    with pytest.raises(MissingExtraError, match=re.escape("pip install 'tagline[vectors]'")):
        load_vectors("glove-6b-50d", series("the"))


def test_glove() -> None:
    """Its own file begins `the 0.418 0.24968 -0.41242 0.1217 …`; king - man + woman is nearest to queen."""
    found = load_vectors("glove-6b-50d", series("queen", "the", "king", "man", "woman", "kkkkkkkk"))
    assert found.words.to_list() == ["queen", "the", "king", "man", "woman"]
    np.testing.assert_allclose(found.table[1, :4], [0.418, 0.24968, -0.41242, 0.1217])
    queen, _, king, man, woman = found.table / np.linalg.norm(found.table, axis=1, keepdims=True)
    assert (king - man + woman) @ queen > max((king - man + woman) @ other for other in (man, woman))


@pytest.mark.slow
def test_memory_is_bounded_by_a_block(tmp_path: Path) -> None:
    """60 MB of text, of which two words are wanted; polars works on some blocks at a time."""
    line = " ".join(["0.12345"] * 100)
    with (tmp_path / "a.txt").open("w") as file:
        file.writelines(f"word{n} {line}\n" for n in range(75_000))
    program = (
        "import resource, sys, polars as pl; from tagline.features.vectors.load import load_vectors\n"
        "load_vectors('glove-6b-50d', pl.Series(['the']))\n"  # what is imported and allocated in any case
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "load_vectors(sys.argv[1], pl.Series(['word1', 'word74999']))\n"
        "print(peak() - before)"
    )
    command = [sys.executable, "-c", program, tmp_path / "a.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150


def test_coverage_sentence() -> None:
    facts = {"source": "a.vec", "size": 50, "words": 9_700, "of": 9_996, "running_words": 0.98765, "frozen": True}
    assert coverage_sentence(facts) == (
        "Word vectors: `a.vec`, 50 numbers each, for 9,700 of 9,996 words of the vocabulary and 98.8 % of the running "
        "words; they stay as they are."
    )
    learnt_from = {"unlabelled": 2_000, "training": 320, "file": "more.csv"}
    assert coverage_sentence(facts | {"learnt_from": learnt_from, "frozen": False}).startswith(
        "Word vectors: skip-gram on 2,000 unlabelled texts of `more.csv` and 320 training texts, 50 numbers each"
    )
