"""95 % intervals of shares: accuracy, and the recall, precision, specificity and F1 of each class."""

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from tagline.metrics.units import Units
from tagline.task import Floats

ALPHA = 0.05
_BISECTIONS = 12  # then one linear step: an error of less than 1e-6


def share_interval(part: ArrayLike, whole: ArrayLike, alpha: float = ALPHA) -> tuple[Floats, Floats]:
    """Return the ends of the intervals of shares ``part / whole``, which may be effective numbers, any shape.

    It is Wilson's interval, which near 0 and 1 reaches as far as the mid-p interval: there Wilson's alone contains the
    share in 84 % of samples, both together in at least 93.7 % of samples of 60 rows or more, and they are hardly wider.
    Where all or none count, it is the exact interval. Not a number where ``whole`` is 0.

    Source: E. Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American
    Statistical Association 22 (1927); C. Clopper, E. Pearson, Biometrika 26 (1934), whose limits are closed at the two
    ends; G. Berry, P. Armitage, Mid-P confidence intervals, The Statistician 44 (1995). The effective number:
    E. Korn, B. Graubard, Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data, Survey Methodology 24 (1998).

    >>> low, high = share_interval([39, 40], 40)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.871, 0.912], [0.999, 1.0])
    """
    from scipy.special import ndtri

    k, n = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        z2, share = float(ndtri(alpha / 2)) ** 2, k / n
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = np.sqrt(np.maximum(share * (1 - share) * z2 / n + (z2 / (2 * n)) ** 2, 0)) / (1 + z2 / n)
        exact = (alpha / 2) ** (1 / n)
    low = np.where(k >= n, exact, np.fmin(middle - half, mid_p_limit(k, n, alpha)).clip(0, share))
    high = np.where(k <= 0, 1 - exact, np.fmax(middle + half, 1 - mid_p_limit(n - k, n, alpha)).clip(share, 1))
    some = n > 0
    return np.where(some, np.where(k <= 0, 0.0, low), np.nan), np.where(some, np.where(k >= n, 1.0, high), np.nan)


def mid_p_limit(part: Floats, whole: Floats, alpha: float = ALPHA) -> Floats:
    """Return the lower mid-p limit of shares: the p with P(X > part) + P(X = part) / 2 = alpha / 2 for Binomial(n, p).

    0 where ``part`` is 0; the upper limit is one minus the lower one of the rest.
    """
    from scipy.special import betainc, betaincinv

    k, n = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    limit = np.zeros(k.shape)
    inside = (k > 0) & (k < n)
    all_of_them = (k >= n) & (n > 0)
    limit[all_of_them] = alpha ** (1 / n[all_of_them])
    k, n = k[inside], n[inside]

    def tail(p: Floats) -> Floats:
        return np.asarray((betainc(k, n - k + 1, p) + betainc(k + 1, n - k, p)) / 2)

    low, high = betaincinv(k, n - k + 1, alpha / 2), betaincinv(k + 1, n - k, alpha / 2)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        above = tail(middle) > alpha / 2
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    at_low, at_high = tail(low), tail(high)
    step = np.divide(alpha / 2 - at_low, at_high - at_low, out=np.zeros(len(k)), where=at_high > at_low)
    limit[inside] = low + (high - low) * step
    return limit


def t_quantile(degrees: float, alpha: float = ALPHA) -> float:
    """Return the two-sided quantile of t, or of the normal distribution for infinitely many degrees of freedom.

    >>> round(t_quantile(9), 2), round(t_quantile(inf), 2)
    (2.26, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    return float(-ndtri(alpha / 2) if degrees == inf else stdtrit(degrees, 1 - alpha / 2))


def effective_number(part: Floats, whole: Floats, units: Units) -> Floats:
    """Return how many independent rows would tell as much about the shares Σ part / Σ whole.

    ``part`` and ``whole`` are those of units, ``(n_units, …)``; the effective numbers are ``(…)``. With r the share it
    is r (1 - r) / variance, the variance being that of a ratio, times (1.96 / t)² for few units, and at most the rows.
    Where all or none count, it is the rows over the design effect of whole units; a single unit tells nothing: 0.
    Source: L. Kish, Survey Sampling (1965), sections 2.5 and 8.2; the factor: E. Korn, B. Graubard (1998).
    """
    total = whole.sum(0)
    if units.n == 1:
        return np.zeros_like(total)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = part.sum(0) / total
        of_units = total**2 / (whole**2).sum(0)
        mixed = np.fmin(r * (1 - r) * total**2 / ((part - r * whole) ** 2).sum(0), total)
        n = np.where((r <= 0) | (r >= 1), of_units, mixed * (t_quantile(inf) / t_quantile(units.degrees)) ** 2)
    return np.where(total > 0, n, 0.0)
