"""The hash table of tokens, compared with dictionaries."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.features._core.arrow import Texts
from tagline.features._core.vocabulary import Interner, Vocabulary, renumber

#: Tokens around the lengths at which the table compares in another way, many of them alike.
TOKENS = st.one_of(
    st.text(st.sampled_from("ab\0"), min_size=1, max_size=9),
    st.builds(
        lambda n, end: "x" * n + end, st.sampled_from([7, 8, 15, 16, 253, 254, 255, 256, 600]), st.sampled_from("ab")
    ),
)
TEXTS = st.lists(st.lists(TOKENS, max_size=8), max_size=8)


def joined(texts: list[list[str]]) -> list[str]:
    return [" ".join(tokens) for tokens in texts]


def keras(texts: list[str], stop_words: tuple[str, ...] = ()) -> tuple[Interner, list[int], list[int]]:
    interner = Interner("keras", True, stop_words)
    ids, ends = interner.add(Texts(texts), 0, len(texts))
    return interner, ids.tolist(), ends.tolist()


@given(TEXTS, st.lists(TOKENS, max_size=3))
def test_ids_number_tokens_by_first_occurrence(texts: list[list[str]], stop_words: list[str]) -> None:
    interner, ids, ends = keras(joined(texts), tuple(stop_words))
    kept = [[token for token in tokens if token not in stop_words] for tokens in texts]
    distinct = list(dict.fromkeys(token for tokens in kept for token in tokens))
    assert pl.Series(interner.strings()).to_list() == distinct
    assert len(interner) == len(distinct)
    assert ids == [distinct.index(token) for tokens in kept for token in tokens]
    assert ends == np.cumsum([len(tokens) for tokens in kept], dtype=int).tolist()


@given(TEXTS, st.lists(TOKENS, max_size=8), st.lists(TOKENS, max_size=3))
def test_look_up(texts: list[list[str]], tokens: list[str], stop_words: list[str]) -> None:
    vocabulary = Vocabulary(Texts(tokens), "keras", True, stop_words)
    ids, ends = vocabulary.look_up(Texts(joined(texts)), 0, len(texts))
    kept = [[token for token in each if token not in stop_words] for each in texts]
    assert ids.tolist() == [tokens.index(token) if token in tokens else -1 for each in kept for token in each]
    assert ends.tolist() == np.cumsum([len(each) for each in kept], dtype=int).tolist()


@pytest.mark.parametrize("length", [1, 9, 300])
def test_many_tokens(length: int) -> None:
    tokens = [f"{n:x}".zfill(length) for n in range(100_000)]
    interner, ids, _ = keras([" ".join(tokens), " ".join(reversed(tokens))])
    assert ids == [*range(100_000), *reversed(range(100_000))]
    assert pl.Series(interner.strings()).to_list() == tokens
    vocabulary = Vocabulary(Texts(tokens), "keras", True, ())
    assert vocabulary.look_up(Texts(tokens), 0, 100_000)[0].tolist() == [*range(100_000)]


def test_merging_numbers_the_tokens_of_another() -> None:
    (first, *_), (second, *_) = keras(["a b c"], ("z",)), keras(["c d a e"], ("z",))
    numbers = np.full(4, -1, dtype=np.int32)
    first.merge(second, 0, 2, numbers)
    assert numbers.tolist() == [2, 3, -1, -1]
    first.merge(second, 2, 4, numbers)
    assert numbers.tolist() == [2, 3, 0, 4]
    assert pl.Series(first.strings()).to_list() == ["a", "b", "c", "d", "e"]
    ids = np.empty(3, dtype=np.int32)
    renumber(np.array([3, 0, 2], dtype=np.int32), numbers, ids)
    assert ids.tolist() == [4, 2, 0]


def test_arguments_outside_of_their_range_are_refused() -> None:
    interner, *_ = keras(["a b c"])
    numbers = np.zeros(2, dtype=np.int32)
    for first, last in ((0, 4), (-1, 2), (2, 1), (0, 3)):
        with pytest.raises(IndexError):
            interner.merge(interner, first, last, numbers)
        with pytest.raises(IndexError):
            interner.add(Texts(["a"]), first, last)
    for ids in ([2], [-1]):
        with pytest.raises(IndexError):
            renumber(np.array(ids, dtype=np.int32), numbers, np.zeros(1, dtype=np.int32))
    with pytest.raises(ValueError, match="length"):
        renumber(numbers, numbers, np.zeros(1, dtype=np.int32))
    with pytest.raises(ValueError, match="no compiled rule `bpe`"):
        Interner("bpe", True, ())
