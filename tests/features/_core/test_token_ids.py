"""Tokens as integers, the same on any number of cores."""

import random
from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

from tagline import parallel
from tagline.errors import InputError
from tagline.features import token_ids
from tagline.features.token_ids import intern, look_up, make_vocabulary
from tagline.features.tokenizer import Tokenizer

TOKENIZERS = [Tokenizer(), Tokenizer("keras"), Tokenizer(stop_words=("w7", "w11", "我"))]


@pytest.fixture(scope="module")
def texts() -> pl.Series:
    draw = random.Random(0)
    words = [f"W{n}" for n in range(3000)] + ["我们", "don’t", "e\u0301", "🇩🇪"]
    long = ["unseen-" + " ".join(draw.choices(words, k=20)) for _ in range(20_000)] + ["", "   "]
    return pl.concat([pl.Series(long), pl.Series([" ".join(draw.choices(words, k=400_000))])], rechunk=False)


@pytest.fixture(params=[1, 2, 5])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(parallel, "_available", lambda: request.param)
    return request.param


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.usefixtures("cores")
def test_ids_are_those_of_first_occurrences(texts: pl.Series, tokenizer: Tokenizer) -> None:
    ids, ends, distinct = intern(texts, tokenizer)
    tokens = tokenizer.tokenize(texts)
    assert distinct.gather(ids).equals(tokens.values)
    assert distinct.equals(tokens.values.unique(maintain_order=True))
    assert np.array_equal(np.diff(ends), tokens.lengths)
    assert ends[0] == 0
    assert (ids.dtype, ends.dtype, distinct.dtype) == (np.int32, np.int64, pl.String)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.usefixtures("cores")
def test_look_up_knows_the_vocabulary(texts: pl.Series, tokenizer: Tokenizer) -> None:
    ids, ends, distinct = intern(texts, tokenizer)
    known = pl.Series(["w1", "w2", "don't", "é", "w2999"])
    found, found_ends = look_up(texts, make_vocabulary(known, tokenizer))
    of_distinct = distinct.replace_strict(known, range(len(known)), default=-1, return_dtype=pl.Int32).to_numpy()
    assert np.array_equal(found, of_distinct[ids])
    assert np.array_equal(found_ends, ends)


@pytest.mark.usefixtures("cores")
def test_no_texts() -> None:
    for column in (pl.Series([], dtype=pl.String), pl.Series(["", " "])):
        ids, ends, distinct = intern(column, Tokenizer())
        assert (len(ids), ends.tolist(), len(distinct)) == (0, [0] * (len(column) + 1), 0)
        ids, ends = look_up(column, make_vocabulary(pl.Series(["a"]), Tokenizer()))
        assert (len(ids), ends.tolist()) == (0, [0] * (len(column) + 1))


def test_too_many_tokens_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_ids, "_MOST_TOKENS", 5)
    assert len(intern(pl.Series(["a b c", "d e"]), Tokenizer())[0]) == 5
    for call in (
        lambda texts: intern(texts, Tokenizer()),
        lambda texts: look_up(texts, make_vocabulary(texts, Tokenizer())),
    ):
        with pytest.raises(InputError, match="The texts have 6 tokens, more than 5: use fewer texts at once"):
            call(pl.Series(["a b c", "d e f"]))
