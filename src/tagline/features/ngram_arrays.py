"""The inner loops of the n-gram features, as functions of plain arrays: count, look up, assemble.

Nothing here depends on text. A compiled kernel can replace any of these functions. Results do not depend on the number
of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.parallel import cores, in_threads
from tagline.task import Ints

Ids = NDArray[np.int32]

_SIGNED_BITS = 63
_FIBONACCI = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads keys that differ in a few bits


@dataclass(frozen=True)
class Counted:
    """The result of ``count``.

    ``keys``: the distinct keys kept, ascending, (n_kept,). ``df``: the number of documents that contain each,
    (n_kept,). ``first``: the position of the first occurrence of each, (n_kept,). ``ids``: the index in ``keys`` of the
    key at each position, -1 if it was not kept, (n_positions,).
    """

    keys: Ints
    df: Ints
    first: Ints
    ids: Ids


def count(keys: Ints, docs: Ids, min_df: int) -> Counted:
    """Count the documents that contain each key, and number the keys that occur in ``min_df`` documents or more.

    ``keys`` and ``docs`` are (n_positions,), keys nonnegative, docs ascending.
    The keys are split into ranges, one per core, and each range is sorted by itself.
    """
    ids = np.full(len(keys), -1, dtype=np.int32)
    if len(keys) == 0:
        empty = np.empty(0, dtype=np.int64)
        return Counted(empty, empty, empty, ids)
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
        np.concatenate([part.first for part in parts]),
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
    starts = _starts(packed)
    sizes = np.diff(starts, append=n)
    if min_df > 1:  # most n-grams of long texts occur once and are dropped here
        often = np.repeat(sizes >= min_df, sizes)
        packed, places = packed[often], places[often]
        starts = _starts(packed)
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
    return [_CountedRange(packed[starts[kept]] + low, df[kept], places[starts[kept]], ids, places[chosen])]


def _starts(grouped: Ints) -> Ints:
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


def _slot(keys: Ints, bits: int) -> Ints:
    return ((keys.astype(np.uint64) * _FIBONACCI) >> np.uint64(64 - bits)).astype(np.int64)


def assemble(columns: Sequence[Ids], docs: Sequence[Ids], shape: tuple[int, int]) -> sp.csr_matrix:
    """Return the counts of each column in each document, CSR float32 with sorted indices.

    ``columns[i]`` and ``docs[i]`` are (n_i,), docs ascending within each pair.
    """
    n_docs, n_columns = shape
    block = 2048

    def rows(low: int) -> tuple[Ints, Ids, NDArray[np.float32]]:
        high = min(low + block, n_docs)
        packed_parts = []
        for column, doc in zip(columns, docs, strict=True):
            start, end = np.searchsorted(doc, np.array([low, high], dtype=doc.dtype))  # one type: no copy
            packed_parts.append((doc[start:end] - low).astype(np.int64) * n_columns + column[start:end])
        packed = np.concatenate(packed_parts)
        packed.sort()
        starts = _starts(packed)
        counts = np.diff(np.append(starts, len(packed))).astype(np.float32)
        packed = packed[starts]
        ends = np.searchsorted(packed, np.arange(1, high - low + 1) * n_columns)
        lengths = np.diff(ends, prepend=0)
        indices = packed - np.repeat(np.arange(high - low) * n_columns, lengths)
        return lengths, indices.astype(np.int32), counts

    blocks = in_threads(rows, range(0, n_docs, block))
    if not blocks:
        return sp.csr_matrix(shape, dtype=np.float32)
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([b[0] for b in blocks]))])
    index_type = np.int32 if indptr[-1] < 2**31 else np.int64
    matrix = sp.csr_matrix(shape, dtype=np.float32)
    matrix.indptr = indptr.astype(index_type)
    matrix.indices = np.concatenate([b[1] for b in blocks]).astype(index_type, copy=False)
    matrix.data = np.concatenate([b[2] for b in blocks])
    return matrix
