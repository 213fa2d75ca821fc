"""spaCy: a column ``cats`` of 0, 1 or a probability for each label, as `Doc.cats` and Prodigy's `textcat` write it."""

import polars as pl

from tagline.data.annotation_tools.base import Export, Tool, holds
from tagline.data.rows import Rows


def _is_export(frame: pl.DataFrame) -> bool:
    return holds(frame, "cats", dict)


def _read(rows: Rows) -> Export:
    return Export(rows.frame, label="cats")


TOOL = Tool("spaCy", _is_export, _read)
