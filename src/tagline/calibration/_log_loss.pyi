import numpy as np
from numpy.typing import NDArray

def log_loss_sums(
    z: NDArray[np.float64],
    y: NDArray[np.bool_],
    w: NDArray[np.float64],
    slope: float,
    intercept: float,
    true: float,
    false: float,
) -> tuple[float, float, float, float, float, float]: ...
