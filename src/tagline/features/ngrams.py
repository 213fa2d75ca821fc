"""Word and character n-grams with an exact vocabulary, as sparse matrices of counts.

An n-gram is stored as its prefix (the n-gram one shorter) and its last symbol, packed in one integer:
``key = prefix_id * n_symbols + symbol_id``. If an n-gram occurs in enough documents, so does its prefix, so each order
is counted only where the order below survived (Agrawal and Srikant 1994, the Apriori algorithm), and a look-up is one
hash probe per order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.ngram_arrays import HashTable, Ids, assemble, count
from tagline.features.tokenizer import Tokenizer
from tagline.parallel import in_threads
from tagline.task import Ints

_BATCH = 2048  # texts tokenized and looked up together by one thread
_FEW_TOKENS = 1  # per entry of the vocabulary; up to this many a dictionary is faster


@dataclass(frozen=True)
class NgramTable:
    """Numbers the n-grams of orders ``min_n`` … ``max_n`` over symbols 0 … ``n_symbols - 1``.

    ``keys[i]`` holds the packed n-grams of order ``i + 2``, ascending. Orders below ``min_n`` are prefixes only and
    have no column. Columns are sorted by order, then by key.
    """

    n_symbols: int
    min_n: int
    keys: tuple[Ints, ...]

    @property
    def sizes(self) -> list[int]:
        """The number of n-grams of each order, from order 1."""
        return [self.n_symbols, *(len(keys) for keys in self.keys)]

    @property
    def n_columns(self) -> int:
        """The number of n-grams that have a column."""
        return sum(self.sizes[self.min_n - 1 :])

    def check(self) -> None:
        """Check the orders and the keys.

        Raises:
            ValueError: a key is out of order, or its prefix or last symbol is unknown.

        """
        if isinstance(self.min_n, bool) or not isinstance(self.min_n, int) or not 1 <= self.min_n <= len(self.sizes):
            raise ValueError(f"the shortest n-gram cannot have {self.min_n} symbols")
        for size, keys in zip(self.sizes, self.keys, strict=False):
            sound = keys.ndim == 1 and bool((np.diff(keys) > 0).all())
            if not sound or (len(keys) and not (keys[0] >= 0 and keys[-1] < size * self.n_symbols)):
                raise ValueError(
                    f"the n-grams on top of {size:,} shorter ones are not in order, or have unknown symbols"
                )

    @cached_property
    def _hashes(self) -> list[HashTable]:
        return [HashTable.build(keys) for keys in self.keys]

    def find(self, symbols: Ids) -> list[tuple[int, Ids, Ints]]:
        """Return (order, columns, start positions) for each order that has columns.

        ``symbols``, (n_positions,), is -1 for unknown symbols and after each text or word (see ``_separated``); no
        n-gram crosses a -1.
        """
        found = []
        starts = np.flatnonzero(symbols >= 0)
        ids = symbols[starts]
        offset = 0
        for order in range(1, len(self.keys) + 2):
            if order > 1:
                starts, keys = _extend(starts, ids, symbols, order, self.n_symbols)
                ids = self._hashes[order - 2].look_up(keys)
                known = ids >= 0
                starts, ids = starts[known], ids[known]
            if order >= self.min_n:
                found.append((order, ids + np.int32(offset), starts))
                offset += self.sizes[order - 1]
        return found

    def restrict(self, keep: Sequence[NDArray[np.bool_]]) -> "NgramTable":
        """Keep only some n-grams of the orders from 2 on; the prefix of a kept n-gram must be kept too."""
        keys = []
        renumbered = np.arange(self.n_symbols)
        for order_keys, kept in zip(self.keys, keep, strict=True):
            prefix, last = np.divmod(order_keys[kept], self.n_symbols)
            keys.append(renumbered[prefix] * self.n_symbols + last)
            renumbered = np.cumsum(kept) - 1
        return NgramTable(self.n_symbols, self.min_n, tuple(keys))

    def spell(self, columns: Ints) -> list[tuple[int, ...]]:
        """Return the symbols of each n-gram, given the columns, (n,)."""
        sizes = self.sizes
        starts = np.cumsum([0, *sizes[self.min_n - 1 :]])
        spelled = []
        for column in columns:
            level = int(np.searchsorted(starts, column, side="right")) - 1
            index, order = int(column - starts[level]), level + self.min_n
            symbols: list[int] = []
            for at in range(order, 1, -1):
                index, last = divmod(int(self.keys[at - 2][index]), self.n_symbols)
                symbols.append(last)
            spelled.append((index, *reversed(symbols)))
        return spelled


def _extend(starts: Ints, ids: Ids, symbols: Ids, order: int, n_symbols: int) -> tuple[Ints, Ints]:
    """Return the starts and packed keys of the n-grams of ``order`` whose prefixes are ``ids`` at ``starts``.

    The last position is a separator, so a prefix never ends there and the next symbol always exists.
    """
    last = symbols[starts + (order - 1)]
    known = last >= 0
    return starts[known], ids[known].astype(np.int64) * n_symbols + last[known]


def _separated(symbols: Ids, lengths: Ints) -> tuple[Ids, Ids]:
    """Return the symbols with a -1 after each segment, and the segment of each position, (n_symbols + n_segments,).

    ``lengths`` counts the symbols of each segment (a text or a word), (n_segments,).
    """
    segments = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths + 1)
    apart = np.full(len(segments), -1, dtype=np.int32)
    inside = np.ones(len(segments), dtype=bool)
    inside[np.cumsum(lengths + 1) - 1] = False
    apart[inside] = symbols
    return apart, segments


def _learn(
    symbols: Ids, segments: Ids, n_symbols: int, min_n: int, max_n: int, min_df: int
) -> tuple[NgramTable, list[Ids], list[Ids]]:
    """Fit the table of the n-grams that occur in ``min_df`` segments or more.

    Return it with the columns of the occurrences of those n-grams, order by order, and the segment of each.
    """
    starts = np.flatnonzero(symbols >= 0)
    ids = symbols[starts]
    tables: list[Ints] = []
    columns: list[Ids] = []
    found_in: list[Ids] = []
    offset = 0
    for order in range(1, max_n + 1):
        size = n_symbols
        if order > 1:
            starts, keys = _extend(starts, ids, symbols, order, n_symbols)
            counted = count(keys, segments[starts], min_df)
            tables.append(counted.keys)
            kept = counted.ids >= 0
            starts, ids, size = starts[kept], counted.ids[kept], len(counted.keys)
        if order >= min_n:
            columns.append(ids + np.int32(offset))
            found_in.append(segments[starts])
            offset += size
    return NgramTable(n_symbols, min_n, tuple(tables)), columns, found_in


def tokens_as_codes(texts: pl.Series, tokenizer: Tokenizer) -> tuple[Ids, Ints, pl.Series]:
    """Return the tokens of texts as codes, (n_tokens,), the tokens per text, (n_texts,), and the token of each code.

    Codes are dense, but their order is not deterministic: threads assign them.
    """
    kind = pl.Categorical(pl.Categories.random())

    def batch(part: pl.Series) -> tuple[pl.Series, Ints]:
        tokens = tokenizer.tokenize(part)
        return tokens.values.cast(kind), tokens.lengths

    parts = in_threads(batch, _batches(texts))
    tokens = pl.concat([part[0] for part in parts], rechunk=True) if parts else pl.Series(dtype=kind)
    lengths = np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in parts)])
    codes = tokens.to_physical().to_numpy()
    somewhere = np.full(int(codes.max()) + 1 if len(codes) else 0, -1, dtype=np.int64)
    somewhere[codes] = np.arange(len(codes))
    used = somewhere >= 0  # polars leaves gaps between the codes that its threads assign
    dense = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return dense[codes], lengths, tokens.gather(somewhere[used]).cast(pl.String)


@dataclass(frozen=True)
class WordNgrams:
    """Counts of the word 1- to ``max_n``-grams that occurred in enough training texts.

    ``vocabulary`` holds the known tokens, the most frequent first; see ``NgramTable`` for the columns.
    """

    vocabulary: pl.Series
    table: NgramTable

    of: ClassVar[str] = "words"

    @staticmethod
    def fit(texts: pl.Series, tokenizer: Tokenizer, max_n: int, min_df: int) -> tuple["WordNgrams", sp.csr_matrix]:
        """Fit the vocabulary, and return it with the counts of ``texts``, (n_texts, n_columns)."""
        codes, lengths, distinct = tokens_as_codes(texts, tokenizer)
        counted = count(codes.astype(np.int64), _docs(lengths), min_df)
        known = pl.DataFrame({"token": distinct.gather(counted.keys), "df": counted.df})
        # Frequent tokens first: their ids are small and close together, and the order is deterministic.
        rank = known.with_row_index().sort(["df", "token"], descending=[True, False])
        renumber = np.full(len(distinct), -1, dtype=np.int32)
        renumber[counted.keys[rank["index"].to_numpy()]] = np.arange(len(rank), dtype=np.int32)
        symbols, docs = _separated(renumber[codes], lengths)
        table, columns, found_in = _learn(symbols, docs, len(rank), 1, max_n, min_df)
        return WordNgrams(rank["token"], table), assemble(columns, found_in, (len(texts), table.n_columns))

    @cached_property
    def _enum(self) -> pl.Enum:
        return pl.Enum(self.vocabulary)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.vocabulary)}

    def symbols(self, values: pl.Series) -> Ids:
        """Return the index of each token in the vocabulary, -1 for unknown tokens."""
        if len(values) <= _FEW_TOKENS * len(self.vocabulary):  # polars hashes the whole vocabulary on every cast
            index = self._index
            return np.array([index.get(token, -1) for token in values], dtype=np.int32)
        ids = values.cast(self._enum, strict=False).to_physical()
        return ids.cast(pl.Int32).fill_null(-1).to_numpy()

    def transform(self, texts: pl.Series, tokenizer: Tokenizer) -> sp.csr_matrix:
        """Return the counts of ``texts``, (n_texts, n_columns), CSR float32."""

        def batch(part: pl.Series) -> sp.csr_matrix:
            tokens = tokenizer.tokenize(part)
            symbols, docs = _separated(self.symbols(tokens.values), tokens.lengths)
            found = self.table.find(symbols)
            return assemble([f[1] for f in found], [docs[f[2]] for f in found], (len(part), self.table.n_columns))

        return _stack(in_threads(batch, _batches(texts)), self.table.n_columns)

    def locate(self, tokens: pl.Series) -> list[tuple[Ids, Ints, Ints]]:
        """Return (columns, first token, last token) of the n-grams of one text's tokens, order by order."""
        symbols, _ = _separated(self.symbols(tokens), np.array([len(tokens)]))
        found = self.table.find(symbols)
        return [(columns, starts, starts + order - 1) for order, columns, starts in found]

    def names(self, columns: Ints) -> list[str]:
        """Return the n-gram of each column, its tokens joined by spaces."""
        return [" ".join(self.vocabulary[symbol] for symbol in gram) for gram in self.table.spell(columns)]


@dataclass(frozen=True)
class CharNgrams:
    """Counts of the character ``min_n``- to ``max_n``-grams inside words, with a space on both sides of a word.

    ``alphabet`` holds the known code points, ascending. The n-grams are found once for each distinct word of a batch
    and multiplied by the counts of the word in each text.
    """

    alphabet: Ints
    table: NgramTable

    of: ClassVar[str] = "characters"

    @staticmethod
    def fit(
        texts: pl.Series, tokenizer: Tokenizer, min_n: int, max_n: int, min_df: int
    ) -> tuple["CharNgrams", sp.csr_matrix]:
        """Fit the n-grams that occur in ``min_df`` texts or more; return them with the counts of ``texts``."""
        words, distinct = _count_words(texts, tokenizer)
        points, lengths = _code_points(distinct)
        alphabet, letters = np.unique(points, return_inverse=True)
        symbols, segments = _separated(letters.astype(np.int32), lengths)
        # Every n-gram of every distinct word first: its document frequency follows from the product below.
        every, columns, found_in = _learn(symbols, segments, len(alphabet), 1, max_n, 1)
        in_words = assemble(columns, found_in, (len(distinct), every.n_columns))
        counts = words @ in_words
        df = np.bincount(counts.indices, minlength=every.n_columns)
        orders = np.split(df >= min_df, np.cumsum(every.sizes)[:-1])
        orders[0][:] = True
        table = every.restrict(orders[1:])
        table = NgramTable(table.n_symbols, min_n, table.keys)
        kept = np.concatenate([order if n >= min_n else np.zeros_like(order) for n, order in enumerate(orders, 1)])
        return CharNgrams(alphabet.astype(np.int64), table), _select(counts, kept)

    def symbols(self, points: NDArray[np.uint32]) -> Ids:
        """Return the index of each code point in the alphabet, -1 for unknown code points."""
        if len(self.alphabet) == 0:
            return np.full(len(points), -1, dtype=np.int32)
        at = np.minimum(np.searchsorted(self.alphabet, points), len(self.alphabet) - 1)
        return np.where(self.alphabet[at] == points, at, -1).astype(np.int32)

    def transform(self, texts: pl.Series, tokenizer: Tokenizer) -> sp.csr_matrix:
        """Return the counts of ``texts``, (n_texts, n_columns), CSR float32."""

        def batch(part: pl.Series) -> sp.csr_matrix:
            words, distinct = _count_words(part, tokenizer)
            points, lengths = _code_points(distinct)
            symbols, segments = _separated(self.symbols(points), lengths)
            found = self.table.find(symbols)
            shape = (len(distinct), self.table.n_columns)
            counts = words @ assemble([f[1] for f in found], [segments[f[2]] for f in found], shape)
            counts.sort_indices()
            return counts

        return _stack(in_threads(batch, _batches(texts)), self.table.n_columns)

    def locate(self, tokens: pl.Series) -> list[tuple[Ids, Ids, Ids]]:
        """Return (columns, token, token) of the n-grams inside one text's tokens, order by order."""
        points, lengths = _code_points(tokens)
        symbols, words = _separated(self.symbols(points), lengths)
        found = self.table.find(symbols)
        return [(columns, words[starts], words[starts]) for _, columns, starts in found]

    def names(self, columns: Ints) -> list[str]:
        """Return the n-gram of each column; a space marks the end of a word."""
        return ["".join(chr(self.alphabet[symbol]) for symbol in gram) for gram in self.table.spell(columns)]


def _batches(texts: pl.Series) -> list[pl.Series]:
    return [texts.slice(start, _BATCH) for start in range(0, len(texts), _BATCH)]


def _stack(parts: Sequence[sp.csr_matrix], n_columns: int) -> sp.csr_matrix:
    if len(parts) == 1:
        return parts[0]
    return sp.vstack(parts, format="csr") if parts else sp.csr_matrix((0, n_columns), dtype=np.float32)


def _count_words(texts: pl.Series, tokenizer: Tokenizer) -> tuple[sp.csr_matrix, pl.Series]:
    """Return the counts of the distinct tokens in each text, (n_texts, n_distinct), and the tokens."""
    codes, lengths, distinct = tokens_as_codes(texts, tokenizer)
    return assemble([codes], [_docs(lengths)], (len(texts), len(distinct))), distinct


def _docs(lengths: Ints) -> Ids:
    """Return the index of the text of each token, given the number of tokens per text."""
    return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)


def _code_points(words: pl.Series) -> tuple[NDArray[np.uint32], Ints]:
    """Return the code points of the words, each between two spaces, and their number per word."""
    joined = f" {'  '.join(words.to_list())} " if len(words) else ""
    lengths = words.str.len_chars().to_numpy().astype(np.int64) + 2
    return np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32), lengths


def _select(counts: sp.csr_matrix, kept: NDArray[np.bool_]) -> sp.csr_matrix:
    """Return the kept columns of ``counts``, with sorted indices."""
    selected = counts[:, np.flatnonzero(kept)]
    selected.sort_indices()
    return selected
