"""Splits: shares, classes, units, and speed."""

import hashlib
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.data import splits

# What `split_rows` writes.
TRAIN, VALIDATION, TEST = range(3)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 4)), min_size=3, max_size=200),
    seed=st.integers(0, 5),
    grouped=st.booleans(),
)
def test_units_are_never_parted(rows: list[tuple[int, int]], seed: int, grouped: bool) -> None:
    unit = np.unique([row[0] for row in rows], return_inverse=True)[1].astype(np.int64)
    stratum = np.array([row[1] for row in rows], dtype=np.int64)
    part = splits.split_rows(unit, stratum, seed=seed, grouped=grouped)
    fold = splits.fold_rows(unit, stratum, 3, seed=seed)
    for values in (part, fold):
        assert pl.DataFrame({"u": unit, "p": values}).group_by("u").agg(pl.col("p").n_unique())["p"].max() == 1
    assert (part == splits.split_rows(unit, stratum, seed=seed, grouped=grouped)).all()
    assert (part == TRAIN).any()


@pytest.mark.parametrize(
    ("n", "expected"),
    [(1, (1, 0, 0)), (2, (2, 0, 0)), (3, (2, 0, 1)), (4, (3, 0, 1)), (5, (3, 1, 1)), (100, (80, 10, 10))],
)
def test_small_classes_go_to_train_first(n: int, expected: tuple[int, int, int]) -> None:
    part = splits.split_rows(np.arange(n), np.zeros(n, dtype=np.int64), seed=0)
    assert tuple(np.bincount(part, minlength=3)) == expected


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=30), min_size=1, max_size=4),
    seed=st.integers(0, 50),
)
def test_a_class_of_five_units_is_in_every_split(sizes: list[list[int]], seed: int) -> None:
    stratum = np.repeat(np.arange(len(sizes)), [sum(of_class) for of_class in sizes])
    flat = np.concatenate(sizes)
    unit = np.repeat(np.random.default_rng(seed).permutation(len(flat)), flat)
    part = splits.split_rows(unit, stratum, seed=seed)
    for name, of_class in enumerate(sizes):
        n = np.bincount(part[stratum == name], minlength=3)
        assert tuple(n > 0) == (True, len(of_class) >= 5, len(of_class) >= 3)
        # A tenth as far as whole units allow: with a unit that fits there are never more rows than that.
        tenth = max(1, round(0.1 * sum(of_class)))
        small = sorted(of_class)
        assert n[TEST] <= max(tenth, small[0])
        assert n[VALIDATION] <= max(tenth, small[min(1, len(small) - 1)])


@pytest.mark.parametrize(("copies", "singles", "expected"), [(30, 70, (80, 10, 10)), (6, 6, (10, 1, 1))])
def test_a_frequent_copy_takes_no_rows_from_the_tenths(
    copies: int, singles: int, expected: tuple[int, int, int]
) -> None:
    unit = np.r_[np.zeros(copies, dtype=np.int64), np.arange(1, singles + 1)]
    for seed in range(40):
        part = splits.split_rows(unit, np.zeros(len(unit), dtype=np.int64), seed=seed)
        assert tuple(np.bincount(part, minlength=3)) == expected


def test_few_large_groups_fill_every_part() -> None:
    unit = np.repeat(np.arange(5), 20)
    part = splits.split_rows(unit, np.zeros(100, dtype=np.int64), seed=0, grouped=True)
    assert tuple(np.bincount(part)) == (60, 20, 20)


def test_copies_are_equal_after_trimming_and_lowering() -> None:
    long = "x" * 100
    texts = pl.Series([" Good film\n", "good FILM", "good film.", long + "a", long + "b", long.upper() + "A", "É", "é"])
    assert splits.copy_keys(texts).to_list() == [0, 0, 2, 3, 4, 3, 6, 6]


def test_groups_and_copies_together() -> None:
    copies = pl.Series([0, 1, 0, 3, 4], dtype=pl.UInt32)
    groups = pl.Series(["a", "a", "b", "c", "b"])
    assert splits.units(copies, groups).tolist() == [0, 0, 0, 1, 0]


@pytest.mark.slow
def test_a_million_rows_take_seconds() -> None:
    n = 1_000_000
    texts = pl.select(pl.format("text number {} of many", pl.int_range(n) % 900_000)).to_series()
    labels = pl.select((pl.int_range(n) % 20).cast(pl.String)).to_series()
    begin = time.process_time()
    part = splits.split_rows(splits.units(splits.copy_keys(texts), None), splits.strata(labels), seed=0)
    assert time.process_time() - begin < 5  # of a core: a busy machine is no failure
    assert abs(np.bincount(part)[0] - 0.8 * n) < 100


def test_runs_of_earlier_versions_find_the_same_splits() -> None:
    """A run is evaluated again on its test rows only where the split of its data has not changed."""
    draw = np.random.default_rng(7)
    unit = np.unique(draw.zipf(1.6, 3_000).clip(max=900), return_inverse=True)[1].astype(np.int64)
    stratum = draw.integers(0, 4, unit.max() + 1)[unit] + 3 * (unit % 5 == 0)
    parts = {
        "rows": splits.split_rows(unit, stratum, seed=3),
        "groups": splits.split_rows(unit, stratum, seed=3, grouped=True),
        "folds": splits.fold_rows(unit, stratum, 7, seed=3),
    }
    digests = {name: hashlib.sha256(part.astype(np.int64).tobytes()).hexdigest()[:12] for name, part in parts.items()}
    assert digests == {"rows": "470224aaee55", "groups": "b38c0be6a2a0", "folds": "4314a5898052"}


def test_a_row_of_several_labels_belongs_to_its_rarest() -> None:
    labels = pl.Series([["a", "b"], ["a"], [], ["a", "c"], ["b", "c"], ["a"]])
    assert splits.strata(labels).tolist()[:4] == [0, 1, 2, 3]
    assert splits.strata(labels)[4] in (0, 3)  # c and b have two rows each
    assert splits.strata(pl.Series(["x", "z", "y", "x"])).tolist() == [0, 1, 2, 0]
