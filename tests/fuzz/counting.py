"""Counting n-grams: compiled code and NumPy find the same, and the scores of texts are those of their features.

The first bytes of an input choose the lengths, the least document frequency and the model; the others are symbols.
"""

from functools import cache
from random import Random
from unittest.mock import patch

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.features.ngrams import CharNgrams, NgramTable, WordNgrams, counting, native
from tagline.features.scorer import LinearScorer
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Vectorizer
from tagline.models import LinearModel
from tests.fuzz.inputs import Choices
from tests.fuzz.target import Target

_END = 255  # of a text
_UNKNOWN = 254


def _texts(data: bytes, n_symbols: int) -> tuple[np.ndarray, np.ndarray]:
    """Return symbols, and where each text ends."""
    texts = data.split(bytes([_END]))
    symbols = np.frombuffer(b"".join(texts), dtype=np.uint8).astype(np.int32)
    symbols = np.where(symbols == _UNKNOWN, -1, symbols % n_symbols).astype(np.int32)
    return symbols, np.cumsum([0, *map(len, texts)])


@cache
def _models() -> list[tuple[Vectorizer, LinearModel, LinearScorer]]:
    rng = np.random.default_rng(0)
    texts = pl.Series(["".join(map(chr, rng.choice([97, 98, 32, 46, 233, 0x4E2D], 30))) for _ in range(30)])
    words, characters = WordNgrams.fit(texts, Tokenizer(), 2, 1)[0], CharNgrams.fit(texts, Tokenizer(), 1, 3, 1)[0]
    made = []
    for blocks in ((words,), (words, characters), (characters,)):
        scales = tuple(rng.random(block.table.n_columns, dtype=np.float32) for block in blocks)
        vectorizer = Vectorizer(blocks, scales, "log", True, Tokenizer())
        model = LinearModel.of(rng.normal(size=(vectorizer.n_columns, 2)), rng.normal(size=2))
        made.append((vectorizer, model, LinearScorer(vectorizer, model.coef, model.intercept)))
    return made


def check(data: bytes) -> bool:
    """Count and find the n-grams of some symbols, and score them as text."""
    choices = Choices(data)
    n_symbols, max_n, min_df = 1 + choices.below(254), 1 + choices.below(5), 1 + choices.below(3)
    min_n, size = 1 + choices.below(max_n), 1 + choices.below(200)
    vectorizer, model, scorer = choices.pick(_models())
    rest = choices.rest()
    symbols, ends = _texts(rest, n_symbols)
    with patch.multiple(native, _POSITIONS=size, _BUCKET=size, _GROUP=3 * size):
        table, counts = NgramTable.fit(symbols.copy(), ends, n_symbols, min_n, max_n, min_df)
        found = table.count(symbols, ends)
    with patch.object(counting, "COMPILED", new=False):
        again, recounted = NgramTable.fit(symbols.copy(), ends, n_symbols, min_n, max_n, min_df)
    assert all(np.array_equal(a, b) for a, b in zip(table.keys, again.keys, strict=True))
    assert _same(counts, recounted)
    assert _same(found, counts)
    table.check()
    texts = pl.Series(rest.decode("utf-8", "replace").split("\0")[:9], dtype=pl.String)
    assert np.array_equal(scorer.score(texts).logits, model.logits(vectorizer.transform(texts)))
    return True


def _same(a: sp.csr_matrix, b: sp.csr_matrix) -> bool:
    return a.shape == b.shape and all(
        np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data")
    )


def seeds() -> list[bytes]:
    """Return inputs with few and many symbols."""
    draw = Random(0)
    few = [bytes([draw.choice((1, 2, 3, _UNKNOWN, _END)) for _ in range(300)]) for _ in range(4)]
    text = "aab ba. é 中ab ab\0bb a.a".encode()
    return [bytes([n, 4, n % 3, 0, 9, n % 3]) + rest for n, rest in enumerate([*few, draw.randbytes(400), text])]


TARGET = Target("counting", check, seeds)
