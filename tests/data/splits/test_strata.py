"""Strata, and splits and folds that do not depend on the names of the classes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tagline.data import Dataset, load_dataset
from tagline.data.dataset import read_dataset
from tagline.data.options import ReadOptions
from tagline.data.splits import fold_rows, matrix_strata, split_rows, strata
from tagline.data.splits.strata import strata_by_name

N, AUTHORS = 400, 150
NAMES = ("ham", "offer", "spam")
RENAMED = {"ham": "z", "offer": "m", "spam": "a"}


def rows_of(names: list[str]) -> pl.DataFrame:
    texts = [f"text {row}" for row in range(len(names))]
    return pl.DataFrame({"text": texts, "label": names, "author": [row % AUTHORS for row in range(len(names))]})


def random_names() -> list[str]:
    return np.random.default_rng(3).choice(NAMES, N, p=[0.6, 0.3, 0.1]).tolist()


def texts_of(data: Dataset) -> list[list[str]]:
    return [[] if part is None else part.texts.to_list() for part in (data.train, data.validation, data.test)]


def test_the_rarest_label_of_a_row_is_its_stratum() -> None:
    labels = pl.Series([["a", "b"], ["b"], [], ["c", "b"], ["a"], ["a", "b"]], dtype=pl.List(pl.String))
    assert strata(labels).tolist() == [0, 1, 2, 3, 0, 0]
    Y = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 1, 0]], dtype=bool)
    assert matrix_strata(Y).tolist() == [0, 1, 2, 3, 0, 0]


@pytest.mark.parametrize("seed", range(5))
def test_strata_of_a_matrix_do_not_depend_on_the_order_of_its_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    single = np.eye(6, dtype=bool)[rng.integers(0, 6, N)]
    several = rng.random((N, 6)) < 0.2  # several labels have as many rows
    for Y in (single, several):
        order = rng.permutation(6)
        assert matrix_strata(Y).tolist() == matrix_strata(Y[:, order]).tolist()
    names = pl.Series([[f"label {k}" for k in np.flatnonzero(row)] for row in several], dtype=pl.List(pl.String))
    assert strata(names).tolist() == matrix_strata(several).tolist()


@pytest.mark.parametrize(("folds", "group"), [(None, None), (None, "author"), (4, None), (7, "author")])
def test_renaming_the_classes_leaves_the_split_as_it_was(folds: int | None, group: str | None) -> None:
    names = random_names()
    one = load_dataset(rows_of(names), folds=folds, group=group)
    other = load_dataset(rows_of([RENAMED[name] for name in names]), folds=folds, group=group)
    assert texts_of(one) == texts_of(other)
    if one.folds is not None and other.folds is not None:
        assert one.folds.tolist() == other.folds.tolist()


def test_data_that_an_earlier_version_split_by_the_names_is_split_so_again() -> None:
    rows = rows_of(["b", "a"] * 65)  # of groups, which are as large as each other, names changed the order
    part = split_rows(np.arange(130), strata_by_name(rows["label"]), seed=5, grouped=True)
    then = [rows["text"].filter(pl.Series(part == number)).to_list() for number in range(3)]
    options = ReadOptions(group="author")
    now = read_dataset(rows, options, 5)
    assert texts_of(now) != then
    given = rows.with_columns(split=pl.Series(["train", "validation", "test"]).gather(part))
    earlier = load_dataset(given)  # splits that are given have the fingerprint that the drawn ones had
    again = read_dataset(rows, options, 5, fingerprint=earlier.fingerprint)
    assert texts_of(again) == then
    assert again.fingerprint == earlier.fingerprint
    assert read_dataset(rows, options, 5, fingerprint="0" * 64).fingerprint == now.fingerprint


def test_earlier_folds_are_found_by_the_fingerprint() -> None:
    rows = rows_of([RENAMED[name] for name in random_names()])  # their first rows are not in the order of the names
    options = ReadOptions(folds=7)
    now = read_dataset(rows, options, 0)
    assert now.folds is not None
    then = fold_rows(np.arange(N), strata_by_name(rows["label"]), 7, seed=0)
    again = read_dataset(rows, options, 0, fingerprint=replace(now, folds=then).fingerprint)
    assert again.folds is not None
    assert again.folds.tolist() == then.tolist() != now.folds.tolist()
