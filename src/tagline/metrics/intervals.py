"""95 % intervals: the bootstrap for figures of counts and means, the delta method for areas under curves.

A bootstrap sample draws n rows with replacement. It need not be drawn row by row:

* A figure that depends only on how many rows fall into each cell of a table needs only those counts, and the
  counts of n draws with replacement are multinomial. That is the same bootstrap, exactly, at the cost of the
  cells.
* A mean over rows needs only how often each row is drawn. Those numbers are near enough independent
  Poisson(1) counts: N. Chamandy et al., Estimating uncertainty for massive data streams (Google, 2012).
"""

from collections.abc import Iterator
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from tagline.metrics.counts import Counts, Floats, Ints

Interval = list[float]

_TAILS = (2.5, 97.5)
_Z = 1.959963984540054  # the normal distribution's 97.5 % point
ALPHA = 0.05
_ROUNDING = 1e-5  # means of float32 that are the same differ by less than this share
_MIN_SAMPLES = 200
_MAX_DRAWS = 10_000_000
_MAX_PRODUCTS = 1_000_000_000


def resample_confusion(matrix: Ints, n_samples: int, rng: np.random.Generator) -> Counts:
    """Bootstrap a confusion matrix, ``(n_classes, n_classes)``, to counts ``(n_samples, n_classes)``."""
    n, n_classes = int(matrix.sum()), len(matrix)
    truth, prediction = np.nonzero(matrix)
    cells = rng.multinomial(n, matrix[truth, prediction] / n, size=n_samples).astype(float)
    classes = np.arange(n_classes)
    of_truth = (truth[:, None] == classes).astype(float)  # (n_cells, n_classes)
    of_prediction = (prediction[:, None] == classes).astype(float)  # (n_cells, n_classes)
    return Counts.from_totals(
        tp=cells @ (of_truth * of_prediction),
        predicted=cells @ of_prediction,
        support=cells @ of_truth,
        n=float(n),
    )


def resample_cells(
    truth: Ints, prediction: Ints, cells: Ints, n_classes: int, n_samples: int, rng: np.random.Generator
) -> Iterator[Counts]:
    """Bootstrap the cells of a confusion matrix of very many classes, a few samples ``(size, n_classes)`` at a time.

    Many cells get fewer samples (never under 200).
    """
    n, right = int(cells.sum()), truth == prediction
    n_samples = min(n_samples, max(_MAX_DRAWS // len(cells), _MIN_SAMPLES))
    step = max(1, 1_000_000 // max(n_classes, len(cells)))
    for start in range(0, n_samples, step):
        drawn = rng.multinomial(n, cells / n, size=min(step, n_samples - start))  # (size, n_cells)
        yield Counts.from_totals(
            tp=_added(truth[right], drawn[:, right], n_classes),
            predicted=_added(prediction, drawn, n_classes),
            support=_added(truth, drawn, n_classes),
            n=float(n),
        )


def _added(index: Ints, drawn: Ints, n_classes: int) -> Floats:
    """Add up the columns of ``drawn`` that have the same class, ``(size, n_classes)``."""
    return np.stack([np.bincount(index, row, n_classes) for row in drawn])


def resample_means(rows: NDArray[np.float32], n_samples: int, rng: np.random.Generator) -> Floats:
    """Bootstrap the means of the columns of ``rows``, ``(n, d)``, to ``(n_samples, d)``.

    Large data gets fewer samples (never under 200): its intervals are narrow, and their ends need less care.
    """
    n, d = rows.shape
    affordable = min(_MAX_DRAWS // n, _MAX_PRODUCTS // (n * d))
    n_samples = min(n_samples, max(affordable, _MIN_SAMPLES))
    table = _poisson_table()
    means = np.empty((n_samples, d))
    step = max(1, 1_000_000 // n)
    for start in range(0, n_samples, step):
        size = min(step, n_samples - start)
        weights = table[rng.integers(0, len(table), size=(size, n), dtype=np.uint16)]  # (size, n)
        drawn = weights.sum(1, keepdims=True)
        # Of very few rows, a sample can draw none; it then says what the data say.
        weights[drawn[:, 0] == 0] = 1
        means[start : start + size] = (weights @ rows) / np.where(drawn == 0, n, drawn)
    return means


def percentile_interval(samples: Floats, value: float) -> Interval | None:
    """Return the middle 95 % of bootstrap ``samples``, ``(n_samples,)``.

    ``None`` where the samples do not vary: a classifier that made no mistake on a few rows has not shown
    that it makes none, and the bootstrap cannot say how many it would make.
    """
    if _all_the_same(samples):
        return None
    low, high = np.percentile(samples, _TAILS)
    # A percentile interval of a biased figure can miss the figure itself; it never does here.
    return [min(float(low), value), max(float(high), value)]


def basic_interval(samples: Floats, value: float) -> Interval | None:
    """Return the basic bootstrap interval ``[2θ - q97.5, 2θ - q2.5]``, cut at 0.

    For a figure that resampling inflates, as it does the calibration error, percentiles would sit too high.
    Source: A. Davison, D. Hinkley, Bootstrap Methods and their Application (1997), section 5.2.
    """
    if _all_the_same(samples):
        return None
    low, high = np.percentile(samples, _TAILS)
    return [min(max(0.0, float(2 * value - high)), value), max(float(2 * value - low), value)]


def all_or_none_interval(right: bool, n: int) -> Interval:
    """Return the exact interval of a share when all of ``n`` rows are right, or none.

    Source: C. Clopper, E. Pearson, Biometrika 26 (1934), whose limits are closed at the two ends.

    >>> all_or_none_interval(True, 20)[0].__round__(3)
    0.832
    """
    limit = (ALPHA / 2) ** (1 / n)
    return [limit, 1.0] if right else [0.0, 1 - limit]


def delta_interval(value: float, pulls: Floats) -> Interval | None:
    """Return the interval of a figure between 0 and 1 from each row's pull on it, ``(n,)``.

    variance = Σ pull²; the interval is symmetric on the logit scale, so that it stays between 0 and 1.
    Source: M. Pepe, The Statistical Evaluation of Medical Tests (2003), section 5.2.
    """
    error = float(np.sqrt((pulls**2).sum()))
    if error == 0 or not 0 < value < 1:
        return None
    centre, half = log(value / (1 - value)), _Z * error / (value * (1 - value))
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
