"""Gradients against finite differences."""

from collections.abc import Sequence

import numpy as np

from tagline.models.network.layers import Layer, Lookup, Pass


def check_gradients(
    layer: Layer,
    x: np.ndarray,
    weights: Sequence[np.ndarray],
    *,
    present: np.ndarray | None = None,
    noise: int | None = None,
    eps: float = 1e-2,
    tolerance: float = 2e-3,
) -> None:
    """Hold the gradients of ``sum(dy * y)`` against its central differences, one number after the other.

    ``noise`` is the seed that draws dropout, the same one for every pass. Values are float32, so the step is wide.
    """

    def run() -> Pass:
        return Pass(None if noise is None else np.random.default_rng(noise), present)

    def output() -> np.ndarray:
        y, _ = layer.forward(x, weights, run())
        return y.vectors() if isinstance(y, Lookup) else y

    y, cache = layer.forward(x, weights, run())
    dy = np.random.default_rng(99).normal(size=y.shape).astype(np.float32)
    dx, dweights = layer.backward(dy, weights, cache)
    assert [g.shape for g in dweights] == [w.shape for w in weights]
    names = list(layer.shapes())
    checked = list(zip(names, weights, dweights, strict=True))
    if dx is not None:
        assert dx.shape == x.shape
        checked.append(("x", x, dx))
    for name, array, gradient in checked:
        numeric = np.empty(array.shape)
        for place in np.ndindex(array.shape):
            kept = array[place]
            sides = []
            for step in (eps, -eps):
                array[place] = kept + np.float32(step)
                sides.append((float(array[place]), float((dy.astype(np.float64) * output()).sum())))
            array[place] = kept
            numeric[place] = (sides[0][1] - sides[1][1]) / (sides[0][0] - sides[1][0])
        scale = max(1.0, np.abs(numeric).max())
        np.testing.assert_allclose(gradient, numeric, atol=tolerance * scale, err_msg=name)
