import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Array = NDArray[np.float32]

def distinct(
    ids: Ids, present: Array | None, n_words: int, by_text: bool, words: Ids, rows: Ids, starts: Ids
) -> int: ...
def project(x: Array, starts: Ids, kernel: Array, bias: Array, masks: Array | None, z: Array) -> None: ...
def project_back(
    x: Array, starts: Ids, kernel: Array, masks: Array | None, dz: Array, dx: Array, dkernel: Array
) -> None: ...
