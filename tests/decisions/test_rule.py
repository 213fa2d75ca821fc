"""The decision rule: one threshold, or one for each label."""

import numpy as np
import pytest

from tagline.decisions.rule import DecisionRule, describe_threshold
from tagline.task import Task

PROBA = np.array([[0.3, 0.7], [0.6, 0.4]])


def test_each_label_has_its_own_threshold_and_a_probability_equal_to_it_gives_no_label() -> None:
    decided = DecisionRule((0.3, 0.4)).decide(PROBA, Task.MULTILABEL)
    assert decided.tolist() == [[False, True], [True, False]]
    assert np.array_equal(DecisionRule((0.5, 0.5)).decide(PROBA, Task.MULTILABEL), PROBA > 0.5)


def test_one_threshold_decides_as_the_task_does() -> None:
    for task in Task:
        for threshold in (0.35, 0.5, 0.65):
            decided = DecisionRule(threshold).decide(PROBA, task, 0)
            assert np.array_equal(decided, task.decide(PROBA, threshold, 0))


@pytest.mark.parametrize("given", [0.25, [0.25, 0.5]])
def test_a_rule_is_a_number_or_a_list_in_json(given: float | list[float]) -> None:
    rule = DecisionRule.of(given)
    assert rule.to_json() == given
    assert rule == DecisionRule.of(rule.value)
    assert np.array_equal(rule.value, np.array(given))


def test_thresholds_in_words() -> None:
    assert describe_threshold(0.25) == describe_threshold(np.array([0.25, 0.25])) == "0.25"
    assert describe_threshold([0.5, 0.1, 1 / 3]) == "0.1 to 0.5"
