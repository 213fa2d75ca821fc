"""Tokenizers and vectorizers: any text, alone and in a batch, gives the same tokens and features, in polars too.

The first byte of an input chooses the tokenizer, the second the model, and the others are texts, between NUL bytes.
"""

from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline import TextClassifier
from tagline.features.encoder import Encoder
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.sequences import WordIndex
from tagline.features.tokenizer import Tokenizer, split_in_polars
from tagline.features.vectorizer import Vectorizer
from tests.fuzz.inputs import STRINGS, Choices
from tests.fuzz.target import Target

GOLDEN = Path(__file__).parents[1] / "golden"
_TOKENIZERS = (
    Tokenizer(), Tokenizer("keras"), Tokenizer(nfc=False), Tokenizer(stop_words=("a", "the", "🇩🇪")),
    Tokenizer("keras", stop_words=("film",)),
)  # fmt: skip
_PIECES = (
    *STRINGS, "good", "film", "the", " ", " ", "'", "’", "\u00ad", "\u200b", "\u200d", "\ufe0f", "🇩🇪", "🇩", "👩‍👩‍👧",
    "ก็", "ᄀ", "\u1161", "\u0344", "ﬁ", "İ", "ß", "ſ", "Σ", "\u0130\u0307", "\U000e0067", "𝟘", "_", "<br/>", "http://",
    "https://a.b/c", "\x85", "\x1c", "\u3000", "\U0010ffff", "\ufffe", "ﷺ" * 20, "\u0300" * 50,
)  # fmt: skip


@cache
def _fitted() -> tuple[TextClassifier, TextClassifier]:
    """Return a model of n-grams and one of word ids."""
    names = ("bundle-v2-fast-multiclass", "bundle-v2-lstm-masked")
    first, second = (TextClassifier.load(GOLDEN / name / "model") for name in names)
    return first, second


def _texts(choices: Choices) -> list[str]:
    if choices.once_in(2):
        return ["".join(choices.pick(_PIECES) for _ in range(choices.below(24))) for _ in range(1 + choices.below(5))]
    return choices.rest().decode("utf-8", "replace").split("\0")[:20]


def check(data: bytes) -> bool:
    """Tokenize and vectorize texts."""
    choices = Choices(data)
    tokenizer, classifier = choices.pick(_TOKENIZERS), choices.pick(_fitted())
    texts = _texts(choices)
    column = pl.Series(texts, dtype=pl.String)
    tokens = tokenizer.tokenize(column)
    assert len(tokens.lengths) == len(texts)
    assert tokens.lengths.sum() == len(tokens.values)
    assert not tokens.values.has_nulls()
    plain = Tokenizer(tokenizer.rule, tokenizer.nfc).tokenize(column)
    in_polars = split_in_polars(column, tokenizer.rule, nfc=tokenizer.nfc)
    assert plain.values.equals(in_polars.values)
    assert plain.lengths.tolist() == in_polars.lengths.tolist()
    assert (tokens.values.str.len_bytes() > 0).all()
    alone = [tokenizer.tokenize(column[i : i + 1]).values.to_list() for i in range(len(texts))]
    assert [token for one in alone for token in one] == tokens.values.to_list()
    for text, one in zip(texts, alone, strict=True):
        spans = tokenizer.spans(text)
        assert len(spans) == len(one)
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    _check_new_features(column, tokenizer)
    _check_model(classifier, column)
    return True


def _check_new_features(texts: pl.Series, tokenizer: Tokenizer) -> None:
    """Features fitted on the texts count each n-gram as often as their fit did."""
    words, counts = WordNgrams.fit(texts, tokenizer, 2, 1)
    assert _same(words.transform(texts, tokenizer), counts)
    characters, counts = CharNgrams.fit(texts, tokenizer, 1, 3, 1)
    assert _same(characters.transform(texts, tokenizer), counts)
    blocks = (words, characters)
    scales = tuple(np.ones(block.table.n_columns, np.float32) for block in blocks)
    vectorizer = Vectorizer(blocks, scales, "count", unit=True, tokenizer=tokenizer)
    assert len(vectorizer.names(np.arange(vectorizer.n_columns))) == vectorizer.n_columns
    restored = Vectorizer.restore(vectorizer.settings(), vectorizer.arrays(), vectorizer.texts())
    restored.check()
    assert _same(restored.transform(texts), vectorizer.transform(texts))
    encoder = Encoder(WordIndex.fit(texts, tokenizer=tokenizer), "sequence", 50, 8, tokenizer=tokenizer)
    encoder.check()
    again = Encoder.restore(encoder.settings(), encoder.arrays(), encoder.texts())
    assert np.array_equal(again.transform(texts), encoder.transform(texts))


def _check_model(classifier: TextClassifier, texts: pl.Series) -> None:
    features = classifier.vectorizer_.transform(texts)
    values = features.data if isinstance(features, sp.csr_matrix) else features
    assert features.shape[0] == len(texts)
    assert np.isfinite(values).all()
    proba = classifier.predict_proba(texts)
    assert np.isfinite(proba).all()
    assert np.allclose(proba.sum(axis=1), 1)
    assert np.allclose(classifier.predict_proba(texts[-1:]), proba[-1:], atol=1e-9)
    text = texts[-1]
    located = classifier.vectorizer_.locate(text)
    assert all(0 <= start <= end <= len(text) for start, end in located.spans)


def _same(a: sp.csr_matrix, b: sp.csr_matrix) -> bool:
    return a.shape == b.shape and (a != b).nnz == 0


def seeds() -> list[bytes]:
    """Return texts, and decisions for generated ones."""
    draw = Random(0)
    texts = "A good film, isn't it?<br />我喜欢 👍🏽 https://example.org/a?b=c\0\0ไม่ดี «été» e\u0301 1.000,5".encode()
    numbers = range(len(_TOKENIZERS))
    return [bytes([n, n % 2, 0]) + texts for n in numbers] + [
        bytes([n, n % 2, 1]) + draw.randbytes(99) for n in numbers for _ in range(6)
    ]


WORDS = tuple(piece.encode("utf-8", "replace") for piece in _PIECES if len(piece) < 500)
TARGET = Target("tokenizers", check, seeds, WORDS)
