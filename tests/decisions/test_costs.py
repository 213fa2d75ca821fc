"""Costs of wrong predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tagline.decisions.cost_table import as_costs, read_costs
from tagline.decisions.costs import CostMatrix
from tagline.errors import InputError

OTHER_ORDER = "true,spam,ham\nspam,0,1\nham,10,0\n"
TABLE = "true,ham,spam\nham,0,10\nspam,1,0\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "costs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_class_of_the_smallest_expected_cost_is_that_of_the_definition() -> None:
    random = np.random.default_rng(0)
    proba, costs = random.dirichlet(np.ones(3), 200), random.uniform(1, 5, (3, 3)) * (1 - 0.9 * np.eye(3))
    found = as_costs(costs, ["a", "b", "c"]).decide(proba)
    for p, k in zip(proba, found, strict=True):
        expected = [sum(p[true] * costs[true, said] for true in range(3)) for said in range(3)]
        assert k == int(np.argmin(expected))


def test_equal_costs_give_the_most_probable_class() -> None:
    proba = np.random.default_rng(0).dirichlet(np.ones(4), 200)
    found = as_costs(np.ones((4, 4)) - np.eye(4), list("abcd")).decide(proba)
    assert np.array_equal(found, proba.argmax(axis=1))


@pytest.mark.parametrize(
    "text", [TABLE, TABLE.replace(",", "\t"), "\ufeff" + TABLE, OTHER_ORDER, TABLE.replace(",", ";")]
)
def test_a_table_is_read_and_put_in_the_order_of_the_classes(tmp_path: Path, text: str) -> None:
    expected = CostMatrix(("ham", "spam"), ((0.0, 10.0), (1.0, 0.0)))
    assert read_costs(written(tmp_path, text)).in_order(["ham", "spam"]) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"ham": {"spam": 10}, "spam": {"ham": 1}},
        [[0, 10], [1, 0]],
        pl.DataFrame({"ham": [0, 1], "spam": [10, 0]}),
        CostMatrix(("spam", "ham"), ((0.0, 1.0), (10.0, 0.0))),
        pd.DataFrame([[0, 1], [10, 0]], index=["spam", "ham"], columns=["spam", "ham"]),
        pd.DataFrame([[0, 10], [1, 0]]),
        {"ham": pd.Series({"spam": 10})} | {"spam": {"ham": 1}},
    ],
)
def test_costs_of_python(given: Any) -> None:
    assert as_costs(given, ["ham", "spam"]) == CostMatrix(("ham", "spam"), ((0.0, 10.0), (1.0, 0.0)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header"),
        ("true,ham,spam\n", "needs a header"),
        (TABLE.replace("10", "x"), "row `ham`, column `spam`: `x` is not a cost"),
        (TABLE.replace("10", "-1"), "`-1` is not a cost"),
        (TABLE.replace("10", "nan"), "`nan` is not a cost"),
        (TABLE.replace("10", "inf"), "`inf` is not 0 and not between 1e-09 and 1e\\+09: scale"),
        (TABLE.replace("10", "1e-320"), "`1e-320` is not 0 and not between"),
        (TABLE.removeprefix("true,"), "the header has no cell above the true classes"),
        (TABLE.replace("10", ""), "`` is not a cost"),
        (TABLE.replace("1", "0"), "every prediction costs the same"),
        (TABLE + "ham,0,1\n", "the row `ham` twice"),
        ("true,ham,ham\nham,0,1\n", "the column `ham` twice"),
        (TABLE + "eggs,1,1\n", "a row `eggs` and no such column"),
        ("true,ham,spam\nham,0,1\n", "a column `spam` and no such row"),
        (TABLE.replace("0,10", "0,10,3"), "3 costs for 2 classes"),
    ],
)
def test_a_wrong_table_names_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_costs(written(tmp_path, text))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_costs(tmp_path / "none.csv")


def test_other_classes_and_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"`spma` is not a class of the model.*`spam`"):
        as_costs({"ham": {"spma": 1}}, ["ham", "spam"])
    with pytest.raises(InputError, match="the class `eggs` is missing"):
        as_costs(CostMatrix(("ham",), ((1.0,),)), ["ham", "eggs"])
    with pytest.raises(InputError, match=r"shape \(3,\), not \(2, 2\)"):
        as_costs([1, 2, 3], ["ham", "spam"])


def test_names_of_classes_may_contain_the_usual_separator(tmp_path: Path) -> None:
    text = "true;c, d;e, f, g\nc, d;0;2\ne, f, g;1;0\n"
    expected = CostMatrix(("c, d", "e, f, g"), ((0.0, 2.0), (1.0, 0.0)))
    assert read_costs(written(tmp_path, text)) == expected


def test_names_in_a_mapping_are_compared_as_labels_are() -> None:
    numbers = CostMatrix(("0", "1"), ((0.0, 10.0), (1.0, 0.0)))
    assert as_costs({0: {1.0: 10}, "1": {np.int64(0): 1}}, ["0", "1"]) == numbers
    composed = as_costs({"a\u0308": {"b": 2}}, ["b", "\u00e4"])
    assert composed.costs == ((0.0, 1.0), (2.0, 0.0))
    assert as_costs({" a": {"a": 2}}, [" a", "a"]).costs == ((0.0, 2.0), (1.0, 0.0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ham": 3}, r"for texts of `ham` it has `3`, not a cost for each predicted class"),
        ([[0, 1], [1]], "its rows differ in length"),
        ([[0, 10**400], [1, 0]], "scale the costs"),
        ({0: {1: 10}, "0": {1: 3}}, "`0` twice"),
        ({0: {1: 10, "1": 3}}, "`1` twice"),
        (pl.DataFrame({"1": [10, 0], "0": [0, 1]}), "columns in another order"),
    ],
)
def test_what_is_not_a_cost_matrix_is_refused(given: Any, message: str) -> None:
    classes = ["ham", "spam"] if not isinstance(given, pl.DataFrame) and "ham" in given else ["0", "1"]
    with pytest.raises(InputError, match=message):
        as_costs(given, classes)


def test_two_classes_of_equal_costs_have_the_threshold_of_the_most_probable_one() -> None:
    three = as_costs({"a": {"c": 2}, "b": {"c": 1}, "c": {"a": 1, "b": 1}}, ["a", "b", "c"])
    assert three.of_classes(["a", "b"]).threshold(1) == 0.5
