"""Verifies the scripts of a page against Python: tokens, probabilities, labels and explanations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from tagline.classifier import TextClassifier
from tagline.errors import InputError
from tagline.explain import Explanation, explain_text
from tagline.export.html.javascript import V8
from tagline.export.verification import Verification, verify
from tagline.features.vectorizer import Vectorizer

EXPLAINED = 50  # texts
LONGEST_EXPLAINED = 5000  # characters: longer texts show nothing new, and take Python a while
_TOLERANCE = 1e-5  # of a contribution: scales and coefficients are in single precision in Python


def replay_in_v8(page: TextClassifier, v8: V8, texts: Sequence[str]) -> Verification:
    """Compare the page's scripts with ``page``, the same model in Python, on some texts.

    Raises:
        InputError: tokens, their spans or an explanation differ, or a probability or label by more than ``compare``
            allows.

    """
    _compare_tokens(page, v8, texts)
    verification = verify(page, v8.classify, texts)
    for text in [text for text in texts if len(text) <= LONGEST_EXPLAINED][-EXPLAINED:]:
        _compare_explanations(text, explain_text(page, text), v8.explain(text))
    return verification


def _compare_tokens(page: TextClassifier, v8: V8, texts: Sequence[str]) -> None:
    assert isinstance(page.vectorizer_, Vectorizer)
    tokens = page.vectorizer_.tokenizer.tokenize(pl.Series(texts, dtype=pl.String))
    values = tokens.values.to_list()
    end = 0
    for row, (text, n, found) in enumerate(zip(texts, tokens.lengths.tolist(), v8.tokenize(texts), strict=True), 1):
        start, end = end, end + n
        if found != values[start:end]:
            raise InputError(
                f"The page tokenizes text {row:,} of the replay, `{text[:60]}`, differently from the model: "
                "this is a bug of tagline; export with `--format onnx` instead."
            )


def _compare_explanations(text: str, expected: Explanation, found: dict[str, Any]) -> None:
    # Equal contributions may come in another order, and 8 bits make many of them equal.
    ours = {(c.name, c.spans): c.value for c in expected.contributions}
    theirs = {(c["name"], tuple(tuple(span) for span in c["spans"])): c["value"] for c in found["contributions"]}
    our_words = {(w.name, w.spans): w.value for w in expected.by_word}
    their_words = {(w["name"], tuple(tuple(span) for span in w["spans"])): w["value"] for w in found["by_word"]}
    words = [tuple(word) for word in found["words"]]
    same = (
        ours.keys() == theirs.keys()
        and [word[:2] for word in words] == [word[:2] for word in expected.words()]
        and _close([*ours.values()], [theirs[key] for key in ours])
        and our_words.keys() == their_words.keys()
        and _close([*our_words.values()], [their_words[key] for key in our_words])
        and _close([word[2] for word in expected.words()], [word[2] for word in words])
        and _close([expected.intercept, expected.score, expected.proba], [found[k] for k in _FIGURES])
        and (expected.class_name, expected.scale) == (found["class"], found["scale"])
    )
    if not same:
        raise InputError(
            f"The page explains `{text[:60]}` differently from the model: this is a bug of tagline; "
            "export with `--format onnx` instead."
        )


_FIGURES = ("intercept", "score", "probability")


def _close(expected: list[float], found: list[float]) -> bool:
    return bool(np.allclose(expected, found, rtol=_TOLERANCE, atol=_TOLERANCE))
