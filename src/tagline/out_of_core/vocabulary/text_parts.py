"""Texts in the files of a folder, whose n-grams are counted file by file.

The tokens of a file are written as numbers once they are known.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from tagline.features.ngrams import counting
from tagline.features.ngrams.counting import Ids
from tagline.features.ngrams.tokens import tokens_as_codes
from tagline.features.token_ids import look_up, make_vocabulary
from tagline.features.tokenizer import Tokenizer
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams
from tagline.task import Ints


@dataclass(frozen=True)
class TextParts:
    """``n`` files of rows, which ``read`` returns: ``text``, ``code`` and ``weight``.

    ``folder`` is where they are, and where the numbers of their tokens are written.
    """

    folder: Path
    n: int
    read: Callable[[int], pl.DataFrame]
    tokenizer: Tokenizer = field(default_factory=Tokenizer)

    def token_counts(self) -> Iterator[pl.DataFrame]:
        """Yield of each file its tokens, ``key``, and in how many texts each occurs, ``df``."""
        for number in range(self.n):
            codes, ends, distinct = tokens_as_codes(self.read(number)["text"], self.tokenizer)
            yield pl.DataFrame({"key": distinct, "df": counting.count_texts(codes, ends, len(distinct))})

    def ngram_counts(self, counted: CountedNgrams, order: int) -> Iterator[pl.DataFrame]:
        """Yield of each file the n-grams of an order whose shorter ones are in ``counted``, and their ``df``."""
        n_tokens, indexes = len(counted.tokens), [counting.index(keys) for keys in counted.keys]
        n_prefixes = len(counted.df[-1])
        for number in range(self.n):
            symbols, ends = self.symbols(number, n_tokens)
            prefixes = symbols
            for shorter, index in enumerate(indexes, 2):
                prefixes = index.extend(prefixes, symbols, n_tokens, ends, shorter)
            keys, ids = counting.count_order(prefixes, n_prefixes, symbols, n_tokens, ends, order, 1)
            yield pl.DataFrame({"key": keys, "df": counting.count_texts(ids, ends, len(keys))})

    def number_tokens(self, tokens: pl.Series) -> Iterator[None]:
        """Write the numbers of the tokens, which are positions in ``tokens``; yield after each file."""
        vocabulary = make_vocabulary(tokens, self.tokenizer)
        for number in range(self.n):
            symbols, ends = look_up(self.read(number)["text"], vocabulary)
            np.save(self._symbols_file(number), symbols)
            np.save(self._ends_file(number), ends)
            yield

    def symbols(self, number: int, n_tokens: int) -> tuple[Ids, Ints]:
        """Return the tokens of a file as numbers, (n_positions,), -1 for others, and where each text ends."""
        symbols = np.load(self._symbols_file(number))
        symbols[symbols >= n_tokens] = -1
        return symbols, np.load(self._ends_file(number))

    @property
    def are_numbered(self) -> bool:
        """Whether the numbers of the tokens of all files are written."""
        return all(self._ends_file(number).exists() for number in range(self.n))

    def remove(self) -> None:
        """Remove the texts and the numbers of their tokens."""
        for pattern in ("texts-*", "symbols-*", "ends-*"):
            for path in self.folder.glob(pattern):
                path.unlink()

    def _symbols_file(self, number: int) -> Path:
        return self.folder / f"symbols-{number:06}.npy"

    def _ends_file(self, number: int) -> Path:
        return self.folder / f"ends-{number:06}.npy"
