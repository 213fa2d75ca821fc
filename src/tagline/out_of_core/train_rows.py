"""What `fit_spooled` needs of the train rows, wherever they are."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tagline.features.weighting import TermFrequency
from tagline.models.linear.problem import LinearProblem, LinearSolution
from tagline.out_of_core.scales import SummedRows
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.out_of_core.vocabulary.counting import CountedTexts
from tagline.task import Floats


class TrainRows(CountedTexts, SummedRows, Protocol):
    """Texts whose n-grams are counted; then rows of counts; then rows of features to learn from."""

    def encode(self, counted: CountedNgrams) -> None:
        """Replace the texts by their counts of n-grams."""
        ...

    def weigh(self, scale: NDArray[np.float32], tf: TermFrequency, *, unit: bool) -> None:
        """Replace the counts by features; see `tagline.features.weighting.weigh_blocks`."""
        ...

    def solve(self, problem: LinearProblem, codes_weight: Floats) -> LinearSolution:
        """Learn from the rows; ``problem.Y`` says what the targets of each label code are, (n_codes, n_outputs).

        ``codes_weight``, (n_codes,), multiplies the weights of the rows of each code.
        """
        ...

    def chosen(self) -> dict[str, Any]:
        """Return what ``chosen`` of a run says of how the rows are learned from."""
        ...
