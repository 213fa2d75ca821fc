"""The 95 % interval of the mean cost of predictions."""

import numpy as np

from tagline.metrics.intervals.bootstrap import Interval, degrees_of, interval_tails
from tagline.metrics.units import Units, sum_by_unit
from tagline.task import Floats

_ROUNDING = 1e-9  # of the range of costs: rows of equal costs deviate from their mean by less


def mean_cost_interval(costs: Floats, lowest: float, highest: float, units: Units | None) -> Interval | None:
    """Return the interval of the mean of costs, ``(n,)``, which lie between ``lowest`` and ``highest``.

    It is the gamma interval for weighted sums of Poisson counts, with the variance of a multinomial sample: a few rare
    and costly mistakes are most of a mean, and rows that show none of them must not give a narrow interval. Its upper
    end allows for one more row, or unit, of the highest cost. Where cheap rows are the rare ones instead, the lower end
    is that of the upper end's mirror image, and allows for one more row of the lowest cost. ``None`` of a single unit.

    Source: M. Fay, E. Feuer, Confidence intervals for directly standardized rates, Statistics in Medicine 16 (1997).
    """
    if units is not None and units.n == 1:
        return None
    n = len(costs)
    size = 1.0 if units is None else float(np.sqrt(np.mean(np.square(units.sizes.astype(float)))))  # of one more unit
    deviations = sum_by_unit(costs - costs.mean(), units)
    variance = float(np.square(deviations).sum())
    tail, other = (percent / 100 for percent in interval_tails(degrees_of(units)))

    def upper(total: float, one_more: float) -> float:
        grown, spread = total + one_more * size, variance + (one_more * size) ** 2
        return _quantile(grown, spread, other) if grown > 0 else 0.0

    total = float((costs - lowest).sum())
    high = lowest + upper(total, highest - lowest) / n
    if variance > (_ROUNDING * (highest - lowest)) ** 2 and float((deviations**3).sum()) >= 0:
        low = lowest + _quantile(total, variance, tail) / n
    else:
        top = float(costs.max())
        low = top - upper(float((top - costs).sum()), top - lowest) / n
    return [max(lowest, low), min(highest, high)]


def _quantile(mean: float, variance: float, share: float) -> float:
    """Return a quantile of the gamma distribution with this mean and variance."""
    from scipy.special import gammaincinv

    return float(variance / mean * gammaincinv(mean**2 / variance, share))
