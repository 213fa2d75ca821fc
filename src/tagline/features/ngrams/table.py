"""`NgramTable`: the numbers of n-grams.

An n-gram is stored as its prefix (the n-gram one shorter) and its last symbol, packed in one integer:
``key = prefix_id * n_symbols + symbol_id``. If an n-gram occurs in enough documents, so does its prefix, so each order
is counted only where the order below survived (Agrawal and Srikant 1994, the Apriori algorithm), and a look-up is one
hash probe per order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.ngrams import counting
from tagline.features.ngrams.counting import Ids
from tagline.parallel import in_threads
from tagline.task import Ints


@dataclass(frozen=True)
class NgramTable:
    """Numbers the n-grams of orders ``min_n`` … ``max_n`` over symbols 0 … ``n_symbols - 1``.

    ``keys[i]`` holds the packed n-grams of order ``i + 2``, ascending. Orders below ``min_n`` are prefixes only and
    have no column. Columns are sorted by order, then by key.
    """

    n_symbols: int
    min_n: int
    keys: tuple[Ints, ...]

    @staticmethod
    def fit(
        symbols: Ids, ends: Ints, n_symbols: int, min_n: int, max_n: int, min_df: int
    ) -> tuple["NgramTable", sp.csr_matrix]:
        """Fit the table of the n-grams that occur in ``min_df`` texts or more, all symbols among them.

        Return it with the counts of these n-grams in the texts, (n_texts, n_columns). The ``symbols`` of all texts are
        (n_positions,), -1 for unknown ones; text ``t`` has those from ``ends[t]`` to ``ends[t + 1]``. They are
        overwritten, as a copy of those of a large collection takes long.
        """
        keys: list[Ints] = []
        levels = [symbols]
        n_prefixes = n_symbols
        for order in range(2, max_n + 1):
            found, ids = counting.count_order(levels[-1], n_prefixes, symbols, n_symbols, ends, order, min_df)
            keys.append(found)
            levels.append(ids)
            n_prefixes = len(found)
        table = NgramTable(n_symbols, min_n, tuple(keys))
        return table, counting.rows(levels[min_n - 1 :], table.sizes[min_n - 1 :], ends)

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
    def indexes(self) -> list[counting.Index]:
        """The hash table of the keys of each order from 2 on."""
        return in_threads(counting.index, self.keys)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle contains: the hash tables are built again."""
        return {"n_symbols": self.n_symbols, "min_n": self.min_n, "keys": self.keys}

    def _levels(self, symbols: Ids, ends: Ints) -> list[Ids]:
        """Return the number of the n-gram of each order that starts at each position, -1 where there is none."""
        levels = [symbols.copy()]  # `rows` overwrites it
        for order, index in enumerate(self.indexes, 2):
            levels.append(index.extend(levels[-1], symbols, self.n_symbols, ends, order))
        return levels

    def count(self, symbols: Ids, ends: Ints) -> sp.csr_matrix:
        """Return the counts of the n-grams in texts, (n_texts, n_columns); the arguments are those of `fit`."""
        levels = self._levels(symbols, ends)
        return counting.rows(levels[self.min_n - 1 :], self.sizes[self.min_n - 1 :], ends)

    def find(self, symbols: Ids, ends: Ints) -> list[tuple[int, Ids, Ints]]:
        """Return (order, columns, start positions) of the n-grams in texts, for each order that has columns."""
        found = []
        offset = 0
        for order, ids in enumerate(self._levels(symbols, ends), 1):
            if order >= self.min_n:
                starts = np.flatnonzero(ids >= 0)
                found.append((order, ids[starts] + np.int32(offset), starts))
                offset += self.sizes[order - 1]
        return found

    def merged(
        self, other: "NgramTable", n_symbols: int, symbols: Ints, symbols_of_other: Ints
    ) -> tuple["NgramTable", Ints, Ints]:
        """Return the table of the n-grams of both, and the columns in it of the n-grams of this one and of the other.

        ``symbols``, (n_symbols of this table,), and ``symbols_of_other`` are the numbers of the symbols among the
        ``n_symbols`` of the new table.
        """
        tables, numbers = (self, other), [symbols, symbols_of_other]
        keys: list[Ints] = []
        columns = [list(numbers)] if self.min_n == 1 else []
        offset = n_symbols if self.min_n == 1 else 0
        last_of = numbers
        for order in range(2, max(len(table.keys) for table in tables) + 2):
            renamed = []
            for table, number, last in zip(tables, numbers, last_of, strict=True):
                prefix, symbol = np.divmod(_keys_of(table, order), max(1, table.n_symbols))
                renamed.append(number[prefix] * n_symbols + last[symbol])
            keys.append(np.union1d(*renamed))
            numbers = [np.searchsorted(keys[-1], each) for each in renamed]
            if order >= self.min_n:
                columns.append([number + offset for number in numbers])
                offset += len(keys[-1])
        merged = NgramTable(n_symbols, self.min_n, tuple(keys))
        return merged, np.concatenate([mine for mine, _ in columns]), np.concatenate([others for _, others in columns])

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


def _keys_of(table: NgramTable, order: int) -> Ints:
    return table.keys[order - 2] if order - 2 < len(table.keys) else np.empty(0, dtype=np.int64)
