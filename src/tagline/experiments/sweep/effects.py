"""Effects of settings: means with intervals, paired differences, and the share of variance that each setting explains.

Every trial is evaluated on the same rows, so trials are compared row by row. Two sources of noise move an accuracy:
the sample of rows and the seed. For the mean accuracy of k trials, with m_i the share of them that classify row i of n
correctly:

    variance = var(m_i) / n + s² / k

where s² is the variance between seeds of one combination, pooled over all combinations, and 0 with a single seed. A
difference of two means has m_i - m'_i in place of m_i. Where rows form units, such as copies of a text, deviations from
the mean are added up over each unit before they are squared (see `tagline.metrics.units`).

Source: the shares are those of an analysis of variance (R. Fisher, Statistical Methods for Research Workers, 1925).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tagline.metrics.intervals.shares import share_interval, t_quantile
from tagline.metrics.units import Units, draw_rows
from tagline.parallel import same_on_any_cores
from tagline.task import Bools, Floats, Ints

_Z = 1.959963984540054  # the normal distribution's 97.5 % point
_SAME = 1e-12
_SAMPLES = 200


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def includes_zero(self) -> bool:
        """Whether a difference is within its noise."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Shares:
    """Shares of the total sum of squares between trials, each from 0 to 1; they sum to 1 on a full grid.

    ``by_setting``: the main effect of each setting; ``together``: the interactions of settings; ``seeds``: the rest,
    the variance between seeds.
    """

    by_setting: dict[str, float]
    together: float
    seeds: float


def seed_variance(accuracy: Floats, variant: Ints) -> float:
    """Return the variance of ``accuracy``, (n_trials,), between trials of one ``variant``, (n_trials,), pooled."""
    squares, degrees = 0.0, 0
    for one in np.unique(variant):
        values = accuracy[variant == one]
        squares += float(((values - values.mean()) ** 2).sum())
        degrees += len(values) - 1
    return squares / degrees if degrees else 0.0


def mean_accuracy(right: Bools, of_seeds: float, units: Units | None = None) -> Estimate:
    """Return the mean accuracy of trials; ``right``: (n_trials, n_rows); ``of_seeds``: the variance between seeds."""
    k, n = right.shape
    rows = right.mean(axis=0)  # (n_rows,)
    value = float(rows.mean())
    if value in (0.0, 1.0):
        n_effective = n if units is None else units.effective_rows(np.ones(n, dtype=bool))
        low, high = share_interval(value * n_effective, n_effective)
        return Estimate(value, float(low), float(high))
    half = _z(units) * float(np.sqrt(_variance_of_mean(rows, units) + of_seeds / k))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def difference(right: Bools, other: Bools, of_seeds: float, units: Units | None = None) -> Estimate:
    """Return the difference of the mean accuracies of two sets of trials, each (n_trials, n_rows), on the same rows."""
    rows = right.mean(axis=0) - other.mean(axis=0)  # (n_rows,)
    variance = _variance_of_mean(rows, units) + of_seeds * (1 / len(right) + 1 / len(other))
    half = _z(units) * float(np.sqrt(variance))
    return Estimate(float(rows.mean()), float(rows.mean()) - half, float(rows.mean()) + half)


def _variance_of_mean(rows: Floats, units: Units | None) -> float:
    n = len(rows)
    if units is None:
        return float(rows.var() / n)
    return float((units.sums(rows - rows.mean()) ** 2).sum()) / n**2


def _z(units: Units | None) -> float:
    return _Z if units is None else t_quantile(units.degrees)


@same_on_any_cores()
def shares(accuracy: Floats, settings: Mapping[str, Ints], variant: Ints) -> Shares | None:
    """Return the shares of the variance of ``accuracy``, (n_trials,); None if all trials have the same accuracy.

    ``settings``: the index of the value of each trial, (n_trials,), by setting. The share of a setting is the decrease
    of the residual sum of squares when it is added to all other settings; on a full grid that is its main effect.
    """
    total = float(((accuracy - accuracy.mean()) ** 2).sum())
    if total < _SAME * len(accuracy):
        return None
    everything = _residual(accuracy, list(settings.values()))
    of_seeds = _residual(accuracy, [variant])
    by_setting = {
        key: max(0.0, _residual(accuracy, [v for k, v in settings.items() if k != key]) - everything) / total
        for key in settings
    }
    return Shares(by_setting, max(0.0, everything - of_seeds) / total, of_seeds / total)


def _residual(accuracy: Floats, factors: list[Ints]) -> float:
    """Return the residual sum of squares of an additive model of the factors."""
    columns = [np.ones((len(accuracy), 1)), *(np.eye(int(factor.max()) + 1)[factor] for factor in factors)]
    design = np.hstack(columns)  # (n_trials, 1 + n_values)
    fitted = design @ np.linalg.lstsq(design, accuracy, rcond=None)[0]
    return float(((accuracy - fitted) ** 2).sum())


@same_on_any_cores()
def selection_optimism(right: Floats, seed: int, units: Units | None = None) -> float:
    """Return by how much the accuracy of the best variant is too high because the same rows select and measure it.

    ``right``: the share of seeds that classify a row correctly, (n_variants, n_rows). Estimated by bootstrap: rows are
    resampled, and the accuracy of the best variant on the sample is compared with its accuracy on all rows.
    """
    rng = np.random.default_rng(seed)
    whole = right.mean(axis=1)  # (n_variants,)
    excess = []
    for _ in range(_SAMPLES):
        times = draw_rows(right.shape[1], units, rng)
        drawn = right @ (times / times.sum())  # (n_variants,)
        best = int(drawn.argmax())
        excess.append(drawn[best] - whole[best])
    return max(0.0, float(np.mean(excess)))
