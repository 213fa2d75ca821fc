"""Sequences of word ids, as in Keras: 0 is padding, 1 the start, 2 unknown words, r + 3 the word of rank r.

>>> index = WordIndex.fit(["the film", "the end"])
>>> ids = index.encode(["The film!", "The sea"], num_words=100)
>>> ids.to_lists()
[[1, 4, 5], [1, 4, 2]]
>>> pad_sequences(ids, maxlen=4).tolist()
[[0, 1, 4, 5], [0, 1, 4, 2]]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, Literal

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.features.ngrams.tokens import is_compiled
from tagline.features.stop_words import STOP_WORDS
from tagline.features.tokenizer import KERAS, Tokenizer
from tagline.parallel import in_threads
from tagline.sparse import count_columns

if COMPILED:
    from tagline.features._core.vocabulary import Vocabulary
    from tagline.features.token_ids import intern, look_up, make_vocabulary

Ids = NDArray[np.int32]
Side = Literal["pre", "post"]

PAD, START, UNKNOWN = 0, 1, 2
INDEX_FROM = 3

_BATCH = 2048  # texts encoded together by one thread
_FEW_TOKENS = 1  # per entry of the index; up to this many a dictionary is faster
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

        Raises `InputError` with the row of an id that is not an integer from 0 to 2³¹ - 1.
        """
        if isinstance(sequences, Sequences):
            return sequences
        rows = list(sequences)
        try:
            lengths = np.array([len(row) for row in rows], dtype=np.int64)
            arrays = rows and all(isinstance(row, np.ndarray) for row in rows)
            values = [] if arrays else list(chain.from_iterable(rows))
            if bool in set(map(type, values)):  # NumPy would make them 0 and 1
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
            return InputError(f"Row {number} is `{row!r:.80}`, not a sequence of ids: pass a list of integers per row.")
        for value in row:
            integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not integer or not 0 <= value <= _LARGEST:
                return InputError(f"Row {number} has the id `{value!r:.80}`: ids are integers from 0 to {_LARGEST:,}.")
    return InputError("The sequences contain values that are not ids: pass a list of integers per row.")


def pad_sequences(
    sequences: "Iterable[Sequence[int]] | Sequences",
    maxlen: int | None = None,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: int = PAD,
) -> Ids:
    """Return the sequences as rows of one length, int32, (n, maxlen), like Keras's function of this name.

    Shorter sequences are padded with ``value`` and longer ones truncated, at the front (``"pre"``) or the back
    (``"post"``). ``maxlen`` None is the length of the longest. Raises `InputError` for another side, a ``maxlen``
    below 1, and as `Sequences.of`.
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
    for low in range(0, len(given), _BATCH):  # in batches, so that positions take little memory
        lengths = given.lengths[low : low + _BATCH]
        source, target = kept_places(lengths, width, padding, truncating)
        padded[low : low + _BATCH].reshape(-1)[target] = given.ids[ends[low] :][source]
    return padded  # (n, maxlen)


def kept_places(
    lengths: NDArray[np.int64], width: int, padding: Side, truncating: Side
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the flat positions of the ids that truncation keeps, and those in the padded matrix, (n_kept,) each."""
    kept = np.minimum(lengths, width)
    first = np.cumsum(lengths) - lengths
    if truncating == "pre":
        first = first + (lengths - kept)
    begin = np.arange(len(lengths)) * width
    if padding == "pre":
        begin = begin + (width - kept)
    within = np.arange(int(kept.sum())) - np.repeat(np.cumsum(kept) - kept, kept)
    return np.repeat(first, kept) + within, np.repeat(begin, kept) + within


def check_range(sequences: Sequences, n_ids: int, advice: str, rows: NDArray[np.int64] | None = None) -> None:
    """Raise `InputError` for the first id of ``n_ids`` or more, with its row and ``advice``.

    ``rows`` are the numbers of the sequences as the caller gave them, (n,), by default 0, 1, ….
    """
    beyond = sequences.ids >= n_ids
    if beyond.any():
        place = int(beyond.argmax())
        row = int(np.searchsorted(np.cumsum(sequences.lengths), place, side="right"))
        row = row if rows is None else int(rows[row])
        raise InputError(f"Row {row} has the id `{sequences.ids[place]}`, but the largest is {n_ids - 1:,}: {advice}.")


def multi_hot(sequences: "Iterable[Sequence[int]] | Sequences", dimension: int) -> sp.csr_matrix:
    """Return multi-hot rows: CSR float32 with a 1 for each distinct id, (n, dimension), indices sorted.

    Raises `InputError` with the row of an id of ``dimension`` or more.
    """
    given = Sequences.of(sequences)
    check_range(given, dimension, f"`dimension` is {dimension:,}")
    matrix = count_columns(given.ids, given.lengths, dimension)
    matrix.data[:] = 1.0
    return matrix


def one_hot(labels: Sequence[int] | NDArray[np.integer], n_classes: int | None = None) -> NDArray[np.float32]:
    """Return one-hot rows, float32, (n, n_classes); None means the largest label plus 1.

    Raises `InputError` with the row of a label that is not an integer from 0 to ``n_classes - 1``.
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
    """Words by decreasing frequency: ``words`` is a String series, (n_words,), starting with rank 1."""

    words: pl.Series

    @staticmethod
    def fit(
        texts: Iterable[str],
        num_words: int | None = None,
        *,
        stop_words: bool = False,
        tokenizer: Tokenizer = KERAS,
    ) -> "WordIndex":
        """Rank the words of ``texts`` by frequency, ties by first occurrence, as Keras does.

        Only words whose ids are below ``num_words`` are kept; ``stop_words`` removes stop words.
        """
        column, tokenizer = _column(texts), _without_stop_words(tokenizer) if stop_words else tokenizer
        if is_compiled(tokenizer):
            ids, _, distinct = intern(column, tokenizer)  # numbers by first occurrence
            words = distinct.gather(np.argsort(-np.bincount(ids, minlength=len(distinct)), kind="stable"))
        else:
            words = _ranked(column, tokenizer)
        index = WordIndex(words.alias("word").rechunk())
        return index if num_words is None else index.restrict(num_words)

    @staticmethod
    def of(ranks: Mapping[str, int]) -> "WordIndex":
        """Return the index for a mapping from words to ranks, as returned by Keras's ``get_word_index``.

        Raises `InputError` unless the ranks are 1, 2, 3 and so on, each once, and no word contains a newline.
        """
        table = pl.DataFrame({"word": list(ranks), "rank": list(ranks.values())}, {"word": pl.String, "rank": pl.Int64})
        table = table.sort("rank")
        wrong = (table["rank"] != pl.arange(1, len(table) + 1, eager=True)).arg_true()
        if len(wrong):
            word, rank = table.row(wrong[0])
            raise InputError(f"The word `{word}` has rank `{rank}`: ranks must be 1, 2, 3 and so on, each once.")
        if table["word"].str.contains("\n", literal=True).any():  # a bundle stores one per line
            raise InputError("A word of the index contains a newline, which no token can: remove it.")
        return WordIndex(table["word"])

    def restrict(self, num_words: int) -> "WordIndex":
        """Return the index of the words whose ids are below ``num_words``."""
        return WordIndex(self.words.head(max(0, num_words - INDEX_FROM - 1)))

    def encode(
        self, texts: Iterable[str], *, num_words: int, stop_words: bool = False, tokenizer: Tokenizer = KERAS
    ) -> Sequences:
        """Return the ids of texts: `START`, then the words, `UNKNOWN` for words without an id below ``num_words``.

        ``stop_words`` removes the stop words from the texts first.
        """
        column, tokenizer = _column(texts), _without_stop_words(tokenizer) if stop_words else tokenizer
        if is_compiled(tokenizer):
            places, ends = look_up(column, self._vocabulary(tokenizer))
            return _after_starts(_known_ids(places + np.int32(1), num_words), np.diff(ends))

        def batch(part: pl.Series) -> Sequences:
            tokens = tokenizer.tokenize(part)
            return _after_starts(self.word_ids(tokens.values, num_words), tokens.lengths)

        parts = in_threads(batch, _batches(column))
        ids = np.concatenate([np.empty(0, dtype=np.int32), *(part.ids for part in parts)])
        return Sequences(ids, np.concatenate([np.empty(0, dtype=np.int64), *(part.lengths for part in parts)]))

    def word_ids(self, words: pl.Series, num_words: int) -> Ids:
        """Return the id of each word, (n,), `UNKNOWN` for words without an id below ``num_words``."""
        return _known_ids(self.ranks(words), num_words)

    def ranks(self, words: pl.Series) -> Ids:
        """Return the rank of each word, (n,), 0 for words that are not in the index."""
        if len(words) <= _FEW_TOKENS * len(self.words):  # polars hashes the whole index on every cast
            known = self._rank
            return np.array([known.get(word, 0) for word in words], dtype=np.int32)
        places = words.cast(self._enum, strict=False).to_physical().cast(pl.Int32)
        return (places + 1).fill_null(0).to_numpy(writable=True)

    def _vocabulary(self, tokenizer: Tokenizer) -> "Vocabulary":
        if tokenizer not in self._vocabularies:
            self._vocabularies[tokenizer] = make_vocabulary(self.words, tokenizer)
        return self._vocabularies[tokenizer]

    @cached_property
    def _vocabularies(self) -> "dict[Tokenizer, Vocabulary]":
        return {}

    def __reduce__(self) -> tuple[type["WordIndex"], tuple[pl.Series]]:
        return WordIndex, (self.words,)  # without what is derived from them

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {word: rank for rank, word in enumerate(self.words, 1)}

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.words)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the words of some ids joined by spaces, `?` for ids without a word."""
        return " ".join("?" if word is None else word for word in self.words_of(ids))

    def words_of(self, ids: Iterable[int]) -> list[str | None]:
        """Return the word of each id, None for ids without a word."""
        last = len(self.words) + INDEX_FROM
        return [self.words[int(i) - INDEX_FROM - 1] if INDEX_FROM < i <= last else None for i in ids]


def _column(texts: Iterable[str]) -> pl.Series:
    return texts if isinstance(texts, pl.Series) else pl.Series("text", list(texts), dtype=pl.String)


def _batches(texts: pl.Series) -> list[pl.Series]:
    return [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)]


def _without_stop_words(tokenizer: Tokenizer) -> Tokenizer:
    return replace(tokenizer, stop_words=(*tokenizer.stop_words, *STOP_WORDS))


def _ranked(texts: pl.Series, tokenizer: Tokenizer) -> pl.Series:
    """Return the words of texts by frequency, ties by first occurrence."""
    parts = in_threads(lambda part: tokenizer.tokenize(part).values, _batches(texts))
    values = pl.concat([pl.Series("word", [], dtype=pl.String), *(part.alias("word") for part in parts)])
    return (
        values.to_frame()
        .with_row_index("first")
        .group_by("word")
        .agg(pl.len(), pl.col("first").min())
        .sort(["len", "first"], descending=[True, False])["word"]
    )


def _known_ids(ranks: Ids, num_words: int) -> Ids:
    """Return the ids of ranks, `UNKNOWN` for the rank 0 and for ids not below ``num_words``."""
    ids = ranks + np.int32(INDEX_FROM)
    ids[(ids == INDEX_FROM) | (ids >= num_words)] = UNKNOWN
    return ids


def _after_starts(ids: Ids, lengths: NDArray[np.int64]) -> Sequences:
    """Return the ids of texts with so many words each, after `START`."""
    after = lengths + 1
    started = np.full(int(after.sum()), START, dtype=np.int32)
    inside = np.ones(len(started), dtype=bool)
    inside[np.cumsum(after) - after] = False
    started[inside] = ids
    return Sequences(started, after)
