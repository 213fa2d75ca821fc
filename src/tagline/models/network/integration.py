"""The integral of integrated gradients, with steps where they are needed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.float64]
#: Places on the path from 0 to 1, (n_steps,), to the score there, (n_steps,), and what each part adds to it at that
#: place, per unit of the path, (n_steps, n_parts).
Rates = Callable[[Floats], tuple[Floats, Floats]]

FIRST_STEPS = 32
MOST_STEPS = 1024
TOLERANCE = 0.005
_ROUNDING = 8  # sums in a network's layers are out by about so many units in the last place of what is summed


@dataclass(frozen=True)
class Change:
    """The score at both ends of the path, and what each part added, (n_parts,): they add up to the difference."""

    start: float
    end: float
    parts: Floats


def integrate(rates: Rates, precision: DTypeLike = np.float64) -> Change:
    """Integrate along the path by the trapezoid rule.

    The score at both ends of a step tells how far the rule is out there, so that only the steps that matter are
    halved: until the sum is out by less than `TOLERANCE` of the change, and the steps one by one by less than so much
    of all the ups and downs; or by no more than comes of rounding where ``rates`` are worked out in ``precision``; or
    until there are `MOST_STEPS`.
    """
    rounding = _ROUNDING * float(np.finfo(precision).eps)
    places = np.linspace(0.0, 1.0, FIRST_STEPS + 1)
    scores, speeds = rates(places)
    while True:
        widths = np.diff(places)
        total, sizes = speeds.sum(axis=1), np.abs(speeds).sum(axis=1)
        rises = np.diff(scores)
        signed = rises - widths * (total[:-1] + total[1:]) / 2
        gaps = np.abs(signed)  # (n_steps,)
        noise = rounding * max(np.abs(scores).max(), float(widths @ (sizes[:-1] + sizes[1:])) / 2)
        allowed = max(TOLERANCE * abs(scores[-1] - scores[0]), noise)
        room = MOST_STEPS - len(widths)
        close = abs(signed.sum()) <= allowed and gaps.sum() <= max(TOLERANCE * np.abs(rises).sum(), noise * len(widths))
        if close or room <= 0:
            break
        worst = np.argsort(-gaps, kind="stable")
        left = gaps.sum() - np.cumsum(gaps[worst])  # what is out elsewhere
        halved = np.sort(worst[: min(room, int((left > allowed / 2).sum()) + 1)])
        between = (places[halved] + places[halved + 1]) / 2
        more_scores, more_speeds = rates(between)
        places = np.insert(places, halved + 1, between)
        scores = np.insert(scores, halved + 1, more_scores)
        speeds = np.insert(speeds, halved + 1, more_speeds, axis=0)
    weights = np.zeros(len(places))
    weights[:-1] += widths / 2
    weights[1:] += widths / 2
    return Change(float(scores[0]), float(scores[-1]), weights @ speeds)
