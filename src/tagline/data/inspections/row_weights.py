"""Weights of rows: fact ``weights``, the column, and the number, range and mean of those of train and validation."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagline.data.inspections.base import Finding, InspectedData, Inspection
from tagline.data.splits import TEST
from tagline.data.wording import counted


def _inspect(data: InspectedData) -> Finding:
    if data.weight is None:
        return Finding()
    weights = data.table.filter(pl.col("part") != TEST)["weight"]
    row = weights.to_frame("weight").select(
        pl.len().alias("rows"),
        pl.col("weight").min().alias("least"),
        pl.col("weight").max().alias("most"),
        pl.col("weight").mean().alias("mean"),
        (pl.col("weight") == 0).sum().alias("zero"),
    )
    return Finding({"weights": {"column": data.weight, **row.row(0, named=True)}})


def _describe(facts: Mapping[str, Any]) -> list[str]:
    weights = facts.get("weights")
    if not weights:
        return []
    zero = weights["zero"]
    left_out = f"; {counted(zero, 'row')} of weight 0 {'is' if zero == 1 else 'are'} not learned from" if zero else ""
    return [
        f"column `{weights['column']}`: {counted(weights['rows'], 'train or validation row')}, from "
        f"{weights['least']:g} to {weights['most']:g}, mean {weights['mean']:.3g}{left_out}",
        "each test row counts once in the figures",
    ]


INSPECTION = Inspection("row weights", _inspect, "Weights", _describe, order=55)
