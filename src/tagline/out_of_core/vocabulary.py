"""The second stage: the word n-grams of texts on disk, counted exactly.

As in memory (`tagline.features.ngrams`), an n-gram is the number of its prefix and its last token, and each order is
counted only where the order below survived. The counts of a part of the texts are added up on disk (`Partitions`). If
more n-grams survive than the model may have, the minimum number of texts with an n-gram is raised until they fit.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from tagline.features.ngrams import NgramTable, WordNgrams, counting
from tagline.features.ngrams.counting import Ids
from tagline.features.ngrams.tokens import tokens_as_codes
from tagline.features.token_ids import look_up, make_vocabulary
from tagline.features.tokenizer import Tokenizer
from tagline.out_of_core.budget import Budget
from tagline.out_of_core.partitions import Partitions
from tagline.out_of_core.spooled import SpooledDataset
from tagline.storage.atomic import write_json
from tagline.task import Ints

_STATE, _TOKENS = "counted.json", "tokens.arrow"

Step = Callable[[], None]


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


def count_ngrams(
    dataset: SpooledDataset,
    tokenizer: Tokenizer,
    longest: int,
    min_df: int,
    most_columns: int,
    budget: Budget,
    step: Step,
) -> CountedNgrams:
    """Count the n-grams of the train rows; ``step`` is called after each part of each order, and of the encoding."""
    folder = dataset.folder
    if (folder / _STATE).is_file():
        return _read(folder)
    counted = _count_tokens(dataset, tokenizer, min_df, most_columns, budget, step)
    _number_tokens(dataset, tokenizer, counted.tokens, step)
    for order in range(2, longest + 1):
        counted = _count_order(dataset, counted, order, most_columns, budget, step)
    _write(folder, counted)
    return counted


def _number_tokens(dataset: SpooledDataset, tokenizer: Tokenizer, tokens: pl.Series, step: Step) -> None:
    vocabulary = make_vocabulary(tokens, tokenizer)
    for number in range(dataset.n_parts):
        symbols, ends = look_up(dataset.part(number)["text"], vocabulary)
        np.save(_symbols_file(dataset.folder, number), symbols)
        np.save(_ends_file(dataset.folder, number), ends)
        step()


def symbols_of(folder: Path, number: int, n_tokens: int) -> tuple[Ids, Ints]:
    """Return the tokens of a part of the texts as numbers, (n_positions,), -1 for others, and where each text ends."""
    symbols = np.load(_symbols_file(folder, number))
    symbols[symbols >= n_tokens] = -1
    return symbols, np.load(_ends_file(folder, number))


def _count_tokens(
    dataset: SpooledDataset, tokenizer: Tokenizer, min_df: int, most_columns: int, budget: Budget, step: Step
) -> CountedNgrams:
    sums = Partitions(dataset.folder / "counts", "tokens", budget.counts, dataset.text_bytes // 4)
    for number in range(dataset.n_parts):
        codes, ends, distinct = tokens_as_codes(dataset.part(number)["text"], tokenizer)
        sums.add(pl.DataFrame({"key": distinct, "df": counting.count_texts(codes, ends, len(distinct))}))
        step()
    found, least = _most_frequent(sums.summed(min_df), (), min_df, most_columns)
    found = found.sort(["df", "key"], descending=[True, False])  # frequent tokens first, as in memory
    return CountedNgrams(found["key"].alias("token"), (), (found["df"].to_numpy().astype(np.int64),), least)


def _count_order(
    dataset: SpooledDataset, counted: CountedNgrams, order: int, most_columns: int, budget: Budget, step: Step
) -> CountedNgrams:
    sums = Partitions(dataset.folder / "counts", f"order-{order}", budget.counts, 2 * dataset.text_bytes)
    n_tokens, indexes = len(counted.tokens), [counting.index(keys) for keys in counted.keys]
    n_prefixes = len(counted.df[-1])
    for number in range(dataset.n_parts):
        symbols, ends = symbols_of(dataset.folder, number, n_tokens)
        prefixes = symbols
        for shorter, index in enumerate(indexes, 2):
            prefixes = index.extend(prefixes, symbols, n_tokens, ends, shorter)
        keys, ids = counting.count_order(prefixes, n_prefixes, symbols, n_tokens, ends, order, 1)
        df = counting.count_texts(ids, ends, len(keys))
        sums.add(pl.DataFrame({"key": keys, "df": df}))
        step()
    del indexes
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


def _write(folder: Path, counted: CountedNgrams) -> None:
    counted.tokens.to_frame().write_ipc(folder / _TOKENS)
    for order, df in enumerate(counted.df, 1):
        np.save(folder / f"df-{order}.npy", df)
    for order, keys in enumerate(counted.keys, 2):
        np.save(folder / f"keys-{order}.npy", keys)
    write_json(folder / _STATE, {"min_df": counted.min_df, "longest": len(counted.df)})


def _read(folder: Path) -> CountedNgrams:
    state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    tokens = pl.read_ipc(folder / _TOKENS)["token"]
    orders = range(1, state["longest"] + 1)
    keys = tuple(np.load(folder / f"keys-{order}.npy") for order in orders[1:])
    return CountedNgrams(tokens, keys, tuple(np.load(folder / f"df-{order}.npy") for order in orders), state["min_df"])


def _symbols_file(folder: Path, number: int) -> Path:
    return folder / f"symbols-{number:06}.npy"


def _ends_file(folder: Path, number: int) -> Path:
    return folder / f"ends-{number:06}.npy"
