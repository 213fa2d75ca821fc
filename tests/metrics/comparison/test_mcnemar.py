"""The interval of a difference in accuracy agrees with McNemar's test, and contains the difference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.metrics.comparison.mcnemar import paired_interval, paired_test
from tagline.metrics.units import Units


def rows(only_first: int, only_second: int, both: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows two models have right."""
    first = np.repeat([True, False, True], [only_first, only_second, both])
    return first, np.repeat([False, True, True], [only_first, only_second, both])


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 300), st.sampled_from([0.05, 0.01, 0.2]))
def test_an_interval_excludes_0_if_and_only_if_the_test_is_significant(
    only_first: int, only_second: int, both: int, alpha: float
) -> None:
    first, second = rows(only_first, only_second, both)
    if only_first + only_second == 0:
        assert paired_interval(first, second) is None
        return
    low, high = paired_interval(first, second, alpha=alpha) or (0, 0)
    value = (only_second - only_first) / len(first)
    assert -1 <= low <= value <= high <= 1
    assert (low > 0 or high < 0) == (paired_test(first, second) <= alpha)
    mirrored = paired_interval(second, first, alpha=alpha) or (0, 0)
    assert only_first == only_second or mirrored == pytest.approx((-high, -low), abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=25), st.integers(1, 200))
def test_the_interval_of_units_agrees_with_their_test(net: list[int], others: int) -> None:
    unit = np.r_[np.repeat(np.arange(len(net)), [abs(one) + 2 for one in net]), np.arange(others) + len(net)]
    first, second = np.ones(len(unit), bool), np.ones(len(unit), bool)
    for k, one in enumerate(net):
        (second if one < 0 else first)[np.flatnonzero(unit == k)[: abs(one)]] = False
    units = Units.repeated(unit)
    interval = paired_interval(first, second, units)
    if interval is None:
        assert not any(net)
        return
    low, high = interval
    assert low - 1e-9 <= sum(net) / len(unit) <= high + 1e-9
    assert (low > 0 or high < 0) == (paired_test(first, second, units) <= 0.05)


def test_copies_of_every_text_change_nothing() -> None:
    first, second = rows(10, 25, 165)
    once = paired_interval(first, second) or (0, 0)
    units = Units.repeated(np.repeat(np.arange(200), 3))
    assert paired_interval(first.repeat(3), second.repeat(3), units) == pytest.approx(once, abs=2e-3)


@pytest.mark.parametrize(
    ("n", "cells"),
    [(200, (0.05, 0.05)), (200, (0.02, 0.06)), (200, (0.0, 0.05)), (1000, (0.03, 0.05)), (1000, (0.005, 0.02))],
)
def test_intervals_cover(n: int, cells: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, [*cells, 1 - sum(cells)], 1000)
    kinds, times = np.unique(counts, axis=0, return_counts=True)
    held = 0
    for kind, each in zip(kinds.tolist(), times.tolist(), strict=True):
        low, high = paired_interval(*rows(*kind)) or (0.0, 0.0)
        held += each * (low <= cells[1] - cells[0] <= high)
    assert held >= 935
