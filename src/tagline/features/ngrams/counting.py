"""Counting and finding n-grams: by the compiled core, or by NumPy where it is missing, with the same results.

``symbols``, (n_positions,), are those of all texts, -1 for unknown ones; text ``t`` has those from ``ends[t]`` to
``ends[t + 1]``, ``ends`` (n_texts + 1,). ``prefixes`` are the numbers of the n-grams one shorter than those of
``order`` that start at each position, -1 where there is none. Results do not depend on the number of threads.
"""

from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.features.ngrams import arrays
from tagline.task import Ints

if COMPILED:
    from tagline.features.ngrams import native

Ids = NDArray[np.int32]

_MOST = 2**31 - 1  # positions times orders; the compiled core numbers them in 32 bits


class Index(Protocol):
    """Finds n-grams of an order by their keys."""

    def extend(self, prefixes: Ids, symbols: Ids, n_symbols: int, ends: Ints, order: int) -> Ids:
        """Return the number of the n-gram of ``order`` that starts at each position, -1 where there is none."""


def index(keys: Ints) -> Index:
    """Return the index of the keys of an order, (n_keys,), ascending."""
    return native.Index(keys) if COMPILED else arrays.HashTable.build(keys)


def count_texts(ids: Ids, ends: Ints, n_ids: int) -> Ints:
    """Return in how many texts each id occurs, (n_ids,); ids are -1 where there is none."""
    return native.count_texts(ids, ends, n_ids) if COMPILED else arrays.count_texts(ids, ends, n_ids)


def count_order(
    prefixes: Ids, n_prefixes: int, symbols: Ids, n_symbols: int, ends: Ints, order: int, min_df: int
) -> tuple[Ints, Ids]:
    """Return the keys of the n-grams of ``order`` that occur in ``min_df`` texts or more, (n_keys,), ascending.

    Also return the number of the n-gram that starts at each position, its place among the keys, (n_positions,), -1
    where there is none.
    """
    if COMPILED and len(symbols) <= _MOST:
        return native.count_order(prefixes, n_prefixes, symbols, n_symbols, ends, order, min_df)
    return arrays.count_order(prefixes, symbols, n_symbols, ends, order, min_df)


def rows(levels: list[Ids], sizes: list[int], ends: Ints) -> sp.csr_matrix:
    """Return the counts of n-grams in the texts, (n_texts, n_columns), CSR float32 with sorted indices.

    ``levels`` are the numbers of the n-grams of some orders at each position, -1 where there is none, and are
    overwritten; the columns of an order follow those of the orders before it, whose ``sizes`` are given.
    """
    if COMPILED and sum(len(ids) for ids in levels) <= _MOST:
        return native.rows(levels, sizes, ends)
    return arrays.rows(levels, sizes, ends)


def document_frequency_of_products(words: sp.csr_matrix, in_words: sp.csr_matrix) -> Ints:
    """Return in how many texts each n-gram of their words occurs, (n_columns,), see `multiply`."""
    if COMPILED and words.nnz <= _MOST:
        return native.document_frequency_of_products(words, in_words)
    return arrays.document_frequency_of_products(words, in_words)


def multiply(words: sp.csr_matrix, in_words: sp.csr_matrix) -> sp.csr_matrix:
    """Return the counts of n-grams in texts, (n_texts, n_columns), CSR float32 with sorted indices.

    ``words`` are the counts of distinct words in each text, (n_texts, n_words), ``in_words`` those of n-grams in each
    word, (n_words, n_columns).
    """
    if COMPILED and words.nnz <= _MOST:
        return native.multiply(words, in_words)
    return arrays.multiply(words, in_words)
