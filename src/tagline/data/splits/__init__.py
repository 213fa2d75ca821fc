"""Splits and folds: the names of splits, the units of rows, the spelling of groups, and what is drawn or given."""

from tagline.data.splits.assignment import NO_GROUP, SplitSettings, assign
from tagline.data.splits.folds import FOLDS_OF_FEW, fold_rows, folds_for_few
from tagline.data.splits.group_names import unify_groups
from tagline.data.splits.names import SET_ASIDE, SPLIT_NAMES, SPLITS, TEST, TRAIN, VALIDATION
from tagline.data.splits.row_units import copy_keys, units
from tagline.data.splits.strata import matrix_strata, strata
from tagline.data.splits.stratified import split_rows

__all__ = [
    "FOLDS_OF_FEW",
    "NO_GROUP",
    "SET_ASIDE",
    "SPLITS",
    "SPLIT_NAMES",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "SplitSettings",
    "assign",
    "copy_keys",
    "fold_rows",
    "folds_for_few",
    "matrix_strata",
    "split_rows",
    "strata",
    "unify_groups",
    "units",
]
