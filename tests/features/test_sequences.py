"""Ids, padding and word indexes, compared with Keras's functions."""

import doctest
import pickle

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.errors import InputError
from tagline.features import sequences as module
from tagline.features.sequences import (
    START,
    UNKNOWN,
    Sequences,
    WordIndex,
    multi_hot,
    one_hot,
    pad_sequences,
)
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import KERAS, KERAS_SEPARATORS, Tokenizer
from tests.lazy_keras import keras

LISTS = st.lists(st.lists(st.integers(0, 2**31 - 1), max_size=12), max_size=8)
SIDES = st.sampled_from(["pre", "post"])
TEXTS = st.lists(
    st.text(st.sampled_from("aAbBcéÉ'’0 \r\t\n\xa0" + KERAS_SEPARATORS), max_size=25), min_size=1, max_size=8
)


def series(*texts: str) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)


def test_docstring() -> None:
    result = doctest.testmod(module)
    assert result.attempted >= 4
    assert result.failed == 0


@given(LISTS.filter(len), st.none() | st.integers(1, 9), SIDES, SIDES, st.integers(-3, 9))
def test_padding_is_kerass(
    lists: list[list[int]], maxlen: int | None, padding: str, truncating: str, value: int
) -> None:
    expected = keras.utils.pad_sequences(lists, maxlen, "int32", padding, truncating, value)
    padded = pad_sequences(lists, maxlen, padding, truncating, value)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, expected)
    np.testing.assert_array_equal(pad_sequences(Sequences.of(lists), maxlen, padding, truncating, value), expected)
    objects = np.empty(len(lists), dtype=object)
    objects[:] = lists
    np.testing.assert_array_equal(pad_sequences(objects, maxlen, padding, truncating, value), expected)


@given(LISTS.filter(len), SIDES, SIDES)
def test_one_by_one_equals_batched(lists: list[list[int]], padding: str, truncating: str) -> None:
    batched = pad_sequences(lists, 5, padding, truncating)
    alone = [pad_sequences([one], 5, padding, truncating)[0] for one in lists]
    np.testing.assert_array_equal(batched, alone)


def test_no_sequences_are_no_rows() -> None:
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([], 4).shape == (0, 4)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert multi_hot([], 4).shape == (0, 4)


@given(LISTS)
def test_lists_to_arrays_and_back(lists: list[list[int]]) -> None:
    made = Sequences.of(lists)
    assert (made.ids.dtype, made.lengths.dtype, len(made)) == (np.int32, np.int64, len(lists))
    assert made.to_lists() == lists
    assert Sequences.of([np.array(one, dtype=np.int64) for one in lists]).to_lists() == lists


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1], [2, -3]], "Row 1 has the id `-3`: ids are integers from 0 to 2,147,483,647."),
        ([[1.0]], r"Row 0 has the id `1.0`"),
        ([[1], [2, 0.5]], r"Row 1 has the id `0.5`"),
        ([[1], ["a"]], "Row 1 has the id `'a'`"),
        ([[1], "ab"], "Row 1 is `'ab'`, not a sequence of ids"),
        ([[1], 7], "Row 1 is `7`, not a sequence of ids"),
        ([[2**31]], "Row 0 has the id `2147483648`"),
        ([[2**70]], "Row 0 has the id `1180591620717411303424`"),
        ([[1], [[2]]], r"Row 1 has the id `\[2\]`"),
        ([[1], None], "Row 1 is `None`"),
        ([[True]], "Row 0 has the id `True`"),
        ([np.array([1, -1])], "Row 0 has the id `"),
        ([np.array([0.5])], "Row 0 has the id `"),
    ],
)
def test_the_error_names_an_invalid_id_and_its_row(lists: list[object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pad_sequences(lists)


def test_invalid_arguments_of_padding() -> None:
    with pytest.raises(InputError, match='`padding` is `left`: it must be `"pre"` or `"post"`'):
        pad_sequences([[1]], padding="left")
    with pytest.raises(InputError, match="`truncating` is `left`"):
        pad_sequences([[1]], truncating="left")
    with pytest.raises(InputError, match="`maxlen` is `0`"):
        pad_sequences([[1]], 0)


@given(st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=8))
def test_multi_hot_is_the_tutorials_loop(lists: list[list[int]]) -> None:
    expected = np.zeros((len(lists), 10))
    for row, ids in enumerate(lists):
        expected[row, ids] = 1.0
    hot = multi_hot(lists, 10)
    assert hot.dtype == np.float32
    assert hot.has_canonical_format
    assert hot.nnz == expected.sum()
    np.testing.assert_array_equal(hot.toarray(), expected)


def test_the_error_names_an_id_out_of_range() -> None:
    with pytest.raises(InputError, match="Row 2 has the id `9`, but the largest is 8: `dimension` is 9"):
        multi_hot([[1], [], [3, 9]], 9)


def test_one_hot_is_kerass() -> None:
    labels = [3, 0, 45, 3]
    np.testing.assert_array_equal(one_hot(labels), keras.utils.to_categorical(labels))
    np.testing.assert_array_equal(one_hot(np.array(labels), 50), keras.utils.to_categorical(labels, 50))
    assert one_hot(labels).dtype == np.float32
    assert one_hot([]).shape == (0, 0)
    with pytest.raises(InputError, match="Row 1 has the id `3`"):
        one_hot([0, 3], 3)
    with pytest.raises(InputError, match="Row 1 has the id `-1`"):
        one_hot([0, -1])


@given(TEXTS, st.none() | st.integers(5, 9))
def test_fitting_and_encoding_are_kerass(texts: list[str], num_words: int | None) -> None:
    tokenizer = keras.src.legacy.preprocessing.text.Tokenizer()
    tokenizer.fit_on_texts(texts)
    index = WordIndex.fit(series(*texts), num_words)
    ranked = list(tokenizer.word_index)
    assert index.words.to_list() == (ranked if num_words is None else ranked[: num_words - 4])
    limit = num_words or 10_000
    expected = [
        [START, *(i + 3 if i + 3 < limit else UNKNOWN for i in ids)] for ids in tokenizer.texts_to_sequences(texts)
    ]
    whole = WordIndex.of(tokenizer.word_index)
    assert whole.encode(series(*texts), num_words=limit).to_lists() == expected
    assert index.encode(series(*texts), num_words=limit).to_lists() == expected


@given(TEXTS)
def test_a_text_has_the_same_ids_alone_and_in_a_batch(texts: list[str]) -> None:
    index = WordIndex.fit(series(*texts[::2]))
    batched = index.encode(series(*texts), num_words=8, stop_words=True).to_lists()
    assert batched == [index.encode(series(one), num_words=8, stop_words=True).to_lists()[0] for one in texts]


@pytest.mark.parametrize("tokenizer", [KERAS, Tokenizer(), Tokenizer("keras", stop_words=("a", "b"))])
@given(TEXTS, st.sampled_from([*range(2, 9), 10_000]), st.booleans())
def test_compiled_code_gives_the_same_ids(
    tokenizer: Tokenizer, texts: list[str], num_words: int, stop_words: bool
) -> None:
    more = [*texts, "the film of The year", ""]
    index = WordIndex.fit(more, num_words, stop_words=stop_words, tokenizer=tokenizer)
    ids = index.encode(more, num_words=num_words, stop_words=stop_words, tokenizer=tokenizer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "is_compiled", lambda _tokenizer: False)
        reference = WordIndex.fit(more, num_words, stop_words=stop_words, tokenizer=tokenizer)
        expected = index.encode(more, num_words=num_words, stop_words=stop_words, tokenizer=tokenizer)
    assert index.words.to_list() == reference.words.to_list()
    assert ids.to_lists() == expected.to_lists()
    assert (ids.ids.dtype, ids.lengths.dtype) == (np.int32, np.int64)


def test_an_index_is_pickled_without_what_is_derived() -> None:
    index = WordIndex.fit(["the film", "the end"])
    ids = index.encode(["the end"], num_words=9).to_lists()
    assert pickle.loads(pickle.dumps(index)).encode(["the end"], num_words=9).to_lists() == ids


def test_many_texts_are_encoded_like_few() -> None:
    texts = [f"word{i} and word{i % 7} the {i % 11}" for i in range(5000)]
    index = WordIndex.fit(series(*texts))
    batched = index.encode(series(*texts), num_words=1000)
    assert batched.lengths.tolist() == [6] * 5000
    for row in (0, 2047, 2048, 4999):
        assert batched.to_lists()[row] == index.encode(series(texts[row]), num_words=1000).to_lists()[0]


def test_stop_words_are_removed() -> None:
    texts = series("The film is not the film", "the is")
    index = WordIndex.fit(texts, stop_words=True)
    assert index.words.to_list() == ["film", "not"]
    assert index.encode(texts, num_words=10, stop_words=True).to_lists() == [[1, 4, 5, 4], [1]]
    assert index.encode(texts, num_words=10).to_lists() == [[1, 2, 4, 2, 5, 2, 4], [1, 2, 2]]


def test_no_stop_word_decides_sentiment() -> None:
    assert not [word for word in STOP_WORDS if word in ("no", "not", "nor", "never") or word.endswith("n't")]
    assert len(STOP_WORDS) == len(set(STOP_WORDS))


def test_ids_and_words_are_kerass() -> None:
    index = WordIndex.of({"and": 2, "the": 1, "a": 3})
    assert index.encode(series("The THE and, of a"), num_words=6).to_lists() == [[1, 4, 4, 5, 2, 2]]
    assert index.decode([1, 4, 5, 6, 2, 0, 7, 99]) == "? the and a ? ? ? ?"
    assert index.decode(np.array([3, 6])) == "? a"
    assert index.restrict(6).words.to_list() == ["the", "and"]
    assert index.restrict(2).words.to_list() == []


def test_no_texts_and_empty_texts() -> None:
    index = WordIndex.fit(series())
    assert index.words.to_list() == []
    assert index.encode(series(), num_words=9).to_lists() == []
    assert index.encode(series("", "x"), num_words=9).to_lists() == [[1], [1, 2]]


@pytest.mark.parametrize("ranks", [{"a": 1, "b": 1}, {"a": 0, "b": 1}, {"a": 1, "b": 3}])
def test_invalid_ranks_are_rejected(ranks: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"The word `.` has rank `\d`: ranks must be 1, 2, 3 and so on, each once"):
        WordIndex.of(ranks)


def test_a_word_with_a_newline_is_rejected() -> None:
    with pytest.raises(InputError, match="contains a newline"):
        WordIndex.of({"a\nb": 1})
