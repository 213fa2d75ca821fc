import numpy as np
from numpy.typing import NDArray

def search(
    ends: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    starts: NDArray[np.int64],
    row_starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    entry_starts: NDArray[np.int64],
    children: NDArray[np.uint16],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    slopes: NDArray[np.float64],
    elsewhere: float,
    beam: int,
    most_children: int,
    first: int,
    last: int,
    leaves: NDArray[np.int64],
    proba: NDArray[np.float64],
) -> None: ...
