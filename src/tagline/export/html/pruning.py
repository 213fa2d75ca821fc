"""Pruning: a page keeps the n-grams with the largest weights."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.features.ngrams import NgramTable, WordNgrams
from tagline.features.vectorizer import Block, Vectorizer
from tagline.features.weighting import TermFrequency, weigh
from tagline.models import LinearModel
from tagline.task import Bools, Floats


def keep_heaviest(vectorizer: Vectorizer, model: LinearModel, n: int) -> tuple[Vectorizer, LinearModel]:
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
    return replace(vectorizer, blocks=tuple(blocks), scales=tuple(scales)), left


def row_lengths(vectorizer: Vectorizer, texts: pl.Series) -> list[Floats]:
    """Return for each block the length of the row of each text, ``(n_texts,)``, before rows are made unit length."""
    return [
        _row_lengths(block.transform(texts, vectorizer.tokenizer), scale, vectorizer.tf)
        for block, scale in zip(vectorizer.blocks, vectorizer.scales, strict=True)
    ]


def row_stretches(whole: Sequence[Floats], left: Sequence[Floats]) -> list[float]:
    """Return for each block the ratio of ``row_lengths`` of all n-grams and of those left, a geometric mean over texts.

    Logits divided by a length that is too short are too large; on reviews the correction makes the differences of
    probabilities three times smaller.
    """
    stretches = []
    for lengths, left_lengths in zip(whole, left, strict=True):
        both = left_lengths > 0
        ratios = lengths[both] / left_lengths[both]
        stretches.append(float(np.exp(np.log(ratios).mean())) if both.any() else 1.0)
    return stretches


def _row_lengths(counts: sp.csr_matrix, scale: NDArray[np.float32], tf: TermFrequency) -> Floats:
    rows = weigh(counts, scale, tf, unit=False)
    return np.asarray(np.sqrt(rows.multiply(rows).sum(axis=1))).ravel()


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
