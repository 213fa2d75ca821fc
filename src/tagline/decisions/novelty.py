"""Novelty: how unlike the training texts a text is, as a conformal p-value.

A text is unlike the training texts if the model is unsure about it and its n-grams are unknown. Two scores measure
that: the ``confidence``, its largest probability, and the ``coverage``, the share of its n-grams that the vocabulary
knows. Each is compared with those of the held-out rows, which were computed by models that had not seen them, and
Fisher's statistic, the product of both p-values, is compared with those of the held-out rows again.

For a text that is exchangeable with the held-out rows the p-value is at most ``alpha`` with probability at most
``alpha``, whatever the scores are distributed like. Source: V. Vovk, A. Gammerman, G. Shafer, Algorithmic learning in
a random world (2005); S. Bates et al., Testing for outliers with conformal p-values (Annals of Statistics, 2023).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.task import Floats, Ints

#: Why a text that is too novel has no prediction.
UNLIKE = "unlike the training texts"
#: The share of false alarms at which pages and cards call a text unlike the training texts.
USUAL_SHARE = 0.04
_MOST_ROWS = 2_000  # held-out rows that are kept: p-values in steps of 1/2,001, in 16 kB
_PREFIX = "novelty."
Scores = NDArray[np.float32]  # single precision, in which a bundle stores them, so that equal scores stay equal


@dataclass(frozen=True, eq=False)
class Novelty:
    """The scores of the held-out rows: ``confidence`` and ``coverage``, (n_rows,) each, between 0 and 1."""

    confidence: Scores
    coverage: Scores

    @classmethod
    def of(cls, confidence: Floats, coverage: Floats) -> "Novelty":
        """Keep the scores of some of the held-out rows, see `kept_rows`."""
        kept = kept_rows(len(confidence))
        return cls(confidence[kept].astype(np.float32), coverage[kept].astype(np.float32))

    def __len__(self) -> int:
        return len(self.confidence)

    @property
    def least(self) -> float:
        """The smallest p-value that so many rows can give."""
        return 1 / (len(self) + 1)

    def p_values(self, confidence: Floats, coverage: Floats) -> Floats:
        """Return the p-value of each text, (n_texts,), of its scores, (n_texts,) each; small for texts unlike these.

        A p-value is (1 + number of held-out rows whose score is at most that of the text) / (n_rows + 1).
        """
        of_confidence, of_coverage = self._sorted
        ranks = (1 + _at_most(of_confidence, confidence)) * (1 + _at_most(of_coverage, coverage))
        return np.asarray((1 + _at_most(self._products, ranks)) / (len(self) + 1))

    @cached_property
    def _sorted(self) -> tuple[Scores, Scores]:
        return np.sort(self.confidence), np.sort(self.coverage)

    @cached_property
    def _products(self) -> Ints:
        """The products of the ranks of the held-out rows, ascending, (n_rows,): Fisher's statistics in integers.

        Each rank is that among the rows and a text above all of them, the smallest rank that the row can have next to
        a text: so the p-value is never below that of the test in which the text is ranked among the rows, which is
        exact.
        """
        of_confidence, of_coverage = self._sorted
        return np.sort(_at_most(of_confidence, self.confidence) * _at_most(of_coverage, self.coverage))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a bundle stores."""
        return {f"{_PREFIX}confidence": self.confidence, f"{_PREFIX}coverage": self.coverage}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray[Any]]) -> "Novelty | None":
        """Return the scores in the arrays of a bundle; None in those of earlier versions, which have none.

        Raises:
            ValueError: they are not two equally long columns of numbers between 0 and 1.

        """
        names = f"{_PREFIX}confidence", f"{_PREFIX}coverage"
        if not any(name in arrays for name in names):
            return None
        columns = [arrays[name] for name in names]
        for column in columns:
            if column.dtype != np.float32 or column.ndim != 1 or len(column) != len(columns[0]) or not len(column):
                raise ValueError(f"`{names[0]}` and `{names[1]}` must be columns of as many numbers")
            if not ((column >= 0) & (column <= 1)).all():
                raise ValueError("a score of novelty is not between 0 and 1")
        return cls(*columns)


def kept_rows(n: int) -> Ints:
    """Return the rows, of ``n`` held-out ones, whose scores are kept: at most 2,000, evenly spaced."""
    return np.arange(n) if n <= _MOST_ROWS else np.arange(_MOST_ROWS) * n // _MOST_ROWS


def _at_most(ascending: NDArray[Any], values: NDArray[Any]) -> Ints:
    """Return how many of the ascending numbers are at most each value, (n_values,)."""
    return np.searchsorted(ascending, values.astype(ascending.dtype), side="right").astype(np.int64)
