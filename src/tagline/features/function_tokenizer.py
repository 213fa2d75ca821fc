"""A Python function as the tokenizer of n-grams, and the stop words that users name, as in scikit-learn."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
import polars as pl

from tagline.errors import InputError
from tagline.features.alignment import align
from tagline.features.located import Span
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import Replacement, Tokenizer, Tokens, normalized

Split = Callable[[str], Iterable[str]]
_ONE_AT_A_TIME = Lock()  # a function need not be safe to call from several threads


@dataclass(frozen=True)
class FunctionTokenizer(Tokenizer):
    """Splits texts by a function, which gets each text in NFC and lower case; empty tokens are left out."""

    function: Split = str.split

    def _split(self, texts: pl.Series, *, nfc: bool) -> Tokens:
        found: list[list[str]] = []
        with _ONE_AT_A_TIME:
            for text in (normalized(texts) if nfc else texts).str.to_lowercase():
                tokens = self.function(text)
                unordered = isinstance(tokens, Set)
                if isinstance(tokens, str) or not isinstance(tokens, Iterable):
                    raise InputError(
                        f"The tokenizer returned a `{type(tokens).__name__}` for the text `{text:.40}`, not a list."
                    )
                kept = [token for token in tokens if self._is_token(token, text)]
                # The order of a set differs from process to process; n-grams need that of the text.
                found.append(sorted(kept, key=lambda token: (text.find(token), token)) if unordered else kept)
        values = pl.Series([token for tokens in found for token in tokens], dtype=pl.String)
        return Tokens(values, np.array([len(tokens) for tokens in found], dtype=np.int64))

    @staticmethod
    def _is_token(token: Any, text: str) -> bool:
        if not isinstance(token, str):
            raise InputError(
                f"The tokenizer returned a token of type `{type(token).__name__}` for the text `{text:.40}`, not "
                "a string."
            )
        return token != ""

    def _places(self, tokens: Sequence[str], cleaned: str) -> list[Span | None]:
        return align(tokens, cleaned)

    @property
    def _replacements(self) -> tuple[Replacement, ...]:
        return ()

    def settings(self) -> dict[str, Any]:
        """Raise `InputError`: a bundle or an export holds no code."""
        raise InputError(
            "The model has a Python function as its tokenizer, which a bundle cannot hold, so it cannot be saved or "
            "exported: pickle the classifier, or fit it without `tokenizer`."
        )

    def to_json(self) -> dict[str, Any]:
        """Raise `InputError`, as `settings`."""
        return self.settings()


def make_tokenizer(function: Split | None, stop_words: str | Iterable[str] | None) -> Tokenizer:
    """Return the tokenizer of n-grams.

    Args:
        function: takes a text in NFC and lower case and returns its tokens; None: tagline's own rule.
        stop_words: tokens to leave out: ``"english"`` or words.

    Raises:
        InputError: one of them is something else, or a stop word is not one token.

    """
    if function is not None and not callable(function):
        raise InputError(f"`tokenizer` must be a function from a text to its tokens, not `{function!r:.40}`.")
    words = () if stop_words is None else _checked_stop_words(stop_words)
    if function is not None:
        return FunctionTokenizer(stop_words=words, function=function)
    plain = Tokenizer()
    tokens = plain.tokenize(pl.Series(words, dtype=pl.String))
    several = np.flatnonzero(tokens.lengths != 1)
    if len(several):
        raise InputError(f"The stop word `{words[several[0]]}` is {tokens.lengths[several[0]]} tokens, not one.")
    return Tokenizer(stop_words=tuple(dict.fromkeys(tokens.values)))


def _checked_stop_words(stop_words: str | Iterable[str]) -> tuple[str, ...]:
    if isinstance(stop_words, str):
        if stop_words != "english":
            raise InputError(f'`stop_words` is `{stop_words}`: it must be "english", a list of words or None.')
        return STOP_WORDS
    if not isinstance(stop_words, Iterable):
        raise InputError(f'`stop_words` is `{stop_words}`: it must be "english", a list of words or None.')
    if isinstance(stop_words, Iterator):
        raise InputError("`stop_words` is an iterator, which only one fit could read: give a list or a set.")
    words = tuple(stop_words)
    if not all(isinstance(word, str) for word in words):
        raise InputError("`stop_words` must be strings.")
    return tuple(sorted(words)) if isinstance(stop_words, Set) else words  # the order of a set differs by process
