"""Lists of labels, and lists of a 0 or 1 for each label."""

import polars as pl

from tagline.data.labels.column import LabelColumn, Labels
from tagline.data.labels.structures import NotLabelsError, indicator, positions_set
from tagline.data.wording import counted


def lists_or_positions(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names as they are, and of a 0 or 1 for each label the positions of ones."""
    if any(indicator(item) is None for item in lists.explode().drop_nulls().unique().to_list()):
        return lists_of_names(column, lists)
    try:
        positions = positions_set(lists.to_list())
    except NotLabelsError as error:
        raise column.fail(next(row for row in lists.to_list() if row), str(error)) from None
    if positions is None:
        return lists_of_names(column, lists)
    note = f"Column `{column.values.name}` holds a 0 or 1 for each label: labels are named by their positions, from 0."
    return Labels(pl.Series(column.values.name, positions, dtype=pl.List(pl.String)), (note,))


def lists_of_names(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names; where no row has several, a row without any is unlabelled."""
    lists = clean_lists(lists)
    lengths = lists.list.len()
    n_empty = int((lengths == 0).sum())
    if not n_empty or column.options.multilabel or (lengths > 1).any():
        return Labels(lists)
    note = (
        f"{counted(n_empty, 'row')} with an empty list in `{column.values.name}`, read as unlabelled because no row "
        "has several labels. `--multilabel` reads them as texts to which no label applies."
    )
    return Labels(lists.to_frame("label").select(pl.when(lengths > 0).then(pl.col("label"))).to_series(), (note,))


def clean_lists(column: pl.Series) -> pl.Series:
    """Return lists of names without spaces around them, distinct, sorted, and without empty ones."""
    # `list.eval` works row by row, which takes five times as long.
    rows = pl.DataFrame({"row": pl.arange(len(column), eager=True), "label": column})
    labels = pl.col("label").cast(pl.String).str.strip_chars()
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label").select("row", labels)
    flat = flat.filter(pl.col("label").str.len_bytes() > 0).unique().sort("row", "label")
    lists = rows.join(flat.group_by("row").agg("label"), on="row", how="left", suffix="_clean").sort("row")
    empty = pl.lit([], dtype=pl.List(pl.String))
    return lists.select(
        pl.when(pl.col("label").is_not_null()).then(pl.coalesce("label_clean", empty)).alias(column.name)
    ).to_series()
