"""`LinearScorer`: texts to the logits of a linear model of n-grams, by compiled code, without a matrix.

It takes what `tagline.features.ngrams.tokens.is_compiled` says.
"""

from dataclasses import dataclass
from threading import Lock

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.vectorizer import Vectorizer
from tagline.features.weighting.rows import frequencies
from tagline.parallel import in_threads
from tagline.shared_arrays import shared
from tagline.task import Floats, Ints

if COMPILED:
    from tagline.features._core.arrow import Texts
    from tagline.features._core.block import Block
    from tagline.features._core.index import Index
    from tagline.features._core.scorer import Scorer
    from tagline.features.ngrams import native
    from tagline.features.token_ids import make_vocabulary

_FEW_COUNTS = 64  # the term frequencies of so many are computed at first: n-grams seldom are more often in a text
_MOST_COUNTS = 1 << 17  # those of so many are kept at most: 1 MB


@dataclass(frozen=True, eq=False)
class Scores:
    """Logits, (n_texts, n_outputs), and how many n-grams of each text are known, and how many it has, (n_texts, 2).

    The n-grams are those of the first block: of words, if words are used.
    """

    logits: Floats
    n_grams: Ints

    @property
    def coverage(self) -> Floats:
        """The share of the n-grams of each text that are known, (n_texts,); 0 for a text without any."""
        return self.n_grams[:, 0] / np.maximum(self.n_grams[:, 1], 1)


class LinearScorer:
    """Computes the logits of a linear model: those of `Vectorizer.transform` and the model, bit for bit."""

    def __init__(self, vectorizer: Vectorizer, coef: NDArray[np.float32], intercept: Floats) -> None:
        """Take the coefficients, (n_columns, n_outputs), and intercepts, (n_outputs,), of a model."""
        words = [block.vocabulary for block in vectorizer.blocks if isinstance(block, WordNgrams)]
        vocabulary = make_vocabulary(words[0] if words else pl.Series(dtype=pl.String), vectorizer.tokenizer)
        scale = np.concatenate([np.empty(0, np.float32), *vectorizer.scales])
        weights = shared(np.column_stack([scale, coef]))  # what a look-up needs lies in one place
        self._scorer = Scorer(vocabulary, list(map(_block, vectorizer.blocks)), vectorizer.unit, weights, intercept)
        self._tf = vectorizer.tf
        self._n_outputs = len(intercept)
        self._frequencies = frequencies(_FEW_COUNTS, self._tf)
        self._lock, self._remembers = Lock(), False

    def score(self, texts: pl.Series | list[str]) -> Scores:
        """Return the scores of a String series without nulls, or of strings."""
        column = Texts(texts)
        logits = np.empty((len(column), self._n_outputs))
        n_grams = np.empty((len(column), 2), dtype=np.int64)
        blocks = column.blocks()
        if len(blocks) > 1:
            self._remember_words()

        def score_block(block: tuple[int, int]) -> None:
            of_counts = self._frequencies
            while count := self._scorer.score(column, *block, of_counts, logits, n_grams):
                of_counts = frequencies(max(count, 2 * len(of_counts)), self._tf)
            if len(self._frequencies) < len(of_counts) <= _MOST_COUNTS:
                self._frequencies = of_counts

        in_threads(score_block, blocks)
        return Scores(logits, n_grams)

    def _remember_words(self) -> None:
        """Prepare for many texts."""
        with self._lock:
            if not self._remembers:
                self._scorer.remember_words()
                self._remembers = True


def _block(block: WordNgrams | CharNgrams) -> "Block":
    alphabet = Index(block.alphabet) if isinstance(block, CharNgrams) else None
    indexes = []
    for index in block.table.indexes:
        assert isinstance(index, native.Index)
        indexes.append(index.compiled)
    return Block(block.table.min_n, indexes, block.table.n_symbols, alphabet)
