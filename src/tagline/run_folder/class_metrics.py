"""Metrics of the single classes of a run: of very many, a row each in ``classes.parquet``.

As objects of ``metrics.json``, those of 100,000 classes would take 46 MB.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.metrics.notable_classes import notable_classes

if TYPE_CHECKING:
    import polars as pl

_BLOCKS = ("validation", "test")
_SPLIT, _CLASS = "split", "class"
_COUNTS = ("tp", "fp", "fn", "tn", "support")


def with_notable_classes(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``metrics.json`` as it is written: of more than 3,000 classes, ``per_class`` has the notable ones."""
    return dict(metrics) | {
        split: block | {"per_class": {name: block["per_class"][name] for name in notable_classes(block["per_class"])}}
        for split, block in _large_blocks(metrics).items()
    }


def class_frame(metrics: Mapping[str, Any]) -> "pl.DataFrame | None":
    """Return the metrics of all classes: the split, the class and a column for each metric; None of up to 3,000."""
    import polars as pl

    frames = []
    for split, block in _large_blocks(metrics).items():
        rows = list(block["per_class"].values())
        columns = {key: pl.Series([row[key] for row in rows], dtype=_dtype(key)) for key in rows[0]}
        frames.append(pl.DataFrame({_CLASS: list(block["per_class"])} | columns).insert_column(0, _named(split, rows)))
    return pl.concat(frames) if frames else None


def with_all_classes(metrics: Mapping[str, Any], frame: "pl.DataFrame") -> dict[str, Any]:
    """Return metrics whose ``per_class`` has all classes, those of `class_frame`.

    Raises:
        ValueError: the frame does not belong to these metrics.

    """
    if not {_SPLIT, _CLASS} <= {*frame.columns}:
        raise ValueError(f"it lacks the columns `{_SPLIT}` and `{_CLASS}`")
    found = dict(metrics)
    for (split,), rows in frame.group_by([_SPLIT], maintain_order=True):
        if split not in _BLOCKS or not isinstance(found.get(str(split)), dict):
            raise ValueError(f"it has rows of `{split}`, which was not measured")
        names = rows[_CLASS].to_list()
        per_class = dict(zip(names, rows.drop(_SPLIT, _CLASS).iter_rows(named=True), strict=True))
        found[str(split)] = found[str(split)] | {"per_class": per_class}
    return found


def _large_blocks(metrics: Mapping[str, Any]) -> dict[str, Any]:
    blocks = {split: metrics[split] for split in _BLOCKS if metrics.get(split)}
    return {split: block for split, block in blocks.items() if len(block["per_class"]) > MOST_DENSE_CLASSES}


def _dtype(key: str) -> Any:
    import polars as pl

    return pl.Int64 if key in _COUNTS else pl.Float64


def _named(split: str, rows: list[Any]) -> "pl.Series":
    import polars as pl

    return pl.Series(_SPLIT, [split]).new_from_index(0, len(rows))
