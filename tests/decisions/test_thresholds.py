"""Thresholds that are fitted on held-out rows."""

import numpy as np
import pytest

from tagline.decisions.thresholds import best_threshold, label_thresholds


@pytest.mark.parametrize("threshold", np.round(np.arange(0.05, 0.951, 0.05), 2))
def test_every_multiple_of_0_05_from_0_05_to_0_95_can_be_the_best(threshold):
    # Labels above the threshold are true, those at most as large are not: any other of the grid gives a lower F1.
    proba = np.round(np.arange(0.025, 1, 0.05), 3)[:, None]  # one between each two thresholds
    assert best_threshold(proba > threshold, proba, np.ones(len(proba))) == threshold


def test_of_equal_thresholds_the_lowest_is_taken_and_a_probability_at_it_is_not_a_label():
    Y, proba = np.array([[True], [False]]), np.array([[0.9], [0.3]])
    assert best_threshold(Y, proba, np.ones(2)) == 0.3


def f1(Y: np.ndarray, given: np.ndarray) -> tuple[float, float]:
    """Return macro and micro F1."""
    right, both = (Y & given).sum(axis=0), Y.sum(axis=0) + given.sum(axis=0)
    return float(np.mean(2 * right / np.maximum(1, both))), float(2 * right.sum() / both.sum())


def drawn_labels(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and calibrated probabilities: common labels, and rare ones that are never probable."""
    random = np.random.default_rng(seed)
    rates, spreads = np.array([0.4, 0.3, 0.02, 0.02]), np.array([2.0, 2.0, 1.2, 1.2])
    z = np.log(rates / (1 - rates)) + spreads * random.standard_normal((n, 4))
    proba = 1 / (1 + np.exp(-z))
    return random.random((n, 4)) < proba, proba


def test_thresholds_of_labels_gain_macro_f1_on_new_rows_and_keep_micro_f1() -> None:
    Y, proba = drawn_labels(4_000, 0)
    one, each = best_threshold(Y, proba, np.ones(len(Y))), label_thresholds(Y, proba, np.ones(len(Y)))
    assert len(set(each.tolist())) > 1
    Y, proba = drawn_labels(20_000, 1)
    (macro, micro), (macro_of_one, micro_of_one) = f1(Y, proba > each), f1(Y, proba > one)
    assert macro > macro_of_one + 0.05
    assert micro > micro_of_one - 0.015


def test_thresholds_of_labels_are_the_best_near_the_one_threshold() -> None:
    # Labels whose best threshold is the same, for micro and for macro F1.
    proba = np.round(np.arange(0.025, 1, 0.05), 3)[:, None].repeat(3, axis=1)
    assert label_thresholds(proba > 0.4, proba, np.ones(len(proba))).tolist() == [0.4, 0.4, 0.4]


def test_a_label_without_held_out_rows_gets_the_lowest_threshold_that_gives_it_to_no_row() -> None:
    Y = np.array([[True, False], [True, False], [False, False]])
    proba = np.array([[0.9, 0.32], [0.8, 0.2], [0.1, 0.1]])
    assert label_thresholds(Y, proba, np.ones(3))[1] == 0.35


def test_weights_count_in_the_thresholds_of_labels() -> None:
    Y, proba = drawn_labels(200, 2)
    weights = np.random.default_rng(3).integers(0, 4, len(Y))
    rows = np.repeat(np.arange(len(Y)), weights)
    found = label_thresholds(Y, proba, weights.astype(float))
    assert np.array_equal(found, label_thresholds(Y[rows], proba[rows], np.ones(len(rows))))


def test_nothing_true_and_nothing_given_is_no_error() -> None:
    assert label_thresholds(np.zeros((2, 2), bool), np.zeros((2, 2)), np.ones(2)).tolist() == [0.05, 0.05]
