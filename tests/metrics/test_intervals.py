"""Intervals from bootstrap samples."""

import numpy as np
import pytest

from tagline.metrics.intervals import basic_interval, percentile_interval


def test_intervals_are_those_of_the_definitions() -> None:
    samples = np.linspace(0.1, 0.4, 1_001)
    low, high = np.percentile(samples, [2.5, 97.5])
    assert percentile_interval(samples, 0.3) == pytest.approx([low, high])
    assert basic_interval(samples, 0.3) == pytest.approx([0.6 - high, 0.6 - low])


def test_an_interval_includes_its_value_and_no_negative_error() -> None:
    samples = np.linspace(0.2, 0.4, 1_001)
    low, high = np.percentile(samples, [2.5, 97.5])
    assert percentile_interval(samples, 0.1) == pytest.approx([0.1, high])
    assert percentile_interval(samples, 0.5) == pytest.approx([low, 0.5])
    assert basic_interval(samples, 0.1) == pytest.approx([0.0, 0.1])
    assert percentile_interval(np.full(100, 0.3), 0.3) is None
    assert basic_interval(np.full(100, 0.3), 0.3) is None
