"""Texts as sequences of word ids, as Keras has them: 0 pads, 1 starts, 2 is unknown, the word of rank r has id r + 3.

>>> index = WordIndex.fit(["the film", "the end"])
>>> ids = index.encode(["The film!", "The sea"], num_words=100)
>>> ids.to_lists()
[[1, 4, 5], [1, 4, 2]]
>>> pad_sequences(ids, maxlen=4).tolist()
[[0, 1, 4, 5], [0, 1, 4, 2]]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import KERAS, Tokenizer, Tokens
from tagline.parallel import in_threads
from tagline.sparse import count_columns

Ids = NDArray[np.int32]
Side = Literal["pre", "post"]

PAD, START, UNKNOWN = 0, 1, 2
INDEX_FROM = 3

_BATCH = 2048  # texts encoded together by one thread
_FEW_TOKENS = 1  # for each entry of the index; up to here a dictionary is quicker
_LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Sequences:
    """Sequences of ids, one after the other.

    ``ids`` is int32, (n_ids,); ``lengths`` counts the ids of each sequence, int64, (n,).
    """

    ids: Ids
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lengths)

    @staticmethod
    def of(sequences: "Iterable[Sequence[int]] | NDArray[Any] | Sequences") -> "Sequences":
        """Return the sequences as arrays.

        Raises `InputError`, with the row, for an id that is not an integer from 0 to 2³¹ - 1.
        """
        if isinstance(sequences, Sequences):
            return sequences
        rows = list(sequences)
        try:
            lengths = np.array([len(row) for row in rows], dtype=np.int64)
            arrays = rows and all(isinstance(row, np.ndarray) for row in rows)
            values = [] if arrays else list(chain.from_iterable(rows))
            if any(isinstance(value, bool) for value in values):  # NumPy would make them 0 and 1
                raise _wrong_ids(rows)
            flat = np.concatenate(rows) if arrays else np.array(values)
        except (TypeError, ValueError, OverflowError):
            raise _wrong_ids(rows) from None
        if len(flat) and not (
            flat.ndim == 1 and flat.dtype.kind in "iu" and flat.min() >= 0 and flat.max() <= _LARGEST
        ):
            raise _wrong_ids(rows)
        return Sequences(flat.astype(np.int32), lengths)

    def take(self, rows: NDArray[np.int64]) -> "Sequences":
        """Return the sequences of some rows, in order."""
        taken = np.zeros(len(self), dtype=bool)
        taken[rows] = True
        return Sequences(self.ids[np.repeat(taken, self.lengths)], self.lengths[taken])

    def to_lists(self) -> list[list[int]]:
        """Return the sequences as lists."""
        ids = self.ids.tolist()
        ends = np.cumsum(self.lengths).tolist()
        return [ids[end - length : end] for end, length in zip(ends, self.lengths.tolist(), strict=True)]


def _wrong_ids(rows: list[Any]) -> InputError:
    for number, row in enumerate(rows):
        if not hasattr(row, "__len__") or isinstance(row, str | bytes):
            return InputError(
                f"Row {number} is `{row!r:.80}`, not a sequence of ids: give a list of integers for each."
            )
        for value in row:
            integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not integer or not 0 <= value <= _LARGEST:
                return InputError(f"Row {number} holds `{value!r:.80}`: ids are integers from 0 to {_LARGEST:,}.")
    return InputError("The sequences hold something other than ids: give a list of integers for each.")


def pad_sequences(
    sequences: "Iterable[Sequence[int]] | Sequences",
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: int = PAD,
) -> Ids:
    """Return the sequences as rows of one length, int32, (n, maxlen), as Keras's function of this name does.

    Shorter ones are filled up with ``value``, longer ones cut, at the front (``"pre"``) or the back (``"post"``).
    ``maxlen`` None stands for the length of the longest. Raises `InputError` for another side, a ``maxlen``
    below 1 and what `Sequences.of` refuses.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise InputError(f'`{name}` is `{side}`: it must be `"pre"` or `"post"`.')
    if maxlen is not None and maxlen < 1:
        raise InputError(f"`maxlen` is `{maxlen}`: it must be 1 or more, or None for the longest sequence.")
    given = Sequences.of(sequences)
    width = int(given.lengths.max(initial=0)) if maxlen is None else maxlen
    padded = np.full((len(given), width), value, dtype=np.int32)
    ends = np.concatenate([[0], np.cumsum(given.lengths)])
    for low in range(0, len(given), _BATCH):  # so many that places take little memory
        lengths = given.lengths[low : low + _BATCH]
        source, target = kept_places(lengths, width, padding, truncating)
        padded[low : low + _BATCH].reshape(-1)[target] = given.ids[ends[low] :][source]
    return padded  # (n, maxlen)


def kept_places(
    lengths: NDArray[np.int64], width: int, padding: Side, truncating: Side
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flat places of the ids that padding keeps, and where they go in the flat matrix, (n_kept,) each."""
    kept = np.minimum(lengths, width)
    first = np.cumsum(lengths) - lengths
    if truncating == "pre":
        first = first + (lengths - kept)
    begin = np.arange(len(lengths)) * width
    if padding == "pre":
        begin = begin + (width - kept)
    within = np.arange(int(kept.sum())) - np.repeat(np.cumsum(kept) - kept, kept)
    return np.repeat(first, kept) + within, np.repeat(begin, kept) + within


def check_range(sequences: Sequences, n_ids: int, advice: str) -> None:
    """Raise `InputError` that names the first id of ``n_ids`` or more, its row, and the advice."""
    beyond = sequences.ids >= n_ids
    if beyond.any():
        place = int(beyond.argmax())
        row = int(np.searchsorted(np.cumsum(sequences.lengths), place, side="right"))
        raise InputError(f"Row {row} holds the id `{sequences.ids[place]}`, but ids end at {n_ids - 1:,}: {advice}.")


def multi_hot(sequences: "Iterable[Sequence[int]] | Sequences", dimension: int) -> sp.csr_matrix:
    """Return which ids each sequence holds: CSR float32 of ones, (n, dimension), indices sorted, each once.

    Raises `InputError`, with the row, for an id of ``dimension`` or more.
    """
    given = Sequences.of(sequences)
    check_range(given, dimension, f"`dimension` is {dimension:,}")
    matrix = count_columns(given.ids, given.lengths, dimension)
    matrix.data[:] = 1.0
    return matrix


def one_hot(labels: Sequence[int] | NDArray[np.integer], n_classes: int | None = None) -> NDArray[np.float32]:
    """Return a 1 in the column of each label, float32, (n, n_classes); None counts up to the largest label.

    Raises `InputError`, with the row, for a label that is no integer from 0 to ``n_classes - 1``.
    """
    given = Sequences.of([[label] for label in labels])
    if n_classes is None:
        n_classes = int(given.ids.max(initial=-1)) + 1
    check_range(given, n_classes, f"`n_classes` is {n_classes:,}")
    hot = np.zeros((len(given), n_classes), dtype=np.float32)
    hot[np.arange(len(given)), given.ids] = 1.0
    return hot  # (n, n_classes)


@dataclass(frozen=True, eq=False)
class WordIndex:
    """The words by falling frequency: ``words`` is a String series, (n_words,), that of rank 1 first."""

    words: pl.Series

    @staticmethod
    def fit(
        texts: Iterable[str],
        num_words: int | None = None,
        *,
        stop_words: bool = False,
        tokenizer: Tokenizer = KERAS,
    ) -> "WordIndex":
        """Rank the words of ``texts`` by how often they stand there, ties by what comes first, as Keras does.

        Only words whose ids are below ``num_words`` are kept; stop words are left out where ``stop_words``.
        """

        def batch(part: pl.Series) -> pl.Series:
            return _words(part, tokenizer, stop_words=stop_words).values

        parts = in_threads(batch, _batches(_column(texts)))
        values = pl.concat([pl.Series("word", [], dtype=pl.String), *(part.alias("word") for part in parts)])
        ranked = (
            values.to_frame()
            .with_row_index("first")
            .group_by("word")
            .agg(pl.len(), pl.col("first").min())
            .sort(["len", "first"], descending=[True, False])
        )
        index = WordIndex(ranked["word"].rechunk())
        return index if num_words is None else index.restrict(num_words)

    @staticmethod
    def of(ranks: Mapping[str, int]) -> "WordIndex":
        """Return the index of a mapping from words to ranks, as Keras's ``get_word_index`` gives it.

        Raises `InputError` unless the ranks are 1, 2, 3 and so on, each once, or if a word holds a newline.
        """
        table = pl.DataFrame({"word": list(ranks), "rank": list(ranks.values())}, {"word": pl.String, "rank": pl.Int64})
        table = table.sort("rank")
        wrong = (table["rank"] != pl.arange(1, len(table) + 1, eager=True)).arg_true()
        if len(wrong):
            word, rank = table.row(wrong[0])
            raise InputError(f"The word `{word}` has rank `{rank}`: ranks must be 1, 2, 3 and so on, each once.")
        if table["word"].str.contains("\n", literal=True).any():  # a bundle stores them one a line
            raise InputError("A word of the index holds a newline, so no text can hold it: take it out.")
        return WordIndex(table["word"])

    def restrict(self, num_words: int) -> "WordIndex":
        """Return the index of the words whose ids are below ``num_words``."""
        return WordIndex(self.words.head(max(0, num_words - INDEX_FROM - 1)))

    def encode(
        self, texts: Iterable[str], *, num_words: int, stop_words: bool = False, tokenizer: Tokenizer = KERAS
    ) -> Sequences:
        """Return the ids of texts: `START`, then the words, `UNKNOWN` for those that have no id below ``num_words``.

        With ``stop_words`` the stop words are left out, as if they did not stand in the texts.
        """

        def batch(part: pl.Series) -> tuple[Ids, NDArray[np.int64]]:
            tokens = _words(part, tokenizer, stop_words=stop_words)
            lengths = tokens.lengths + 1
            ids = np.full(int(lengths.sum()), START, dtype=np.int32)
            inside = np.ones(len(ids), dtype=bool)
            inside[np.cumsum(lengths) - lengths] = False
            ids[inside] = self.word_ids(tokens.values, num_words)
            return ids, lengths

        parts = in_threads(batch, _batches(_column(texts)))
        ids = np.concatenate([np.empty(0, dtype=np.int32), *(part[0] for part in parts)])
        return Sequences(ids, np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)]))

    def word_ids(self, words: pl.Series, num_words: int) -> Ids:
        """Return the id of each word, (n,), `UNKNOWN` for those that have none below ``num_words``."""
        ids = self.ranks(words) + np.int32(INDEX_FROM)
        ids[(ids == INDEX_FROM) | (ids >= num_words)] = UNKNOWN
        return ids

    def ranks(self, words: pl.Series) -> Ids:
        """Return the rank of each word, (n,), 0 for those that have none."""
        if len(words) <= _FEW_TOKENS * len(self.words):  # polars hashes the whole index at every cast
            known = self._rank
            return np.array([known.get(word, 0) for word in words], dtype=np.int32)
        places = words.cast(self._enum, strict=False).to_physical().cast(pl.Int32)
        return (places + 1).fill_null(0).to_numpy(writable=True)

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {word: rank for rank, word in enumerate(self.words, 1)}

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.words)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of some ids with spaces between them, `?` for what is no word."""
        return " ".join("?" if word is None else word for word in self.words_of(ids))

    def words_of(self, ids: Iterable[int]) -> list[str | None]:
        """Return the word of each id, None for what is no word."""
        last = len(self.words) + INDEX_FROM
        return [self.words[int(i) - INDEX_FROM - 1] if INDEX_FROM < i <= last else None for i in ids]


def _column(texts: Iterable[str]) -> pl.Series:
    return texts if isinstance(texts, pl.Series) else pl.Series("text", list(texts), dtype=pl.String)


def _batches(texts: pl.Series) -> list[pl.Series]:
    return [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)]


def _words(texts: pl.Series, tokenizer: Tokenizer, *, stop_words: bool) -> Tokens:
    tokens = tokenizer.tokenize(texts)
    if not stop_words:
        return tokens
    kept = ~tokens.values.is_in(STOP_WORDS)
    rows = np.repeat(np.arange(len(tokens.lengths)), tokens.lengths)
    return Tokens(tokens.values.filter(kept), np.bincount(rows[kept.to_numpy()], minlength=len(tokens.lengths)))
