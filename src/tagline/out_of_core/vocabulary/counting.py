"""The second stage: the word n-grams of texts on disk, counted exactly.

As in memory (`tagline.features.ngrams`), an n-gram is the number of its prefix and its last token, and each order is
counted only where the order below survived. The counts of parts of the texts are added up on disk (`Partitions`). If
more n-grams survive than the model may have, the minimum number of texts with an n-gram is raised until they fit.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from tagline.out_of_core.budget import Budget
from tagline.out_of_core.vocabulary.counted_ngrams import CountedNgrams, read_counted
from tagline.out_of_core.vocabulary.partitions import Partitions
from tagline.task import Ints


class CountedTexts(Protocol):
    """Texts in parts, here or elsewhere, whose n-grams are counted; ``folder`` is on this machine.

    Frames have the columns ``key`` and ``df``, in how many texts of a part each n-gram occurs.
    """

    @property
    def folder(self) -> Path:
        """Where counts are added up."""
        ...

    @property
    def text_bytes(self) -> int:
        """How many bytes of text there are."""
        ...

    def token_counts(self) -> Iterator[pl.DataFrame]:
        """Yield the tokens of each part and their counts."""
        ...

    def number_tokens(self, tokens: pl.Series) -> None:
        """Take down the tokens of the texts as positions in ``tokens``."""
        ...

    def ngram_counts(self, counted: CountedNgrams, order: int) -> Iterator[pl.DataFrame]:
        """Yield the n-grams of an order of each part, whose shorter ones are in ``counted``, and their counts."""
        ...


def count_ngrams(texts: CountedTexts, longest: int, min_df: int, most_columns: int, budget: Budget) -> CountedNgrams:
    """Count the n-grams of texts, and write them into their folder; or read what has been written."""
    done = read_counted(texts.folder)
    if done is not None:
        return done
    counted = _count_tokens(texts, min_df, most_columns, budget)
    texts.number_tokens(counted.tokens)
    for order in range(2, longest + 1):
        counted = _count_order(texts, counted, order, most_columns, budget)
    counted.write(texts.folder)
    return counted


def _count_tokens(texts: CountedTexts, min_df: int, most_columns: int, budget: Budget) -> CountedNgrams:
    sums = Partitions(texts.folder / "counts", "tokens", budget.counts, texts.text_bytes // 4)
    for counts in texts.token_counts():
        sums.add(counts)
    found, least = _most_frequent(sums.summed(min_df), (), min_df, most_columns)
    found = found.sort(["df", "key"], descending=[True, False])  # frequent tokens first, as in memory
    return CountedNgrams(found["key"].alias("token"), (), (found["df"].to_numpy().astype(np.int64),), least)


def _count_order(
    texts: CountedTexts, counted: CountedNgrams, order: int, most_columns: int, budget: Budget
) -> CountedNgrams:
    sums = Partitions(texts.folder / "counts", f"order-{order}", budget.counts, 2 * texts.text_bytes)
    for counts in texts.ngram_counts(counted, order):
        sums.add(counts)
    found, least = _most_frequent(sums.summed(counted.min_df), counted.df, counted.min_df, most_columns)
    found = found.sort("key")
    keys, df = found["key"].to_numpy(), found["df"].to_numpy()
    return replace(counted, keys=(*counted.keys, keys), df=(*counted.df, df)).in_texts(least)


def _most_frequent(
    found: Iterator[pl.DataFrame], shorter: tuple[Ints, ...], min_df: int, most_columns: int
) -> tuple[pl.DataFrame, int]:
    """Return the n-grams of an order that are frequent enough if, with shorter ones, at most so many are kept.

    Also return in how many texts they occur at least.
    """
    kept = next(found)
    while True:
        df = (*shorter, kept["df"].to_numpy())
        if sum(map(len, df)) > most_columns:
            min_df = max(min_df, _least_df(df, most_columns))
            kept = kept.filter(pl.col("df") >= min_df)
        frame = next(found, None)
        if frame is None:
            return kept, min_df
        kept = pl.concat([kept, frame.filter(pl.col("df") >= min_df)])


def _least_df(df: tuple[Ints, ...], most_columns: int) -> int:
    """Return the smallest number of texts that at most so many n-grams have."""
    n_texts = np.bincount(np.concatenate(df))
    at_least = np.cumsum(n_texts[::-1])[::-1]  # n-grams that occur in so many texts or more
    return int(np.argmax(at_least <= most_columns)) if (at_least <= most_columns).any() else len(at_least)
