"""Classes: their order, and labels that look like something else."""

import re
from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from tagline.data.rows import Rows
from tagline.data.wording import listed
from tagline.errors import DataError

#: A longer label, in characters, is a text; so many labels that mostly differ are numbers of rows.
LONGEST_LABEL = 1000
FEW_LABELS = 100


def sorted_classes(labels: pl.Series) -> list[str]:
    """Return the distinct labels, sorted; by number when all of them are numbers."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    classes: list[str] = flat.drop_nulls().unique().to_list()
    if all(re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", name) for name in classes):
        return sorted(classes, key=lambda name: (Decimal(name), name))
    return sorted(classes)


def check_labels(
    labels: pl.Series, classes: list[str], rows: Rows, columns: Sequence[str], fewest_classes: int = 2
) -> None:
    """Raise `DataError` for too few classes, the same in each row, and labels that look like texts or row numbers."""
    column = "`, `".join(columns)
    if len(classes) < fewest_classes:
        only = f"only `{classes[0]}`" if classes else "no class at all"
        raise DataError(f"`{rows.source}`: a classifier needs at least two classes, but column `{column}` has {only}.")
    n_labels = int(labels.list.len().sum()) if isinstance(labels.dtype, pl.List) else len(labels)
    if isinstance(labels.dtype, pl.List) and fewest_classes > 1 and (labels.list.len() == len(classes)).all():
        raise DataError(
            f"`{rows.source}`: every row has all {len(classes):,} labels of column `{column}`, so that there is "
            "nothing to learn. Keep only the labels that apply to a row."
        )
    longest = max(map(len, classes))
    if longest > LONGEST_LABEL:
        found = f"one of its values has {longest:,} characters"
    elif n_labels > FEW_LABELS and len(classes) > n_labels / 2:
        found = f"{n_labels:,} labels have {len(classes):,} different values"
    else:
        return
    raise DataError(
        f"`{rows.source}`: column `{column}` does not look like labels: {found}. Choose another with `--label`. "
        f"The columns are {listed(rows.frame.columns)}."
    )
