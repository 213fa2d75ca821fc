"""Counting and finding n-grams in NumPy: the reference of the compiled core, and its stand-in where it is missing.

`counting` describes functions and arguments. Results do not depend on the number of threads.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.parallel import cores, in_threads
from tagline.sparse import csr
from tagline.task import Ints

Ids = NDArray[np.int32]

_SIGNED_BITS = 63
_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads keys that differ in a few bits


def count_texts(ids: Ids, ends: Ints, n_ids: int) -> Ints:
    """Return in how many texts each id occurs, (n_ids,)."""
    known = np.flatnonzero(ids >= 0)
    counted = count(ids[known].astype(np.int64), _text_of(ends)[known], 1)
    df = np.zeros(n_ids, dtype=np.int64)
    df[counted.keys] = counted.df
    return df


def count_order(prefixes: Ids, symbols: Ids, n_symbols: int, ends: Ints, order: int, min_df: int) -> tuple[Ints, Ids]:
    """Return the keys of an order, (n_keys,), and the number of the n-gram at each position, (n_positions,)."""
    starts, keys = _starts(prefixes, symbols, n_symbols, ends, order)
    counted = count(keys, _text_of(ends)[starts], min_df)
    ids = np.full(len(symbols), -1, dtype=np.int32)
    ids[starts] = counted.ids
    return counted.keys, ids


def _starts(prefixes: Ids, symbols: Ids, n_symbols: int, ends: Ints, order: int) -> tuple[Ints, Ints]:
    """Return where n-grams of ``order`` start, and their keys."""
    text_ends = np.repeat(ends[1:], np.diff(ends))
    starts = np.flatnonzero((prefixes >= 0) & (np.arange(order - 1, len(symbols) + order - 1) < text_ends))
    last = symbols[starts + (order - 1)]
    known = last >= 0
    starts = starts[known]
    return starts, prefixes[starts].astype(np.int64) * n_symbols + last[known]


def _text_of(ends: Ints) -> Ids:
    """Return the text of each position, (n_positions,)."""
    return np.repeat(np.arange(len(ends) - 1, dtype=np.int32), np.diff(ends))


@dataclass(frozen=True)
class Counted:
    """The result of ``count``.

    ``keys``: the distinct keys kept, ascending, (n_kept,). ``df``: the number of documents that contain each,
    (n_kept,). ``ids``: the index in ``keys`` of the key at each position, -1 if it was not kept, (n_positions,).
    """

    keys: Ints
    df: Ints
    ids: Ids


def count(keys: Ints, docs: Ids, min_df: int) -> Counted:
    """Count the documents that contain each key, and number the keys that occur in ``min_df`` documents or more.

    ``keys`` and ``docs`` are (n_positions,), keys nonnegative, docs ascending.
    The keys are split into ranges, one per core, and each range is sorted by itself.
    """
    ids = np.full(len(keys), -1, dtype=np.int32)
    if len(keys) == 0:
        empty = np.empty(0, dtype=np.int64)
        return Counted(empty, empty, ids)
    sample = np.sort(keys[:: max(1, len(keys) // 4096)])
    cuts = np.unique(sample[[len(sample) * i // cores() for i in range(1, cores())]])
    bounds = [0, *(int(cut) for cut in cuts), int(keys.max()) + 1]
    ranges = [(low, high) for low, high in pairwise(bounds) if low < high]
    parts = [part for parts in in_threads(lambda r: _count_range(keys, docs, min_df, *r), ranges) for part in parts]
    offsets = np.cumsum([0, *(len(part.keys) for part in parts)])

    def number(part: _CountedRange, offset: int) -> None:
        ids[part.places] = part.ids + np.int32(offset)

    in_threads(lambda job: number(*job), zip(parts, offsets.tolist(), strict=False))
    return Counted(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.df for part in parts]),
        ids,
    )


@dataclass(frozen=True)
class _CountedRange(Counted):
    """Counts of a range of keys: ``ids`` start at 0 and belong to the positions ``places``."""

    places: Ints


def _count_range(keys: Ints, docs: Ids, min_df: int, low: int, high: int) -> list[_CountedRange]:
    """Count the keys in [low, high), in parts if there are too many to pack."""
    where = np.flatnonzero((keys >= low) & (keys < high))
    n = len(where)
    place_bits = max(1, n).bit_length()
    if (high - low).bit_length() + place_bits > _SIGNED_BITS:  # only with very many positions
        middle = (low + high) // 2
        return _count_range(keys, docs, min_df, low, middle) + _count_range(keys, docs, min_df, middle, high)
    # Key and position are packed in one integer: one plain sort (many times faster than an argsort) groups equal keys
    # and keeps the positions in order within each group.
    packed = keys[where]
    packed -= low
    packed <<= place_bits
    packed |= np.arange(n)
    packed.sort()
    places = packed & ((1 << place_bits) - 1)
    packed >>= place_bits
    starts = _run_starts(packed)
    sizes = np.diff(starts, append=n)
    if min_df > 1:  # most n-grams of long texts occur once and are dropped here
        often = np.repeat(sizes >= min_df, sizes)
        packed, places = packed[often], places[often]
        starts = _run_starts(packed)
        sizes = np.diff(starts, append=len(packed))
    places = where[places]
    at_places = docs[places]
    new_doc = np.ones(len(places), dtype=bool)
    np.not_equal(at_places[1:], at_places[:-1], out=new_doc[1:])
    new_doc[starts] = True
    df = np.add.reduceat(new_doc, starts, dtype=np.int64) if len(starts) else np.empty(0, dtype=np.int64)
    kept = df >= min_df
    chosen = np.repeat(kept, sizes)
    ids = np.repeat(np.arange(int(kept.sum()), dtype=np.int32), sizes[kept])
    return [_CountedRange(packed[starts[kept]] + low, df[kept], ids, places[chosen])]


def _run_starts(grouped: Ints) -> Ints:
    """Return where each run of equal values begins."""
    new = np.ones(len(grouped), dtype=bool)
    np.not_equal(grouped[1:], grouped[:-1], out=new[1:])
    return np.flatnonzero(new)


@dataclass(frozen=True)
class HashTable:
    """An open-addressing table from int64 keys to their indices; a look-up is a few gathers over whole arrays."""

    slots: Ints  # the key in each slot, -1 where empty
    values: Ids

    @staticmethod
    def build(keys: Ints) -> "HashTable":
        """Build the table of distinct nonnegative ``keys``, (n_keys,)."""
        bits = max(4, (2 * len(keys)).bit_length())
        slots = np.full(1 << bits, -1, dtype=np.int64)
        values = np.full(1 << bits, -1, dtype=np.int32)
        todo = np.arange(len(keys), dtype=np.int64)
        at = _slot(keys, bits)
        while len(todo):
            free = slots[at] == -1
            slots[at[free]] = keys[todo[free]]  # of several keys for one slot the last wins
            placed = slots[at] == keys[todo]
            values[at[placed]] = todo[placed]
            todo, at = todo[~placed], (at[~placed] + 1) & (len(slots) - 1)
        return HashTable(slots, values)

    def look_up(self, keys: Ints) -> Ids:
        """Return the index of each key, (n_keys,), -1 for keys not in the table."""
        mask = len(self.slots) - 1
        at = _slot(keys, mask.bit_length())
        found = self.slots[at]
        hit = found == keys
        ids = np.full(len(keys), -1, dtype=np.int32)
        ids[hit] = self.values[at[hit]]
        todo = np.flatnonzero(~hit & (found != -1))
        at = at[todo]
        while len(todo):
            at = (at + 1) & mask
            found = self.slots[at]
            hit = found == keys[todo]
            ids[todo[hit]] = self.values[at[hit]]
            on = ~hit & (found != -1)
            todo, at = todo[on], at[on]
        return ids

    def extend(self, prefixes: Ids, symbols: Ids, n_symbols: int, ends: Ints, order: int) -> Ids:
        """Return the number of the n-gram of ``order`` that starts at each position, -1 where there is none."""
        starts, keys = _starts(prefixes, symbols, n_symbols, ends, order)
        ids = np.full(len(symbols), -1, dtype=np.int32)
        ids[starts] = self.look_up(keys)
        return ids


def _slot(keys: Ints, bits: int) -> Ints:
    return ((keys.astype(np.uint64) * _FIBONACCI) >> np.uint64(64 - bits)).astype(np.int64)


def rows(levels: list[Ids], sizes: list[int], ends: Ints) -> sp.csr_matrix:
    """Return the counts of n-grams in the texts, (n_texts, n_columns), CSR float32 with sorted indices."""
    n_texts, n_columns = len(ends) - 1, sum(sizes)
    offsets = np.cumsum([0, *sizes[:-1]])
    text_of = _text_of(ends)
    block = 2048

    def count_block(low: int) -> tuple[Ints, Ids, NDArray[np.float32]]:
        high = min(low + block, n_texts)
        places = slice(int(ends[low]), int(ends[high]))
        row = (text_of[places] - low).astype(np.int64)
        packed = np.concatenate(
            [
                (row * n_columns + (ids[places] + offset))[ids[places] >= 0]
                for ids, offset in zip(levels, offsets, strict=True)
            ]
        )
        packed.sort()
        starts = _run_starts(packed)
        counts = np.diff(np.append(starts, len(packed))).astype(np.float32)
        packed = packed[starts]
        lengths = np.diff(np.searchsorted(packed, np.arange(1, high - low + 1) * n_columns), prepend=0)
        indices = packed - np.repeat(np.arange(high - low) * n_columns, lengths)
        return lengths, indices.astype(np.int32), counts

    blocks = in_threads(count_block, range(0, n_texts, block))
    if not blocks:
        return sp.csr_matrix((0, n_columns), dtype=np.float32)
    ends_of_rows = np.concatenate([[0], np.cumsum(np.concatenate([b[0] for b in blocks]))])
    indices, counts = (np.concatenate([b[part] for b in blocks]) for part in (1, 2))
    return csr(counts, indices, ends_of_rows, (n_texts, n_columns))


def document_frequency_of_products(words: sp.csr_matrix, in_words: sp.csr_matrix) -> Ints:
    """Return in how many texts each n-gram of their words occurs, (n_columns,)."""
    return np.bincount((words @ in_words).indices, minlength=in_words.shape[1])


def multiply(words: sp.csr_matrix, in_words: sp.csr_matrix) -> sp.csr_matrix:
    """Return the counts of the n-grams of words in texts, (n_texts, n_columns), CSR float32 with sorted indices."""
    counts = words @ in_words
    counts.sort_indices()
    return counts
