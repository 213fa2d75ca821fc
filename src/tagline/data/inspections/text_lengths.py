"""Lengths of texts in characters: fact ``lengths``, by split mean, median, 95th percentile and maximum."""

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.wording import row_place

#: A text longer than this, in bytes, is rarely one example.
LONG_TEXT = 1_000_000


def _inspect(data: InspectedData) -> Finding:
    texts = data.table["text"]
    lengths = texts.str.len_bytes()
    longest = lengths.arg_max()
    warnings = []
    if longest is not None and lengths[longest] > LONG_TEXT:
        place = row_place(data.table, longest)
        warnings.append(f"The longest text has {len(texts[longest]):,} characters ({place}): is it one example?")
    return Finding({"lengths": {name: text_lengths(part["text"]) for name, part in data.parts.items()}}, warnings)


def text_lengths(texts: pl.Series) -> dict[str, float]:
    """Return mean, median, 95th percentile and maximum of the lengths of texts, in characters."""
    n = texts.str.len_chars().to_frame("n")
    row = n.select(
        pl.col("n").mean().alias("mean"),
        pl.col("n").median().alias("median"),
        pl.col("n").quantile(0.95, "higher").alias("p95"),
        pl.col("n").max().alias("max"),
    ).row(0, named=True)
    return {name: round(float(value), 1) for name, value in row.items() if value is not None}


INSPECTION = Inspection("text lengths", _inspect, order=60)
