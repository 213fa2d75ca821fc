"""The path integral of integrated gradients, with adaptive steps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from tagline.task import Floats

#: Points on the path from 0 to 1, (n_steps,), to the scores there, (n_steps,), and the contribution of each part per
#: unit of the path, (n_steps, n_parts).
Rates = Callable[[Floats], tuple[Floats, Floats]]

FIRST_STEPS = 32
MOST_STEPS = 1024
TOLERANCE = 0.005
_ROUNDING = 8  # error of the sums in the layers of a network, in units in the last place


@dataclass(frozen=True)
class Change:
    """The score at both ends of the path, and the contributions to the difference, (n_parts,)."""

    start: float
    end: float
    parts: Floats


def integrate(rates: Rates, precision: DTypeLike = np.float64) -> Change:
    """Integrate along the path by the trapezoid rule.

    The scores at both ends of a step give the error of the rule for that step, so that only the steps with the largest
    errors are halved: until the error of the sum is below `TOLERANCE` of the change, and the sum of the errors of the
    steps below the same share of the total variation; or neither is above the rounding error of ``rates`` in
    ``precision``; or there are `MOST_STEPS`.
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
        left = gaps.sum() - np.cumsum(gaps[worst])  # the error of the other steps
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
