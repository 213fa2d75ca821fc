"""Intervals of shares, judged by SciPy's Wilson and exact intervals, and by exact coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from tagline.metrics.intervals.shares import effective_number, mid_p_limit, share_interval, t_quantile
from tagline.metrics.units import Units


@pytest.mark.parametrize(("part", "whole"), [(30, 60), (150, 200), (40, 60), (800, 1000)])
def test_away_from_the_ends_it_is_wilsons(part: int, whole: int) -> None:
    expected = binomtest(part, whole).proportion_ci(method="wilson")
    low, high = share_interval(part, whole)
    assert [low, high] == pytest.approx([expected.low, expected.high], abs=0.03 * (high - low))


@pytest.mark.parametrize("whole", [1, 20, 40, 1000])
def test_all_or_none_is_the_exact_interval(whole: int) -> None:
    for part in (0, whole):
        expected = binomtest(part, whole).proportion_ci(method="exact")
        assert share_interval(part, whole) == pytest.approx((expected.low, expected.high))


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_mid_p_limit_solves_its_equation(one: int, other: int) -> None:
    part, whole = min(one, other), one + other
    p = float(mid_p_limit(np.array(part), np.array(whole)))
    assert binom.sf(part, whole, p) + binom.pmf(part, whole, p) / 2 == pytest.approx(0.025, rel=1e-3)


@given(st.floats(0.001, 0.999), st.floats(2, 1e5))
def test_an_interval_contains_its_share_and_is_symmetric(share: float, whole: float) -> None:
    low, high = share_interval(share * whole, whole)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    # The share of the others has the mirrored interval; `1 - share` is rounded.
    mirrored = share_interval(whole - share * whole, whole)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_one_row_more_that_is_right_changes_little() -> None:
    low, high = share_interval(np.arange(36, 41), 40)
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) > 0).all()
    assert (np.diff(low) < 0.05).all()


@pytest.mark.parametrize(("n", "least"), [(60, 0.935), (200, 0.94), (1000, 0.94)])
def test_intervals_cover(n: int, least: float) -> None:
    low, high = share_interval(np.arange(n + 1), n)
    p = np.r_[np.linspace(0.5, 0.98, 200), np.linspace(0.98, 0.9995, 200)]
    contains = (low[:, None] <= p) & (p <= high[:, None])
    coverage = (binom.pmf(np.arange(n + 1)[:, None], n, p) * contains).sum(0)
    assert coverage.min() >= least
    assert coverage.mean() < 0.97


def test_nothing_to_count_has_no_interval() -> None:
    low, high = share_interval([0, 1], [0, 2])
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 0.5 < high[1]


def test_copies_count_as_often_as_texts() -> None:
    unit = np.repeat(np.arange(50), 4)
    units = Units.repeated(unit)
    assert units is not None
    right = (unit % 5 > 0).astype(float)
    number = effective_number(units.sums(right)[:, None], units.sizes[:, None].astype(float), units)[0]
    assert number == pytest.approx(50 * (1.96 / t_quantile(units.degrees)) ** 2, rel=1e-3)
    alone = Units.repeated(np.r_[0, 0, np.arange(1, 199)])
    assert alone is not None
    number = effective_number(alone.sums(right)[:, None], alone.sizes[:, None].astype(float), alone)[0]
    assert number == pytest.approx(200, rel=0.06)
