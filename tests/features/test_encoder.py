"""The encoder: rows, positions of tokens, and restoring."""

import json
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tagline.errors import InputError
from tagline.features.encoder import Encoder
from tagline.features.sequences import START, WordIndex
from tagline.features.tokenizer import KERAS

CORPUS = pl.Series(["The film: a quiet, quiet film.", "Don't miss the film\x85 or do", "我喜欢 İstanbul \u2028x"])
INDEX = WordIndex.fit(CORPUS)
TEXTS = st.lists(
    st.sampled_from(["the", "Film", "quiet", "don't", "unseen", "我喜欢", "İstanbul", "a", ",", " ", "\u2028x", "\n"]),
    max_size=9,
).map(" ".join)
ENCODERS = st.builds(
    Encoder,
    st.just(INDEX),
    st.sampled_from(["multihot", "sequence"]),
    st.integers(4, 20),
    st.integers(1, 12),
    st.sampled_from(["pre", "post"]),
    st.sampled_from(["pre", "post"]),
    st.booleans(),
)


def series(*texts: str) -> pl.Series:
    return pl.Series(texts, dtype=pl.String)


def dense(features: sp.csr_matrix | np.ndarray) -> np.ndarray:
    return features.toarray() if sp.issparse(features) else features


@given(ENCODERS, st.lists(TEXTS, min_size=1, max_size=5))
def test_one_by_one_equals_batched(encoder: Encoder, texts: list[str]) -> None:
    batched = dense(encoder.transform(series(*texts)))
    assert batched.shape == (len(texts), encoder.num_words if encoder.kind == "multihot" else encoder.maxlen)
    assert batched.dtype == (np.float32 if encoder.kind == "multihot" else np.int32)
    np.testing.assert_array_equal(batched, np.vstack([dense(encoder.transform(series(one))) for one in texts]))


@given(ENCODERS, st.lists(TEXTS, min_size=1, max_size=5))
def test_a_restored_encoder_is_the_same(encoder: Encoder, texts: list[str]) -> None:
    assert encoder.arrays() == {}
    stored = json.loads(json.dumps([encoder.settings(), {}, encoder.texts()]))
    restored = Encoder.restore(*stored)
    assert restored.settings() == encoder.settings()
    assert restored.texts() == encoder.texts()
    np.testing.assert_array_equal(dense(restored.transform(series(*texts))), dense(encoder.transform(series(*texts))))


def test_only_words_with_an_id_are_stored() -> None:
    assert Encoder(INDEX, "multihot", 7).texts() == {"words.txt": "the\nfilm\nquiet\n"}
    # Separators of other kinds than a newline stand in words, and cut no line.
    odd = Encoder(WordIndex.fit(pl.Series(["a\r \x85 b\u2028c \x1c"])), "multihot", 20)
    assert Encoder.restore(odd.settings(), {}, odd.texts()).index.words.to_list() == ["a\r", "\x85", "b\u2028c", "\x1c"]


@given(ENCODERS, TEXTS)
def test_located_tokens_are_what_the_model_sees(encoder: Encoder, text: str) -> None:
    found = encoder.locate(text)
    assert len(found.columns) == len(found.features) == len(found.spans)
    row = dense(encoder.transform(series(text)))[0]
    if encoder.kind == "multihot":
        assert {*found.columns.tolist(), START} == set(np.flatnonzero(row).tolist())
        np.testing.assert_array_equal(found.columns, found.features)
    else:
        np.testing.assert_array_equal(row[found.columns], found.features)
        others = np.delete(row, found.columns)
        assert set(others.tolist()) <= {0, START}
    # Every piece of the text is a token that has this very id.
    for (start, end), token_id in zip(found.spans, found.features, strict=True):
        words = KERAS.tokenize(series(text[start:end])).values
        assert len(words) == 1
        assert encoder.index.word_ids(words, encoder.num_words).tolist() == [token_id]


@pytest.mark.parametrize(
    ("padding", "truncating", "row", "places", "seen"),
    [
        ("pre", "pre", [5, 4, 2], [0, 1, 2], ["film", "the", "sea"]),
        ("pre", "post", [1, 4, 5], [1, 2], ["The", "film"]),
    ],
)
def test_truncated_words_are_not_located(
    padding: str, truncating: str, row: list[int], places: list[int], seen: list[str]
) -> None:
    encoder = Encoder(INDEX, "sequence", 10, 3, padding, truncating)
    text = "The film, the sea"
    assert encoder.transform(series(text)).tolist() == [row]
    found = encoder.locate(text)
    assert found.columns.tolist() == places
    assert [text[start:end] for start, end in found.spans] == seen


def test_padding_shifts_columns() -> None:
    for padding, places in (("pre", [3, 4]), ("post", [1, 2])):
        found = Encoder(INDEX, "sequence", 10, 5, padding).locate("The film")
        assert (found.columns.tolist(), found.features.tolist()) == (places, [4, 5])


def test_an_empty_text_has_the_start_only() -> None:
    assert Encoder(INDEX, "sequence", 10, 3).transform(series("")).tolist() == [[0, 0, 1]]
    assert Encoder(INDEX, "sequence", 10, 3, "post").transform(series(" ,")).tolist() == [[1, 0, 0]]
    assert np.flatnonzero(Encoder(INDEX, "multihot", 10).transform(series("")).toarray()).tolist() == [START]
    assert Encoder(INDEX, "sequence", 10, 3).locate("").spans == []


def test_ids_give_the_same_features_as_their_texts() -> None:
    for encoder in (Encoder(INDEX, "multihot", 8), Encoder(INDEX, "sequence", 8, 6)):
        expected = dense(encoder.transform(CORPUS))
        ids = encoder.encode(CORPUS)
        np.testing.assert_array_equal(dense(encoder.transform_ids(ids)), expected)
        np.testing.assert_array_equal(dense(encoder.transform_ids(ids.to_lists())), expected)
        assert encoder.n_columns == 8


def test_the_error_names_an_id_out_of_range() -> None:
    message = "Row 1 has the id `8`, but the largest is 7: the model has ids below `num_words=8`; use the id 2 for"
    with pytest.raises(InputError, match=message):
        Encoder(None, "sequence", 8, 6).transform_ids([[1, 7], [8]])


@pytest.mark.parametrize("use", [lambda e: e.transform(CORPUS), lambda e: e.locate("a")])
def test_texts_need_a_word_index(use: Callable[[Encoder], object]) -> None:
    encoder = Encoder(None, "multihot", 8)
    assert encoder.texts() == {}
    assert Encoder.restore(encoder.settings(), {}, {}).index is None
    with pytest.raises(InputError, match="trained on word ids without a word index"):
        use(encoder)


def test_names_of_ids() -> None:
    assert Encoder(INDEX, "multihot", 9).names(np.array([0, 1, 2, 3, 4, 5, 99])) == [
        "<padding>", "<start>", "<unknown>", "3", "the", "film", "99",
    ]  # fmt: skip
    assert Encoder(None, "multihot", 9).names(np.array([1, 4])) == ["<start>", "4"]


def test_sequences_need_a_length() -> None:
    with pytest.raises(InputError, match="need a `maxlen`"):
        Encoder(INDEX, "sequence", 9)
