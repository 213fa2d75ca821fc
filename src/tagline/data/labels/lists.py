"""Lists of labels, and lists of a 0 or 1 for each label."""

from collections.abc import Mapping, Sequence

import polars as pl

from tagline.data.labels.column import LabelColumn, Labels, shortened
from tagline.data.labels.structures import NotLabelsError, applying, numbers_by_position
from tagline.data.wording import counted, have


def lists_or_positions(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names as they are, and of a 0 or 1 for each label the positions of ones."""
    try:
        numbers = numbers_by_position(lists.to_list())
    except NotLabelsError as error:
        raise column.fail(next(row for row in lists.to_list() if row), str(error)) from None
    if numbers is None:
        return lists_of_names(column, lists)
    found = applying_labels(column, numbers)
    note = f"Column `{column.values.name}` holds a 0 or 1 for each label: labels are named by their positions, from 0."
    return Labels(found.values, (note, *found.notes))


def applying_labels(column: LabelColumn, numbers: Sequence[Mapping[str, float] | None]) -> Labels:
    """Return the labels that apply to each row, of the numbers of all of them, and how probabilities are read."""
    found = applying(numbers, several=column.options.multilabel)
    notes: tuple[str, ...] = ()
    if found.has_largest:
        notes = (largest_note(f"Column `{column.values.name}` holds"),)
    elif found.has_probabilities:
        notes = (f"Column `{column.values.name}` holds probabilities: a label applies from 0.5.",)
    labels = pl.Series(column.values.name, found.labels, dtype=pl.List(pl.String))
    return Labels(clean_lists(labels), notes)


def largest_note(who: str) -> str:
    """Say that the most probable label is the label of a row."""
    return (
        f"{who} probabilities that add up to 1: the label with the largest one is read. `--multilabel` reads all "
        "from 0.5."
    )


def lists_of_names(column: LabelColumn, lists: pl.Series) -> Labels:
    """Return lists of names; where no row has several, a row without any is unlabelled."""
    given = lists.list.drop_nulls().list.len()
    notes = []
    repeated = lists.filter(lists.list.drop_nulls().list.n_unique() < given)
    if len(repeated):
        notes.append(
            f"{counted(len(repeated), 'row')} of `{column.values.name}` {have(len(repeated))} a label several times, "
            f"such as `{shortened(repeated[0].to_list())}`: it counts once."
        )
    lists = clean_lists(lists)
    lengths = lists.list.len()
    n_empty = int((lengths == 0).sum())
    if not n_empty or column.options.multilabel or (lengths > 1).any():
        return Labels(lists, tuple(notes))
    notes.append(
        f"{counted(n_empty, 'row')} with an empty list in `{column.values.name}`, read as unlabelled because no row "
        "has several labels. `--multilabel` reads them as texts to which no label applies."
    )
    return Labels(lists.to_frame("label").select(pl.when(lengths > 0).then(pl.col("label"))).to_series(), tuple(notes))


def clean_lists(column: pl.Series) -> pl.Series:
    """Return lists of names without spaces around them, distinct, sorted, and without empty ones."""
    # `list.eval` works row by row, which takes five times as long.
    rows = pl.DataFrame({"row": pl.arange(len(column), eager=True), "label": column})
    labels = pl.col("label").cast(pl.String).str.replace(r"[\s\x00]+$", "").str.strip_chars()
    flat = rows.filter(pl.col("label").list.len() > 0).explode("label").select("row", labels)
    flat = flat.filter(pl.col("label").str.len_bytes() > 0).unique().sort("row", "label")
    lists = rows.join(flat.group_by("row").agg("label"), on="row", how="left", suffix="_clean").sort("row")
    empty = pl.lit([], dtype=pl.List(pl.String))
    return lists.select(
        pl.when(pl.col("label").is_not_null()).then(pl.coalesce("label_clean", empty)).alias(column.name)
    ).to_series()
