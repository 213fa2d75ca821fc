"""Strata: the class of each row, for splits and folds that hold the same share of every class.

They are numbered by their first row, so that no split depends on the names of the classes.
"""

import numpy as np
import polars as pl

from tagline.data.splits.row_units import dense
from tagline.many_classes import ClassMatrix, OneHot
from tagline.task import Ints


def strata(labels: pl.Series) -> Ints:
    """Return the stratum of each row, (n,): its class, or for lists of labels the rarest of them."""
    flat, rows = labels, np.arange(len(labels))
    if isinstance(labels.dtype, pl.List):
        counts = labels.list.len().to_numpy()
        flat, rows = labels.filter(labels.list.len() > 0).explode(), rows.repeat(counts)
    names = flat.unique(maintain_order=True)
    codes = flat.replace_strict(names, np.arange(len(names)), return_dtype=pl.Int64).to_numpy()
    return _rarest(rows, codes, len(labels), len(names)) if isinstance(labels.dtype, pl.List) else codes


def matrix_strata(Y: ClassMatrix) -> Ints:
    """Return the stratum of each row of a class matrix, (n, n_classes), as `strata` does of their names."""
    if isinstance(Y, OneHot) or (Y.sum(axis=1) == 1).all():
        return by_first_row(Y.argmax(axis=1))
    rows, labels = np.nonzero(Y)
    return _rarest(rows, labels, *Y.shape)


def _rarest(rows: Ints, labels: Ints, n_rows: int, n_labels: int) -> Ints:
    """Return the rarest label of each row, (n_rows,), from pairs of a row and a label, (n_pairs,) each, row by row.

    Which of two labels of as many rows counts as rarer, depends on these rows, not on the names. Rows without a label
    have a stratum of their own.
    """
    counts = np.bincount(labels, minlength=n_labels)
    chance = np.bincount(labels, np.random.default_rng(0).random(n_rows)[rows], n_labels)
    rank = np.empty(n_labels, dtype=np.int64)
    rank[np.lexsort((chance, counts))] = np.arange(n_labels)
    rarest = np.full(n_rows, n_labels)
    np.minimum.at(rarest, rows, rank[labels])
    return by_first_row(rarest)


def by_first_row(codes: Ints) -> Ints:
    """Number classes, (n,), from 0 on in the order of their first rows.

    >>> by_first_row(np.array([2, 0, 2, 1])).tolist()
    [0, 1, 0, 2]
    """
    n = len(codes)
    first = np.full(int(codes.max(initial=-1)) + 1, n)
    first[codes[::-1]] = np.arange(n)[::-1]  # of several values for one place the last is kept
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first, kind="stable")] = np.arange(len(first))
    return number[codes]


def strata_by_name(labels: pl.Series) -> Ints:
    """Return the strata of each row, (n,), as earlier versions numbered them: in the order of the names."""
    if not isinstance(labels.dtype, pl.List):
        return dense(labels)
    rows = pl.DataFrame({"row": pl.arange(len(labels), eager=True), "label": labels})
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label")
    counts = flat.with_columns(count=pl.len().over("label")).sort("count", "label")
    rarest = rows.select("row").join(counts.group_by("row", maintain_order=True).first(), on="row", how="left")
    return dense(rarest.sort("row")["label"].fill_null(""))
