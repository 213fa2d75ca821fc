"""Where the features of a text occur in it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Located:
    """The features that a model reads from one text, one entry for each occurrence, (n_found,) each.

    ``columns``, int64: the column of the text's row that the occurrence contributes to. ``features``, int: which
    feature it is, as ``Featurizer.names`` takes it; the same number, except in rows of word ids, where the column is a
    position. ``first`` and ``last``, int64: its first and its last token, indices into ``tokens``.

    ``tokens`` holds the span of every token of the text, read by the model or not: (start, end) in characters of the
    text, end excluded. ``words`` are the tokens themselves, as the tokenizer normalizes them.
    """

    columns: NDArray[np.int64]
    features: NDArray[np.integer]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    tokens: list[Span]
    words: list[str]

    @property
    def spans(self) -> list[Span]:
        """Return the span of each occurrence, (start, end) in characters, end excluded."""
        return [
            (self.tokens[first][0], self.tokens[last][1])
            for first, last in zip(self.first.tolist(), self.last.tolist(), strict=True)
        ]
