"""The reference: counting and looking up, compared with dictionaries."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagline.features.ngrams.arrays import HashTable, count

BIG = 2**62


@pytest.fixture(params=[1, 2, 5])
def n_cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("tagline.parallel._available", lambda: request.param)
    return request.param


def plain_count(keys: list[int], docs: list[int], min_df: int) -> tuple[dict[int, int], list[int]]:
    """Count with dictionaries: {key: df} of kept keys, ascending, and the ids of all positions."""
    seen: dict[int, set[int]] = defaultdict(set)
    for key, doc in zip(keys, docs, strict=True):
        seen[key].add(doc)
    kept = {key: len(seen[key]) for key in sorted(seen) if len(seen[key]) >= min_df}
    number = {key: index for index, key in enumerate(kept)}
    return kept, [number.get(key, -1) for key in keys]


def check_count(keys: list[int], docs: list[int], min_df: int) -> None:
    found = count(np.array(keys, dtype=np.int64), np.array(docs, dtype=np.int64), min_df)
    kept, ids = plain_count(keys, docs, min_df)
    assert found.keys.tolist() == list(kept)
    assert found.df.tolist() == list(kept.values())
    assert found.ids.tolist() == ids


KEYS = st.one_of(st.integers(0, 5), st.integers(0, BIG), st.integers(BIG - 3, BIG))


@given(st.lists(st.tuples(KEYS, st.integers(0, 4)), max_size=60), st.integers(1, 3))
def test_count_is_a_plain_count(pairs: list[tuple[int, int]], min_df: int) -> None:
    docs = sorted(doc for _, doc in pairs)
    check_count([key for key, _ in pairs], docs, min_df)


@pytest.mark.parametrize("spread", [3, 1000, BIG])
@pytest.mark.parametrize("min_df", [1, 2])
@pytest.mark.usefixtures("n_cores")
def test_count_on_any_number_of_cores(spread: int, min_df: int) -> None:
    """The widest spread leaves too few bits for the positions, so that ranges are split."""
    rng = np.random.default_rng(spread % 97)
    keys = rng.integers(0, spread, 9000)
    keys[rng.integers(0, 9000, 2000)] = spread
    check_count(keys.tolist(), np.sort(rng.integers(0, 40, 9000)).tolist(), min_df)


@given(st.lists(KEYS, unique=True, max_size=80), st.lists(KEYS, max_size=40))
def test_hash_table_is_a_dictionary(keys: list[int], others: list[int]) -> None:
    table = HashTable.build(np.array(keys, dtype=np.int64))
    index = {key: at for at, key in enumerate(keys)}
    requested = keys + others
    assert table.look_up(np.array(requested, dtype=np.int64)).tolist() == [index.get(key, -1) for key in requested]


def test_hash_table_with_collisions() -> None:
    inverse = pow(0x9E3779B97F4A7C15, -1, 2**64)
    keys = np.array([k for k in ((inverse * i) % 2**64 for i in range(4000)) if k < BIG][:500], dtype=np.int64)
    assert len(keys) == 500
    table = HashTable.build(keys)
    assert table.look_up(keys).tolist() == list(range(500))
    assert (table.look_up(keys + 1) == -1).all()
