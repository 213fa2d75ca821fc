"""Folds of a cross-validation: stratified by class, with units kept together."""

import numpy as np
import polars as pl

from tagline.data.splits.row_units import sizes_and_classes
from tagline.data.splits.stratified import SHARE
from tagline.task import Ints

#: Fewer rows are divided into folds, by default: a tenth of them is too little to measure a model on.
FEW_ROWS, FOLDS_OF_FEW = 300, 5


def fold_rows(unit: Ints, stratum: Ints, n_folds: int, *, seed: int) -> Ints:
    """Assign every row to one of ``n_folds`` folds, (n,) from 0; stratified by class, units kept together."""
    size, classes = sizes_and_classes(unit, stratum)
    shuffled = np.random.default_rng(seed).permutation(len(size))
    # Large units first, so that they are spread over the folds.
    order = shuffled[np.lexsort((-size[shuffled], classes[shuffled]))]
    fold = np.empty(len(size), dtype=np.int64)
    fold[order] = np.arange(len(size)) % n_folds
    return fold[unit]


def folds_for_few(unit: Ints, labels: pl.Series) -> int | None:
    """Return the number of folds by which a model of few rows is evaluated by default, None for many rows.

    A class with a single unit, (n,), is held out whole, so that its rows are predicted wrong. None too if these are
    more than a tenth of the rows, or if fewer than two classes would always be left to learn from.
    """
    if len(unit) >= FEW_ROWS:
        return None
    frame = pl.DataFrame({"label": labels, "unit": unit})
    flat = frame.explode("label") if isinstance(labels.dtype, pl.List) else frame
    classes = flat.drop_nulls("label").group_by("label").agg(pl.len(), pl.col("unit").n_unique())
    single = classes.filter(pl.col("unit") == 1)
    if classes.height - single.height < 2 or single["len"].sum() > SHARE * len(unit):
        return None
    return min(FOLDS_OF_FEW, int(unit.max()) + 1)
