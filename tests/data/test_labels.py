"""Labels: how each way to write them is read, and which columns are no labels."""

import pytest

from tagline.data import load_dataset


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 1, 10, 2], ["0", "1", "2", "10"]),
        ([1.0, 0.0, 1.0, None], ["0", "1"]),
        ([True, False, True, False], ["false", "true"]),
        (["1.0", "2.0", "1.0", "2.0"], ["1.0", "2.0"]),
        ([1e300, 0.0, 1e300, 0.0], ["0.0", "1e+300"]),
        (["b", "a", "10", "9"], ["10", "9", "a", "b"]),
    ],
)
def test_labels_become_strings(labels: list[object], classes: list[str]) -> None:
    assert load_dataset({"text": ["a", "b", "c", "d"], "label": labels}).classes == classes


@pytest.mark.parametrize(
    "labels",
    [
        [["a", "b"], ["b"], [], ["c", " a "]],
        ['["a", "b"]', '["b"]', "[]", '["c", "a"]'],
        ["['a', 'b']", "['b']", "[]", "['c', 'a']"],
    ],
)
def test_lists_are_multilabel(labels: list[object]) -> None:
    data = load_dataset({"text": ["t0", "t1", "t2", "t3"], "label": labels}, test=[("t9", "b")])
    assert data.task == "multilabel"
    assert data.classes == ["a", "b", "c"]
    assert data.train.labels.to_list() == [["a", "b"], ["b"], [], ["a", "c"]]
    assert data.test is not None
    assert data.test.labels.to_list() == [["b"]]


@pytest.mark.parametrize(
    "labels",
    [
        ['["a", null]', "[true, 1.0]", '["", " x "]', "[]"],
        [["a", None], [True, 1.0], ["", " x "], []],
    ],
)
def test_lists_follow_one_set_of_rules_however_they_are_written(labels: list[object]) -> None:
    data = load_dataset({"text": ["t0", "t1", "t2", "t3"], "label": labels}, test=[("t9", "a")])
    assert data.train.labels.to_list() == [["a"], ["1", "true"], ["x"], []]


def test_few_rows_or_two_rows_a_class_may_be_labels() -> None:
    assert len(load_dataset([(f"t{i}", f"c{i}") for i in range(100)]).classes) == 100
    assert len(load_dataset([(f"t{i}", f"c{i % 100}") for i in range(200)]).classes) == 100
    # Of several labels a row, all count.
    many = [(f"t{i}", [f"{i}", f"{i + 1}"]) for i in range(200)]
    assert len(load_dataset([*many, ("t", ["0", "200"])]).classes) == 201
