"""Costs of wrong predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tagline.decisions.costs import CostMatrix, as_costs, read_costs
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


@pytest.mark.parametrize("text", [TABLE, TABLE.replace(",", "\t"), "\ufeff" + TABLE, OTHER_ORDER])
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
    ],
)
def test_costs_of_python(given: Any) -> None:
    assert as_costs(given, ["ham", "spam"]) == CostMatrix(("ham", "spam"), ((0.0, 10.0), (1.0, 0.0)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header"),
        ("true,ham,spam\n", "needs a header"),
        (TABLE.replace("10", "x"), r"row 2 \(`ham`\), column `spam`: `x` is not a cost"),
        (TABLE.replace("10", "-1"), "`-1` is not a cost"),
        (TABLE.replace("10", "inf"), "`inf` is not a cost"),
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
    with pytest.raises(InputError, match="the class `eggs` of the model is missing"):
        as_costs(CostMatrix(("ham",), ((1.0,),)), ["ham", "eggs"])
    with pytest.raises(InputError, match=r"shape \(3,\), not \(2, 2\)"):
        as_costs([1, 2, 3], ["ham", "spam"])
