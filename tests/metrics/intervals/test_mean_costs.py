"""The interval of the mean cost."""

import numpy as np
import pytest
from scipy.stats import beta

from tagline.metrics.intervals.mean_costs import mean_cost_interval
from tagline.metrics.units import Units


@pytest.mark.parametrize("n_wrong", [0, 1, 5, 20, 980, 995, 999, 1000])
def test_of_costs_of_0_and_1_it_is_almost_the_exact_interval_of_a_share(n_wrong):
    low, high = mean_cost_interval(np.arange(1000) < n_wrong, 0, 1, None)
    exact = [0.0 if n_wrong == 0 else beta.ppf(0.025, n_wrong, 1001 - n_wrong)]
    exact += [1.0 if n_wrong == 1000 else beta.ppf(0.975, n_wrong + 1, 1000 - n_wrong)]
    assert [low, high] == pytest.approx(exact, abs=0.003)


@pytest.mark.parametrize(
    ("costs", "shares"),
    [((0, 1, 10), (0.9, 0.09, 0.01)), ((0, 1), (0.03, 0.97)), ((0, 1, 10), (0.02, 0.979, 0.001))],
    ids=["rare costly", "rare cheap", "both"],
)
@pytest.mark.parametrize("copies", [1, 2])
def test_it_contains_the_mean_in_95_of_100_samples_or_more(costs, shares, copies):
    random, mean, n_samples, covered = np.random.default_rng(1), np.dot(costs, shares), 400, 0
    units = Units.repeated(np.repeat(np.arange(200), copies))
    for _ in range(n_samples):
        found = np.repeat(random.choice(np.array(costs, float), 200, p=shares), copies)
        low, high = mean_cost_interval(found, 0, max(costs), units)
        covered += low <= mean <= high
    assert covered >= 0.95 * n_samples


def test_rows_of_one_cost_do_not_exclude_others():
    low, high = mean_cost_interval(np.ones(20), 0, 10, None)
    assert 0.8 < low < 0.85  # 17 of 20 rows: that 3.7 are missed has a probability of 2.5 %
    assert high > 2.5
    assert mean_cost_interval(np.ones(1), 0, 10, None) == [0, 10]
    assert mean_cost_interval(np.array([0.0, 1, 1]), 0, 10, Units.repeated(np.zeros(3, int))) is None
    assert mean_cost_interval(np.zeros(20), 0, 1, None)[0] == 0
    assert mean_cost_interval(np.full(30, 0.1), 0, 1, None)[0] < 0.09  # 0.1 is not the mean of as many: rounding
