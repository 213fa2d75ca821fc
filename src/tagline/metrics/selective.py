"""Selective prediction and prediction sets: figures of a classifier that answers some texts, or with several classes.

Source: R. El-Yaniv, Y. Wiener, On the foundations of noise-free selective classification, Journal of Machine Learning
Research 11 (2010), who call the share of texts answered coverage.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.metrics.intervals.class_shares import interval_of_share
from tagline.metrics.intervals.shares import effective_number, share_interval
from tagline.metrics.units import Units
from tagline.task import Bools, Floats, Ints

_FEWEST, _LEAST = 20, 0.01  # rows, and share of them, from which on a curve begins: fewer answers say little


@dataclass(frozen=True)
class SelectiveCurve:
    """The accuracy if only the most confident predictions are given, ``(n_points,)`` each; the last point is of all.

    Attributes:
        answered: The share of rows answered, rising.
        accuracy: Of the rows answered.
        low: The lower end of its 95 % interval, of each point by itself; not a number where a single unit is answered.
        high: The upper end.

    """

    answered: Floats
    accuracy: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class AnsweredLevel:
    """An accuracy that is guaranteed, and what was found: the share of rows answered, and the accuracy of these."""

    level: float
    answered: float
    accuracy: float


def selective_curve(
    confidence: Floats, right: Bools, units: ArrayLike | None = None, n_points: int = 100
) -> SelectiveCurve | None:
    """Return the coverage-accuracy curve, None of fewer than 20 rows.

    Rows of the same confidence, which no threshold tells apart, are answered together.

    Args:
        confidence: The probability of the class predicted, ``(n,)``.
        right: Whether the prediction is, ``(n,)``.
        units: The unit of each row, ``(n,)`` integers; by default each row is its own.
        n_points: How many points it has at most, spread evenly over the rows.

    """
    n = len(confidence)
    if n < _FEWEST:
        return None
    order = np.argsort(-confidence, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(confidence[order])), n - 1) + 1  # rows with at least each confidence
    ends = ends[ends >= max(_FEWEST, _LEAST * n)]
    sizes = np.unique(ends[np.searchsorted(ends, np.linspace(ends[0], n, n_points).round().astype(np.int64))])
    hits = right[order]
    found = np.cumsum(hits)[sizes - 1].astype(float)
    repeated = Units.repeated(units)
    numbers = sizes.astype(float) if repeated is None else _effective_numbers(hits, repeated, order, sizes)
    share = found / sizes
    low, high = share_interval(share * numbers, numbers)
    return SelectiveCurve(sizes / n, share, np.fmin(low, share), np.fmax(high, share))


def _effective_numbers(hits: Bools, units: Units, order: Ints, sizes: Ints) -> Floats:
    """Return the effective number of rows among the first of each of ``sizes``, ``(n_points,)``."""
    of_rows = units.of_rows[order]
    part, whole = np.zeros(units.n), np.zeros(units.n, np.int64)
    numbers, start = [], 0
    for end in sizes.tolist():
        part += np.bincount(of_rows[start:end], hits[start:end], units.n)
        whole += np.bincount(of_rows[start:end], minlength=units.n)
        u = np.flatnonzero(whole)
        answered = Units(np.repeat(np.arange(len(u)), whole[u]), len(u))
        numbers.append(float(effective_number(part[u, None], whole[u, None].astype(float), answered)[0]))
        start = end
    return np.array(numbers)


def answered_figures(answered: Bools, right: Bools, units: ArrayLike | None) -> dict[str, Any]:
    """Return the share of rows ``answered``, (n,), and the accuracy of these with its interval, None if none is.

    ``right`` says which predictions are, (n,), and ``units`` gives the unit of each row, (n,), if it is known.
    """
    if not answered.any():
        return {"answered": 0.0, "accuracy": None, "accuracy_ci95": None}
    of_answered = None if units is None else np.asarray(units)[answered]
    found = right[answered]
    return {
        "answered": float(answered.mean()),
        "accuracy": float(found.mean()),
        "accuracy_ci95": interval_of_share(found, Units.repeated(of_answered)),
    }


def set_figures(sizes: NDArray[Any], covered: Bools, units: ArrayLike | None) -> dict[str, Any]:
    """Return the mean of the ``sizes`` of sets, (n,), the share of one class, and how often the true one is in them.

    ``covered`` says in which sets it is, (n,), and ``units`` gives the unit of each row, (n,), if it is known.
    """
    return {
        "mean_size": float(sizes.mean()),
        "one_class": float(np.mean(sizes == 1)),
        "coverage": float(covered.mean()),
        "coverage_ci95": interval_of_share(covered, Units.repeated(units)),
    }


def answered_levels(guarantees: Mapping[str, Any] | None) -> list[AnsweredLevel]:
    """Return the levels of ``guarantees`` of a ``metrics.json`` at which some texts were answered."""
    return [
        AnsweredLevel(each["level"], each["answered"], each["accuracy"])
        for each in (guarantees or {}).get("abstention") or []
        if each.get("accuracy") is not None
    ]
