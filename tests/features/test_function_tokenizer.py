"""Tokenizers and stop words that users give, judged by scikit-learn's `CountVectorizer`."""

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from tagline import BundleError, InputError, TextClassifier, explain_text
from tagline.export.onnx_preprocessing import describe
from tagline.features.function_tokenizer import make_tokenizer
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import Tokenizer
from tests.export.reader import tokens_of
from tests.synthetic_texts import made_up

TEXTS, NAMES = made_up(60)
ODD = ["The FILM, the film!", "", "a good-film of the music", "Die  Töchter; the\tplot"]


def by_semicolon(text: str) -> list[str]:
    return text.split(";")


def stems(text: str) -> list[str]:
    return [word[:-1] + "*" if word.endswith("s") else word for word in text.split()]


def counts(clf: TextClassifier) -> dict[str, int]:
    """Return how often each n-gram occurs."""
    X = clf.vectorizer_.blocks[0].transform(pl.Series([*TEXTS, *ODD]), clf.vectorizer_.tokenizer)
    return dict(zip(clf.get_feature_names_out(), np.asarray(X.sum(axis=0)).ravel().astype(int), strict=True))


@pytest.mark.parametrize("stop_words", [None, ["the", "of"]])
@pytest.mark.parametrize("function", [str.split, stems])
def test_counts_are_those_of_count_vectorizer(function: Any, stop_words: list[str] | None) -> None:
    texts = [*TEXTS, *ODD]
    clf = TextClassifier("naive-bayes", settings={"features.words": 2}, tokenizer=function, stop_words=stop_words).fit(
        texts, [*NAMES, "c0", "c1", "c0", "c1"]
    )
    judge = CountVectorizer(tokenizer=function, stop_words=stop_words, ngram_range=(1, 2), token_pattern=None)
    expected = np.asarray(judge.fit_transform(texts).sum(axis=0)).ravel()
    assert counts(clf) == dict(zip(judge.get_feature_names_out(), expected, strict=True))


def test_stop_words_leave_n_grams_of_the_others() -> None:
    clf = TextClassifier("naive-bayes", settings={"features.words": 2}, stop_words=["The", "of", "fi\u006c\u006d"])
    clf.fit([*TEXTS, *ODD], [*NAMES, "c0", "c1", "c0", "c1"])
    names = set(clf.get_feature_names_out())
    assert not {"the", "of", "film"} & {word for name in names for word in name.split()}
    assert "a good" in names
    assert set(STOP_WORDS) >= {"the", "of"}
    english = TextClassifier("naive-bayes", stop_words="english").fit(TEXTS, NAMES)
    assert not set(STOP_WORDS) & set(english.get_feature_names_out())


def test_a_model_with_stop_words_is_saved_and_explained(tmp_path: Path) -> None:
    clf = TextClassifier(stop_words=("the", "film"), settings={"model.C": 1}).fit(TEXTS, NAMES)
    clf.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    assert loaded.stop_words == ["the", "film"]
    assert np.array_equal(loaded.predict_proba(ODD), clf.predict_proba(ODD))
    assert np.array_equal(clone(loaded).fit(TEXTS, NAMES).predict_proba(ODD), clf.predict_proba(ODD))
    text = "the film's good Film, the plot there"
    found = explain_text(loaded, text)
    words = [text[start:end] for start, end, _ in found.words()]
    assert words == ["film's", "good", ",", "plot", "there"]
    assert found.score == pytest.approx(found.intercept + sum(c.value for c in found.contributions))
    about = describe(clf.vectorizer_)
    assert tokens_of(about, text) == ["film's", "good", ",", "plot", "there"]


def test_a_model_with_a_function_is_pickled_but_not_saved(tmp_path: Path) -> None:
    clf = TextClassifier("naive-bayes", tokenizer=stems).fit(TEXTS, NAMES)
    again = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(again.predict_proba(TEXTS), clf.predict_proba(TEXTS))
    with pytest.raises(InputError, match="has a Python function as its tokenizer, which a bundle cannot hold"):
        clf.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="cannot be saved or exported"):
        describe(clf.vectorizer_)
    text = "The scenes and PLOTS of it"
    found = {text[start:end]: value for start, end, value in explain_text(clf, text).words()}
    assert set(found) == {"The", "", "and", "of", "it"}  # stems are not in the text


def marked(function: Any, text: str) -> list[tuple[str, str]]:
    """Return the tokens of a text that have a span, with the words there."""
    tokenizer = make_tokenizer(function, None)
    tokens, spans = tokenizer.tokenize(pl.Series([text])).values, tokenizer.spans(text)
    assert len(tokens) == len(spans)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert all(start <= end for (start, _), (_, end) in pairwise(spans))  # of n-grams
    return [(token, text[start:end]) for token, (start, end) in zip(tokens, spans, strict=True) if start < end]


def lemmas(text: str) -> list[str]:
    known = {"ran": "run", "is": "be", "are": "be"}
    return [known.get(word, word) for word in text.split()]


def bigrams_of_characters(text: str) -> list[str]:
    return [text[k : k + 2] for k in range(len(text) - 1)]


def one_and_two_words(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[k : k + n]) for k in range(len(words)) for n in (1, 2) if k + n <= len(words)]


def test_a_token_that_the_text_lacks_leaves_the_others_in_place() -> None:
    same = [(word, word) for word in ("he", "to", "the", "race", "to", "run")]
    assert marked(lemmas, "he ran to the race to run") == same
    assert marked(lemmas, "this is maybe") == [("this", "this"), ("maybe", "maybe")]  # no "be" within a word
    assert marked(lemmas, "ran " * 50 + "is it") == [("it", "it")]
    long = "he ran to the race and they are there " * 80 + "to run"
    expected = [word for word in long.split() if word not in ("ran", "are")]
    assert marked(lemmas, long) == [(word, word) for word in expected]


@pytest.mark.parametrize("function", [bigrams_of_characters, one_and_two_words, list])
def test_tokens_may_overlap(function: Any) -> None:
    text = "a new film, a new joy"
    assert marked(function, text) == [(token, token) for token in function(text)]


def test_tokens_in_no_order_take_that_of_the_text() -> None:
    text = "zoo plot film actor"
    assert marked(lambda text: set(text.split()), text) == [(word, word) for word in text.split()]


def test_words_of_a_script_without_spaces_are_marked() -> None:
    assert marked(lambda text: ["\u559c\u6b22", "\u7535\u5f71"], "\u6211\u559c\u6b22\u770b\u7535\u5f71") == [
        ("\u559c\u6b22", "\u559c\u6b22"),
        ("\u7535\u5f71", "\u7535\u5f71"),
    ]


def test_the_order_of_a_set_of_stop_words_changes_nothing() -> None:
    words = ["the", "of", "a", "film", "plot"]
    assert make_tokenizer(str.split, set(words)) == make_tokenizer(str.split, frozenset(sorted(words)))
    assert make_tokenizer(None, set(words)).stop_words == tuple(sorted(words))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenizer": "split"}, "`tokenizer` must be a function from a text to its tokens"),
        ({"tokenizer": len}, "The tokenizer returned a `int` for the text `"),
        ({"tokenizer": str.lower}, "The tokenizer returned a `str` for the text `"),
        ({"tokenizer": lambda text: [1]}, "a token of type `int` for the text `"),
        ({"stop_words": "german"}, '`stop_words` is `german`: it must be "english", a list of words or None'),
        ({"stop_words": 3}, "`stop_words` is `3`"),
        ({"stop_words": [3]}, "`stop_words` must be strings"),
        ({"stop_words": iter(["the"])}, "`stop_words` is an iterator, which only one fit could read: give a list"),
        ({"settings": iter(["model.alpha=2"])}, "`settings` is an iterator, which only one fit could read"),
        ({"stop_words": ["well-known"]}, "The stop word `well-known` is 3 tokens, not one"),
        (
            {"stop_words": ["a"], "recipe": "multihot-dense"},
            r"a network splits texts as Keras does.*features\.stop_words",
        ),
    ],
)
def test_wrong_tokenizers_and_stop_words(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        TextClassifier(**({"recipe": "naive-bayes"} | options)).fit(TEXTS, NAMES)


def test_empty_tokens_are_left_out() -> None:
    tokens = make_tokenizer(by_semicolon, ["b"]).tokenize(pl.Series(["A;;c", "", "b;b", "b;c"]))
    assert tokens.values.to_list() == ["a", "c", "c"]
    assert tokens.lengths.tolist() == [2, 0, 0, 1]
    assert Tokenizer(stop_words=("b",)).tokenize(pl.Series(["B a", "b", ""])).lengths.tolist() == [1, 0, 0]


def test_a_bundle_with_other_stop_words_is_refused(tmp_path: Path) -> None:
    clf = TextClassifier("naive-bayes", stop_words=["the"]).fit(TEXTS, NAMES)
    tokenizer = clf.vectorizer_.tokenizer
    object.__setattr__(tokenizer, "stop_words", (1,))
    clf.save(tmp_path / "model")
    with pytest.raises(BundleError, match="`stop_words` are not a list of words"):
        TextClassifier.load(tmp_path / "model")
