"""The path integral: known integrals, and steps where they are needed."""

import numpy as np
import pytest

from tagline.models.network.integration import MOST_STEPS, integrate


def curve(score, slope, shares=(0.7, 0.4, -0.1)):
    """Return rates of a score whose slope is divided among parts in fixed shares, and the steps asked for."""
    evaluated: list[float] = []

    def rates(places):
        evaluated.extend(places.tolist())
        return score(places), slope(places)[:, None] * np.array(shares)

    return rates, evaluated


def test_a_straight_line_needs_no_more_steps() -> None:
    rates, evaluated = curve(lambda a: 3 * a - 1, lambda a: np.full(len(a), 3.0))
    change = integrate(rates)
    assert (change.start, change.end) == (-1, 2)
    np.testing.assert_allclose(change.parts, [2.1, 1.2, -0.3])
    assert len(evaluated) == 33


@pytest.mark.parametrize("steepness", [5, 50, 1000, 20_000])
def test_a_steep_place_gets_the_steps(steepness: int) -> None:
    rates, evaluated = curve(
        lambda a: np.tanh(steepness * (a - 0.3)) / 2, lambda a: steepness / np.cosh(steepness * (a - 0.3)) ** 2 / 2
    )
    with np.errstate(over="ignore"):
        change = integrate(rates)
    assert change.parts.sum() == pytest.approx(change.end - change.start, rel=0.005)
    assert change.parts[0] == pytest.approx(0.7 * (change.end - change.start), rel=0.005)
    assert len(evaluated) == len(set(evaluated)) < 150


def test_kinks() -> None:
    at = np.array([0.013, 0.27, 0.271, 0.77])
    rates, evaluated = curve(
        lambda a: np.maximum(a[:, None] - at, 0) @ [40, -80, 50, 9],
        lambda a: (a[:, None] > at) @ np.array([40.0, -80, 50, 9]),
    )
    change = integrate(rates)
    assert change.parts.sum() == pytest.approx(change.end, rel=0.005)
    assert len(evaluated) < 200


@pytest.mark.parametrize("scale", [1e-6, 1e-2, 1e4])
def test_the_scale_of_a_score_makes_no_difference(scale: float) -> None:
    rates, evaluated = curve(
        lambda a: scale * np.tanh(50 * (a - 0.3)), lambda a: scale * 50 / np.cosh(50 * (a - 0.3)) ** 2
    )
    change = integrate(rates)
    assert change.parts.sum() == pytest.approx(change.end - change.start, rel=0.005)
    assert len(evaluated) < 150


def test_steps_end_where_rounding_begins() -> None:
    """Of a large score that changes by next to nothing, single precision knows no more than so much."""
    rng = np.random.default_rng(0)

    def rates(places):
        score = 1000 + 1e-6 * places**2 + 1e-4 * rng.standard_normal(len(places))
        evaluated.extend(places.tolist())
        return score, 2e-6 * places[:, None]

    evaluated: list[float] = []
    integrate(rates, np.float32)
    assert len(evaluated) < 100


def test_a_score_that_comes_back_is_worked_out_closely_too() -> None:
    rates, _ = curve(lambda a: np.sin(40 * np.pi * a), lambda a: 40 * np.pi * np.cos(40 * np.pi * a))
    assert abs(integrate(rates).parts.sum()) < 0.0005


def test_the_steps_have_an_end() -> None:
    rates, evaluated = curve(lambda a: a, lambda a: np.random.default_rng(0).random(len(a)))  # no slope of this score
    integrate(rates)
    assert len(evaluated) == MOST_STEPS + 1
