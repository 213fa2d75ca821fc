"""The score of the best candidate, corrected for the selection bias of choosing it on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, prod

import numpy as np
from numpy.typing import NDArray

from tagline.experiments.tune.objective import Metric, Rows
from tagline.metrics.intervals.bootstrap import bounded_interval, degrees_of, degrees_of_events, interval_tails
from tagline.metrics.units import Units
from tagline.parallel import same_on_any_cores

_DRAWS = 500
_DRAWS_OF_FEW = 60  # for a score that is not a mean over rows, and takes longer
_FEW = 30  # best candidates that are considered then
_MOST_CELLS = 30_000_000  # rows times classes that are scored in total, about three seconds; large data has fewer draws
# The mean of the share 1/e of the rows that a draw leaves out varies around that of all rows with e - 1 times its
# variance.
_OF_ALL_ROWS = (e - 1) ** -0.5
_LEAST_DRAWS, _LEAST_FEW = 20, 5  # at least, for data of any size


@dataclass(frozen=True)
class Corrected:
    """The score of the best candidate, its corrected value, and the 95 % interval of that."""

    chosen: float
    value: float
    low: float
    high: float


@same_on_any_cores()
def corrected_score(
    kept: Sequence[Rows], scores: Sequence[float], metric: Metric, seed: int, units: Units | None = None
) -> Corrected:
    """Return the corrected score of the best of several candidates.

    ``kept``: what the metric keeps of the same rows, for each candidate; ``scores``: their scores; ``units``: of these
    rows, which are drawn in their place.

    Rows are drawn with replacement; the best candidate on the drawn rows is scored on the rows left out, which did not
    take part in its selection. The mean over many draws is free of selection bias. Their scores vary more than the
    score of all rows does, because each is of a part of them; the interval is narrower by as much.
    Source: I. Tsamardinos, E. Greasidou, G. Borboudakis, Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation, Machine Learning 107 (2018), algorithm BBC-CV.
    """
    rng = np.random.default_rng(seed)
    scores_left_out = (
        _of_means(np.stack(kept), units, rng) if metric.single else _of_rows(kept, scores, metric, units, rng)
    )
    # With few candidates the noise of the draws may exceed the bias.
    value = min(float(scores_left_out.mean()), max(scores))
    samples = value + _OF_ALL_ROWS * (scores_left_out - scores_left_out.mean())
    interval = None
    if metric.bounded:
        n = len(kept[0]) if units is None else units.n
        interval = bounded_interval(samples, value, degrees_of_events(n * min(value, 1 - value), units))
    if interval is None:
        low, high = np.percentile(samples, interval_tails(degrees_of(units)))
        interval = [float(min(low, value)), float(max(high, value))]
    return Corrected(max(scores), value, *interval)


def _of_means(kept: NDArray[np.float32], units: Units | None, rng: np.random.Generator) -> NDArray[np.float64]:
    n = kept.shape[1] if units is None else units.n  # kept: (n_candidates, n_rows)
    scores_left_out = []
    for _ in range(_DRAWS):
        times = rng.multinomial(n, np.full(n, 1 / n))
        if units is not None:
            times = times[units.of_rows]
        out = times == 0
        if out.any():
            best = int((kept @ times.astype(np.float32)).argmax())
            scores_left_out.append(float(kept[best, out].mean(dtype=np.float64)))
    return np.array(scores_left_out)


def _of_rows(
    kept: Sequence[Rows], scores: Sequence[float], metric: Metric, units: Units | None, rng: np.random.Generator
) -> NDArray[np.float64]:
    cells = prod(kept[0].shape[:2])
    few = int(np.clip(_MOST_CELLS // (_DRAWS_OF_FEW * cells), _LEAST_FEW, _FEW))
    draws = int(np.clip(_MOST_CELLS // (few * cells), _LEAST_DRAWS, _DRAWS_OF_FEW))
    best_ones = [kept[k] for k in np.argsort(scores, kind="stable")[::-1][:few]]
    n_rows = len(best_ones[0])
    n = n_rows if units is None else units.n
    scores_left_out: list[float] = []
    for _ in range(draws):
        drawn = rng.integers(n, size=n)
        if units is not None:
            drawn = np.repeat(np.arange(n_rows), np.bincount(drawn, minlength=n)[units.of_rows])
        out = np.setdiff1d(np.arange(n_rows), drawn)
        if len(out):
            best = int(np.argmax([metric.score(rows[drawn]) for rows in best_ones]))
            scores_left_out.append(metric.score(best_ones[best][out]))
    return np.array(scores_left_out)
