import numpy as np
from numpy.typing import NDArray

def write_logits(
    ends: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    coef: NDArray[np.float32],
    intercept: NDArray[np.float64],
    first: int,
    last: int,
    logits: NDArray[np.float64],
) -> None: ...
def add_class_counts(
    ends: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float32],
    classes: NDArray[np.int64],
    weights: NDArray[np.float64],
    first: int,
    last: int,
    counts: NDArray[np.float64],
) -> None: ...
