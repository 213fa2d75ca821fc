"""Tolerances of the verification, and exports that it refuses."""

from typing import Any

import numpy as np
import pytest

from tagline.decisions.cost_table import as_costs
from tagline.decisions.rule import DecisionRule
from tagline.errors import InputError
from tagline.export import verification
from tagline.export.verification import Predictions, Verification, VerificationError
from tagline.task import Task

PROBA = np.array([[0.1, 0.9], [0.7, 0.3], [0.50001, 0.49999]])
LABELS = ["b", "a", "a"]
ARGMAX = DecisionRule()


def compare(
    proba: np.ndarray,
    labels: Any,
    got_proba: np.ndarray,
    got_labels: Any,
    *,
    task: Task = Task.MULTICLASS,
    rule: DecisionRule = ARGMAX,
    bound: float = 1e-4,
) -> Verification:
    expected, found = Predictions(proba, labels), Predictions(got_proba, got_labels)
    return verification.compare(expected, found, classes=["a", "b", "c"], task=task, rule=rule, bound=bound)


def test_the_same_answers() -> None:
    moved = PROBA + np.array([[0.0, 0.0], [3e-5, -3e-5], [0.0, 0.0]])
    found = compare(PROBA, LABELS, moved, np.array(LABELS))
    assert found == Verification(3, found.largest, found.mean, 0, 1e-4)
    assert found.largest == pytest.approx(3e-5)
    assert found.mean == pytest.approx(1e-5)


def test_a_probability_beyond_the_bound_is_refused_and_named() -> None:
    got = PROBA.copy()
    got[1] = [0.6, 0.4]
    with pytest.raises(
        VerificationError, match=r"in 1 of 3 texts: in text 2 .*`0.600000` instead of `0.700000`, and 0.0001"
    ):
        compare(PROBA, LABELS, got, LABELS)
    assert compare(PROBA, LABELS, got, LABELS, bound=0.2).largest == pytest.approx(0.1)
    got[1] = np.nan
    with pytest.raises(InputError, match="text 2"):
        compare(PROBA, LABELS, got, LABELS, bound=1.0)


def test_a_label_may_differ_in_a_tie_alone() -> None:
    assert compare(PROBA, LABELS, PROBA, ["b", "a", "b"]).ties == 1
    with pytest.raises(VerificationError, match="text 1 of the replay the export predicts `a` and the model `b`"):
        compare(PROBA, LABELS, PROBA, ["a", "a", "a"])


def test_with_a_threshold_a_tie_is_a_probability_near_it() -> None:
    proba = np.array([[0.2, 0.79995], [0.50001, 0.49999]])
    assert compare(proba, ["b", "a"], proba, ["a", "a"], task=Task.BINARY, rule=DecisionRule(0.8)).ties == 1
    with pytest.raises(VerificationError, match="no tie"):
        compare(proba, ["b", "a"], proba, ["b", "b"], task=Task.BINARY, rule=DecisionRule(0.8))


def test_several_labels_in_any_order() -> None:
    proba = np.array([[0.9, 0.8, 0.30004], [0.1, 0.2, 0.3]])
    given = np.empty(2, dtype=object)
    given[:] = [["a", "b"], []]
    assert compare(proba, given, proba, [["b", "a"], []], task=Task.MULTILABEL, rule=DecisionRule(0.5)).ties == 0
    assert compare(proba, given, proba, [["b", "a", "c"], []], task=Task.MULTILABEL, rule=DecisionRule(0.3)).ties == 1
    with pytest.raises(VerificationError, match="`a` and the model `a, b`"):
        compare(proba, given, proba, [["a"], []], task=Task.MULTILABEL, rule=DecisionRule(0.5))


def test_a_tie_of_labels_is_near_the_threshold_of_its_own_label() -> None:
    proba = np.array([[0.30004, 0.8]])
    assert compare(proba, [["a"]], proba, [[]], task=Task.MULTILABEL, rule=DecisionRule((0.3, 0.9))).ties == 1
    with pytest.raises(VerificationError, match="no tie"):
        compare(proba, [["a"]], proba, [[]], task=Task.MULTILABEL, rule=DecisionRule((0.2, 0.3)))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(VerificationError, match=r"2 × 2 .* 3 × 2"):
        compare(PROBA, LABELS, PROBA[:2], LABELS[:2])


def test_no_texts() -> None:
    assert compare(PROBA[:0], [], PROBA[:0], []) == Verification(0, 0.0, 0.0, 0, 1e-4)


def test_a_tie_of_others_excuses_no_label() -> None:
    proba = np.array([[0.9, 0.500001, 0.1]])
    with pytest.raises(VerificationError, match="no tie"):
        compare(proba, [["a", "b"]], proba, [["c"]], task=Task.MULTILABEL, rule=DecisionRule(0.5))
    proba = np.array([[0.49995, 0.50005, 0.0]])
    with pytest.raises(VerificationError, match="no tie"):
        compare(proba, ["b"], proba, ["c"])
    assert compare(proba, ["b"], proba, ["a"]).ties == 1


def test_a_class_with_a_threshold_may_differ_near_it_and_the_others_near_each_other() -> None:
    rule = DecisionRule(0.3, positive=2)
    near, others = np.array([[0.5, 0.2, 0.30005]]), np.array([[0.40004, 0.4, 0.19996]])
    assert compare(near, ["c"], near, ["a"], rule=rule).ties == 1
    assert compare(others, ["a"], others, ["b"], rule=rule).ties == 1
    with pytest.raises(VerificationError, match="no tie"):
        compare(others, ["a"], others, ["c"], rule=rule)


def test_labels_of_nearly_equal_expected_costs_are_tied() -> None:
    rule = DecisionRule(costs=as_costs([[0, 1, 1], [9, 0, 9], [1, 1, 0]], ["a", "b", "c"]))
    proba = np.array([[0.9, 0.1, 0.0]])  # a costs 0.9, b costs 0.9, c costs 1.8
    assert compare(proba, ["a"], proba, ["b"], rule=rule).ties == 1
    with pytest.raises(VerificationError, match="no tie"):
        compare(proba, ["a"], proba, ["c"], rule=rule)
