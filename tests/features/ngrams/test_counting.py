"""Counting and finding n-grams: the compiled core and the NumPy reference, compared with Counter and each other."""

from collections import Counter

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tagline.features._core import ngrams as core
from tagline.features.ngrams import NgramTable, arrays, counting, native

N_SYMBOLS = 4
TEXTS = st.lists(st.lists(st.integers(-1, N_SYMBOLS - 1), max_size=12), max_size=8)


def flat(texts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the symbols of all texts, and where each ends."""
    symbols = np.array([symbol for text in texts for symbol in text], dtype=np.int32)
    return symbols, np.cumsum([0, *(len(text) for text in texts)])


def random_texts(n: int, n_symbols: int, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [(rng.zipf(1.3, rng.integers(0, 300)) % (n_symbols + 1) - 1).tolist() for _ in range(n)]


def plain(texts: list[list[int]], orders: range, min_df: int) -> tuple[set[tuple[int, ...]], list[Counter]]:
    """Return the n-grams in ``min_df`` texts or more, and those of each text with their counts."""
    of_texts = [
        Counter(
            gram
            for order in orders
            for at in range(len(text) - order + 1)
            if -1 not in (gram := tuple(text[at : at + order]))
        )
        for text in texts
    ]
    df = Counter(gram for counts in of_texts for gram in counts)
    return {gram for gram in df if df[gram] >= min_df or len(gram) == 1}, of_texts


def fitted(texts: list[list[int]], n_symbols: int, min_n: int, max_n: int, min_df: int):
    symbols, ends = flat(texts)
    return NgramTable.fit(symbols, ends, n_symbols, min_n, max_n, min_df)


def same(a, b) -> bool:
    return a.shape == b.shape and all(
        np.array_equal(getattr(a, part), getattr(b, part)) and getattr(a, part).dtype == getattr(b, part).dtype
        for part in ("indptr", "indices", "data")
    )


@pytest.fixture(params=["compiled", "numpy"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(counting, "COMPILED", request.param == "compiled")
    return request.param


@pytest.mark.usefixtures("path")
class TestBothPaths:
    @given(texts=TEXTS, lengths=st.sampled_from([(1, 1), (1, 3), (2, 4), (3, 3)]), min_df=st.integers(1, 3))
    def test_counts_are_those_of_counter(self, texts, lengths, min_df) -> None:
        table, counts = fitted(texts, N_SYMBOLS, *lengths, min_df)
        known, of_texts = plain(texts, range(lengths[0], lengths[1] + 1), min_df)
        known |= {(symbol,) for symbol in range(N_SYMBOLS)} if lengths[0] == 1 else set()
        if lengths[0] > 1:  # a n-gram is only counted if its prefixes are frequent, which they are if it is
            known = {gram for gram in known if len(gram) >= lengths[0]}
        spelled = table.spell(np.arange(table.n_columns))
        assert set(spelled) == known
        assert len(spelled) == len(known)
        dense = [[counts_of[gram] for gram in spelled] for counts_of in of_texts]
        assert counts.toarray().tolist() == dense
        counts.check_format()

    @given(texts=TEXTS, others=TEXTS, min_df=st.integers(1, 2))
    def test_count_of_new_texts(self, texts, others, min_df) -> None:
        table, counts = fitted(texts, N_SYMBOLS, 1, 3, min_df)
        assert same(table.count(*flat(texts)), counts)
        _, of_texts = plain(others, range(1, 4), 1)
        spelled = table.spell(np.arange(table.n_columns))
        dense = [[counts_of[gram] for gram in spelled] for counts_of in of_texts]
        assert table.count(*flat(others)).toarray().tolist() == dense

    def test_find_names_order_column_and_start(self) -> None:
        table, _ = fitted([[0, 1, 2], [0, 1]], 3, 1, 2, 1)
        found = table.find(*flat([[1, 2, -1, 0, 1]]))
        assert [(order, columns.tolist(), starts.tolist()) for order, columns, starts in found] == [
            (1, [1, 2, 0, 1], [0, 1, 3, 4]),
            (2, [4, 3], [0, 3]),
        ]


@pytest.mark.parametrize(("n_symbols", "min_df"), [(1, 1), (3, 2), (300, 1), (300, 2), (5000, 2)])
@pytest.mark.parametrize("cores", [1, 2, 3])
@pytest.mark.parametrize("small", [False, True])
def test_the_compiled_core_is_the_reference(n_symbols, min_df, cores, small, monkeypatch) -> None:
    """Small blocks, buckets and groups give the same as large ones, on any number of cores."""
    texts = [*random_texts(200, n_symbols), [], [0] * 5000, [-1] * 70]
    with monkeypatch.context() as patch:
        patch.setattr(counting, "COMPILED", False)
        table, counts = fitted(texts, n_symbols, 1, 4, min_df)
    monkeypatch.setattr("tagline.parallel._available", lambda: cores)
    if small:
        for name, value in {"_POSITIONS": 100, "_BUCKET": 64, "_GROUP": 500}.items():
            monkeypatch.setattr(native, name, value)
    again, recounted = fitted(texts, n_symbols, 1, 4, min_df)
    assert [keys.tolist() for keys in again.keys] == [keys.tolist() for keys in table.keys]
    assert same(recounted, counts)
    assert same(again.count(*flat(texts)), counts)


def test_more_positions_than_32_bits_number_are_left_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = random_texts(50, 30)
    table, counts = fitted(texts, 30, 1, 3, 2)
    monkeypatch.setattr(counting, "_MOST", 100)
    monkeypatch.setattr(counting, "native", None)  # would fail
    again, recounted = fitted(texts, 30, 1, 3, 2)
    assert [keys.tolist() for keys in again.keys] == [keys.tolist() for keys in table.keys]
    assert same(recounted, counts)


@given(st.lists(st.integers(0, 2**62), unique=True, max_size=80))
def test_an_index_finds_its_keys_only(keys: list[int]) -> None:
    keys = sorted(keys)
    array = np.array(keys, dtype=np.int64)
    for index in (native.Index(array), arrays.HashTable.build(array)):
        for n_symbols in (1, 7):
            prefixes, symbols = (np.array(part, dtype=np.int32) for part in ([0, 5, 9], [0, 1, 2]))
            ids = index.extend(prefixes, symbols, n_symbols, np.array([0, 3]), 2)
            made = [p * n_symbols + s for p, s in zip([0, 5], [1, 2], strict=True)]
            assert ids.tolist() == [*(keys.index(key) if key in keys else -1 for key in made), -1]


@pytest.mark.parametrize(
    ("symbols", "ends"),
    [([50_000_000, 1], [0, 2]), ([0, 50_000_000], [0, 2]), ([0, 1], [0, 3]), ([0, 1], [0, 2, 1]), ([0, 1], [1, 2])],
)
def test_symbols_outside_of_their_range_are_refused(symbols: list[int], ends: list[int]) -> None:
    with pytest.raises((IndexError, ValueError)):
        NgramTable.fit(np.array(symbols, dtype=np.int32), np.array(ends), 2, 1, 2, 1)
    with pytest.raises((IndexError, ValueError)):
        native.rows([np.array(symbols, dtype=np.int32)], [2], np.array(ends))
    with pytest.raises((IndexError, ValueError)):
        native.count_texts(np.array(symbols, dtype=np.int32), np.array(ends), 2)


def test_words_outside_of_their_range_are_refused() -> None:
    counts = sp.csr_matrix(np.ones((2, 3), dtype=np.float32))
    in_words = sp.csr_matrix(np.ones((2, 4), dtype=np.float32))
    with pytest.raises(IndexError, match="no such words"):
        native.multiply(counts, in_words)
    in_words.indices[0] = 4
    with pytest.raises(IndexError, match="no such words or n-grams"):
        native.multiply(counts[:, :2], in_words)


def test_a_bucket_of_too_many_keys_is_refused() -> None:
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(OverflowError, match="more than 1,073,741,824"):
        core.count_keys(
            np.zeros((1, 2), dtype=np.int64), np.array([0, 2**30 + 1]), 0, 1, 1, np.array([2**40]), one, one, one
        )


def test_counts_are_exact_above_two_to_the_24() -> None:
    """Single precision cannot count further by adding 1."""
    n = 2**24 + 2
    counts = native.rows([np.zeros(n, dtype=np.int32)], [1], np.array([0, n]))
    assert counts.data.tolist() == [n]
