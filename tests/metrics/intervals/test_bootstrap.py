"""Intervals from bootstrap samples and influences, judged by their definitions."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from tagline.metrics.calibration_error import calibration_interval
from tagline.metrics.intervals.bootstrap import (
    bounded_interval,
    degrees_of_events,
    delta_interval,
    difference_interval,
    interval_tails,
    mean_interval,
)


def test_a_difference_has_the_interval_and_the_p_value_of_its_standard_error() -> None:
    samples = np.random.default_rng(0).normal(0.03, 0.02, 4000)
    interval, p = difference_interval(samples, 0.03)
    assert interval == pytest.approx([0.03 - 1.96 * 0.02, 0.03 + 1.96 * 0.02], abs=1e-3)
    assert p == pytest.approx(2 * norm.sf(1.5), abs=0.01)
    assert difference_interval(np.full(100, 0.3), 0.3) == (None, 1.0)


@given(st.floats(-0.5, 0.5), st.floats(-0.05, 0.05), st.floats(1, 100), st.sampled_from([0.05, 0.01]))
def test_the_interval_of_a_difference_excludes_0_if_its_p_value_is_small(
    value: float, bias: float, degrees: float, alpha: float
) -> None:
    interval, p = difference_interval(np.array([-0.1, 0.1]) + value + bias, value, degrees, alpha)
    assert interval is not None
    assert interval[0] <= value <= interval[1]
    if abs(p - alpha) > 1e-9:
        assert (interval[0] > 0 or interval[1] < 0) == (p <= alpha)


def test_tails_are_those_of_t() -> None:
    assert interval_tails(inf) == pytest.approx((2.5, 97.5))
    assert interval_tails(4) == pytest.approx((100 * norm.cdf(-t.ppf(0.975, 4)), 100 * norm.cdf(t.ppf(0.975, 4))))
    assert degrees_of_events(4) == 9


@pytest.mark.parametrize("lowest", [0.0, -1.0])
def test_an_interval_on_the_logit_scale_stays_within_bounds(lowest: float) -> None:
    samples = np.random.default_rng(0).normal(0.98, 0.015, 2000)
    low, high = bounded_interval(samples, 0.98, 1e9, lowest) or (0, 0)
    share, error = (0.98 - lowest) / (1 - lowest), samples.std() / (1 - lowest)
    half = 1.96 * error / (share * (1 - share))
    ends = 1 / (1 + np.exp(-np.log(share / (1 - share)) - np.array([-half, half])))
    assert [low, high] == pytest.approx(lowest + (1 - lowest) * ends, rel=1e-2)
    assert lowest < low < 0.98 < high < 1
    few_low, few_high = bounded_interval(samples, 0.98, 3, lowest) or (0, 0)
    assert few_low < low < high < few_high < 1


def test_a_bias_extends_one_end() -> None:
    samples = np.random.default_rng(0).normal(0.6, 0.02, 2000)
    low, high = bounded_interval(samples, 0.6, 1e9) or (0, 0)
    too_high = bounded_interval(samples + 0.03, 0.6, 1e9) or (0, 0)
    assert too_high == pytest.approx((low - 0.03, high), abs=2e-3)


def test_no_variation_is_no_interval() -> None:
    assert bounded_interval(np.full(100, 0.3), 0.3, inf) is None
    assert bounded_interval(np.array([0.9, 1.0]), 1.0, inf) is None
    assert mean_interval(np.zeros((100, 2)), 0.3, 0.0, inf) is None
    assert delta_interval(0.9, np.zeros(5)) is None


def test_the_interval_of_a_mean_is_bootstrap_t_on_the_logarithmic_scale() -> None:
    """Of samples whose studentized means have the distribution of t with 3 degrees: the ends are its quantiles."""
    quantiles = t.ppf(np.linspace(0.0005, 0.9995, 1000), 3)
    means = 0.5 * np.exp(quantiles * 0.1)
    samples = np.stack([means - 0.5, 0.1 * means], 1)
    low, high = mean_interval(samples, 0.5, 0.02, inf) or (0, 0)
    assert [low, high] == pytest.approx(0.5 * np.exp(t.ppf([0.025, 0.975], 3) * 0.02 / 0.5), rel=1e-3)
    wider = mean_interval(samples, 0.5, 0.02, 4.0) or (0, 0)  # of units, few of which have most rows
    assert wider[0] < low < high < wider[1]


def test_the_quantile_of_an_area_is_that_of_t_by_the_rows_that_matter() -> None:
    influence = np.r_[np.full(4, 0.05), np.zeros(96)]
    low, high = delta_interval(0.8, influence) or (0, 0)
    half = t.ppf(0.975, 9) * 0.1 / (0.8 * 0.2)
    assert [low, high] == pytest.approx(1 / (1 + np.exp(-np.log(4) - np.array([-half, half]))))
    assert (delta_interval(0.8, influence, bias=0.05) or (1,))[0] < low
    assert (delta_interval(0.8, influence, least=0.01) or (1,))[0] < low


def test_a_calibration_error_that_may_be_chance_may_be_0() -> None:
    rng = np.random.default_rng(0)
    gaps = np.array([0.02, -0.01, 0.03])
    samples = gaps + rng.normal(0, 0.02, (2000, 3))
    low, high = calibration_interval(samples, gaps, 0.06, 0.07) or (1, 0)
    errors = np.abs(samples).sum(1)
    assert [low, high] == pytest.approx([0, max(0.06, 0.12 - np.percentile(errors, 2.5))])


def test_large_gaps_have_known_signs() -> None:
    """Then the calibration error is a sum of normal gaps, and its interval the usual one."""
    gaps = np.array([0.2, -0.1, 0.15])
    samples = gaps + np.random.default_rng(0).normal(0, 0.01, (20_000, 3))
    half = 1.96 * 0.01 * 3**0.5
    assert calibration_interval(samples, gaps, 0.45, 0.1) == pytest.approx([0.45 - half, 0.45 + half], abs=1e-3)


def test_noise_adds_to_gaps_of_unknown_sign() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, (4000, 10))
    gaps = noise[0]  # of no true gap
    value = float(np.abs(gaps).sum())
    low, high = calibration_interval(gaps + noise, gaps, value, value - 1e-9) or (1, 0)
    assert low < 0.2 * value
    assert high > value
    assert calibration_interval(np.zeros((9, 2)), np.zeros(2), 0.0, 0.1) is None
