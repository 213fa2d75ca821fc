"""The split or the fold of every row of a table: the one that the data gives, or one that is drawn."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tagline.data.splits.folds import FEW_ROWS, fold_rows, folds_for_few
from tagline.data.splits.names import SPLITS, TEST, TRAIN, VALIDATION
from tagline.data.splits.row_units import units
from tagline.data.splits.strata import strata, strata_by_name
from tagline.data.splits.stratified import split_rows
from tagline.data.wording import counted, row_place
from tagline.errors import DataError

NO_GROUP = "\0"  # begins the group of a row that has none: it is a group of its own


@dataclass(frozen=True)
class SplitSettings:
    """How rows are split.

    ``test_given`` is true if the test rows have their own source; ``by_name``: as earlier versions did, whose splits
    depended on the names of the classes.
    """

    group: str | None
    test_given: bool
    folds: int | None
    seed: int
    fold_few: bool
    by_name: bool = False

    def units(self, table: pl.DataFrame) -> npt.NDArray[np.int64]:
        """Return the unit of each row, (n,)."""
        return units(table["key"], table["group"] if self.group else None)

    def strata(self, table: pl.DataFrame) -> npt.NDArray[np.int64]:
        """Return the stratum of each row, (n,)."""
        return (strata_by_name if self.by_name else strata)(table["label"])


@dataclass(frozen=True, eq=False)
class Assignment:
    """The split of every row, ``part`` (n,) String, or its fold, and a sentence on how they were assigned."""

    part: pl.Series
    how: str
    official: bool
    folds: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


def assign(table: pl.DataFrame, settings: SplitSettings) -> Assignment:
    """Return the split of every row of a table that has a ``key`` too, or its fold.

    Raises:
        DataError: the rows cannot be separated into so many folds.

    """
    official = bool(table["part"].is_in([TEST, VALIDATION]).any())
    if settings.folds is not None:
        return _assign_folds(table, settings, settings.folds, official=official)
    if official:
        return _assign_official(table, settings)
    few = folds_for_few(settings.units(table), table["label"]) if settings.fold_few else None
    if few is not None:
        found = _assign_folds(table, settings, few, official=False)
        note = (
            f"{table.height:,} rows are fewer than {FEW_ROWS}: the model is evaluated by {few}-fold "
            "cross-validation. `--folds 0` holds out a tenth of the rows instead."
        )
        return replace(found, notes=(note,))
    codes = split_rows(
        settings.units(table), settings.strata(table), seed=settings.seed, grouped=settings.group is not None
    )
    shares, by = "80/10/10", ""
    if settings.group:  # whole groups may be far from it
        shares = "/".join(f"{100 * n / len(codes):.0f}" for n in np.bincount(codes, minlength=len(SPLITS)))
        by = f" by group `{settings.group}`"
    part = pl.Series(codes).replace_strict(dict(enumerate(SPLITS)), return_dtype=pl.String)
    how = f"{shares}, stratified{by}, seed {settings.seed}"
    return Assignment(part, how, official=False, notes=_joined_groups(table, settings))


def _assign_folds(table: pl.DataFrame, settings: SplitSettings, n_folds: int, *, official: bool) -> Assignment:
    units = settings.units(table)
    n_units = int(units.max()) + 1
    joined = _joined_groups(table, settings)
    if not 2 <= n_folds <= n_units:
        whole = f"groups of `{settings.group}`" if settings.group else "rows"
        allowed = f"must be between 2 and {n_units:,}, the number of {whole} that can be separated"
        if n_units == 1:
            allowed = f"is not possible: there is one {whole.replace('groups', 'group')} only"
        raise DataError(" ".join((f"`--folds {n_folds}` {allowed}.", *joined)))
    notes = ("The official splits are not used: `--folds` uses all rows.",) if official else ()
    folds = fold_rows(units, settings.strata(table), n_folds, seed=settings.seed)
    everything = pl.repeat(TRAIN, table.height, eager=True)
    how = f"{n_folds} folds, stratified, seed {settings.seed}"
    return Assignment(everything, how, official=False, folds=folds, notes=(*notes, *joined))


def _joined_groups(table: pl.DataFrame, settings: SplitSettings) -> tuple[str, ...]:
    """Return a sentence on groups that stay together because copies of a text are in several of them."""
    if settings.group is None:
        return ()
    named = table.with_columns(unit=settings.units(table)).filter(~pl.col("group").str.starts_with(NO_GROUP))
    copies = named.filter(pl.col("group").n_unique().over("key") > 1)
    if copies.is_empty():
        return ()
    n_texts = copies["key"].n_unique()
    are, place = "is" if n_texts == 1 else "are", row_place(copies)
    return (
        f"{counted(n_texts, 'text')} {are} in several groups of `{settings.group}` (first: {place}), and copies of a "
        f"text stay together: of {named['group'].n_unique():,} groups, {named['unit'].n_unique():,} can be separated. "
        "Remove the copies to separate more.",
    )


def _assign_official(table: pl.DataFrame, settings: SplitSettings) -> Assignment:
    part = table["part"].fill_null(TRAIN)
    notes = ("`--group` is not used: the data has official splits.",) if settings.group is not None else ()
    if (part == TEST).any():
        return Assignment(part, "given" if settings.test_given else "official", official=True, notes=notes)
    train = table.filter(part == TRAIN)
    codes = split_rows(
        settings.units(train),
        settings.strata(train),
        seed=settings.seed,
        validation=False,
        grouped=settings.group is not None,
    )
    assigned = part.to_numpy().copy()
    assigned[(part == TRAIN).to_numpy()] = np.array(SPLITS, dtype=object)[codes]
    how = f"official validation rows, and a test tenth of the train rows, stratified, seed {settings.seed}"
    return Assignment(pl.Series(assigned, dtype=pl.String), how, official=True, notes=notes)
