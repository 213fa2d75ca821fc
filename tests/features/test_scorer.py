"""The compiled scorer, compared with features and model: every bit of the logits, and the coverage."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.features._core.arrow import Texts
from tagline.features._core.block import Block
from tagline.features._core.index import Index
from tagline.features._core.scorer import Scorer
from tagline.features.ngrams import CharNgrams, WordNgrams
from tagline.features.scorer import LinearScorer
from tagline.features.token_ids import make_vocabulary
from tagline.features.tokenizer import Tokenizer
from tagline.features.vectorizer import Vectorizer
from tagline.models import LinearModel

WORDS = ["a", "b", "film", "films", "good", "bad", "don't", "我喜欢", "é", "👍🏽", "https://a.b/c", "<br />", "Σ", "."]
TEXTS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join),
        st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace").decode()),
    ),
    max_size=6,
)
ODD = ["", " ", "zzz", "a " * 3000, "good film " * 500 + "é" * 70_000, "b" * 100_000]


def fitted(tokenizer: Tokenizer, blocks: str, n_outputs: int, *, unit: bool, tf: str) -> tuple[Vectorizer, LinearModel]:
    rng = np.random.default_rng(3)
    texts = pl.Series([" ".join(rng.choice(WORDS, rng.integers(0, 30))) for _ in range(60)])
    made = []
    if "w" in blocks:
        made.append(WordNgrams.fit(texts, tokenizer, 3, 1)[0])
    if "c" in blocks:
        made.append(CharNgrams.fit(texts, tokenizer, 2, 4, 1)[0])
    scales = tuple(rng.random(block.table.n_columns).astype(np.float16).astype(np.float32) for block in made)
    vectorizer = Vectorizer(tuple(made), scales, tf, unit, tokenizer)
    return vectorizer, LinearModel.of(rng.normal(size=(vectorizer.n_columns, n_outputs)), rng.normal(size=n_outputs))


KINDS = [
    pytest.param(Tokenizer(), "w", 1, True, "log", id="words"),
    pytest.param(Tokenizer(), "wc", 3, True, "log", id="words and characters"),
    pytest.param(Tokenizer(), "c", 2, False, "count", id="characters"),
    pytest.param(Tokenizer("keras", stop_words=("a", "film")), "wc", 1, True, "binary", id="stop words"),
    pytest.param(Tokenizer(nfc=False), "w", 70, True, "log", id="many outputs"),
]


def check(scorer: LinearScorer, vectorizer: Vectorizer, model: LinearModel, texts: list[str]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    expected = model.logits(vectorizer.transform(column))
    for given_texts in (texts, column):
        scores = scorer.score(given_texts)
        assert np.array_equal(scores.logits, expected)
        assert np.array_equal(scores.coverage, vectorizer.transform_with_coverage(column)[1])
    for row, text in enumerate(texts):
        assert np.array_equal(scorer.score([text]).logits[0], expected[row])


@pytest.mark.parametrize(("tokenizer", "blocks", "n_outputs", "unit", "tf"), KINDS)
def test_the_scorer_is_features_and_model(tokenizer, blocks, n_outputs, unit, tf) -> None:
    vectorizer, model = fitted(tokenizer, blocks, n_outputs, unit=unit, tf=tf)
    scorer = LinearScorer(vectorizer, model.coef, model.intercept)
    check(scorer, vectorizer, model, ODD)
    check(scorer, vectorizer, model, [])
    check(
        scorer, vectorizer, model, ["a good unseenword film 👍🏽 don't " * 3000] * 20
    )  # so many that words are remembered

    @settings(max_examples=40)
    @given(TEXTS)
    def any_texts(texts: list[str]) -> None:
        check(scorer, vectorizer, model, texts)

    any_texts()


@pytest.mark.parametrize(("tokenizer", "blocks", "n_outputs", "unit", "tf"), KINDS)
def test_texts_of_several_steps(tokenizer, blocks, n_outputs, unit, tf) -> None:
    """n-grams across steps are counted once, and nothing is left for the next text."""
    vectorizer, model = fitted(tokenizer, blocks, n_outputs, unit=unit, tf=tf)
    scorer = LinearScorer(vectorizer, model.coef, model.intercept)
    texts = ["a good film zzz don't " * 130_000, "good", "我喜欢" * 250_000, "film " + "b" * 1_200_000 + " good a", ""]
    check(scorer, vectorizer, model, texts)


@pytest.mark.parametrize("cores", [1, 2, 3])
def test_threads_change_nothing(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    vectorizer, model = fitted(Tokenizer(), "wc", 3, unit=True, tf="log")
    texts = pl.Series([f"good film {n} " * 2000 for n in range(200)])
    monkeypatch.setattr("tagline.parallel._available", lambda: cores)
    scorer = LinearScorer(vectorizer, model.coef, model.intercept)
    assert np.array_equal(scorer.score(texts).logits, model.logits(vectorizer.transform(texts)))


def test_parts_that_do_not_fit_are_rejected() -> None:
    words = make_vocabulary(pl.Series(["a", "b"]), Tokenizer())
    index = Index(np.array([1, 2], dtype=np.int64))
    weights, intercept = np.ones((4, 2), dtype=np.float32), np.zeros(1)
    block = Block(1, [index], 2, None)
    scorer = Scorer(words, [block], True, weights, intercept)
    for min_n in (0, 3):
        with pytest.raises(ValueError, match=r"no n-grams of"):
            Block(min_n, [index], 2, None)
    more_symbols = Block(1, [index], 5, None)
    for blocks, some_weights in (
        ([block], weights[:3]),
        ([block, block], weights),
        ([more_symbols], weights),
        ([block], np.ones((4, 3), np.float32)),
        ([block], np.ones((4, 1), np.float32)),
    ):
        with pytest.raises(ValueError, match="weights"):
            Scorer(words, blocks, True, some_weights, intercept)
    fewer_symbols = Block(1, [Index(np.array([0], dtype=np.int64))], 1, None)
    with pytest.raises(ValueError, match="more words"):
        Scorer(words, [fewer_symbols], True, weights[:2], intercept)
    texts = Texts(["a b"])
    frequencies, logits, counts = np.ones(8), np.empty((1, 1)), np.empty((1, 2), dtype=np.int64)
    with pytest.raises(IndexError):
        scorer.score(texts, 0, 2, frequencies, np.empty((2, 1)), counts)
    for rooms in ((np.empty((1, 2)), counts), (logits[:0], counts), (logits, counts[:, :1].copy())):
        with pytest.raises(ValueError, match="room"):
            scorer.score(texts, 0, 1, frequencies, *rooms)
    assert scorer.score(texts, 0, 1, np.ones(1), logits, counts) == 1  # a count without a frequency


def test_an_alphabet_of_more_characters_than_symbols_is_rejected() -> None:
    alphabet = Index(np.arange(32, 1000, dtype=np.int64))
    with pytest.raises(ValueError, match="968 characters for 2 symbols"):
        Block(1, [], 2, alphabet)
    with pytest.raises(TypeError, match="no index"):
        Block(1, [None], 2, None)
    with pytest.raises(TypeError, match="missing"):
        Scorer(make_vocabulary(pl.Series(["a"]), Tokenizer()), [None], True, np.ones((0, 1), np.float32), np.zeros(1))


def test_a_text_with_many_repetitions_leaves_no_large_table() -> None:
    vectorizer, model = fitted(Tokenizer(), "w", 1, unit=True, tf="log")
    scorer = LinearScorer(vectorizer, model.coef, model.intercept)
    before = scorer._frequencies
    check(scorer, vectorizer, model, ["a " * 200_000])
    assert scorer._frequencies is before
    check(scorer, vectorizer, model, ["a " * 3000, "a " * 200_000])
    assert len(scorer._frequencies) < 10_000
