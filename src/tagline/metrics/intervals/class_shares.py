"""Shares of rows with their intervals, where rows may form units: accuracy, and the shares of each class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.metrics.counts import Counts
from tagline.metrics.intervals.bootstrap import parts_of, width_of_block
from tagline.metrics.intervals.shares import effective_number, share_interval
from tagline.metrics.units import Units
from tagline.task import Bools, Floats, Task

# A mean over classes has an interval only if each class has as many rows: below, intervals of 46 unequal classes
# contained the truth in 66 to 92 % of test sets of 1,000 rows (`benchmarks/coverage.py`).
FEW_ROWS = 5

OfCounts = Callable[[Counts], Floats]
ClassShare = tuple[str, OfCounts, OfCounts, Callable[[Floats], Floats]]  # name, part, whole, share to metric


@dataclass(frozen=True)
class ShareEnds:
    """A metric of each class with the ends of its interval, ``(n_classes,)`` each; not a number where there is none."""

    value: Floats
    low: Floats
    high: Floats

    def of_class(self, k: int) -> list[float] | None:
        """Return the interval of a class, ``None`` if there is nothing to count."""
        low, high, value = float(self.low[k]), float(self.high[k]), float(self.value[k])
        return None if low != low else [min(low, value), max(high, value)]


def interval_of_share(counted: Bools, units: Units | None) -> list[float] | None:
    """Return the interval of the share of ``counted`` rows, ``(n,)``; ``None`` of a single unit."""
    share, n = float(counted.mean()), float(len(counted))
    if units is not None:
        part, whole = units.sums(counted.astype(float)), units.sizes.astype(float)
        n = float(effective_number(part[:, None], whole[:, None], units)[0])
    if not n:
        return None
    low, high = (float(end) for end in share_interval(share * n, n))
    return [min(low, share), max(high, share)]


def interval_of_each_class(
    shares: Sequence[ClassShare],
    counts: Counts,
    truth: NDArray[Any],
    prediction: NDArray[Any],
    units: Units | None,
) -> dict[str, ShareEnds]:
    """Return the intervals of the metrics of each class that are shares, or follow from one.

    Args:
        shares: Name of each metric, what it counts, of what, and the metric that belongs to a share.
        counts: Of each class.
        truth: Class indices ``(n,)``, or booleans ``(n, n_classes)``.
        prediction: As ``truth``.
        units: Of the rows, if some have several.

    """
    wholes = {name: whole(counts) for name, _, whole, _ in shares}
    numbers = wholes if units is None else _effective_numbers(shares, len(counts.tp), truth, prediction, units)
    found = {}
    for name, part, _, of_share in shares:
        whole = wholes[name]
        share = np.divide(part(counts), whole, out=np.zeros(len(whole)), where=whole > 0)
        low, high = share_interval(share * numbers[name], numbers[name])
        found[name] = ShareEnds(of_share(share), of_share(low), of_share(high))
    return found


def _effective_numbers(
    shares: Sequence[ClassShare], n_classes: int, truth: NDArray[Any], prediction: NDArray[Any], units: Units
) -> dict[str, Floats]:
    """Return the effective number of rows of each share, ``(n_classes,)``, a few classes at a time."""
    parts: dict[str, list[Floats]] = {name: [] for name, *_ in shares}
    for part in parts_of(n_classes, width_of_block(len(truth))):
        if truth.ndim == 2:
            true, predicted = truth[:, part], prediction[:, part]
        else:
            classes = np.arange(part.start, part.stop)
            true, predicted = truth[:, None] == classes, prediction[:, None] == classes
        tp, called, support = (
            units.sums(each.astype(np.float32)).astype(float) for each in (true & predicted, predicted, true)
        )
        of_units = Counts.from_totals(tp, called, support, units.sizes[:, None].astype(float))
        for name, counted, whole, _ in shares:
            parts[name].append(effective_number(counted(of_units), whole(of_units), units))
    return {name: np.concatenate(found) for name, found in parts.items()}


def interval_of_mean(value: float, of_classes: ShareEnds, included: Bools) -> tuple[float, float]:
    """Return the ends of the interval of a mean over the ``included`` classes, as if classes were independent.

    The distances of the ends from the figures are added up as standard errors are. So a class without errors counts
    as its own interval says, where the bootstrap sees no variance.
    Source: G. Zou, A. Donner, Construction of confidence limits about effect measures: a general approach, Statistics
    in Medicine 27 (2008).
    """
    known = included & ~np.isnan(of_classes.low)
    n = max(int(included.sum()), 1)
    below = np.square(of_classes.value - of_classes.low)[known].sum() ** 0.5 / n
    above = np.square(of_classes.high - of_classes.value)[known].sum() ** 0.5 / n
    return max(0.0, float(value - below)), min(1.0, float(value + above))


def events(right: Bools, task: Task, units: Units | None) -> float:
    """Return how many rows, or units, determine the variance of metrics of counts.

    They are the wrong ones, or the right ones if these are fewer; of labels, the rows with a wrong label.
    """
    kinds = (~right,) if task is Task.MULTILABEL else (right, ~right)
    return min(independent_rows(kind, units) for kind in kinds)


def rarer_rows(positive: Bools, units: Units | None) -> float:
    """Return how many independent rows the rarer one of a class and the others has."""
    return min(independent_rows(positive, units), independent_rows(~positive, units))


def independent_rows(counted: Bools, units: Units | None) -> float:
    """Return how many independent rows are ``counted``, ``(n,)``: c units of as many counted rows make c."""
    if units is None or not counted.any():
        return float(counted.sum())
    sums = units.sums(counted.astype(float))
    return float(sums.sum() ** 2 / (sums**2).sum())
