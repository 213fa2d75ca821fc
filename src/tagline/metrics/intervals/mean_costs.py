"""The 95 % interval of the mean cost of predictions."""

import numpy as np

from tagline.metrics.intervals.bootstrap import Interval, degrees_of, interval_tails
from tagline.metrics.units import Units, sum_by_unit
from tagline.task import Floats


def mean_cost_interval(costs: Floats, lowest: float, highest: float, units: Units | None) -> Interval:
    """Return the interval of the mean of costs, ``(n,)``, which lie between ``lowest`` and ``highest``.

    It is the gamma interval for weighted sums of Poisson counts, with the variance of a multinomial sample: a few rare
    and dear mistakes are most of a mean, and rows that show none of them must not give a narrow interval. Its upper
    end allows for one more row, or unit, of the highest cost.

    Source: M. Fay, E. Feuer, Confidence intervals for directly standardized rates, Statistics in Medicine 16 (1997).
    """
    from scipy.special import gammaincinv

    n = len(costs)
    above = costs - lowest
    total = float(above.sum())
    sizes = np.ones(1) if units is None else units.sizes.astype(float)
    one_more = (highest - lowest) * float(np.sqrt(np.mean(sizes**2)))
    variance = float(np.square(sum_by_unit(above - above.mean(), units)).sum())
    tail, other = (percent / 100 for percent in interval_tails(degrees_of(units)))
    low = variance / total * gammaincinv(total**2 / variance, tail) if variance > 0 else total
    grown, spread = total + one_more, variance + one_more**2
    high = spread / grown * gammaincinv(grown**2 / spread, other)
    return [lowest + float(low) / n, min(highest, lowest + float(high) / n)]
