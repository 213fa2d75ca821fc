"""Units, the rows that must stay together: those of one group, and the copies of one text.

A unit has the class of its first row.
"""

import numpy as np
import polars as pl

from tagline.task import Ints

#: Only texts with the same first characters are compared in full.
PREFIX_CHARS = 64


def copy_keys(texts: pl.Series) -> pl.Series:
    """Return a number for every text, the same for its copies, (n,) UInt32.

    Two texts are copies when they are equal after trimming white space at both ends and lower-casing.
    """
    prefix = texts.str.strip_chars().str.slice(0, PREFIX_CHARS).str.to_lowercase()
    suspects = prefix.is_duplicated()
    rows = pl.DataFrame({"row": pl.arange(len(texts), eager=True, dtype=pl.UInt32), "suspect": suspects})
    found = texts.filter(suspects).str.strip_chars().str.to_lowercase()
    places = rows.filter("suspect").select("row").with_columns(text=found)
    firsts = places.select("row", key=pl.col("row").min().over("text"))
    return (
        rows.join(firsts, on="row", how="left", maintain_order="left")
        .select(pl.coalesce("key", "row").alias("key"))
        .to_series()
    )


def units(copies: pl.Series, groups: pl.Series | None) -> Ints:
    """Return the unit of every row, (n,) from 0: copies of a text, and rows of a group if given, share one."""
    copy_ids = dense(copies)
    if groups is None:
        return copy_ids
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    group_ids = dense(groups)
    n_copies, n_groups = int(copy_ids.max()) + 1, int(group_ids.max()) + 1
    edges = (np.ones(len(copy_ids), dtype=np.int8), (copy_ids, group_ids + n_copies))
    graph = coo_array(edges, shape=(n_copies + n_groups, n_copies + n_groups))
    _, component = connected_components(graph, directed=False)
    return np.unique(component[copy_ids], return_inverse=True)[1].astype(np.int64)


def dense(values: pl.Series) -> Ints:
    """Number distinct values from 0, in their order, (n,)."""
    return (values.rank("dense").cast(pl.Int64) - 1).to_numpy()


def sizes_and_classes(unit: Ints, stratum: Ints) -> tuple[Ints, Ints]:
    """Return number of rows and class of every unit, (n_units,) each."""
    _, first, size = np.unique(unit, return_index=True, return_counts=True)
    return size.astype(np.int64), stratum[first]
