"""Copies of texts: fact ``duplicates``, their number.

Two texts are copies when they are equal after trimming and lower-casing. ``copies`` counts the rows whose text
occurs in an earlier row, ``conflicting`` the texts with more than one label, and for official splits
``test_in_train``, ``validation_in_train`` and ``test_in_validation`` the rows of one split whose text is also in
another. ``copies.csv`` lists all rows of these texts.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.splits import TEST, TRAIN, VALIDATION
from tagline.data.wording import counted, have, label_text, row_place
from tagline.key_findings import KeyFinding, Kind

#: With fewer distinct texts than this share of the rows, most rows are copies.
_DOMINATED = 0.5
_EXCERPT = 200  # characters of a text
_LIST = "copies.csv"
OVERLAPS = {
    "test_in_train": (TEST, TRAIN),
    "validation_in_train": (VALIDATION, TRAIN),
    "test_in_validation": (TEST, VALIDATION),
}


def _inspect(data: InspectedData) -> Finding:
    counts = count_duplicates(data.table, official=data.official)
    copies = list_copies(data.table, official=data.official)
    key = [
        copies_across(
            name,
            counts[name],
            data.parts[later].height,
            _overlap(copies, later, earlier),
            listed_in=_LIST if counts[name] > 1 else "",
        )
        for name, (later, earlier) in OVERLAPS.items()
        if counts.get(name)
    ]
    n_rows = data.table.height
    n_distinct = n_rows - counts["copies"]
    if n := counts["conflicting"]:
        sentence = (
            f"{counted(n, 'text')} {have(n)} conflicting labels ({_conflict(copies)}): correct the labels, or remove "
            "these rows."
        )
        listed_in = _LIST if n > 1 else ""
        key.append(KeyFinding(Kind.CONFLICTING_LABELS, sentence, n / n_distinct, listed_in=listed_in))
    if n_distinct < _DOMINATED * n_rows:
        most = data.table.with_columns(n=pl.len().over("key")).sort("n", descending=True, maintain_order=True).head(1)
        sentence = (
            f"Copies dominate: {n_rows:,} rows have {counted(n_distinct, 'distinct text')}; the most frequent has "
            f"{most['n'][0]:,} (first: {row_place(most)}). Metrics weigh a text by its copies; intervals count each "
            "distinct text once."
        )
        key.append(KeyFinding(Kind.COPIES_DOMINATE, sentence))
    return Finding({"duplicates": counts}, key=key, copies=_listed(copies) if copies.height else None)


def copies_across(overlap: str, n: int, n_later: int, first: str, *, listed_in: str = "") -> KeyFinding:
    """Return the finding that ``n`` of ``n_later`` rows are in an overlap of `OVERLAPS`, the first of them there."""
    later, earlier = OVERLAPS[overlap]
    sentence = (
        f"{counted(n, later + ' row')} {'has' if n == 1 else 'have'} a text that is also in {earlier} ({first}), so "
        f"metrics are optimistic: remove copies from {later}."
    )
    return KeyFinding(Kind.COPIES_ACROSS_SPLITS, sentence, n / n_later, listed_in=listed_in)


def list_copies(table: pl.DataFrame, *, official: bool) -> pl.DataFrame:
    """Return the rows of each text that has several labels, or for official splits is in several, text by text.

    ``conflict`` and ``across`` say which of the two, and ``copy`` numbers the texts from 1.
    """
    several_labels = pl.col("label").n_unique().over("key") > 1
    several_parts = (pl.col("part").n_unique().over("key") > 1) & official
    repeated = table.filter(pl.col("key").is_duplicated()).with_columns(conflict=several_labels, across=several_parts)
    found = repeated.filter(pl.col("conflict") | pl.col("across"))
    firsts = found.select(pl.col("key").unique(maintain_order=True)).with_row_index("copy", 1)
    return found.join(firsts, on="key", how="left", maintain_order="left").sort("copy", maintain_order=True)


def _listed(copies: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of ``copies.csv``."""
    label = pl.col("label").list.join("|") if isinstance(copies.schema["label"], pl.List) else pl.col("label")
    return copies.select(
        "copy",
        split="part",
        file=pl.col("file").cast(pl.String),
        line="line",
        label=label,
        conflicting_labels="conflict",
        text=pl.col("text").str.slice(0, _EXCERPT),
    )


def _conflict(copies: pl.DataFrame) -> str:
    """Write where the first text with several labels has two of them."""
    first = copies.filter(pl.col("conflict") & (pl.col("copy") == pl.col("copy").filter("conflict").min()))
    two = first.unique("label", keep="first", maintain_order=True).head(2)
    return ", ".join(f"{row_place(two, row)} is {label_text(two['label'][row])}" for row in range(2))


def _overlap(copies: pl.DataFrame, later: str, earlier: str) -> str:
    """Write where the first text that is in two splits has a row in each."""
    firsts = copies.unique(["copy", "part"], keep="first", maintain_order=True)
    pairs = firsts.filter(pl.col("part") == later).join(
        firsts.filter(pl.col("part") == earlier), on="copy", maintain_order="left", suffix="_earlier"
    )
    there = pairs.select(file="file_earlier", line="line_earlier", source="source_earlier")
    return f"{row_place(pairs)} is also {row_place(there)}"


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
