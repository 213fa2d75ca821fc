import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Ints = NDArray[np.int64]

class Index:
    def __init__(self, keys: Ints) -> None: ...
    def entries(self) -> memoryview: ...
    def replace_entries(self, copy: NDArray[np.uint8]) -> None: ...
    def extend(
        self,
        prefixes: Ids,
        symbols: Ids,
        ends: Ints,
        first: int,
        last: int,
        order: int,
        n_symbols: int,
        ids: Ids,
    ) -> None: ...
