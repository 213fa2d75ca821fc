"""Which training rows are held out to decide something, and how that came about, in words."""

import numpy as np
import polars as pl

from tagline.datasets.splits import copy_keys, fold_rows, strata, units
from tagline.features.sequences import Sequences
from tagline.fitting.fitted import Bools, Ints
from tagline.recipes import Recipe

_FOLDS = 5
_PARTS = 20  # a share of the rows is so many twentieths
_HELD_OUT = 1_000  # rows to choose and calibrate on, if they are not more than half; at least a tenth
_SEVERAL = 10  # rows; by chance one class in 20,000 would have none
_INSTEAD = 0.2  # the share set aside where the first rows cannot be


def hold_out(
    recipe: Recipe,
    texts: pl.Series | Sequences,
    Y: Bools,
    groups: pl.Series | None,
    n_given: int,
    seed: int,
    *,
    cheap: bool,
) -> tuple[list[tuple[Ints, Ints]], str]:
    """Return (train rows, held-out rows) for each fold, and how they came about in words.

    All rows in turn where fits are ``cheap``, unless enough validation rows are given; else one part of them.
    """
    n = len(texts)
    protocol = recipe.protocol
    everything = np.arange(n)
    few = cheap and protocol.validation == "auto" and protocol.refit == "all"
    if n_given and not (few and n_given < _HELD_OUT // 2):
        return [(everything[: n - n_given], everything[n - n_given :])], "the validation rows"
    if n < 2 * _FOLDS or protocol.validation == "none":
        return [], ""
    unit = units(_keys(texts), groups)
    stratum = strata(pl.Series(Y.argmax(axis=1)))
    if few:
        how = f"{_FOLDS}-fold cross-validation of the {'train and validation' if n_given else 'train'} rows"
        fold = fold_rows(unit, stratum, _FOLDS, seed=seed)
        folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(_FOLDS)]
    else:
        share: float = max(0.1, min(0.5, _HELD_OUT / n))
        because = ""
        if isinstance(protocol.validation, int):
            first = protocol.validation
            if _can_spare(Y, first):
                return [(everything[first:], everything[:first])], f"the first {first:,} train rows"
            share, because = _INSTEAD, f", as the first {first:,} cannot be spared"
        elif not isinstance(protocol.validation, str):
            share = protocol.validation
        held = fold_rows(unit, stratum, min(n, _PARTS), seed=seed) < max(1, round(share * _PARTS))
        how = f"{held.mean():.0%} of the train rows, set aside before the final fit{because}"
        folds = [(np.flatnonzero(~held), np.flatnonzero(held))]
    return [(train, held) for train, held in folds if len(train) and len(held)], how


def _can_spare(Y: Bools, n_first: int) -> bool:
    """Say whether the first rows can be set aside.

    They are no more than half of all, every class has rows behind them, and they are no rows sorted by class, where
    one that should have several among them has none.
    """
    first, rest = Y[:n_first], Y[n_first:]
    expected = Y.mean(axis=0) * n_first
    missed = (expected >= _SEVERAL) & ~first.any(axis=0)
    return 2 * n_first <= len(Y) and not missed.any() and bool((rest.any(axis=0) | ~Y.any(axis=0)).all())


def _keys(texts: pl.Series | Sequences) -> pl.Series:
    """Return what copies of one text have in common."""
    if isinstance(texts, Sequences):
        return pl.Series([",".join(map(str, ids)) for ids in texts.to_lists()], dtype=pl.String)
    return copy_keys(texts)
