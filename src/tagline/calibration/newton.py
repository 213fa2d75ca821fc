"""The minimum of a loss of two numbers within bounds, by a damped Newton's method.

A step leads to the minimum, within the bounds, of a paraboloid that has the gradient of the loss and the absolute value
of its curvature (Y. Dauphin et al., Identifying and attacking the saddle point problem in high-dimensional non-convex
optimization, 2014). Where the loss is convex this is Newton's step, elsewhere one that still leads downwards. It is
halved until the loss does not grow.
"""

from collections.abc import Callable
from math import hypot

import numpy as np

from tagline.calibration.margins import LogLoss
from tagline.task import Floats

_STEPS, _HALVINGS, _TOLERANCE = 50, 20, 1e-9
_REACH = 5.0  # of a step

Bounds = tuple[tuple[float, float], tuple[float, float]]


def minimise(loss: Callable[[Floats], LogLoss], start: Floats, bounds: Bounds) -> tuple[Floats, float]:
    """Return the two numbers, (2,), that are found from ``start`` on, and the loss before the last step.

    The loss is a sum over rows, and the numbers are of the order of 1.
    """
    lowest, highest = np.array(bounds).T
    at = np.clip(start, lowest, highest)
    now = loss(at)
    for _ in range(_STEPS):
        reach = _REACH * max(1.0, *np.abs(at))  # far from the minimum the curvature may be next to 0
        within = np.maximum(lowest - at, -reach), np.minimum(highest - at, reach)
        step, expected = _step(now.gradient, _absolute(now.curvature), *within)
        if expected <= _TOLERANCE * max(1.0, now.value):
            return at + step, now.value
        for _ in range(_HALVINGS):
            then = loss(at + step)
            if then.value <= now.value:
                break
            step = step / 2
        else:
            break
        gained, at, now = now.value - then.value, at + step, then
        if gained <= _TOLERANCE * max(1.0, now.value):
            break
    return at, now.value


def _absolute(curvature: Floats) -> tuple[float, float, float]:
    """Return the absolute value of a symmetric matrix; of both, the numbers above, beside and below the diagonal."""
    aa, ab, bb = curvature.tolist()
    determinant = aa * bb - ab * ab
    if determinant < 0:
        # The root of the square; the root of a matrix M is (M + √|M|) / √(tr M + 2 √|M|).
        root = hypot(aa - bb, 2 * ab)
        aa, ab, bb = (
            (aa * aa + ab * ab - determinant) / root,
            ab * (aa + bb) / root,
            (bb * bb + ab * ab - determinant) / root,
        )
    elif aa + bb < 0:
        aa, ab, bb = -aa, -ab, -bb
    return aa + _TOLERANCE, ab, bb + _TOLERANCE


def _step(
    gradient: Floats, curvature: tuple[float, float, float], lowest: Floats, highest: Floats
) -> tuple[Floats, float]:
    """Return the step to the minimum of a paraboloid within bounds, and how much lower that is."""
    a, b = float(gradient[0]), float(gradient[1])
    aa, ab, bb = curvature
    determinant = max(aa * bb - ab * ab, _TOLERANCE * aa * bb)
    free = np.array([(ab * b - bb * a) / determinant, (ab * a - aa * b) / determinant])
    bounded = np.clip(free, lowest, highest)
    steps = [free]
    if bounded[0] != free[0] or bounded[1] != free[1]:  # the minimum is on a bound that was crossed
        along_b = np.array([bounded[0], -(b + ab * bounded[0]) / bb])
        along_a = np.array([-(a + ab * bounded[1]) / aa, bounded[1]])
        steps = [np.clip(step, lowest, highest) for step in (along_a, along_b)]

    def gain(step: Floats) -> float:
        p, q = float(step[0]), float(step[1])
        return -(a * p + b * q + (aa * p * p + 2 * ab * p * q + bb * q * q) / 2)

    best = max(steps, key=gain)
    return best, gain(best)
