"""Rows of each class: fact ``class_counts``, by split and class; classes that are rare, far too many or untrained.

A class whose rows are all copies of one text, or of one group, is in one split or fold only, as one with a single row
is: it can be learned or measured, but not both.
"""

from collections.abc import Sequence

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.splits import TRAIN, units
from tagline.data.wording import listed
from tagline.key_findings import KeyFinding, Kind

MANY_CLASSES = 1000
FEW_ROWS = 10


def _inspect(data: InspectedData) -> Finding:
    counts = count_classes(data.table["label"], data.classes)
    by_part = {name: count_classes(part["label"], data.classes) for name, part in data.parts.items()}
    key = []
    single = [name for name, n in counts.items() if n == 1]
    if single:
        what = "class has" if len(single) == 1 else "classes have"
        sentence = f"{len(single):,} {what} a single row, which cannot be measured: {listed(single, 5)}."
        key.append(KeyFinding(Kind.TINY_CLASSES, sentence, of_training=True))
    copied = [name for name, n in count_units(data.table).items() if n == 1 and counts[name] > 1]
    if copied:
        what = "class has" if len(copied) == 1 else "classes have"
        sentence = (
            f"{len(copied):,} {what} several rows but only one distinct text or group, which can be neither "
            f"measured nor used for calibration: {listed(copied, 5)}."
        )
        key.append(KeyFinding(Kind.TINY_CLASSES, sentence, of_training=True))
    few = [name for name, n in counts.items() if 1 < n < FEW_ROWS and name not in copied]
    if few:
        what = "class has" if len(few) == 1 else "classes have"
        they = f"{len(few):,} {what} fewer than {FEW_ROWS} rows, too few to"
        sentence, measured = (f"{they} {do}: {listed(few, 5)}." for do in ("learn from and to measure", "measure"))
        key.append(KeyFinding(Kind.TINY_CLASSES, sentence, of_training=True, measured=measured))
    n_rows = data.table.height
    if len(counts) > MANY_CLASSES or (len(counts) > 100 and len(counts) > n_rows / 3):
        sentence = f"There are {len(counts):,} classes in {n_rows:,} rows: check that the label column is right."
        key.append(KeyFinding(Kind.MANY_CLASSES, sentence))
    untrained = [name for name, n in by_part[TRAIN].items() if n == 0]
    if untrained:
        sentence = f"Classes without train rows cannot be learned: {listed(untrained, 5)}."
        key.append(KeyFinding(Kind.UNTRAINED_CLASSES, sentence, of_training=True))
    return Finding({"class_counts": by_part}, key=key)


def count_classes(labels: pl.Series, classes: Sequence[str]) -> dict[str, int]:
    """Count the rows of each class, including classes without any."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    counts = dict(flat.drop_nulls().value_counts().iter_rows())
    return {name: counts.get(name, 0) for name in classes}


def count_units(table: pl.DataFrame) -> dict[str, int]:
    """Count the units of each class in a frame of ``label``, ``key`` and ``group``: its distinct texts, or groups."""
    grouped = table["group"].null_count() < table.height
    frame = table.select("label", unit=units(table["key"], table["group"] if grouped else None))
    flat = frame.explode("label") if isinstance(frame["label"].dtype, pl.List) else frame
    counts = flat.drop_nulls("label").group_by("label").agg(pl.col("unit").n_unique())
    return dict(counts.iter_rows())


INSPECTION = Inspection("class counts", _inspect, order=70)
