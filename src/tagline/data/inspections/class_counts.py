"""Rows of each class: fact ``class_counts``, by split and class; classes that are rare, far too many or untrained."""

from collections.abc import Sequence

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.splits import TRAIN
from tagline.data.wording import listed

MANY_CLASSES = 1000


def _inspect(data: InspectedData) -> Finding:
    counts = count_classes(data.table["label"], data.classes)
    by_part = {name: count_classes(part["label"], data.classes) for name, part in data.parts.items()}
    warnings = []
    single = [name for name, n in counts.items() if n == 1]
    if single:
        what = "class has" if len(single) == 1 else "classes have"
        warnings.append(f"{len(single):,} {what} a single row, which cannot be measured: {listed(single, 5)}.")
    n_rows = data.table.height
    if len(counts) > MANY_CLASSES or (len(counts) > 100 and len(counts) > n_rows / 3):
        warnings.append(f"There are {len(counts):,} classes in {n_rows:,} rows: check that the label column is right.")
    untrained = [name for name, n in by_part[TRAIN].items() if n == 0]
    if untrained:
        warnings.append(f"Classes without train rows cannot be learned: {listed(untrained, 5)}.")
    return Finding({"class_counts": by_part}, warnings)


def count_classes(labels: pl.Series, classes: Sequence[str]) -> dict[str, int]:
    """Count the rows of each class, including classes without any."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    counts = dict(flat.drop_nulls().value_counts().iter_rows())
    return {name: counts.get(name, 0) for name in classes}


INSPECTION = Inspection("class counts", _inspect, order=70)
