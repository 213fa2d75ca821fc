"""The decision rule: one threshold, or one for each label."""

import numpy as np
import pytest

from tagline.decisions.cost_table import as_costs
from tagline.decisions.rule import DecisionRule, describe_threshold
from tagline.task import Task

PROBA = np.array([[0.3, 0.7], [0.6, 0.4]])


def test_each_label_has_its_own_threshold_and_a_probability_equal_to_it_gives_no_label() -> None:
    decided = DecisionRule((0.3, 0.4)).decide(PROBA, Task.MULTILABEL)
    assert decided.tolist() == [[False, True], [True, False]]
    assert np.array_equal(DecisionRule((0.5, 0.5)).decide(PROBA, Task.MULTILABEL), PROBA > 0.5)


def test_the_positive_one_of_two_classes_is_predicted_above_the_threshold_and_not_where_it_is_equal() -> None:
    assert DecisionRule(0.4).decide(PROBA, Task.BINARY).tolist() == [1, 0]
    assert DecisionRule(0.4, positive=0).decide(PROBA, Task.BINARY).tolist() == [1, 0]
    assert DecisionRule(0.2, positive=0).decide(PROBA, Task.BINARY).tolist() == [0, 0]


def test_of_several_classes_the_most_probable_one_is_predicted_whatever_the_threshold() -> None:
    assert DecisionRule(0.9).decide(PROBA, Task.MULTICLASS).tolist() == [1, 0]


def test_one_of_several_classes_may_have_a_threshold() -> None:
    proba = np.array([[0.5, 0.3, 0.2], [0.2, 0.1, 0.7], [0.3, 0.45, 0.25]])
    assert DecisionRule(0.22, positive=2).decide(proba, Task.MULTICLASS).tolist() == [0, 2, 2]
    assert DecisionRule(0.8, positive=2).decide(proba, Task.MULTICLASS).tolist() == [0, 0, 1]


def test_costs_of_several_classes_decide_and_of_two_classes_give_the_threshold() -> None:
    costs = as_costs([[0, 1, 1], [1, 0, 1], [20, 20, 0]], ["a", "b", "c"])
    assert DecisionRule(costs=costs).decide(
        np.array([[0.9, 0.0, 0.1], [0.99, 0.0, 0.01]]), Task.MULTICLASS
    ).tolist() == [
        2,
        0,
    ]
    random = np.random.default_rng(1)
    for _ in range(50):
        matrix = random.uniform(1, 5, (2, 2)) * (1 - np.eye(2)) + np.diag(random.uniform(0, 1, 2))
        two = as_costs(matrix, ["a", "b"])
        p = random.uniform(size=100)
        proba = np.column_stack([1 - p, p])
        for positive in (0, 1):
            rule = DecisionRule(two.threshold(positive), positive)
            assert np.array_equal(rule.decide(proba, Task.BINARY), two.decide(proba))


def test_a_threshold_decides_labels_one_of_two_classes_or_a_class_of_several() -> None:
    costs = as_costs([[0, 1, 1], [1, 0, 1], [1, 1, 0]], ["a", "b", "c"])
    assert DecisionRule().has_threshold(Task.BINARY)
    assert DecisionRule().has_threshold(Task.MULTILABEL)
    assert DecisionRule(0.3, positive=2).has_threshold(Task.MULTICLASS)
    assert not DecisionRule().has_threshold(Task.MULTICLASS)
    assert not DecisionRule(costs=costs).has_threshold(Task.MULTICLASS)


@pytest.mark.parametrize("given", [0.25, [0.25, 0.5]])
def test_a_rule_is_a_number_or_a_list_in_json(given: float | list[float]) -> None:
    rule = DecisionRule.of(given)
    assert rule.to_json() == given
    assert rule == DecisionRule.of(rule.value)
    assert np.array_equal(rule.value, np.array(given))


def test_thresholds_in_words() -> None:
    assert describe_threshold(0.25) == describe_threshold(np.array([0.25, 0.25])) == "0.25"
    assert describe_threshold([0.5, 0.1, 1 / 3]) == "0.1 to 0.5"
