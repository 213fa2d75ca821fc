from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTHS: tuple[int, ...]

class Rows:
    size: int
    n_columns: int
    n_entries: int
    def __init__(
        self, values: NDArray[np.float32], columns: NDArray[np.int32], starts: NDArray[np.int64], n_columns: int
    ) -> None: ...
    @staticmethod
    def of(X: Any, bias: float = 1.0) -> Rows: ...

class DualDescent:
    def __init__(
        self,
        rows: Rows,
        targets: NDArray[np.int8],
        ridge: NDArray[np.float32],
        weights: NDArray[np.float32],
        intercept: NDArray[np.float32],
        active: NDArray[np.uint16],
        threshold: NDArray[np.float64],
        progress: NDArray[np.float64],
        alpha: NDArray[np.float32] | None = None,
    ) -> None: ...
    def sweep(self, visits: NDArray[np.int32], first: int, stepping: int) -> int: ...

def shuffle(items: NDArray[np.int32], seed: int, number: int) -> None: ...
def add_gram_products(
    columns: Rows, a: NDArray[np.float32], products: NDArray[np.float32], first: int, stop: int
) -> int: ...
def add_transposed_products(
    columns: Rows, a: NDArray[np.float32], products: NDArray[np.float32], first: int, stop: int
) -> int: ...
