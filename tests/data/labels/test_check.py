"""Classes in their order, and columns that are no labels."""

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.labels import sorted_classes
from tagline.errors import DataError


def test_few_rows_or_two_rows_a_class_may_be_labels() -> None:
    assert len(load_dataset([(f"t{i}", f"c{i}") for i in range(100)]).classes) == 100
    assert len(load_dataset([(f"t{i}", f"c{i % 100}") for i in range(200)]).classes) == 100
    # Of several labels a row, all count.
    many = [(f"t{i}", [f"{i}", f"{i + 1}"]) for i in range(200)]
    assert len(load_dataset([*many, ("t", ["0", "200"])]).classes) == 201


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10.0", "2.5", "1.0"], ["1.0", "2.5", "10.0"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        ([["b", "a"], [], ["c"]], ["a", "b", "c"]),
    ],
)
def test_classes_are_sorted_by_number_where_all_are_numbers(labels: list[object], classes: list[str]) -> None:
    assert sorted_classes(pl.Series(labels)) == classes


def test_texts_and_row_numbers_are_no_labels() -> None:
    with pytest.raises(DataError, match="one of its values has 1,001 characters"):
        load_dataset([("t0", "a"), ("t1", "b" * 1001)])
    with pytest.raises(DataError, match="101 labels have 101 different values"):
        load_dataset([(f"t{i}", f"c{i}") for i in range(101)])
    with pytest.raises(DataError, match="at least two classes, but column `label` has only `a`"):
        load_dataset([("t0", "a"), ("t1", "a")])
