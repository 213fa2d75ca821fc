"""The products of a recurrent layer that take all steps at once, and their gradients, in NumPy.

Shapes are those of `tagline.models.network.recurrent`.
"""

import numpy as np

from tagline.models.network.layers import Array
from tagline.parallel import in_threads

_CHUNK = 1 << 16  # numbers that a thread processes at a time


def by_gate(matrix: Array, gates: int) -> Array:
    """Return (d, G H) as (G, d, H)."""
    return np.ascontiguousarray(matrix.reshape(len(matrix), gates, -1).transpose(1, 0, 2))


def project(x: Array, kernel: Array, bias: Array, masks: Array | None, gates: int) -> Array:
    """Return ``x W + b`` of all steps, (T, G, n, H); ``masks`` of the inputs are (G, n, d), or (1, n, d) for all."""
    W, b = by_gate(kernel, gates), bias.reshape(gates, 1, -1)
    z = np.empty((len(x), gates, x.shape[1], W.shape[2]), np.float32)

    def one(steps: slice) -> None:
        seen = x[steps, None] if masks is None else x[steps, None] * masks  # (T, G or 1, n, d)
        np.matmul(seen, W, out=z[steps])
        z[steps] += b

    in_threads(one, _chunks(x))
    return z


def project_back(x: Array, kernel: Array, masks: Array | None, dz: Array) -> tuple[Array, Array]:
    """Return the gradients of ``x`` and of the kernel, from that of ``x W + b``, (T, G, n, H)."""
    back = np.ascontiguousarray(by_gate(kernel, dz.shape[1]).transpose(0, 2, 1))  # (G, H, d)
    dx = np.empty_like(x)

    def one(steps: slice) -> None:
        parts = dz[steps] @ back  # (T, G, n, d)
        if masks is not None:
            parts *= masks
        parts.sum(axis=1, out=dx[steps])

    in_threads(one, _chunks(x))
    return dx, kernel_gradient(x, masks, dz)


def kernel_gradient(x: Array, masks: Array | None, dz: Array) -> Array:
    """Return the gradient of the kernel in ``x W``, (d, G H), from that of the product, (T, G, n, H)."""
    _, gates, _, H = dz.shape
    d = x.shape[2]

    def one(steps: slice) -> Array:
        seen = x[None, steps] if masks is None else x[steps] * masks[:, None]  # (G or 1, T, n, d)
        own = np.ascontiguousarray(dz[steps].swapaxes(0, 1)).reshape(gates, -1, H)
        part: Array = np.matmul(seen.reshape(len(seen), -1, d).swapaxes(1, 2), own)  # (G, d, H)
        return part

    gradient = np.zeros((gates, d, H), np.float32)
    for part in in_threads(one, _chunks(x)):
        gradient += part
    return gradient.swapaxes(0, 1).reshape(d, -1)


def _chunks(x: Array) -> list[slice]:
    """Return the steps of ``x``, (T, n, d), in parts that fit into the cache of a core."""
    steps = max(1, _CHUNK // max(1, x.shape[1] * x.shape[2]))
    return [slice(start, min(start + steps, len(x))) for start in range(0, len(x), steps)]
