"""`Encoder`: texts to the input of a network, padded rows of word ids or multi-hot rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features.located import Located
from tagline.features.sequences import (
    INDEX_FROM,
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
from tagline.features.tokenizer import KERAS, Tokenizer

Kind = Literal["multihot", "sequence"]
_LONGEST_ROW = 10_000_000  # ids; more than any text has
_RESERVED = {PAD: "<padding>", START: "<start>", UNKNOWN: "<unknown>"}


@dataclass(frozen=True, eq=False)
class Encoder:
    """Fitted features of a network: a word index, and how ids become rows.

    ``index`` is None for a model trained on ids without a word index. ``maxlen``, ``padding`` and ``truncating``
    are those of ``pad_sequences``; ``"multihot"`` ignores them.
    """

    index: WordIndex | None
    kind: Kind
    num_words: int
    maxlen: int | None = None
    padding: Side = "pre"
    truncating: Side = "pre"
    stop_words: bool = False
    tokenizer: Tokenizer = KERAS

    unit_name: ClassVar[str] = "word ids"

    def __post_init__(self) -> None:
        if self.kind == "sequence" and self.maxlen is None:
            raise InputError("Features of kind `sequence` need a `maxlen`, the number of ids in every row.")

    @property
    def n_columns(self) -> int:
        """The number of ids, including those of padding, start and unknown words."""
        return self.num_words

    @property
    def reads_texts(self) -> bool:
        """Whether the words of the ids are known."""
        return self.index is not None

    def transform(self, texts: pl.Series) -> sp.csr_matrix | Ids:
        """Return the features of ``texts``.

        ``"multihot"``: CSR float32 of ones, (n_texts, num_words). ``"sequence"``: int32 ids, (n_texts, maxlen). A text
        without words has the start id only. Raises `InputError` without a word index.
        """
        return self._rows(self.encode(texts))

    def encode(self, texts: pl.Series) -> Sequences:
        """Return the ids of ``texts`` before they become rows; raises `InputError` without a word index."""
        return self._known_index.encode(
            texts, num_words=self.num_words, stop_words=self.stop_words, tokenizer=self.tokenizer
        )

    def transform_ids(self, sequences: Iterable[Sequence[int]] | Sequences) -> sp.csr_matrix | Ids:
        """Return the features of sequences of ids, those of ``transform`` for the same ids.

        Raises `InputError`, with the row, for an id of ``num_words`` or more.
        """
        given = Sequences.of(sequences)
        check_range(
            given,
            self.num_words,
            f"the model has ids below `num_words={self.num_words}`; use the id {UNKNOWN} for other words",
        )
        return self._rows(given)

    def _rows(self, sequences: Sequences) -> sp.csr_matrix | Ids:
        if self.kind == "multihot":
            return multi_hot(sequences, self.num_words)
        return pad_sequences(sequences, self.maxlen, self.padding, self.truncating)

    def locate(self, text: str) -> Located:
        """Return where the words that the model reads occur, without those truncated and without removed stop words."""
        words = self.tokenizer.tokenize(pl.Series([text], dtype=pl.String)).values
        tokens = self.tokenizer.spans(text)
        kept = np.arange(len(words))
        if self.stop_words:
            kept = np.flatnonzero((~words.is_in(STOP_WORDS)).to_numpy())
        ids = self._known_index.word_ids(words.gather(kept), self.num_words)
        if self.kind == "multihot":
            return Located(ids.astype(np.int64), ids, kept, kept, tokens, words.to_list())
        assert self.maxlen is not None
        source, columns = kept_places(np.array([len(ids) + 1]), self.maxlen, self.padding, self.truncating)
        is_word = source > 0  # the first id is the start
        read = source[is_word] - 1
        return Located(columns[is_word], ids[read], kept[read], kept[read], tokens, words.to_list())

    @property
    def _known_index(self) -> WordIndex:
        if self.index is None:
            raise InputError(
                "The model was trained on word ids without a word index, so it cannot read texts: "
                "pass sequences of ids, or train it with a word index."
            )
        return self.index

    def names(self, features: NDArray[np.integer]) -> list[str]:
        """Return the word of each id; reserved ids in angle brackets, ids without a word as numbers."""
        words = (self.index or WordIndex.of({})).words_of(features.tolist())
        return [
            _RESERVED.get(number, str(number)) if word is None else word
            for number, word in zip(features.tolist(), words, strict=True)
        ]

    def vocabulary(self) -> list[str]:
        """Return the words of the index, the most frequent first; empty without one."""
        return [] if self.index is None else self.index.words.to_list()

    def settings(self) -> dict[str, Any]:
        """Return the settings that a bundle's header stores."""
        return {
            "kind": self.kind,
            "num_words": self.num_words,
            "maxlen": self.maxlen,
            "padding": self.padding,
            "truncating": self.truncating,
            "stop_words": self.stop_words,
            "tokenizer": self.tokenizer.settings(),
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return no arrays."""
        return {}

    def texts(self) -> dict[str, str]:
        """Return the text files that a bundle stores: the words with an id, one per line; empty without an index."""
        if self.index is None:
            return {}
        return {"words.txt": "".join(f"{word}\n" for word in self.index.restrict(self.num_words).words)}

    def graph_inputs(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return ``settings`` and ``arrays``: the graph takes the rows as they are."""
        return self.settings(), self.arrays()

    def check(self) -> None:
        """Check the settings; see `Featurizer.check`."""
        integers = [self.num_words, *([] if self.maxlen is None else [self.maxlen])]
        if any(isinstance(number, bool) or not isinstance(number, int) for number in integers):
            raise ValueError("`num_words` and `maxlen` must be integers")  # see `Featurizer.check`
        if not INDEX_FROM < self.num_words < 2**31 or not 1 <= (self.maxlen or 1) <= _LONGEST_ROW:
            raise ValueError("`num_words` or `maxlen` is out of bounds")
        if (self.kind == "sequence") != (self.maxlen is not None) or not isinstance(self.stop_words, bool):
            raise ValueError("`kind`, `maxlen` and `stop_words` do not fit together")
        if self.index is not None and self.index.words.n_unique() < len(self.index.words):
            raise ValueError("a word is in the word index twice")
        if not {self.padding, self.truncating} <= {"pre", "post"}:
            raise ValueError('`padding` and `truncating` must be "pre" or "post"')

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], texts: Mapping[str, str]) -> Self:
        """Return the encoder that ``settings`` and ``texts`` came from."""
        index = None
        if "words.txt" in texts:
            # No word contains a newline, but one may contain any other line separator.
            index = WordIndex(pl.Series("word", texts["words.txt"].split("\n")[:-1], dtype=pl.String))
        return cls(
            index,
            settings["kind"],
            settings["num_words"],
            settings["maxlen"],
            settings["padding"],
            settings["truncating"],
            settings["stop_words"],
            # Bundles of earlier versions have the default.
            Tokenizer.restore(settings.get("tokenizer", {"rule": KERAS.rule})),  # earlier versions had no choice
        )
