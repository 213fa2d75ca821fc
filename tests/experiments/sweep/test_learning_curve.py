"""Learning curves: errors of a known law, errors that follow none, and sizes that cannot be."""

import numpy as np
import pytest

from tagline.errors import InputError
from tagline.experiments.sweep.learning_curve import check_sizes, choose_sizes, learning_curve

SIZES = [500, 1000, 2000, 4000, 8000, 16000]


def answers(
    errors: dict[int, float], n_rows: int = 20_000, n_seeds: int = 3, noise: float = 0.0
) -> dict[int, np.ndarray]:
    """Return which rows are right: row i is wrong where its hardness is below the error."""
    rng = np.random.default_rng(0)
    hard = rng.random(n_rows)
    return {
        size: np.stack([hard >= error * (1 + noise * rng.normal()) for _ in range(n_seeds)])
        for size, error in errors.items()
    }


def test_a_law_is_found_again_and_foretells() -> None:
    law = {n: 0.05 + 2 * n**-0.5 for n in SIZES}
    curve = learning_curve(answers(law), 0)
    assert curve.law is not None
    assert curve.law.c == pytest.approx(0.5, abs=0.051)
    assert curve.law.a == pytest.approx(0.05, abs=0.01)
    truth = 2 * (16_000**-0.5 - 32_000**-0.5)
    assert curve.gain is not None
    assert curve.gain.value == pytest.approx(truth, abs=0.001)
    assert curve.gain.low <= truth <= curve.gain.high
    assert curve.sentence.startswith("Twice the data (32,000 rows) would bring about 0.5 points (")


def test_seeds_that_differ_widen_the_intervals() -> None:
    law = {n: 0.05 + 2 * n**-0.5 for n in SIZES}
    calm, noisy = learning_curve(answers(law), 0), learning_curve(answers(law, noise=0.1), 0)
    for size in SIZES:
        assert noisy.accuracy[size].high - noisy.accuracy[size].low > 1.5 * (
            calm.accuracy[size].high - calm.accuracy[size].low
        )


@pytest.mark.parametrize("end", [0.1, 0.1001])
def test_what_has_levelled_off_is_called_so(end: float) -> None:
    errors = dict(zip(SIZES, [0.3, 0.15, 0.102, 0.1, 0.1, end], strict=True))
    assert learning_curve(answers(errors), 0).sentence.startswith("The curve has levelled off")


def test_no_law_is_made_up() -> None:
    jagged = dict(zip(SIZES, [0.3, 0.1, 0.4, 0.1, 0.35, 0.2], strict=True))
    curve = learning_curve(answers(jagged), 0)
    assert curve.law is None
    assert curve.gain is None
    assert "does not follow a power law" in curve.sentence
    assert "from 8,000 to 16,000 rows accuracy changed by +1" in curve.sentence


def test_three_sizes_foretell_nothing() -> None:
    curve = learning_curve(answers({n: 0.05 + 2 * n**-0.5 for n in SIZES[:3]}), 0)
    assert curve.law is None
    assert curve.sentence.startswith("With fewer than four sizes nothing can be extrapolated")


def test_sizes_are_chosen_by_doubling() -> None:
    assert choose_sizes(22_500, 2) == [703, 1406, 2812, 5625, 11250, 22500]
    assert choose_sizes(300, 2) == [75, 150, 300]
    assert choose_sizes(9_000, 46)[0] >= 184


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([100, 5000], r"has 5000, but there are 1000 training rows"),
        ([100, 100, 200], r"has 100 twice"),
        ([0, 100], r"at least two rows"),
        ([100], r"at least two sizes"),
    ],
)
def test_sizes_that_cannot_be_are_one_sentence(sizes: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_sizes(sizes, 1000)
    assert check_sizes([500, 100], 1000) == [100, 500]


def test_too_few_rows_for_a_curve() -> None:
    with pytest.raises(InputError, match=r"at least 100 training rows, and there are 80"):
        choose_sizes(80, 2)
    with pytest.raises(InputError, match=r"name smaller sizes with `--sizes 4,8,16,32` in place of `--curve`, or add"):
        choose_sizes(32, 2)
    assert check_sizes([4, 8, 16, 32], 32) == [4, 8, 16, 32]
    with pytest.raises(InputError, match=r"there are 3: add rows"):
        choose_sizes(3, 2)
