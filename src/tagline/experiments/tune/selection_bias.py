"""What the best of many is worth, corrected for having been chosen as the best on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from tagline.experiments.tune.objective import Metric, Rows
from tagline.parallel import same_on_any_cores

_DRAWS = 500
_DRAWS_OF_FEW = 60  # where a score is no mean over rows, and takes longer
_FEW = 30  # candidates that are then looked at, the best ones
_MOST_CELLS = (
    30_000_000  # rows times classes that are then scored in all, some three seconds; of large data fewer draws
)
_LEAST_DRAWS, _LEAST_FEW = 20, 5  # however large it is


@dataclass(frozen=True)
class Corrected:
    """A score as chosen, what it is worth, and its 95 % interval."""

    chosen: float
    value: float
    low: float
    high: float


@same_on_any_cores()
def corrected_score(kept: Sequence[Rows], scores: Sequence[float], metric: Metric, seed: int) -> Corrected:
    """Return what the best of several candidates is worth.

    ``kept``: for each, what the metric keeps of the same rows; ``scores``: the score of these.

    Rows are drawn with replacement; the candidate that is best on those drawn is read on those left out, which had no
    say in the choice. The mean of these readings, over many draws, is free of the optimism of the choice.
    Source: I. Tsamardinos, E. Greasidou, G. Borboudakis, Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation, Machine Learning 107 (2018), algorithm BBC-CV.
    """
    rng = np.random.default_rng(seed)
    readings = _of_means(np.stack(kept), rng) if metric.single else _of_rows(kept, scores, metric, rng)
    low, high = np.quantile(readings, [0.025, 0.975])
    # Of few candidates the noise of the draws may be more than the optimism.
    return Corrected(max(scores), min(float(readings.mean()), max(scores)), float(low), float(high))


def _of_means(kept: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    n = kept.shape[1]  # (n_candidates, n)
    readings = []
    for _ in range(_DRAWS):
        times = rng.multinomial(n, np.full(n, 1 / n))
        out = times == 0
        if out.any():
            best = int((kept @ times.astype(np.float32)).argmax())
            readings.append(float(kept[best, out].mean(dtype=np.float64)))
    return np.array(readings)


def _of_rows(
    kept: Sequence[Rows], scores: Sequence[float], metric: Metric, rng: np.random.Generator
) -> NDArray[np.float64]:
    cells = prod(kept[0].shape[:2])
    few = int(np.clip(_MOST_CELLS // (_DRAWS_OF_FEW * cells), _LEAST_FEW, _FEW))
    draws = int(np.clip(_MOST_CELLS // (few * cells), _LEAST_DRAWS, _DRAWS_OF_FEW))
    best_ones = [kept[k] for k in np.argsort(scores, kind="stable")[::-1][:few]]
    n = len(best_ones[0])
    readings: list[float] = []
    for _ in range(draws):
        drawn = rng.integers(n, size=n)
        out = np.setdiff1d(np.arange(n), drawn)
        if len(out):
            best = int(np.argmax([metric.score(rows[drawn]) for rows in best_ones]))
            readings.append(metric.score(best_ones[best][out]))
    return np.array(readings)
