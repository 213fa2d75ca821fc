"""Learning curves: the error by number of training rows, and the gain to expect from twice as many.

A power law e(n) = a + b n^-c is fitted if the errors follow one; a is the irreducible error.
Source: J. Hestness et al., Deep Learning Scaling is Predictable, Empirically (2017).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tagline.errors import InputError
from tagline.experiments.sweep.effects import Estimate
from tagline.metrics.intervals.bootstrap import degrees_of, interval_tails
from tagline.metrics.intervals.shares import t_quantile
from tagline.metrics.units import Units, draw_rows
from tagline.parallel import same_on_any_cores
from tagline.task import Bools, Floats

_N_SIZES = 6
_LEAST_ROWS = 50  # of the smallest size, or more with many classes
_LEAST_OF_CLASS = 4
_LEAST_TO_TRAIN = 2
_EXPONENTS = np.arange(1, 31) / 20  # c: 0.05, 0.10 … 1.50
_LEAST_SIZES = 4  # a law with three parameters fits any three points
_SAMPLES = 400
_FAR = 0.05  # of the decrease of the error; the law is rejected if its residuals are larger
_LITTLE = 0.003  # accuracy; a smaller gain is not worth labelling twice the rows


@dataclass(frozen=True)
class Law:
    """e(n) = a + b n^-c."""

    a: float
    b: float
    c: float

    def error(self, n: float) -> float:
        """Return the error with ``n`` training rows."""
        return float(self.a + self.b * n**-self.c)


@dataclass(frozen=True)
class Curve:
    """Accuracy by number of training rows, the fitted law or None, and the conclusion in a sentence.

    ``of_seeds``: the accuracy with each seed, by size. ``gain``: the expected gain of accuracy with twice the largest
    size; None without a law.
    """

    accuracy: dict[int, Estimate]
    of_seeds: dict[int, list[float]]
    law: Law | None
    gain: Estimate | None
    sentence: str


def choose_sizes(n_rows: int, n_classes: int) -> list[int]:
    """Return up to six sizes, each twice the one before, the last one all rows.

    Raises:
        InputError: there are too few rows for two sizes.

    >>> choose_sizes(20_000, 2)
    [625, 1250, 2500, 5000, 10000, 20000]
    """
    least = max(_LEAST_ROWS, _LEAST_OF_CLASS * n_classes)
    sizes = [n_rows >> k for k in range(_N_SIZES) if n_rows >> k >= least]
    if len(sizes) < 2:
        smaller = ",".join(str(n_rows >> k) for k in reversed(range(_LEAST_SIZES)) if n_rows >> k >= _LEAST_TO_TRAIN)
        named = f"name smaller sizes with `--sizes {smaller}` in place of `--curve`, or " if "," in smaller else ""
        raise InputError(
            f"`--curve` needs at least {2 * least:,} training rows, and there are {n_rows:,}: {named}add rows."
        )
    return sizes[::-1]


def check_sizes(sizes: Sequence[int], n_rows: int) -> list[int]:
    """Return the sizes in increasing order.

    Raises:
        InputError: a size is too large, too small or repeated, or there is only one.

    """
    if len(set(sizes)) < len(sizes):
        twice = next(size for size in sizes if list(sizes).count(size) > 1)
        raise InputError(f"`--sizes` has {twice} twice.")
    if min(sizes) < _LEAST_TO_TRAIN:
        raise InputError(f"`--sizes` has {min(sizes)}: training needs at least two rows.")
    if max(sizes) > n_rows:
        raise InputError(
            f"`--sizes` has {max(sizes)}, but there are {n_rows} training rows besides the held-out rows: "
            f"give sizes up to {n_rows}."
        )
    if len(sizes) < 2:
        raise InputError("`--sizes` needs at least two sizes, such as `--sizes 500,1000,2000`.")
    return sorted(sizes)


@same_on_any_cores()
def learning_curve(right: Mapping[int, Bools], seed: int, units: Units | None = None) -> Curve:
    """Return the curve of ``right``, (n_seeds, n_rows) for each size: the rows classified correctly with each seed."""
    sizes = sorted(right)
    n = np.array(sizes, dtype=float)  # (n_sizes,)
    rows = np.stack([1.0 - right[size].mean(axis=0) for size in sizes])  # (n_sizes, n_rows): errors
    error = rows.mean(axis=1)  # (n_sizes,)
    of_seeds = {size: [float(value) for value in right[size].mean(axis=1)] for size in sizes}
    noise = _seed_noise(list(of_seeds.values()), error)  # (n_sizes,)
    rng = np.random.default_rng(seed)
    n_rows = rows.shape[1]
    times = (draw_rows(n_rows, units, rng) for _ in range(_SAMPLES))
    drawn = np.stack([rows @ (each / each.sum()) for each in times])
    drawn = drawn + rng.normal(size=drawn.shape) * noise  # (n_samples, n_sizes)
    spread = np.maximum(drawn.std(axis=0), 1e-6)
    z = 1.96 if units is None else t_quantile(units.degrees)
    accuracy = {
        size: Estimate(1 - e, max(0.0, 1 - e - z * s), min(1.0, 1 - e + z * s))
        for size, e, s in zip(sizes, error.tolist(), spread.tolist(), strict=True)
    }
    law = _law(n, error, spread, noise)
    if law is None:
        return Curve(accuracy, of_seeds, None, None, _last_step(sizes, error, drawn, interval_tails(degrees_of(units))))
    # Residuals may be larger than the noise of rows and seeds: the extrapolation is at least that uncertain.
    residual = _residual(law, n, error)
    gains = [_gain(_fit(n, sample + rng.normal(size=len(n)) * residual, spread), n[-1]) for sample in drawn]
    low, high = np.percentile(gains, interval_tails(degrees_of(units)))
    value = _gain(law, n[-1])
    gain = Estimate(value, min(float(low), value), max(float(high), value))
    return Curve(accuracy, of_seeds, law, gain, _sentence(gain, sizes[-1]))


def _seed_noise(of_seeds: list[list[float]], error: Floats) -> Floats:
    """Return the standard error of the mean over seeds, (n_sizes,), as the same share of the error for all sizes."""
    n_seeds = min(len(values) for values in of_seeds)
    if n_seeds < 2:
        return np.zeros_like(error)
    relative = np.array([np.std(values, ddof=1) for values in of_seeds]) / np.maximum(error, 1e-6)
    return np.asarray(np.sqrt((relative**2).mean() / n_seeds) * error)


def _law(n: Floats, error: Floats, spread: Floats, noise: Floats) -> Law | None:
    """Return the fitted law, or None if the errors do not follow one."""
    if len(n) < _LEAST_SIZES or error[-1] >= error[0]:
        return None
    law = _fit(n, error, spread)
    allowed = max(_FAR * float(error[0] - error[-1]), 2 * float(noise.mean()))
    return law if _residual(law, n, error) <= allowed else None


def _residual(law: Law, n: Floats, error: Floats) -> float:
    """Return the root mean square of the residuals."""
    return float(np.sqrt(np.mean([(law.error(size) - e) ** 2 for size, e in zip(n, error, strict=True)])))


def _fit(n: Floats, error: Floats, spread: Floats) -> Law:
    """Fit the law by weighted least squares with a, b >= 0; c is the best of a grid."""
    weight = 1 / spread**2
    x = n[None, :] ** -_EXPONENTS[:, None]  # (n_exponents, n_sizes)
    total = weight.sum()
    x_mean, y_mean = x @ weight / total, float(error @ weight) / total
    b = ((x - x_mean[:, None]) * (error - y_mean)) @ weight / (((x - x_mean[:, None]) ** 2) @ weight)
    a = y_mean - b * x_mean
    through_zero = (x * error) @ weight / ((x**2) @ weight)
    b = np.where(a < 0, through_zero, b)
    a = np.where(a < 0, 0.0, a)
    a, b = np.where(b < 0, y_mean, a), np.maximum(b, 0.0)
    squares = ((a[:, None] + b[:, None] * x - error) ** 2) @ weight
    best = int(squares.argmin())
    return Law(float(a[best]), float(b[best]), float(_EXPONENTS[best]))


def _gain(law: Law, n: float) -> float:
    return law.error(n) - law.error(2 * n)


def _sentence(gain: Estimate, most: int) -> str:
    twice = f"Twice the data ({2 * most:,} rows)"
    value, low, high = (100 * figure for figure in (gain.value, gain.low, gain.high))
    if gain.high < _LITTLE:
        return f"The curve has levelled off: {twice[0].lower()}{twice[1:]} would bring {high:.1f} points at most."
    return f"{twice} would bring about {value:.1f} points ({low:.1f} to {high:.1f})."


def _last_step(sizes: list[int], error: Floats, drawn: Floats, tails: tuple[float, float]) -> str:
    """Describe the last step, without an extrapolation."""
    step = drawn[:, -2] - drawn[:, -1]
    low, high = np.percentile(step, tails)
    value = float(error[-2] - error[-1])
    changed = f"from {sizes[-2]:,} to {sizes[-1]:,} rows accuracy changed by {100 * value:+.1f} points"
    if len(sizes) >= _LEAST_SIZES and max(-low, high) < _LITTLE:
        return f"The curve has levelled off: {changed}."
    few = len(sizes) < _LEAST_SIZES
    because = "With fewer than four sizes" if few else "Since the curve does not follow a power law,"
    interval = f"{100 * min(low, value):+.1f} to {100 * max(high, value):+.1f}"
    return f"{because} nothing can be extrapolated; {changed} ({interval})."
