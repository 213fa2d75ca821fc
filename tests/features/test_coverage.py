"""Coverage of n-grams, against counting them one by one in Python."""

import polars as pl
import pytest

from tagline.features.coverage import count_ngrams, coverage
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.tokenizer import Tokenizer

TRAIN = pl.Series(["a good film", "a good joke", "the film ends"])
TEXTS = ["a good film", "the good end", "xyz", "", "a a good unseen film", "été 電影"]


def grams(tokens: list[str], orders: range, *, of: str) -> list[tuple[str, ...]]:
    """Return the n-grams of a text, in the order of its words."""
    runs = [tokens] if of == "words" else [[" ", *token, " "] for token in tokens]
    return [tuple(run[i : i + n]) for run in runs for n in orders for i in range(len(run) - n + 1)]


@pytest.mark.parametrize("of", ["words", "characters"])
def test_the_share_of_known_ngrams(of: str) -> None:
    tokenizer, orders = Tokenizer(), range(1, 4) if of == "words" else range(2, 5)
    if of == "words":
        block, _ = WordNgrams.fit(TRAIN, tokenizer, 3, 1)
    else:
        block, _ = CharNgrams.fit(TRAIN, tokenizer, 2, 4, 1)
    texts = pl.Series(TEXTS)
    tokens = tokenizer.tokenize(texts)
    counts = block.transform(texts, tokenizer)
    of_texts = [tokenizer.tokenize(pl.Series([text])).values.to_list() for text in TEXTS]
    seen = {g for t in TRAIN for g in grams(tokenizer.tokenize(pl.Series([t])).values.to_list(), orders, of=of)}
    every = [grams(t, orders, of=of) for t in of_texts]
    expected = [sum(g in seen for g in found) / max(1, len(found)) for found in every]
    assert count_ngrams(block, tokens).tolist() == [len(found) for found in every]
    assert coverage(block, counts, tokens).tolist() == pytest.approx(expected)
    assert expected[0] == 1
    assert expected[3] == 0
