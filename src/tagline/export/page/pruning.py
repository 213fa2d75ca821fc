"""Fewer n-grams, so that a page is small: the lightest go first."""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.features.ngrams import NgramTable, WordNgrams
from tagline.features.vectorizer import Block, Vectorizer
from tagline.models import LinearModel

Bools = NDArray[np.bool_]


def keep_heaviest(vectorizer: Vectorizer, model: LinearModel, n: int) -> tuple[Vectorizer, LinearModel]:
    """Return the features and the model of the ``n`` heaviest n-grams, and of those that they are built of.

    An n-gram weighs what its scale times its largest coefficient is. The prefixes and words of a kept n-gram stay, with
    their own weights. Texts get the length of their rows from the n-grams that are left.
    """
    scale = np.concatenate(vectorizer.scales)
    weights = scale * np.abs(model.coef).max(axis=1)  # (n_columns,)
    heavy = np.zeros(len(weights), dtype=bool)
    heavy[np.argsort(-weights, kind="stable")[:n]] = True
    blocks, scales, kept_columns = [], [], []
    offset = 0
    for block, block_scale in zip(vectorizer.blocks, vectorizer.scales, strict=True):
        kept = _with_parts(block.table, heavy[offset : offset + len(block_scale)])
        columns = np.concatenate(kept[block.table.min_n - 1 :])
        blocks.append(_restrict(block, kept))
        scales.append(block_scale[columns])
        kept_columns.append(columns)
        offset += len(block_scale)
    left = LinearModel(model.coef[np.concatenate(kept_columns)], model.intercept)
    return replace(vectorizer, blocks=tuple(blocks), scales=tuple(scales)), left


def _with_parts(table: NgramTable, heavy: Bools) -> list[Bools]:
    """Return which n-grams of each order stay: the heavy ones, (n_columns,), their prefixes and their symbols."""
    sizes = table.sizes
    without_columns = [np.zeros(size, dtype=bool) for size in sizes[: table.min_n - 1]]
    kept = without_columns + np.split(heavy, np.cumsum(sizes[table.min_n - 1 :])[:-1])
    kept = [order.copy() for order in kept]
    for order in range(len(sizes) - 1, 0, -1):
        prefix, last = np.divmod(table.keys[order - 1][kept[order]], max(1, table.n_symbols))
        kept[order - 1][prefix] = True
        kept[0][last] = True
    return kept


def _restrict(block: Block, kept: list[Bools]) -> Block:
    table = block.table
    symbols = np.cumsum(kept[0]) - 1
    n_symbols = int(kept[0].sum())
    keys = []
    renumbered = symbols
    for order_keys, chosen in zip(table.keys, kept[1:], strict=True):
        prefix, last = np.divmod(order_keys[chosen], max(1, table.n_symbols))
        keys.append(renumbered[prefix] * n_symbols + symbols[last])
        renumbered = np.cumsum(chosen) - 1
    left = NgramTable(n_symbols, table.min_n, tuple(keys))
    if isinstance(block, WordNgrams):
        return WordNgrams(block.vocabulary.filter(pl.Series(kept[0])), left)
    return type(block)(block.alphabet[kept[0]], left)
