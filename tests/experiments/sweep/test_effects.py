"""Intervals and shares, against figures worked out by hand and against drawing again and again."""

from statistics import NormalDist

import numpy as np
import pytest

from tagline.experiments.sweep.effects import difference, mean_accuracy, seed_variance, selection_optimism, shares
from tagline.metrics.units import Units


def test_shares_of_a_full_grid_are_those_of_an_analysis_of_variance() -> None:
    """Two settings of two values, two seeds; the sums of squares are worked out by hand."""
    accuracy = np.array([1, 3, 4, 4, 5, 7, 6, 6], dtype=float)  # (a, b): (0, 0) (0, 1) (1, 0) (1, 1)
    settings = {"a": np.array([0, 0, 0, 0, 1, 1, 1, 1]), "b": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    variant = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    means = accuracy.reshape(4, 2).mean(axis=1)  # 2, 4, 6, 6
    by_hand = {"a": 8 * ((6 - 3) / 2) ** 2, "b": 8 * ((5 - 4) / 2) ** 2}  # 18, 2
    within = float(((accuracy.reshape(4, 2) - means[:, None]) ** 2).sum())  # 4
    total = float(((accuracy - accuracy.mean()) ** 2).sum())  # 26
    found = shares(accuracy, settings, variant)
    assert found is not None
    assert found.by_setting["a"] == pytest.approx(by_hand["a"] / total)
    assert found.by_setting["b"] == pytest.approx(by_hand["b"] / total)
    assert found.seeds == pytest.approx(within / total)
    assert found.together == pytest.approx((total - sum(by_hand.values()) - within) / total)
    assert seed_variance(accuracy, variant) == pytest.approx(within / 4)


def test_trials_that_are_all_alike_have_no_shares() -> None:
    assert shares(np.full(4, 0.5), {"a": np.array([0, 0, 1, 1])}, np.arange(4)) is None


def test_shares_of_a_list_leave_out_confounded_settings() -> None:
    accuracy, same = np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 1])
    found = shares(accuracy, {"a": same, "b": same}, same)
    assert found is not None
    assert found.by_setting == pytest.approx({"a": 0.0, "b": 0.0})


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Worlds are drawn in which rows and seeds move the figures; the means that made them are known."""
    rng = np.random.default_rng(0)
    n_rows, n_seeds, worlds = 400, 4, 300
    held, held_difference = 0, 0
    for _ in range(worlds):
        hard = rng.normal(size=n_rows)
        groups, truths = [], []
        for level in (1.0, 1.3):
            shift = level + rng.normal(scale=0.15, size=(n_seeds, 1))
            groups.append(shift + hard + rng.normal(scale=0.5, size=(n_seeds, n_rows)) > 0)
            truths.append(NormalDist(sigma=(1 + 0.15**2 + 0.5**2) ** 0.5).cdf(level))
        accuracy = np.array([group.mean(axis=1) for group in groups]).ravel()
        of_seeds = seed_variance(accuracy, np.repeat([0, 1], n_seeds))
        one = mean_accuracy(groups[0], of_seeds)
        held += one.low <= truths[0] <= one.high
        apart = difference(groups[1], groups[0], of_seeds)
        held_difference += apart.low <= truths[1] - truths[0] <= apart.high
    assert 0.90 < held / worlds < 0.99
    assert 0.90 < held_difference / worlds < 0.99


def test_rows_that_are_hard_for_both_do_not_widen_a_difference() -> None:
    rng = np.random.default_rng(1)
    one = rng.random((1, 1000)) < 0.7
    other = one.copy()
    other[0, :10] = False
    apart = difference(one, other, 0.0)
    whole = mean_accuracy(one, 0.0)
    assert apart.high - apart.low < (whole.high - whole.low) / 4


def test_all_right_has_an_interval_all_the_same() -> None:
    found = mean_accuracy(np.ones((1, 20), dtype=bool), 0.0)
    assert (found.low, found.high) == (pytest.approx(0.832, abs=1e-3), 1.0)


def test_the_best_of_random_variants_is_optimistic() -> None:
    """Fifty coins on 250 rows: the best of them has about 2.25 standard deviations more than a half."""
    rng = np.random.default_rng(0)
    coins = (rng.random((50, 250)) < 0.5).astype(float)
    assert selection_optimism(coins, 0) > 0.03
    assert selection_optimism(coins[:1], 0) < 0.01


def test_copies_of_rows_move_no_interval() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 300)) < 0.8, rng.random((2, 300)) < 0.7
    again = np.repeat(np.arange(300), 4)
    units = Units.repeated(again)
    for plain, copied in (
        (mean_accuracy(one, 0.0), mean_accuracy(one[:, again], 0.0, units)),
        (difference(one, other, 1e-4), difference(one[:, again], other[:, again], 1e-4, units)),
    ):
        assert copied.value == pytest.approx(plain.value)
        assert (copied.low, copied.high) == pytest.approx((plain.low, plain.high), rel=0.01)
    right = np.ones((1, 80), dtype=bool)
    found = mean_accuracy(right, 0.0, Units.repeated(np.repeat(np.arange(20), 4)))
    assert (found.low, found.high) == (pytest.approx(0.832, abs=1e-3), 1.0)
    coins = (rng.random((50, 60)) < 0.5).astype(float)
    optimism = selection_optimism(coins[:, again[:240]], 0, Units.repeated(again[:240]))
    assert optimism == pytest.approx(selection_optimism(coins, 0), rel=0.15)
