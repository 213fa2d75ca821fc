"""McNemar's test of equal accuracy on the same rows, and the interval of the difference that always agrees with it."""

from collections.abc import Callable
from math import ceil, exp, hypot, log, log2

import numpy as np

from tagline.metrics.intervals.shares import ALPHA, effective_number, share_interval
from tagline.metrics.units import Units
from tagline.task import Bools, Floats, Ints

_PRECISION = 1e-6  # of the share of discordant rows


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided mid-p value of McNemar's test, whose null hypothesis is equal accuracy.

    With k the smaller of the two counts, d their sum, and F the distribution function of Binomial(d, 1/2):
    p = 2 (F(k - 1) + P(k) / 2) = F(k - 1) + F(k).

    Source: M. Fagerland, S. Lydersen, P. Laake, The McNemar test for binary matched-pairs data: mid-p and asymptotic
    are better than exact conditional, BMC Medical Research Methodology 13:91 (2013), who recommend it for any counts.

    Args:
        only_first: Rows that only the first model classifies correctly.
        only_second: Rows that only the second model classifies correctly.

    >>> round(mcnemar(1, 7), 3)
    0.039

    """
    k, d = min(only_first, only_second), only_first + only_second
    return min(1.0, _below(k - 1, d) + _below(k, d))


def paired_test(first_right: Bools, second_right: Bools, units: Units | None = None) -> float:
    """Return the two-sided mid-p value of McNemar's test of rows, ``(n,)``, or of its extension to units of them.

    The net difference of a unit is its rows that only one model has right, less those that only the other has. If the
    models are equally accurate, its sign is a coin toss; p is the probability of a sum more extreme than the one found,
    plus half of that of the same sum. For units of one row this is McNemar's test. Its statistic is that of
    N. Obuchowski, On the comparison of correlated proportions for clustered data, Statistics in Medicine 17 (1998),
    whose distribution is normal for many units.
    """
    net = _net_differences(first_right, second_right, units)
    if np.abs(net).max(initial=0) <= 1:
        return mcnemar(int((net < 0).sum()), int((net > 0).sum()))
    p = 2 * _tail(net, 0.5)
    # Rounding may make 0 of a tiny probability; no p-value is smaller than that of all signs being the same.
    return max(0.5 ** int((net != 0).sum()), min(1.0, p))


def paired_interval(
    first_right: Bools, second_right: Bools, units: Units | None = None, alpha: float = ALPHA
) -> list[float] | None:
    """Return the interval of the accuracy of the second model minus that of the first; ``None`` if none differs.

    It excludes 0 if and only if ``paired_test`` is at most ``alpha``. The difference is the discordance δ, the share of
    rows that one model only has right, times λ = 2 π - 1, where π is the second model's share of them. The limits of π
    invert the test: at π = 1/2 it is McNemar's. δ has Wilson's limits. Both are combined by the method of variance
    estimates recovery: on the logarithmic scale where the limit of λ has the sign of λ, so that the sign is kept; and
    with the middle of λ and its limit as the weight of δ at the other end, which λ alone makes too narrow for few rows.

    Source: G. Zou, A. Donner, Construction of confidence limits about effect measures: a general approach, Statistics
    in Medicine 27 (2008).

    Args:
        first_right: Rows that the first model classifies correctly, ``(n,)``.
        second_right: The same of the second model.
        units: Of the rows, if some have several.
        alpha: One minus the level.

    """
    net = _net_differences(first_right, second_right, units)
    sizes = np.abs(net)
    if not sizes.any():
        return None
    n = len(first_right)
    discordance = float(sizes.sum()) / n
    n_effective = float(n)
    if units is not None:
        n_effective = float(
            effective_number(sizes[:, None].astype(float), units.sizes[:, None].astype(float), units)[0]
        )
    least, most = (float(end) for end in share_interval(discordance * n_effective, n_effective, alpha))
    sign = 1 if net.sum() >= 0 else -1
    net = sign * net[net != 0]  # the better model is the second one
    value = float(net.sum() / np.abs(net).sum())  # λ
    significant = paired_test(first_right, second_right, units) <= alpha
    low = 2 * _limit(net, alpha, (0.5, 1.0) if significant else (0.0, 0.5)) - 1
    high = 1 - 2 * _limit(-net, alpha, (0.0, 0.5)) if value < 1 else 1.0
    if significant:
        low = max(low, _PRECISION)
        lower = value * discordance * exp(-hypot(log(value / low), log(discordance / least)))
    else:
        weight = max(value, abs(value + low) / 2)
        lower = value * discordance - hypot(discordance * (value - low), weight * (discordance - least))
    upper = value * discordance + hypot(discordance * (high - value), (value + high) / 2 * (most - discordance))
    ends = sorted((sign * max(lower, -1.0), sign * min(upper, 1.0)))
    return [float(end) for end in ends]


def _net_differences(first_right: Bools, second_right: Bools, units: Units | None) -> Ints:
    """Return the rows of each unit that only the second model has right less those that only the first has."""
    net = second_right.astype(np.int64) - first_right.astype(np.int64)
    return net if units is None else np.rint(units.sums(net)).astype(np.int64)


def _limit(net: Ints, alpha: float, within: tuple[float, float]) -> float:
    """Return the π in an interval at which the tail of ``net``, ``(n_units,)`` not 0, is alpha / 2; it grows with π."""
    low, high = within
    tail = _tail_of(net)
    while high - low > _PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if tail(middle) > alpha / 2 else (middle, high)
    return low if within[0] == 0.5 else high


def _tail(net: Ints, p: float) -> float:
    """Return P(sum of positive sizes > the one found) + P(the same) / 2, of the less likely side if ``p`` is 1/2."""
    better = net if net.sum() >= 0 else -net
    return _tail_of(better[better != 0])(p)


def _tail_of(net: Ints) -> Callable[[float], float]:
    """Return the mid-p tail of the sum of the sizes that are positive, by the probability of a positive sign.

    The sum has the characteristic function Π (1 - π + π exp(i θ size)).
    """
    from scipy.special import bdtr

    sizes, times = np.unique(np.abs(net), return_counts=True)
    total, positive = int((sizes * times).sum()), int(net[net > 0].sum())
    if len(sizes) == 1:
        d, k = int(times[0]), positive // int(sizes[0])

        def of_binomial(p: float) -> float:
            # The tail of successes is the lower one of failures, which stays precise where it is tiny.
            below = float(bdtr(d - k - 1, d, 1 - p)) if k < d else 0.0
            return (below + float(bdtr(d - k, d, 1 - p))) / 2

        return of_binomial
    waves: list[Floats] = [np.exp(-2j * np.pi / (total + 1) * size * np.arange(total + 1)) for size in sizes.tolist()]

    def of_sum(p: float) -> float:
        spectrum = np.ones(total + 1, complex)
        for wave, n in zip(waves, times.tolist(), strict=True):
            spectrum *= (1 - p + p * wave) ** n
        probability = np.clip(np.fft.ifft(spectrum).real, 0, 1)  # of each sum of positive sizes, (total + 1,)
        return float(probability[positive + 1 :].sum()) + float(probability[positive]) / 2

    return of_sum


def _below(k: int, d: int) -> float:
    """Return the distribution function of Binomial(``d``, 1/2) at ``k``."""
    from scipy.special import bdtr

    return 0.0 if k < 0 else float(bdtr(k, d, 0.5))


def smallest_difference(n: float, discordance: float, comparisons: int = 1) -> float | None:
    """Return the smallest difference in accuracy on ``n`` rows that is significant by `mcnemar`, 0 to 1.

    ``None`` if no difference on so few rows is significant.

    Args:
        n: Rows; where units have several, their effective number.
        discordance: The share of rows that exactly one of the models classifies correctly, measured or assumed.
        comparisons: The number of comparisons; each is tested at 5 % divided by it (Bonferroni).

    >>> smallest_difference(1000, 0.08)
    0.018

    """
    alpha = ALPHA / comparisons
    # With fewer discordant rows nothing is significant, even if all favour one model: p = 1 / 2^d.
    fewest = ceil(log2(1 / alpha))
    d = max(round(n * discordance), fewest)
    if d > n:
        return None
    low, high = 0, d // 2  # p grows with the smaller count: bisect for the largest that is significant
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if mcnemar(middle, d - middle) <= alpha else (low, middle - 1)
    return (d - 2 * low) / n


def assumed_discordance(accuracy: float) -> float:
    """Return the share of rows that exactly one of two models of this accuracy is assumed to classify correctly.

    It is the error rate e, as if the models had half of their errors in common, and at most 2 e (1 - e), the value for
    independent errors. Between `fast`, `naive-bayes`, `logistic-regression`
    and `linear-svm` it was 0.2 to 0.6 e on validation rows of 8,530 film snippets, and 0.2 to 1.2 e on those of 2,225
    news articles, so the assumption is usually conservative.
    """
    wrong = 1 - accuracy
    return wrong * min(1.0, 2 * accuracy)
