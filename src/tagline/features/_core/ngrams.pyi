import numpy as np
from numpy.typing import NDArray

def total(values: NDArray[np.int64]) -> int: ...
