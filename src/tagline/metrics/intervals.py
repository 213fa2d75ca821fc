"""95 % intervals: the bootstrap for metrics of counts and for means, the delta method for areas under curves.

A bootstrap sample draws n rows with replacement. There are faster ways than row by row:

* A metric of the counts in the cells of a table needs only these counts, which are multinomial. This is exactly
  the same bootstrap; its cost depends on the number of cells, not of rows.
* A mean over rows needs only how often each row is drawn. These counts are approximately independent Poisson(1)
  variables: N. Chamandy et al., Estimating uncertainty for massive data streams (Google, 2012).

Where rows form units (see ``units``), a sample draws as many units as there are, each with all of its rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.special import ndtr

from tagline.metrics.counts import Counts
from tagline.metrics.units import CellDraws, Units, sum_by_unit
from tagline.task import Bools, Floats, Ints

Interval = list[float]

_TAILS = (2.5, 97.5)
_Z = 1.959963984540054  # the normal distribution's 97.5 % point
ALPHA = 0.05
_ROUNDING = 1e-5  # relative; equal float32 means differ by less
_MIN_SAMPLES = 200
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


def interval_tails(units: Units | None) -> tuple[float, float]:
    """Return the percentiles of bootstrap samples that are the ends of an interval: 2.5 and 97.5, wider of few units.

    Samples of few units vary too little, as a standard error times 1.96 does, so the tails are those that the normal
    distribution has beyond the quantile of t.
    Source: T. Hesterberg, What Teachers Should Know About the Bootstrap, American Statistician 69 (2015), the expanded
    percentile interval.
    """
    if units is None:
        return _TAILS
    tail = 100 * float(ndtr(-units.z))
    return tail, 100 - tail


def percentile_interval(samples: Floats, value: float, units: Units | None = None) -> Interval | None:
    """Return the middle 95 % of bootstrap ``samples``, ``(n_samples,)``, or more of those of few ``units``.

    ``None`` if the samples do not vary: the bootstrap cannot estimate an error rate from rows without errors.
    """
    if _all_the_same(samples):
        return None
    low, high = np.percentile(samples, interval_tails(units))
    # The percentile interval of a biased metric can exclude its value; extend it to include the value.
    return [min(float(low), value), max(float(high), value)]


def basic_interval(samples: Floats, value: float, units: Units | None = None) -> Interval | None:
    """Return the basic bootstrap interval ``[2θ - q97.5, 2θ - q2.5]``, cut at 0.

    For metrics that resampling inflates, such as the calibration error, whose percentiles would be too high.
    Source: A. Davison, D. Hinkley, Bootstrap Methods and their Application (1997), section 5.2.
    """
    if _all_the_same(samples):
        return None
    low, high = np.percentile(samples, interval_tails(units))
    return [min(max(0.0, float(2 * value - high)), value), max(float(2 * value - low), value)]


def all_or_none_interval(right: bool, n: float) -> Interval:
    """Return the exact interval of a share if all of ``n`` rows are correct, or none; ``n`` may be an effective number.

    Source: C. Clopper, E. Pearson, Biometrika 26 (1934), whose limits are closed at the two ends. The effective number:
    E. Korn, B. Graubard, Confidence intervals for proportions with small expected number of positive counts estimated
    from survey data, Survey Methodology 24 (1998).

    >>> all_or_none_interval(True, 20)[0].__round__(3)
    0.832
    """
    limit = (ALPHA / 2) ** (1 / n)
    return [limit, 1.0] if right else [0.0, 1 - limit]


def delta_interval(value: float, influence: Floats, units: Units | None = None) -> Interval | None:
    """Return the interval of a metric between 0 and 1 from the influence of each row, ``(n,)``.

    variance = Σ influence², where influences are added up over units before they are squared; the interval is symmetric
    on the logit scale, so that it stays between 0 and 1.
    Source: M. Pepe, The Statistical Evaluation of Medical Tests (2003), section 5.2; of units: N. Obuchowski,
    Nonparametric analysis of clustered ROC curve data, Biometrics 53 (1997).
    """
    error = float(np.sqrt((sum_by_unit(influence, units) ** 2).sum()))
    if error == 0 or not 0 < value < 1 or (units is not None and units.n == 1):
        return None
    centre, half = log(value / (1 - value)), (_Z if units is None else units.z) * error / (value * (1 - value))
    return [_logistic(centre - half), _logistic(centre + half)]


def _all_the_same(samples: Floats) -> bool:
    low, high = float(samples.min()), float(samples.max())
    return high - low <= _ROUNDING * max(abs(low), abs(high))


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def _poisson_table() -> NDArray[np.float32]:
    """Map 16-bit random numbers to Poisson(1) counts: the inverse of the distribution function."""
    pmf = np.cumprod(np.r_[np.exp(-1.0), 1.0 / np.arange(1, 12)])
    uniform = (np.arange(65_536) + 0.5) / 65_536
    return np.searchsorted(np.cumsum(pmf), uniform).astype(np.float32)
