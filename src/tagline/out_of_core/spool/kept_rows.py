"""Rows that are drawn while their number is not known yet: those with the smallest numbers, so far as they fit."""

import numpy as np
import polars as pl

from tagline.data.text_hashes import Hashes
from tagline.task import Floats

_SLACK = 1.25  # rows are given back in batches


class KeptRows:
    """The rows of the smallest ``chance`` that fit; rows of equal chance stay together.

    Frames have the columns ``text`` and ``chance``.
    """

    def __init__(self, most_rows: int, most_bytes: int) -> None:
        self._most_rows, self._most_bytes = most_rows, most_bytes
        self._below = np.inf
        self._frames: list[pl.DataFrame] = []
        self.n_rows = self._n_bytes = 0

    def add(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Keep rows; return those that are not kept, or no longer."""
        inside = rows["chance"] < self._below
        kept = _copied(rows.filter(inside))
        self._frames.append(kept)
        self.n_rows += kept.height
        self._n_bytes += int(kept["text"].str.len_bytes().sum())
        given_back = [rows.filter(~inside)]
        if self.n_rows > _SLACK * self._most_rows or self._n_bytes > _SLACK * self._most_bytes:
            given_back.append(self._cut())
        return pl.concat(given_back)

    def limit(self, most_rows: int) -> None:
        """Keep at most so many rows from now on."""
        self._most_rows = min(self._most_rows, most_rows)

    def _cut(self) -> pl.DataFrame:
        rows = pl.concat(self._frames).sort("chance", maintain_order=True)
        sizes = rows["text"].str.len_bytes().cum_sum()
        fits = ((sizes <= self._most_bytes) & (pl.arange(1, rows.height + 1, eager=True) <= self._most_rows)).sum()
        if fits < rows.height:
            self._below = rows["chance"][int(fits)]
        inside = rows["chance"] < self._below
        kept = _copied(rows.filter(inside))
        self._frames, self.n_rows = [kept], kept.height
        self._n_bytes = int(kept["text"].str.len_bytes().sum())
        return rows.filter(~inside)

    def finish(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows that are kept, in the order of ``number``, and those that are given back."""
        given_back = self._cut()
        return self._frames[0].sort("number"), given_back


def _copied(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with strings of their own: those of a filtered frame keep the strings of all its rows in memory."""
    return rows.with_columns(pl.col(pl.String) + pl.lit(""))


def chances(hashes: Hashes, seed: int, purpose: int) -> Floats:
    """Return a random number from 0 to 1 for each hash, (n,), by SplitMix64; another one for each ``purpose``."""
    with np.errstate(over="ignore"):
        x = hashes + np.uint64(0x9E3779B97F4A7C15) * np.uint64(1 + 16 * seed + purpose)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return np.asarray((x >> np.uint64(11)) * 2.0**-53)
