"""Which training rows are held out to decide something, and how that came about, in words."""

import numpy as np
import polars as pl

from tagline.data.splits import copy_keys, fold_rows, strata, units
from tagline.features.sequences import Sequences
from tagline.learners.base import TrainingData
from tagline.recipes import Recipe
from tagline.task import Bools, Ints

_FOLDS = 5
_PARTS = 20  # a share of the rows is so many twentieths
_HELD_OUT = 1_000  # rows to choose and calibrate on, if they are not more than half; at least a tenth
_SEVERAL = 10  # rows; by chance one class in 20,000 would have none
_GOLDEN = (5**0.5 - 1) / 2
_INSTEAD = 0.2  # the share set aside where the first rows cannot be


def hold_out(recipe: Recipe, data: TrainingData, seed: int, *, cheap: bool) -> tuple[list[tuple[Ints, Ints]], str]:
    """Return (train rows, held-out rows) for each fold, and how they came about in words.

    All rows in turn where fits are ``cheap``, unless enough validation rows are given; else one part of them.
    """
    n, n_given, Y, groups = len(data), data.n_validation, data.Y, data.groups
    protocol = recipe.protocol
    everything = np.arange(n)
    few = cheap and protocol.validation == "auto" and protocol.refit == "all"
    if n_given and not (few and n_given < _HELD_OUT // 2):
        return [(everything[: n - n_given], everything[n - n_given :])], "the validation rows"
    if n < 2 * _FOLDS or protocol.validation == "none":
        return [], ""
    unit = units(_keys(data.texts), groups)
    n_units = int(unit.max()) + 1
    if n_units == 1:
        return [], ""
    stratum = strata(pl.Series(Y.argmax(axis=1)))
    if few:
        n_folds = min(n_units, _FOLDS)
        fold = fold_rows(unit, stratum, n_folds, seed=seed)
        folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
        return folds, f"{n_folds}-fold cross-validation of the {'train and validation' if n_given else 'train'} rows"
    share: float = max(0.1, min(0.5, _HELD_OUT / n))
    because = ""
    if isinstance(protocol.validation, int):
        first = protocol.validation
        if not _can_spare(Y, first):
            because = f", as the first {first:,} cannot be spared"
        elif groups is not None and groups.head(first).is_in(groups.tail(n - first).implode()).any():
            because = f", as groups of the first {first:,} go on behind them"
        else:
            return [(everything[first:], everything[:first])], f"the first {first:,} train rows"
        share = _INSTEAD
    elif not isinstance(protocol.validation, str):
        share = protocol.validation
    if groups is None:
        n_parts = min(n_units, _PARTS)
        n_held = min(max(1, round(share * n_parts)), n_parts - 1)
        held = fold_rows(unit, stratum, n_parts, seed=seed) < n_held
    else:
        held = _whole_units(unit, stratum, share, seed)
    how = f"{held.mean():.0%} of the train rows, set aside before the final fit{because}"
    return [(np.flatnonzero(~held), np.flatnonzero(held))], how


def _whole_units(unit: Ints, stratum: Ints, share: float, seed: int) -> Bools:
    """Return which rows are held out, (n,), where units may be few and large.

    As near to the share as they come one after the other: all that fit, and one more if that is nearer. At least one
    is held out, but no more than half of the rows unless that was asked for.
    """
    sizes = np.bincount(unit)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[unit] = fold_rows(unit, stratum, len(sizes), seed=seed)  # all units in a row, class by class
    # Places on a circle, a golden section apart: as many as one likes from its beginning are evenly spread in the row.
    start = np.random.default_rng((seed, 1)).random()
    order = np.argsort((start + rank * _GOLDEN) % 1)
    wanted = share * len(unit) + 1e-9
    taken = np.zeros(len(sizes), dtype=bool)
    filled = 0
    for one in order.tolist():
        if filled + sizes[one] <= wanted:
            taken[one] = True
            filled += sizes[one]
    left = order[~taken[order]]
    least = left[sizes[left].argmin()]
    over = filled + sizes[least]
    most = len(unit) / 2 if share <= 1 / 2 else len(unit) - 1
    nearer = over <= most and over - wanted < wanted - filled
    if nearer or not filled:
        taken[least] = True
    return taken[unit]


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
