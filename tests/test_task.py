"""Decisions that depend on the task."""

import json

import numpy as np
import pytest

from tagline.task import Task


def test_members_are_strings_in_json_in_messages_and_in_comparisons():
    assert json.dumps({"task": Task.BINARY}) == '{"task": "binary"}'
    assert f"{Task.MULTICLASS}" == "multiclass"
    assert repr(Task.MULTILABEL) == "'multilabel'"
    assert Task("binary") is Task.BINARY
    assert Task.BINARY == "binary"


def test_the_number_of_classes_and_whether_labels_are_sets_make_the_task():
    assert Task.of(2) is Task.BINARY
    assert Task.of(3) is Task.MULTICLASS
    assert Task.of(1) is Task.MULTICLASS
    assert Task.of(2, multilabel=True) is Task.MULTILABEL


def test_other_numbers_of_classes_keep_the_kind_of_labels():
    assert Task.BINARY.with_classes(3) is Task.MULTICLASS
    assert Task.MULTICLASS.with_classes(2) is Task.BINARY
    assert Task.MULTILABEL.with_classes(2) is Task.MULTILABEL


def test_scores_of_two_classes_have_one_axis():
    logits = np.array([[1.0], [-2.0]])
    assert Task.BINARY.scores(logits).tolist() == [1.0, -2.0]
    assert Task.MULTILABEL.scores(logits) is logits


def test_only_two_classes_have_a_positive_one():
    assert [task.has_positive for task in Task] == [True, False, False]


def test_two_classes_have_one_output():
    Y = np.array([[True, False], [False, True]])
    assert [task.n_outputs(2) for task in Task] == [1, 2, 2]
    assert Task.BINARY.targets(Y).tolist() == [[False], [True]]
    assert Task.MULTILABEL.targets(Y) is Y
    assert Task.BINARY.truth(Y).tolist() == [0, 1]
    assert Task.MULTILABEL.truth(Y) is Y


def test_probabilities_are_those_of_sigmoid_and_softmax():
    logits = np.array([[0.0], [np.log(3)]])
    np.testing.assert_allclose(Task.BINARY.probabilities(logits), [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(Task.MULTILABEL.probabilities(logits), [[0.5], [0.75]])
    several = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(Task.MULTICLASS.probabilities(several), [[0.125, 0.25, 0.625]])


@pytest.mark.parametrize("task", Task)
def test_no_logit_is_too_large_for_probabilities(task):
    logits = np.array([[-800.0, 800.0]])[:, : task.n_outputs(2)]
    proba = task.probabilities(logits)
    assert np.isfinite(proba).all()
    assert ((proba >= 0) & (proba <= 1)).all()


def test_rows_score_one_where_they_are_right_and_label_sets_minus_their_log_loss():
    Y = np.array([[True, False], [False, True]])
    assert Task.BINARY.row_scores(np.array([[-1.0], [-1.0]]), Y).tolist() == [1.0, 0.0]
    assert Task.MULTICLASS.row_scores(np.array([[2.0, 1.0], [2.0, 1.0]]), Y).tolist() == [1.0, 0.0]
    np.testing.assert_allclose(Task.MULTILABEL.row_scores(np.zeros((2, 2)), Y), -np.log(2))
