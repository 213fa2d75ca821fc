"""Copies of texts: fact ``duplicates``, their number.

Two texts are copies when they are equal after trimming and lower-casing. ``copies`` counts the rows whose text
occurs in an earlier row, ``conflicting`` the texts with more than one label, and for official splits
``test_in_train``, ``validation_in_train`` and ``test_in_validation`` the rows of one split whose text is also in
another.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.splits import TEST, TRAIN, VALIDATION
from tagline.data.wording import counted
from tagline.key_findings import KeyFinding, Kind

#: With fewer distinct texts than this share of the rows, most rows are copies.
_DOMINATED = 0.5
OVERLAPS = {
    "test_in_train": (TEST, TRAIN),
    "validation_in_train": (VALIDATION, TRAIN),
    "test_in_validation": (TEST, VALIDATION),
}


def _inspect(data: InspectedData) -> Finding:
    counts = count_duplicates(data.table, official=data.official)
    key = [
        KeyFinding(
            Kind.COPIES_ACROSS_SPLITS,
            f"{counted(counts[name], later + ' row')} {'has' if counts[name] == 1 else 'have'} a text that is also in "
            f"{earlier}, so metrics are optimistic: remove copies from {later}.",
            counts[name] / data.parts[later].height,
        )
        for name, (later, earlier) in OVERLAPS.items()
        if counts.get(name)
    ]
    n_rows = data.table.height
    n_distinct = n_rows - counts["copies"]
    if n := counts["conflicting"]:
        have = "has" if n == 1 else "have"
        sentence = f"{counted(n, 'text')} {have} conflicting labels: correct the labels, or remove these rows."
        key.append(KeyFinding(Kind.CONFLICTING_LABELS, sentence, n / n_distinct))
    if n_distinct < _DOMINATED * n_rows:
        sentence = (
            f"Copies dominate: {n_rows:,} rows have {counted(n_distinct, 'distinct text')}. Metrics weigh a text by "
            "its copies; intervals count each distinct text once."
        )
        key.append(KeyFinding(Kind.COPIES_DOMINATE, sentence))
    return Finding({"duplicates": counts}, key=key)


def count_duplicates(table: pl.DataFrame, *, official: bool) -> dict[str, int]:
    """Count copies in a frame of ``key``, ``label`` and ``part``; the names are explained at the top."""
    repeated = table.filter(pl.col("key").is_duplicated()).select("key", "label", "part")
    by_key = repeated.group_by("key").agg(pl.len().alias("n"), pl.col("label").n_unique().alias("labels"))
    counts = {
        "copies": int(by_key["n"].sum() - by_key.height),
        "conflicting": by_key.filter(pl.col("labels") > 1).height,
    }
    if official:
        for name, (later, earlier) in OVERLAPS.items():
            keys = repeated.filter(pl.col("part") == earlier)["key"].unique()
            overlap = repeated.filter((pl.col("part") == later) & pl.col("key").is_in(keys.implode()))
            if (table["part"] == later).any() and (table["part"] == earlier).any():
                counts[name] = overlap.height
    return counts


def _describe(facts: Mapping[str, Any]) -> list[str]:
    lines = {
        "test_in_train": ("test text", "also in the training rows"),
        "validation_in_train": ("validation text", "also in the training rows"),
        "test_in_validation": ("test text", "also in the validation rows"),
        "copies": ("row", "with the text of an earlier row"),
        "conflicting": ("text", "with conflicting labels"),
    }
    counts = facts.get("duplicates") or {}
    told = [f"{counted(counts[name], noun)} {rest}" for name, (noun, rest) in lines.items() if name in counts]
    memorised = ["On test texts from the training rows, the metrics measure memorisation."]
    return told + (memorised if counts.get("test_in_train") else [])


INSPECTION = Inspection("duplicates", _inspect, "Duplicates", _describe, order=40)
