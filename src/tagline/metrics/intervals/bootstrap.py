"""95 % intervals: the bootstrap for metrics of counts and for means, the delta method for areas under curves.

How often each contains the truth is measured by ``benchmarks/coverage.py``. Shares of rows have intervals of their own
(see ``shares``). A bootstrap sample draws n rows with replacement. There are faster ways than row by row:

* A metric of the counts in the cells of a table needs only these counts, which are multinomial. This is exactly
  the same bootstrap; its cost depends on the number of cells, not of rows.
* A mean over rows needs only how often each row is drawn. These counts are approximately independent Poisson(1)
  variables: N. Chamandy et al., Estimating uncertainty for massive data streams (Google, 2012).

Where rows form units (see ``units``), a sample draws as many units as there are, each with all of its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import exp, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.metrics.counts import Counts
from tagline.metrics.intervals.shares import ALPHA, t_quantile
from tagline.metrics.units import CellDraws, Units, sum_by_unit
from tagline.task import Bools, Floats, Ints

Interval = list[float]

_ROUNDING = 1e-5  # relative; equal float32 means differ by less
_MIN_SAMPLES = 200
_MOST_ERRORS = 6.0  # an interval of a mean reaches no farther from it, in standard errors
_MAX_DRAWS = 10_000_000
_MAX_PRODUCTS = 1_000_000_000
_DRAWS_AT_ONCE = 1_000_000
_CELLS_OF_BLOCK = 4_000_000


def resample_confusion(matrix: Ints, draws: CellDraws, n_samples: int, rng: np.random.Generator) -> Counts:
    """Bootstrap a confusion matrix, ``(n_classes, n_classes)``, to counts ``(n_samples, n_classes)``.

    ``draws``: of the cells that are not 0, in their order.
    """
    if draws.cells is not None:
        n_samples = _affordable(n_samples, len(draws.counts))
    truth, prediction = np.nonzero(matrix)
    samples = list(_resample_cells(truth, prediction, draws, len(matrix), n_samples, rng))
    return Counts(*(np.concatenate([getattr(of, part) for of in samples]) for part in ("tp", "fp", "fn", "tn")))


def resample_cells(
    truth: Ints, prediction: Ints, draws: CellDraws, n_classes: int, n_samples: int, rng: np.random.Generator
) -> Iterator[Counts]:
    """Bootstrap the cells of a confusion matrix of very many classes, a few samples ``(size, n_classes)`` at a time.

    With many cells, or kinds of units, it draws fewer samples, at least 200.
    """
    n_samples = _affordable(n_samples, max(len(truth), len(draws.counts)))
    yield from _resample_cells(truth, prediction, draws, n_classes, n_samples, rng)


def _affordable(n_samples: int, n_drawn: int) -> int:
    return min(n_samples, max(_MAX_DRAWS // n_drawn, _MIN_SAMPLES))


def _resample_cells(
    truth: Ints, prediction: Ints, draws: CellDraws, n_classes: int, n_samples: int, rng: np.random.Generator
) -> Iterator[Counts]:
    right = truth == prediction
    of_truth, of_prediction = one_hot(truth, n_classes), one_hot(prediction, n_classes)
    of_right = of_truth.multiply(right[:, None]).tocsr()
    step = max(1, _DRAWS_AT_ONCE // max(n_classes, len(truth), len(draws.counts)))
    for start in range(0, n_samples, step):
        drawn = draws.draw(min(step, n_samples - start), rng)  # (size, n_cells)
        n = drawn.sum(1, keepdims=True)  # units have different sizes
        yield Counts.from_totals(drawn @ of_right, drawn @ of_prediction, drawn @ of_truth, n)


def one_hot(index: NDArray[Any], n_classes: int) -> Any:
    """Return a CSR matrix ``(n, n_classes)`` with a 1 in each row, at ``index``, ``(n,)``."""
    from scipy.sparse import csr_matrix  # slow to import, see `units`

    n = len(index)
    return csr_matrix((np.ones(n), index, np.arange(n + 1)), shape=(n, n_classes))


@dataclass(frozen=True)
class Columns:
    """Numbers of each row, ``(n, d)`` float32, built one block of columns at a time to save memory.

    Attributes:
        n: Rows.
        blocks: Width of each block and the function that builds it, ``(n, width)``; it may be called several times.

    """

    n: int
    blocks: Sequence[tuple[int, Callable[[], NDArray[np.float32]]]]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> "Columns":
        """Return the columns of an array, ``(n, d)``."""
        return cls(len(rows), [(rows.shape[1], lambda: rows.astype(np.float32))])

    @classmethod
    def of_booleans(cls, *factors: Bools) -> "Columns":
        """Return the columns of the product of boolean matrices, ``(n, d)`` each."""

        def build(part: slice) -> NDArray[np.float32]:
            first, *others = (matrix[:, part] for matrix in factors)
            return reduce(np.logical_and, others, first).astype(np.float32)

        n, d = factors[0].shape
        return cls(n, [(part.stop - part.start, partial(build, part)) for part in parts_of(d, width_of_block(n))])

    @property
    def d(self) -> int:
        """Columns of all blocks together."""
        return sum(width for width, _ in self.blocks)

    def followed_by(self, other: "Columns") -> "Columns":
        """Return these columns and then the others."""
        return Columns(self.n, [*self.blocks, *other.blocks])

    def merged(self) -> list[Callable[[], NDArray[np.float32]]]:
        """Return functions that build the columns, with small blocks joined."""
        groups: list[list[Callable[[], NDArray[np.float32]]]] = []
        taken, most = 0, width_of_block(self.n)
        for width, build in self.blocks:
            if groups and taken + width <= most:
                groups[-1].append(build)
                taken += width
            else:
                groups.append([build])
                taken = width
        return [partial(_side_by_side, group) for group in groups]


def _side_by_side(builds: Sequence[Callable[[], NDArray[np.float32]]]) -> NDArray[np.float32]:
    return builds[0]() if len(builds) == 1 else np.hstack([build() for build in builds])


def width_of_block(n: int) -> int:
    """Return the number of columns of ``n`` rows that are built at a time."""
    return max(1, _CELLS_OF_BLOCK // n)


def parts_of(n: int, size: int) -> list[slice]:
    """Return slices of at most ``size`` that cover ``n`` places.

    >>> parts_of(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(at, min(at + size, n)) for at in range(0, n, size)]


def resample_means(columns: Columns, n_samples: int, rng: np.random.Generator, units: Units | None = None) -> Floats:
    """Bootstrap the means of ``columns``, ``(n, d)``, to ``(n_samples, d)``.

    Large data gets fewer samples, at least 200: its intervals are narrow, so their ends may be less precise.
    """
    n, d = columns.n if units is None else units.n, columns.d
    affordable = min(_MAX_DRAWS // n, _MAX_PRODUCTS // (n * d))
    n_samples = min(n_samples, max(affordable, _MIN_SAMPLES))
    means = np.empty((n_samples, d))
    blocks = columns.merged()
    only = sum_by_unit(blocks[0](), units) if len(blocks) == 1 else None
    done = 0
    for weights in _poisson_weights(n, n_samples, rng):
        # With very few rows, a sample can be empty; it then gets the mean of the data.
        weights[~weights.any(1)] = 1
        drawn = weights.sum(1) if units is None else weights @ units.sizes.astype(np.float32)  # (size,)
        size, at = len(weights), 0
        for block in blocks:
            rows = sum_by_unit(block(), units) if only is None else only  # (n, width)
            means[done : done + size, at : at + rows.shape[1]] = (weights @ rows) / drawn[:, None]
            at += rows.shape[1]
        done += size
    return means


def _poisson_weights(n: int, n_samples: int, rng: np.random.Generator) -> Iterator[NDArray[np.float32]]:
    """Draw how often each row is in each sample, ``(size, n)``, a few samples at a time."""
    table = _poisson_table()
    step = max(1, _DRAWS_AT_ONCE // n)
    for start in range(0, n_samples, step):
        size = min(step, n_samples - start)
        yield table[rng.integers(0, len(table), size=(size, n), dtype=np.uint16)]


def degrees_of(units: Units | None) -> float:
    """Return the degrees of freedom of a variance between units; infinitely many if each row is its own unit."""
    return inf if units is None else units.degrees


def degrees_of_events(n_events: float, units: Units | None = None) -> float:
    """Return the degrees of freedom of a standard error that ``n_events`` wrong rows, or units, determine: 2 n + 1.

    Of few events the bootstrap's standard error is as uncertain as it is too small. The factor is chosen by simulation:
    with n degrees, intervals of four events would be half as wide again, and contain the truth in 98 % of samples.
    """
    return min(2 * n_events + 1, degrees_of(units))


def interval_tails(degrees: float) -> tuple[float, float]:
    """Return the percentiles of bootstrap samples that are the ends of an interval: 2.5 and 97.5, wider of few units.

    Samples of few units vary too little, as a standard error times 1.96 does, so the tails are those that the normal
    distribution has beyond the quantile of t.
    Source: T. Hesterberg, What Teachers Should Know About the Bootstrap, American Statistician 69 (2015), the expanded
    percentile interval.
    """
    from scipy.special import ndtr

    tail = 100 * float(ndtr(-t_quantile(degrees)))
    return tail, 100 - tail


def difference_interval(
    samples: Floats, value: float, degrees: float = inf, alpha: float = ALPHA
) -> tuple[Interval | None, float]:
    """Return the interval of a difference from its bootstrap ``samples``, ``(n_samples,)``, and its two-sided p-value.

    The standard error of the samples times the quantile of t; the bias of the samples extends one end. The interval
    excludes 0 if and only if p is at most ``alpha``. ``None`` and 1 if the samples do not vary.
    Metrics are from 0 to 1.
    """
    from scipy.special import ndtr, stdtr

    if not vary(samples):
        return None, 1.0
    bias, error = float(samples.mean()) - value, float(samples.std())
    low, high = value - max(bias, 0), value - min(bias, 0)
    half = t_quantile(degrees, alpha) * error
    t = -max(low, -high, 0) / error
    p = min(1.0, float(2 * (ndtr(t) if degrees == inf else stdtr(degrees, t))))
    return [max(low - half, -1.0), min(high + half, 1.0)], p


def bounded_interval(samples: Floats, value: float, degrees: float, lowest: float = 0.0) -> Interval | None:
    """Return the interval of a metric between ``lowest``, 0 or -1, and 1 from its bootstrap ``samples``.

    It is symmetric on the logit scale, which for a correlation is Fisher's, with the standard error of the samples and
    the quantile of t with few degrees of freedom. The bias of the metric, which is about that of the samples from
    ``value``, extends one end: the weighted precision of many classes is too high, their macro F1 too low.
    ``None`` if the samples do not vary.
    """
    if not vary(samples) or not lowest < value < 1:
        return None
    scale = 1 - lowest
    bias, error = float(samples.mean()) - value, float(samples.std()) / scale
    ends = [((middle - lowest) / scale) for middle in (value - max(bias, 0), value - min(bias, 0))]
    edge = 1e-3 * min((value - lowest) / scale, (1 - value) / scale)
    z, share = t_quantile(degrees), (value - lowest) / scale
    half = z * error / (share * (1 - share))
    low, high = (log(end / (1 - end)) for end in (min(max(end, edge), 1 - edge) for end in ends))
    return [lowest + scale * _logistic(low - half), lowest + scale * _logistic(high + half)]


def mean_interval(samples: Floats, value: float, error: float, degrees: float) -> Interval | None:
    """Return the bootstrap-t interval, on the logarithmic scale, of a mean of losses, at least 0.

    A few large losses are most of a mean: of samples that lack them, mean and standard error are both too small. The
    studentized bootstrap measures how often that is so. ``None`` if the rows do not vary.
    Source: A. Davison, D. Hinkley, Bootstrap Methods and their Application (1997), section 5.2.1.

    Args:
        samples: Of each sample, how far its mean is above ``value``, and its standard error, ``(n_samples, 2)``.
        value: The mean.
        error: Its standard error.
        degrees: Of freedom of a variance between units, see ``interval_tails``.

    """
    if value <= 0 or error <= _ROUNDING * value:
        return None
    means, errors = value + samples[:, 0], samples[:, 1]
    usable = (means > 0) & (errors > _ROUNDING * error)
    if not usable.any():
        return None
    t = np.log(means[usable] / value) * means[usable] / errors[usable]
    low, high = np.percentile(t, interval_tails(degrees)).clip(-_MOST_ERRORS, _MOST_ERRORS)
    return [value * exp(-max(high, 0) * error / value), value * exp(-min(low, 0) * error / value)]


def delta_interval(
    value: float, influence: Floats, units: Units | None = None, *, least: float = 0.0, bias: float = 0.0
) -> Interval | None:
    """Return the interval of a metric between 0 and 1 from the influence of each row, ``(n,)``.

    variance = Σ influence² + ``least``, where influences are added up over units before they are squared; the interval
    is symmetric on the logit scale, so that it stays between 0 and 1. The quantile is that of t with 2 ν + 1 degrees of
    freedom, where ν = (Σ influence²)² / Σ influence⁴ counts the rows that matter. ``bias`` extends the lower end.
    Source: M. Pepe, The Statistical Evaluation of Medical Tests (2003), section 5.2; of units: N. Obuchowski,
    Nonparametric analysis of clustered ROC curve data, Biometrics 53 (1997); ν as in ``Units.degrees``.
    """
    squares = sum_by_unit(influence, units) ** 2
    variance = float(squares.sum())
    if variance == 0 or not 0 < value < 1 or (units is not None and units.n == 1):
        return None
    z = t_quantile(degrees_of_events(variance**2 / float((squares**2).sum()), units))
    half = z * (variance + least) ** 0.5 / (value * (1 - value))
    centre, lower = (log(middle / (1 - middle)) for middle in (value, max(value - bias, value / 2)))
    return [_logistic(lower - half), _logistic(centre + half)]


def vary(samples: Floats) -> bool:
    """Return whether samples, ``(n_samples,)``, differ by more than rounding."""
    low, high = float(samples.min()), float(samples.max())
    return high - low > _ROUNDING * max(abs(low), abs(high))


def _logistic(x: float) -> float:
    x = min(max(x, -700.0), 700.0)  # beyond, floats are 0 or 1
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def _poisson_table() -> NDArray[np.float32]:
    """Map 16-bit random numbers to Poisson(1) counts: the inverse of the distribution function."""
    pmf = np.cumprod(np.r_[np.exp(-1.0), 1.0 / np.arange(1, 12)])
    uniform = (np.arange(65_536) + 0.5) / 65_536
    return np.searchsorted(np.cumsum(pmf), uniform).astype(np.float32)
