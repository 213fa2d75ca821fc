"""A small network and rows to train it on, that overfits within a few epochs."""

import numpy as np
import scipy.sparse as sp

from tagline.models.network.layers import Dense, Dropout
from tagline.models.network.network import Network
from tagline.training import Rows

COLUMNS = 20


def small_network(seed: int = 0, dropout: float = 0.2) -> Network:
    layers = [Dense(COLUMNS, 8, "relu"), Dropout(dropout), Dense(8, 1)]
    return Network.draw(layers, np.random.default_rng(seed))


def small_rows(n: int, seed: int, noise: float = 0.1) -> Rows:
    """Return rows of which the first three columns tell the class, but for a share ``noise``."""
    rng = np.random.default_rng(seed)
    X = (rng.random((n, COLUMNS)) < 0.4).astype(np.float32)
    y = (X[:, :3].sum(axis=1) > 1) ^ (rng.random(n) < noise)
    return Rows(sp.csr_matrix(X), y[:, None].astype(np.float32))


def weights(network: Network) -> np.ndarray:
    """Return all weights in one row."""
    return np.concatenate([array.ravel() for array in network.arrays().values()])


def without_seconds(columns: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: values for name, values in columns.items() if name != "seconds"}
