"""Word vectors from unlabelled texts: skip-gram with negative sampling (Mikolov et al. 2013), by gensim."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
import polars as pl

from tagline.errors import InputError, MissingExtraError
from tagline.features.tokenizer import KERAS
from tagline.features.vectors.load import Vectors

EPOCHS = 3
LEAST = 5  # the minimum frequency of a word
_WINDOW = 5  # words to each side
_NEGATIVE = 5  # negative samples per pair
_BATCH = 2048  # texts tokenized at a time


def check_gensim() -> None:
    """Raise `MissingExtraError` unless gensim is installed."""
    if find_spec("gensim") is None:
        raise MissingExtraError("Learning vectors from unlabelled texts", "vectors")


def learn_vectors(
    texts: pl.Series, size: int, *, seed: int = 0, progress: Callable[[int, int], None] = lambda done, total: None
) -> Vectors:
    """Learn a vector of ``size`` dimensions for each word that occurs `LEAST` times or more in ``texts``, (n_texts,).

    Words are tokens of Keras's rule, as networks read them. Training uses one thread, so the same texts and seed give
    the same vectors. ``progress`` is called with the number of texts done and the total: each text counts once per
    epoch and once for the vocabulary.

    Raises:
        MissingExtraError: gensim is not installed.
        InputError: no word is frequent enough.

    """
    check_gensim()
    from gensim.models import Word2Vec  # type: ignore[import-untyped]  # it has no types

    corpus = _Corpus(texts, progress)
    with _without_advice():
        model = Word2Vec(
            vector_size=size,
            sg=1,
            window=_WINDOW,
            negative=_NEGATIVE,
            min_count=LEAST,
            workers=1,
            seed=seed,
        )
        model.build_vocab(corpus)
        corpus.check()
        if not len(model.wv):
            raise InputError(f"No word occurs {LEAST} times or more in the texts: too few to learn vectors from.")
        model.train(corpus, total_examples=len(texts), epochs=EPOCHS)
        corpus.check()
    words = pl.Series("word", model.wv.index_to_key, dtype=pl.String)
    return Vectors("skip-gram", words, np.ascontiguousarray(model.wv.vectors, dtype=np.float32))


class _Corpus:
    """An iterable over the words of each text, which gensim iterates several times.

    gensim iterates in a thread of its own and would wait forever if that raised, so an exception, of ``progress`` too,
    ends the iteration and is raised by ``check``.
    """

    def __init__(self, texts: pl.Series, progress: Callable[[int, int], None]) -> None:
        self.texts, self.progress = texts, progress
        self.done = 0
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[list[str]]:
        try:
            yield from self._words()
        except Exception as error:  # noqa: BLE001  # raised again by `check`
            self.error = error

    def _words(self) -> Iterator[list[str]]:
        for batch in self.texts.to_frame().iter_slices(_BATCH):
            tokens = KERAS.tokenize(batch.to_series())
            words, stop = tokens.values.to_list(), 0
            for length in tokens.lengths.tolist():
                start, stop = stop, stop + length
                yield words[start:stop]
            self.done += len(batch)
            self.progress(self.done, len(self.texts) * (1 + EPOCHS))

    def check(self) -> None:
        """Raise the exception that ended the iteration."""
        if self.error is not None:
            raise self.error


@contextmanager
def _without_advice() -> Iterator[None]:
    """Suppress gensim's advice to use more threads."""
    logger = logging.getLogger("gensim")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
