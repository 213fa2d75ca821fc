"""The rows that are held out of training to choose settings and to calibrate, and a description of them."""

import numpy as np
import polars as pl

from tagline.data.splits import copy_keys, fold_rows, matrix_strata, units
from tagline.features.sequences import Sequences
from tagline.learners.base import TrainingData
from tagline.recipes import Recipe
from tagline.task import Bools, Ints

FOLDS = 5  # of a cross-validation
THRESHOLD_FOLDS = 3  # of one that is for thresholds of labels
_FOLDED_BYTES = 5_000_000  # bytes times outputs; below, settings are chosen by cross-validation: less noise
_THRESHOLD_BYTES = 400_000_000  # the same; below, thresholds of labels are chosen on all rows: rare labels have few
_PARTS = 20  # a share of the rows is rounded to twentieths
_HELD_OUT = 1_000  # rows wanted to choose settings and to calibrate; between a tenth and half of all
_SEVERAL = 10  # expected rows of a class; with so many, one class in 20,000 has none by chance
_GOLDEN = (5**0.5 - 1) / 2
_INSTEAD = 0.2  # the share held out where the first rows cannot be


def affordable_folds(texts: pl.Series, n_outputs: int, *, thresholds: bool) -> int:
    """Return in how many folds all rows are held out in turn, as fits of n-grams are quick enough; 1: only a part is.

    ``thresholds`` says whether those of single labels or classes are chosen: more rows of rare ones are worth more
    fits.
    """
    size = int(texts.str.len_bytes().sum()) * n_outputs
    if size <= _FOLDED_BYTES:
        return FOLDS
    return THRESHOLD_FOLDS if thresholds and size <= _THRESHOLD_BYTES else 1


def hold_out(
    recipe: Recipe, data: TrainingData, seed: int, *, n_folds: int, all_rows: bool = False
) -> tuple[list[tuple[Ints, Ints]], str]:
    """Return (train rows, held-out rows) for each fold, and a description of the held-out rows.

    They are ``n_folds`` folds of a cross-validation, unless this is 1, enough validation rows are given and not
    ``all_rows`` wanted, or the recipe says otherwise; then there is one fold.
    """
    n, n_given, groups = len(data), data.n_validation, data.groups
    protocol = recipe.protocol
    everything = np.arange(n)
    crossed = n_folds > 1 and protocol.validation == "auto" and protocol.refit == "all"
    if n_given and not (crossed and (all_rows or n_given < _HELD_OUT // 2)):
        return [(everything[: n - n_given], everything[n - n_given :])], "the validation rows"
    if n < 2 * FOLDS or protocol.validation == "none":
        return [], ""
    unit = units(_keys(data.texts), groups)
    n_units = int(unit.max()) + 1
    if n_units == 1:
        return [], ""
    stratum = matrix_strata(data.class_matrix)
    if crossed:
        n_folds = min(n_units, n_folds)
        fold = fold_rows(unit, stratum, n_folds, seed=seed)
        folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_folds)]
        return folds, f"{n_folds}-fold cross-validation of the {'train and validation' if n_given else 'train'} rows"
    share: float = max(0.1, min(0.5, _HELD_OUT / n))
    because = ""
    if isinstance(protocol.validation, int):
        first = protocol.validation
        if not _can_spare(data.Y, first):
            because = f", as the first {first:,} cannot be spared"
        elif groups is not None and groups.head(first).is_in(groups.tail(n - first).implode()).any():
            because = f", as groups of the first {first:,} continue after them"
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


def row_units(data: TrainingData, rows: Ints) -> Ints:
    """Return the unit of each of some rows, (n_rows,): copies of a text, and rows of a group, share one."""
    texts = data.texts.take(rows) if isinstance(data.texts, Sequences) else data.texts[rows]
    return units(_keys(texts), None if data.groups is None else data.groups[rows])


def _whole_units(unit: Ints, stratum: Ints, share: float, seed: int) -> Bools:
    """Return which rows are held out, (n,), as whole units, which may be few and large.

    Units are taken in a pseudo-random order as long as they fit into the share, and one more if that is nearer to it.
    At least one unit is held out, and no more than half of the rows unless ``share`` is larger.
    """
    sizes = np.bincount(unit)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[unit] = fold_rows(unit, stratum, len(sizes), seed=seed)  # all units in a row, class by class
    # Multiples of the golden section modulo 1: any number of the first units is evenly spread over the classes.
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
    """Return whether the first rows can be held out.

    They must be at most half of all, every class must have later rows, and rows must not be sorted by class: a class
    of which several are expected among the first rows must have one there.
    """
    first, rest = Y[:n_first], Y[n_first:]
    expected = Y.mean(axis=0) * n_first
    missed = (expected >= _SEVERAL) & ~first.any(axis=0)
    return 2 * n_first <= len(Y) and not missed.any() and bool((rest.any(axis=0) | ~Y.any(axis=0)).all())


def _keys(texts: pl.Series | Sequences) -> pl.Series:
    """Return a key for each text, (n,), the same for copies of one text."""
    if isinstance(texts, Sequences):
        return pl.Series([",".join(map(str, ids)) for ids in texts.to_lists()], dtype=pl.String)
    return copy_keys(texts)
