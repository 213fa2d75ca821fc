"""`WordNgrams`: n-grams of tokens."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.compiled import COMPILED
from tagline.features.ngrams.counting import Ids, count_texts
from tagline.features.ngrams.table import NgramTable
from tagline.features.ngrams.tokens import batches, ends_of, is_compiled, stack, tokens_as_codes
from tagline.features.tokenizer import Tokenizer
from tagline.parallel import in_threads
from tagline.task import Ints

if COMPILED:
    from tagline.features._core.vocabulary import Vocabulary
    from tagline.features.token_ids import look_up, make_vocabulary

_CODES = 1 << 20  # tokens that a thread numbers at a time


@dataclass(frozen=True)
class WordNgrams:
    """Counts of the word 1- to ``max_n``-grams that occurred in enough training texts.

    ``vocabulary`` holds the known tokens, the most frequent first, and after them those of later texts; see
    ``NgramTable`` for the columns.
    """

    vocabulary: pl.Series
    table: NgramTable

    of: ClassVar[str] = "words"

    @staticmethod
    def fit(texts: pl.Series, tokenizer: Tokenizer, max_n: int, min_df: int) -> tuple["WordNgrams", sp.csr_matrix]:
        """Fit the vocabulary, and return it with the counts of ``texts``, (n_texts, n_columns)."""
        codes, ends, distinct = tokens_as_codes(texts, tokenizer)
        df = count_texts(codes, ends, len(distinct))
        kept = np.flatnonzero(df >= min_df)
        known = pl.DataFrame({"token": distinct.gather(kept), "df": df[kept]})
        # Frequent tokens first: their ids are small and close together, and the order is deterministic.
        rank = known.with_row_index().sort(["df", "token"], descending=[True, False])
        renumber = np.full(len(distinct), -1, dtype=np.int32)
        renumber[kept[rank["index"].to_numpy()]] = np.arange(len(rank), dtype=np.int32)
        symbols = np.empty(len(codes), dtype=np.int32)

        def number(part: slice) -> None:
            symbols[part] = renumber[codes[part]]

        in_threads(number, [slice(start, start + _CODES) for start in range(0, len(codes), _CODES)])
        table, counts = NgramTable.fit(symbols, ends, len(rank), 1, max_n, min_df)
        return WordNgrams(rank["token"], table), counts

    def merged(self, other: "WordNgrams") -> tuple["WordNgrams", Ints, Ints]:
        """Return the n-grams of both, and the columns among them of the n-grams of this block and of the other."""
        more = other.vocabulary.filter(~other.vocabulary.is_in(self.vocabulary.implode()))
        block = WordNgrams(pl.concat([self.vocabulary, more]), self.table)
        symbols = np.arange(len(self.vocabulary))
        table, mine, others = self.table.merged(
            other.table, len(block.vocabulary), symbols, block.symbols(other.vocabulary).astype(np.int64)
        )
        return WordNgrams(block.vocabulary, table), mine, others

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle contains: what is cached is made again."""
        return {"vocabulary": self.vocabulary, "table": self.table}

    @cached_property
    def _by_tokenizer(self) -> "dict[Tokenizer, Vocabulary]":
        return {}

    def _known(self, tokenizer: Tokenizer) -> "Vocabulary":
        """Return the vocabulary for the compiled core."""
        if tokenizer not in self._by_tokenizer:
            self._by_tokenizer[tokenizer] = make_vocabulary(self.vocabulary, tokenizer)
        return self._by_tokenizer[tokenizer]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.vocabulary)}

    def symbols(self, values: pl.Series) -> Ids:
        """Return the index of each token in the vocabulary, -1 for unknown tokens."""
        index = self._index
        return np.array([index.get(token, -1) for token in values], dtype=np.int32)

    def transform(self, texts: pl.Series, tokenizer: Tokenizer) -> sp.csr_matrix:
        """Return the counts of ``texts``, (n_texts, n_columns), CSR float32."""
        if is_compiled(tokenizer):
            return self.table.count(*look_up(texts, self._known(tokenizer)))

        def batch(part: pl.Series) -> sp.csr_matrix:
            tokens = tokenizer.tokenize(part)
            return self.table.count(self.symbols(tokens.values), ends_of(tokens.lengths))

        return stack(in_threads(batch, batches(texts)), self.table.n_columns)

    def locate(self, tokens: pl.Series) -> list[tuple[Ids, Ints, Ints]]:
        """Return (columns, first token, last token) of the n-grams of one text's tokens, order by order."""
        found = self.table.find(self.symbols(tokens), np.array([0, len(tokens)]))
        return [(columns, starts, starts + order - 1) for order, columns, starts in found]

    def names(self, columns: Ints) -> list[str]:
        """Return the n-gram of each column, its tokens joined by spaces."""
        return [" ".join(self.vocabulary[symbol] for symbol in gram) for gram in self.table.spell(columns)]
