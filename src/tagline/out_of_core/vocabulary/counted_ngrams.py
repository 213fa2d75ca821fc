"""The vocabulary of a model with its counts, and its files."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tagline.features.ngrams import NgramTable, WordNgrams
from tagline.storage.atomic import write_json
from tagline.task import Ints

_STATE, _TOKENS = "counted.json", "tokens.arrow"


@dataclass(frozen=True, eq=False)
class CountedNgrams:
    """The n-grams that occur in ``min_df`` texts or more.

    ``tokens`` are (n_tokens,), the most frequent first; ``keys`` those of the orders from 2 on, see `NgramTable`.
    ``df`` says in how many texts the n-grams of each order occur, from order 1 on.
    """

    tokens: pl.Series
    keys: tuple[Ints, ...]
    df: tuple[Ints, ...]
    min_df: int

    @property
    def n_columns(self) -> int:
        """The number of n-grams."""
        return sum(map(len, self.df))

    def block(self) -> WordNgrams:
        """Return the n-grams as features."""
        return WordNgrams(self.tokens, NgramTable(len(self.tokens), 1, self.keys))

    def in_texts(self, least: int) -> "CountedNgrams":
        """Return the n-grams that occur in so many texts or more."""
        if least <= self.min_df:
            return self
        kept = [df >= least for df in self.df]
        n_tokens, n_before = int(kept[0].sum()), len(self.tokens)
        keys, numbers = [], np.arange(n_before)
        for order_keys, order_kept in zip(self.keys, kept[1:], strict=True):
            prefix, last = np.divmod(order_keys[order_kept], n_before)
            keys.append(numbers[prefix] * n_tokens + last)
            numbers = np.cumsum(order_kept) - 1
        df = tuple(df[order_kept] for df, order_kept in zip(self.df, kept, strict=True))
        return CountedNgrams(self.tokens.head(n_tokens), tuple(keys), df, least)

    def write(self, folder: Path) -> None:
        """Write the files of `read_counted`."""
        self.tokens.to_frame().write_ipc(folder / _TOKENS)
        for order, df in enumerate(self.df, 1):
            np.save(folder / f"df-{order}.npy", df)
        for order, keys in enumerate(self.keys, 2):
            np.save(folder / f"keys-{order}.npy", keys)
        write_json(folder / _STATE, {"min_df": self.min_df, "longest": len(self.df)})


def read_counted(folder: Path) -> CountedNgrams | None:
    """Return what `CountedNgrams.write` wrote into a folder; None if it has not written everything."""
    try:
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    tokens = pl.read_ipc(folder / _TOKENS)["token"]
    orders = range(1, state["longest"] + 1)
    keys = tuple(np.load(folder / f"keys-{order}.npy") for order in orders[1:])
    return CountedNgrams(tokens, keys, tuple(np.load(folder / f"df-{order}.npy") for order in orders), state["min_df"])
