"""Texts as the inputs of a network: its words, its ids, and what is kept for other fits."""

import hashlib
import time
from collections.abc import Mapping

import numpy as np
import polars as pl

from tagline.errors import InputError
from tagline.features.encoder import Encoder
from tagline.features.sequences import INDEX_FROM, Sequences, WordIndex, check_range
from tagline.learners.base import TrainingData
from tagline.learners.feature_cache import FeatureCache
from tagline.models.network.network import Inputs
from tagline.recipes import MultihotFeatures, SequenceFeatures
from tagline.task import Ints

_ADVICE = "raise `features.num_words`, or give 2, the unknown word, for rarer ones"


class NetworkInputs:
    """Encodes the texts of one fit; ``seconds`` is the time that it took."""

    def __init__(
        self,
        features: MultihotFeatures | SequenceFeatures,
        texts: pl.Series | Sequences,
        word_index: Mapping[str, int] | None,
        cache: FeatureCache | None,
    ) -> None:
        self.seconds = 0.0
        self._features, self._texts, self._word_index, self._cache = features, texts, word_index, cache

    @property
    def learns_words(self) -> bool:
        """Whether the words come from the texts, and not from a given index."""
        given = self._word_index is not None and self._features.word_index == "data"
        return isinstance(self._texts, pl.Series) and not given

    def encoder(self, rows: Ints) -> Encoder:
        """Return the encoder with the given index, or one learned from these rows."""
        features = self._features
        index = None
        if isinstance(self._texts, pl.Series) and self.learns_words:
            index = WordIndex.fit(self._texts[rows], features.num_words, stop_words=features.stop_words)
        elif self._word_index is not None:
            index = WordIndex.of(self._word_index).restrict(features.num_words)
        n_ids = _n_ids(features.num_words, None if index is None else len(index.words))
        if isinstance(features, SequenceFeatures):
            row = (features.maxlen, features.padding, features.truncating)
            return Encoder(index, "sequence", n_ids, *row, stop_words=features.stop_words)
        return Encoder(index, "multihot", n_ids, stop_words=features.stop_words)

    def encode(self, encoder: Encoder) -> Inputs:
        """Return the inputs of all texts."""
        started = time.perf_counter()
        texts = self._texts
        X: Inputs = encoder.transform_ids(texts) if isinstance(texts, Sequences) else encoder.transform(texts)
        self.seconds += time.perf_counter() - started
        return X

    def encoded(self, rows: Ints) -> tuple[Encoder, Inputs]:
        """Return the encoder of a training on these rows, and the inputs of all texts; from the cache if there."""

        def encode() -> tuple[Encoder, Inputs]:
            encoder = self.encoder(rows)
            return encoder, self.encode(encoder)

        if self._cache is None:
            return encode()
        learned = hashlib.sha256(np.ascontiguousarray(rows).data).hexdigest() if self.learns_words else ""
        return self._cache.encoded({"features": self._features.model_dump(mode="json"), "learnt": learned}, encode)

    def vocabulary(self, n_learned: int) -> str:
        """Return in words where the vocabulary of a training on ``n_learned`` texts comes from."""
        if isinstance(self._texts, Sequences):
            return "that of the ids given"
        if not self.learns_words:
            return "the word index of the data set"
        return f"learnt from {n_learned:,} texts"


def check_ids(features: MultihotFeatures | SequenceFeatures, data: TrainingData) -> None:
    """Check that all ids are known.

    Raises:
        InputError: one is not; it is named by its row among the train or the validation rows.

    """
    if not isinstance(data.texts, Sequences):
        return
    n_ids = _n_ids(features.num_words, None if data.word_index is None else len(data.word_index))
    rows = np.arange(len(data))
    n_train = len(data) - data.n_validation
    check_range(data.texts.take(rows[:n_train]), n_ids, _ADVICE, data.train_rows)
    try:
        check_range(data.texts.take(rows[n_train:]), n_ids, _ADVICE)
    except InputError as error:
        raise InputError(f"In the validation rows: {error}") from None


def _n_ids(num_words: int, n_known: int | None) -> int:
    """Return how many ids there are, for an index of so many words or for none."""
    return num_words if n_known is None else min(num_words, n_known + INDEX_FROM + 1)
