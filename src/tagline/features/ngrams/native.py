"""Counting and finding n-grams by the compiled core, on all cores; `counting` describes functions and arguments.

The n-grams of an order are divided into buckets of neighbouring prefixes, so that the keys of each bucket are counted
in a hash table that fits the processor's cache, and sorted by themselves.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features._core import index as core_index
from tagline.features._core import ngrams as core
from tagline.features._core import rows as core_rows
from tagline.parallel import in_threads, row_ranges, thread_ranges
from tagline.shared_arrays import shared
from tagline.sparse import check_ends, csr
from tagline.task import Ints

Ids = NDArray[np.int32]

_POSITIONS = 1 << 19  # of the texts that one call of the compiled core reads: milliseconds
_PRODUCTS = 1 << 21  # n-grams of words that one call multiplies: each call clears memory for every n-gram
_BUCKET = 1 << 14  # n-grams of a bucket, unless there would be too many buckets
_MOST_BUCKETS = 1024
_GROUP = 1 << 24  # n-grams that are divided into buckets at a time; each takes 16 bytes


def count_texts(ids: Ids, ends: Ints, n_ids: int) -> Ints:
    """Return in how many texts each id occurs, (n_ids,)."""
    check_ends(ends, len(ids))
    df = np.zeros(n_ids, dtype=np.int64)
    last_text = np.full(n_ids, -1, dtype=np.int32)
    for first, last in row_ranges(ends, _POSITIONS):
        core.count_texts(ids, ends, first, last, last_text, df)
    return df


def count_order(
    prefixes: Ids, n_prefixes: int, symbols: Ids, n_symbols: int, ends: Ints, order: int, min_df: int
) -> tuple[Ints, Ids]:
    """Return the keys of an order, (n_keys,), and the number of the n-gram at each position, (n_positions,)."""
    check_ends(ends, len(symbols))
    if len(prefixes) != len(symbols) or min_df < 1:
        raise ValueError("there are not as many prefixes as symbols, or `min_df` is below 1")
    texts = thread_ranges(ends, _POSITIONS)
    of_prefix = np.zeros(n_prefixes, dtype=np.int64)
    for first, last in texts:
        core.count_prefixes(prefixes, symbols, ends, first, last, order, n_symbols, of_prefix)
    total = int(of_prefix.sum())
    size = max(_BUCKET, total // _MOST_BUCKETS)
    bucket_of = ((np.cumsum(of_prefix) - of_prefix) // size).astype(np.int32)  # (n_prefixes,)
    n_buckets = total // size + 1
    most_keys = np.bincount(bucket_of, minlength=n_buckets) * n_symbols
    in_blocks = np.zeros((len(texts), n_buckets), dtype=np.int64)

    def count_block(block: int) -> None:
        core.count_buckets(prefixes, symbols, ends, *texts[block], order, bucket_of, in_blocks[block])

    in_threads(count_block, range(len(texts)))
    bucket_ends = np.concatenate([[0], np.cumsum(in_blocks.sum(axis=0))])
    # The place of the first n-gram of each block of texts in each bucket.
    places = bucket_ends[:-1] + np.cumsum(in_blocks, axis=0) - in_blocks
    ids = np.full(len(symbols), -1, dtype=np.int32)
    keys = [np.empty(0, dtype=np.int64)]
    n_keys = 0

    def fill(low: int, high: int) -> Ints:
        """Return the n-grams of some buckets, bucket by bucket and text by text."""
        start = int(bucket_ends[low])
        occurrences = np.empty((int(bucket_ends[high]) - start, 2), dtype=np.int64)
        in_group = places - start

        def fill_block(block: int) -> None:
            core.fill_buckets(
                prefixes, symbols, ends, *texts[block], order, n_symbols, bucket_of, low, high, in_group[block],
                occurrences,
            )  # fmt: skip

        in_threads(fill_block, range(len(texts)))
        return occurrences

    for low, high in row_ranges(bucket_ends, _GROUP):
        ends_in_group = bucket_ends[low : high + 1] - bucket_ends[low]
        found = _count_keys(fill(low, high), ends_in_group, most_keys[low:high], min_df, n_keys, ids)
        keys += found
        n_keys += sum(map(len, found))
    return np.concatenate(keys), ids


def _count_keys(occurrences: Ints, ends: Ints, most_keys: Ints, min_df: int, n_before: int, ids: Ids) -> list[Ints]:
    """Return the keys kept of each bucket, and write the numbers of all occurrences, from ``n_before`` on, to ``ids``.

    ``occurrences``, (n, 2), are those of some buckets; bucket ``b`` has those from ``ends[b]`` to ``ends[b + 1]``.
    """
    sizes = np.diff(ends)
    starts = np.concatenate([[0], np.cumsum(np.minimum(sizes // min_df, most_keys))])  # room for the keys kept
    keys = np.empty(int(starts[-1]), dtype=np.int64)
    n_kept = np.zeros(len(sizes), dtype=np.int64)
    blocks = thread_ranges(ends, _POSITIONS)
    in_threads(
        lambda block: core.count_keys(occurrences, ends, *block, min_df, most_keys, starts, keys, n_kept), blocks
    )
    offsets = n_before + np.cumsum(n_kept) - n_kept
    in_threads(lambda block: core.number_keys(occurrences, ends, *block, offsets, ids), blocks)
    return [keys[start : start + n] for start, n in zip(starts.tolist(), n_kept.tolist(), strict=False)]


def rows(levels: list[Ids], sizes: list[int], ends: Ints) -> sp.csr_matrix:
    """Return the counts of n-grams in the texts, (n_texts, n_columns), CSR float32 with sorted indices."""
    for ids in levels:
        check_ends(ends, len(ids))
    n_texts = len(ends) - 1
    texts = thread_ranges(ends, _POSITIONS)
    lengths = np.zeros(n_texts, dtype=np.int64)
    n_known = [np.empty(n_texts, dtype=np.int64) for _ in levels]

    def sort(block: tuple[int, int]) -> None:
        for ids, size, known in zip(levels, sizes, n_known, strict=True):
            core_rows.sort_texts(ids, ends, *block, size, known, lengths)

    in_threads(sort, texts)
    ends_of_rows = np.concatenate([[0], np.cumsum(lengths)])
    places = ends_of_rows[:-1].copy()
    indices = np.empty(int(ends_of_rows[-1]), dtype=np.int32)
    counts = np.empty(len(indices), dtype=np.float32)
    offsets = np.cumsum([0, *sizes[:-1]]).tolist()

    def write(block: tuple[int, int]) -> None:
        for ids, known, offset in zip(levels, n_known, offsets, strict=True):
            core_rows.write_rows(ids, ends, *block, known, offset, places, indices, counts)

    in_threads(write, texts)
    return csr(counts, indices, ends_of_rows, (n_texts, sum(sizes)))


def document_frequency_of_products(words: sp.csr_matrix, in_words: sp.csr_matrix) -> Ints:
    """Return in how many texts each n-gram of their words occurs, (n_columns,)."""
    return _count_products(words, in_words)[0]


def multiply(words: sp.csr_matrix, in_words: sp.csr_matrix) -> sp.csr_matrix:
    """Return the counts of the n-grams of words in texts, (n_texts, n_columns), CSR float32 with sorted indices."""
    _, lengths = _count_products(words, in_words)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    word_ends, ngram_ends = words.indptr.astype(np.int64), in_words.indptr.astype(np.int64)
    indices = np.empty(int(ends[-1]), dtype=np.int32)
    counts = np.empty(len(indices), dtype=np.float32)

    def write(block: tuple[int, int]) -> None:
        core_rows.write_products(
            word_ends, words.indices, words.data, ngram_ends, in_words.indices, in_words.data, *block,
            in_words.shape[1], ends, indices, counts,
        )  # fmt: skip

    in_threads(write, thread_ranges(ends, _PRODUCTS))
    return csr(counts, indices, ends, (words.shape[0], in_words.shape[1]))


def _count_products(words: sp.csr_matrix, in_words: sp.csr_matrix) -> tuple[Ints, Ints]:
    """Return the document frequency of each n-gram, (n_columns,), and the n-grams of each text, (n_texts,)."""
    word_ends, ngram_ends = words.indptr.astype(np.int64), in_words.indptr.astype(np.int64)
    for matrix in (words, in_words):
        check_ends(matrix.indptr, len(matrix.indices))
        if len(matrix.data) != len(matrix.indices):
            raise ValueError("the matrix has not one value for each index")
    lengths = np.empty(words.shape[0], dtype=np.int64)

    def count(block: tuple[int, int]) -> Ints:
        df = np.zeros(in_words.shape[1], dtype=np.int64)
        core_rows.count_products(word_ends, words.indices, ngram_ends, in_words.indices, *block, df, lengths)
        return df

    df = np.zeros(in_words.shape[1], dtype=np.int64)
    for part in in_threads(count, thread_ranges(word_ends, _PRODUCTS // 16)):
        df += part
    return df, lengths


class Index:
    """A hash table from the keys of an order to their numbers."""

    def __init__(self, keys: Ints) -> None:
        self.compiled = core_index.Index(keys)
        entries = np.asarray(self.compiled.entries())
        if (copy := shared(entries)) is not entries:
            self.compiled.replace_entries(copy)

    def extend(self, prefixes: Ids, symbols: Ids, n_symbols: int, ends: Ints, order: int) -> Ids:
        """Return the number of the n-gram of ``order`` that starts at each position, -1 where there is none."""
        check_ends(ends, len(symbols))
        if len(prefixes) != len(symbols):
            raise ValueError("there are not as many prefixes as symbols")
        ids = np.empty(len(symbols), dtype=np.int32)
        in_threads(
            lambda block: self.compiled.extend(prefixes, symbols, ends, *block, order, n_symbols, ids),
            thread_ranges(ends, _POSITIONS),
        )
        return ids
