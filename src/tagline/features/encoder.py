"""Texts to what a network sees: rows of word ids of one length, or which words a text holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features.sequences import (
    PAD,
    START,
    UNKNOWN,
    Ids,
    Sequences,
    Side,
    WordIndex,
    check_range,
    kept_places,
    multi_hot,
    pad_sequences,
)
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import keras_word_spans, keras_words

Kind = Literal["multihot", "sequence"]
_RESERVED = {PAD: "<padding>", START: "<start>", UNKNOWN: "<unknown>"}


@dataclass(frozen=True, eq=False)
class Located:
    """The tokens of one text that the model sees, in the order of the text; all of one length, (n_tokens,).

    ``places``: where each stands in the text's row of ``Encoder.transform``, int64: its position in the padded row,
    or for ``"multihot"`` its column, which is its id. ``ids``: the id of each, int32. ``spans``: its start and end in
    characters of the text, end excluded.
    """

    places: NDArray[np.int64]
    ids: Ids
    spans: list[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Encoder:
    """Learnt features of a network: a word index, and how ids become rows.

    ``index`` is None for a model trained on ids whose words nobody told. ``maxlen``, ``padding`` and ``truncating``
    are those of ``pad_sequences``; ``"multihot"`` has no use for them.
    """

    index: WordIndex | None
    kind: Kind
    num_words: int
    maxlen: int | None = None
    padding: Side = "pre"
    truncating: Side = "pre"
    stop_words: bool = False

    def __post_init__(self) -> None:
        if self.kind == "sequence" and self.maxlen is None:
            raise InputError("Features of kind `sequence` need a `maxlen`: the number of ids in every row.")

    @property
    def n_columns(self) -> int:
        """How many ids there are, those of padding, start and unknown words among them."""
        return self.num_words

    def transform(self, texts: pl.Series) -> sp.csr_matrix | Ids:
        """Return the features of ``texts``.

        ``"multihot"``: CSR float32 of ones, (n_texts, num_words). ``"sequence"``: int32 ids, (n_texts, maxlen). A text
        without words is the start alone. Raises `InputError` where the model knows no words.
        """
        return self._rows(self.encode(texts))

    def encode(self, texts: pl.Series) -> Sequences:
        """Return the ids of ``texts`` before they become rows; raises `InputError` where the model knows no words."""
        return self._known_index.encode(texts, num_words=self.num_words, stop_words=self.stop_words)

    def transform_ids(self, sequences: Iterable[Sequence[int]] | Sequences) -> sp.csr_matrix | Ids:
        """Return the features of sequences of ids, those of ``transform`` for the same ids.

        Raises `InputError`, with the row, for an id of ``num_words`` or more.
        """
        given = Sequences.of(sequences)
        check_range(
            given,
            self.num_words,
            f"the model knows those below `num_words={self.num_words}`; the id {UNKNOWN} stands for any other word",
        )
        return self._rows(given)

    def _rows(self, sequences: Sequences) -> sp.csr_matrix | Ids:
        if self.kind == "multihot":
            return multi_hot(sequences, self.num_words)
        return pad_sequences(sequences, self.maxlen, self.padding, self.truncating)

    def locate(self, text: str) -> Located:
        """Return the tokens of ``text`` that the model sees; what is cut off and stop words left out are not there."""
        words = keras_words(pl.Series([text], dtype=pl.String)).values
        spans = keras_word_spans(text)
        if self.stop_words:
            kept = (~words.is_in(STOP_WORDS)).to_numpy()
            words, spans = words.filter(kept), [span for span, keep in zip(spans, kept, strict=True) if keep]
        ids = self._known_index.word_ids(words, self.num_words)
        if self.kind == "multihot":
            return Located(ids.astype(np.int64), ids, spans)
        assert self.maxlen is not None
        source, places = kept_places(np.array([len(ids) + 1]), self.maxlen, self.padding, self.truncating)
        seen = source > 0  # the first is the start, no token
        tokens = source[seen] - 1
        return Located(places[seen], ids[tokens], [spans[token] for token in tokens])

    @property
    def _known_index(self) -> WordIndex:
        if self.index is None:
            raise InputError(
                "The model was trained on ids without words, so it cannot read texts: give it sequences of ids, "
                "or train it with a word index."
            )
        return self.index

    def names(self, ids: NDArray[np.integer]) -> list[str]:
        """Return the words of some ids; reserved ids in angle brackets, those without a word as numbers."""
        words = (self.index or WordIndex.of({})).words_of(ids.tolist())
        return [
            _RESERVED.get(number, str(number)) if word is None else word
            for number, word in zip(ids.tolist(), words, strict=True)
        ]

    def settings(self) -> dict[str, Any]:
        """Return what a bundle's header says of the features."""
        return {
            "kind": self.kind,
            "num_words": self.num_words,
            "maxlen": self.maxlen,
            "padding": self.padding,
            "truncating": self.truncating,
            "stop_words": self.stop_words,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle stores as arrays: nothing."""
        return {}

    def texts(self) -> dict[str, str]:
        """Return what a bundle stores as text: the words that have an id, one a line; nothing without words."""
        if self.index is None:
            return {}
        return {"words.txt": "".join(f"{word}\n" for word in self.index.restrict(self.num_words).words)}

    @staticmethod
    def restore(settings: Mapping[str, Any], texts: Mapping[str, str]) -> "Encoder":
        """Return the encoder that ``settings`` and ``texts`` came from."""
        index = None
        if "words.txt" in texts:
            # No word holds a newline, but any other line separator may stand in one.
            index = WordIndex(pl.Series("word", texts["words.txt"].split("\n")[:-1], dtype=pl.String))
        return Encoder(
            index,
            settings["kind"],
            settings["num_words"],
            settings["maxlen"],
            settings["padding"],
            settings["truncating"],
            settings["stop_words"],
        )
