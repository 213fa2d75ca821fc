"""`CharNgrams`: n-grams of the characters of each word."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.ngrams.counting import Ids, document_frequency_of_products, multiply, rows
from tagline.features.ngrams.table import NgramTable
from tagline.features.ngrams.tokens import batches, ends_of, stack, tokens_as_codes
from tagline.features.tokenizer import Tokenizer
from tagline.parallel import in_threads
from tagline.task import Ints


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
        points, ends = _code_points(distinct)
        alphabet, letters = np.unique(points, return_inverse=True)
        # Every n-gram of every distinct word first: its document frequency follows from the words of each text.
        every, in_words = NgramTable.fit(letters.astype(np.int32), ends, len(alphabet), 1, max_n, 1)
        frequent = document_frequency_of_products(words, in_words) >= min_df
        orders = np.split(frequent, np.cumsum(every.sizes)[:-1])
        orders[0][:] = True
        table = every.restrict(orders[1:])
        table = NgramTable(table.n_symbols, min_n, table.keys)
        kept = np.concatenate([order if n >= min_n else np.zeros_like(order) for n, order in enumerate(orders, 1)])
        return CharNgrams(alphabet.astype(np.int64), table), multiply(words, in_words[:, np.flatnonzero(kept)])

    def merged(self, other: "CharNgrams") -> tuple["CharNgrams", Ints, Ints]:
        """Return the n-grams of both, and the columns among them of the n-grams of this block and of the other."""
        alphabet = np.union1d(self.alphabet, other.alphabet)
        symbols = [np.searchsorted(alphabet, each) for each in (self.alphabet, other.alphabet)]
        table, mine, others = self.table.merged(other.table, len(alphabet), *symbols)
        return CharNgrams(alphabet, table), mine, others

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
            points, ends = _code_points(distinct)
            return multiply(words, self.table.count(self.symbols(points), ends))

        return stack(in_threads(batch, batches(texts)), self.table.n_columns)

    def locate(self, tokens: pl.Series) -> list[tuple[Ids, Ints, Ints]]:
        """Return (columns, token, token) of the n-grams inside one text's tokens, order by order."""
        points, ends = _code_points(tokens)
        word_of = np.repeat(np.arange(len(tokens)), np.diff(ends))
        found = self.table.find(self.symbols(points), ends)
        return [(columns, word_of[starts], word_of[starts]) for _, columns, starts in found]

    def names(self, columns: Ints) -> list[str]:
        """Return the n-gram of each column; a space marks the end of a word."""
        return ["".join(chr(self.alphabet[symbol]) for symbol in gram) for gram in self.table.spell(columns)]


def _count_words(texts: pl.Series, tokenizer: Tokenizer) -> tuple[sp.csr_matrix, pl.Series]:
    """Return the counts of the distinct tokens in each text, (n_texts, n_distinct), and the tokens."""
    codes, ends, distinct = tokens_as_codes(texts, tokenizer)
    return rows([codes], [len(distinct)], ends), distinct


def _code_points(words: pl.Series) -> tuple[NDArray[np.uint32], Ints]:
    """Return the code points of the words, each between two spaces, and where each word ends, (n_words + 1,)."""
    joined = f" {'  '.join(words.to_list())} " if len(words) else ""
    lengths = words.str.len_chars().to_numpy().astype(np.int64) + 2
    return np.frombuffer(joined.encode("utf-32-le"), dtype="<u4"), ends_of(lengths)
