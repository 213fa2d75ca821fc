from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tagline.features._core.arrow import Texts
from tagline.features._core.block import Block
from tagline.features._core.vocabulary import Vocabulary

class Scorer:
    def __init__(
        self,
        vocabulary: Vocabulary,
        blocks: Sequence[Block],
        unit: bool,
        weights: NDArray[np.float32],
        intercept: NDArray[np.float64],
    ) -> None: ...
    def remember_words(self) -> None: ...
    def score(
        self,
        texts: Texts,
        first: int,
        last: int,
        frequencies: NDArray[np.float64],
        logits: NDArray[np.float64],
        n_grams: NDArray[np.int64],
    ) -> int: ...
