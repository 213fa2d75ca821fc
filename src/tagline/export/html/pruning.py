"""Pruning: a page keeps the n-grams with the largest weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import scipy.sparse as sp

from tagline.features.ngrams import NgramTable, WordNgrams
from tagline.features.vectorizer import Block, Vectorizer
from tagline.features.weighting import weigh
from tagline.models import LinearModel
from tagline.task import Bools


@dataclass(frozen=True)
class Pruned:
    """What is left of a model: ``columns`` holds for each block which of its n-grams are, ``(n_columns,)``."""

    vectorizer: Vectorizer
    model: LinearModel
    columns: tuple[Bools, ...]


def keep_heaviest(vectorizer: Vectorizer, model: LinearModel, n: int) -> Pruned:
    """Return the features and the model of the ``n`` n-grams with the largest weights.

    The weight of an n-gram is its scale times its largest coefficient. The prefixes and symbols of these n-grams are
    kept too, with their own weights. Rows are shorter without the other n-grams: see ``row_stretches``.
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
    return Pruned(
        replace(vectorizer, blocks=tuple(blocks), scales=tuple(scales), spreads=None), left, tuple(kept_columns)
    )


def squared_rows(vectorizer: Vectorizer, texts: pl.Series) -> list[sp.csr_matrix]:
    """Return for each block the squares of the rows of ``texts``, (n_texts, n_columns), before rows are unit length."""
    rows = [
        weigh(block.transform(texts, vectorizer.tokenizer), scale, vectorizer.tf, unit=False)
        for block, scale in zip(vectorizer.blocks, vectorizer.scales, strict=True)
    ]
    return [block.multiply(block).tocsr() for block in rows]


def row_stretches(squares: Sequence[sp.csr_matrix], columns: Sequence[Bools]) -> list[float]:
    """Return for each block the ratio of the lengths of rows with all n-grams and with those left in ``columns``.

    It is a geometric mean over the texts of ``squared_rows``. Logits divided by a length that is too short are too
    large; on reviews the correction makes the differences of probabilities three times smaller.
    """
    stretches = []
    for block, left in zip(squares, columns, strict=True):
        lengths, left_lengths = (np.sqrt(block @ which.astype(np.float64)) for which in (np.ones_like(left), left))
        both = left_lengths > 0
        ratios = lengths[both] / left_lengths[both]
        stretches.append(float(np.exp(np.log(ratios).mean())) if both.any() else 1.0)
    return stretches


def _with_parts(table: NgramTable, heavy: Bools) -> list[Bools]:
    """Return the n-grams of each order to keep: the heavy ones, (n_columns,), their prefixes and their symbols."""
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
