from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.features._core.index import Index

class Block:
    def __init__(
        self,
        min_n: int,
        indexes: Sequence[Index],
        n_symbols: int,
        scale: NDArray[np.float32],
        alphabet: Index | None,
    ) -> None: ...
