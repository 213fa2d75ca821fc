"""doccano, text classification: JSON Lines with a list of labels, or CSV with labels joined by ``#``."""

import polars as pl

from tagline.data.annotation_tools.base import Export, Tool, cells
from tagline.data.rows import Rows

_TEXT, _LABEL = ("data", "text"), ("label", "labels", "cats")
_OTHERS = frozenset(("id", "comments", "meta", "metadata", "annotation_approver", "username", "entities", "relations"))


def _is_export(frame: pl.DataFrame) -> bool:
    names = set(frame.columns)
    text = [name for name in _TEXT if name in names]
    label = [name for name in _LABEL if name in names]
    if len(text) != 1 or len(label) != 1 or "id" not in names:
        return False
    if not {name.casefold() for name in names - {*text, *label}} <= _OTHERS:
        return False
    dtype = frame.schema[label[0]]
    if isinstance(dtype, pl.List):
        items = frame[label[0]].explode().drop_nulls().head(1)
        return not items.dtype.is_nested() and not any(isinstance(item, list | dict) for item in cells(items))
    return dtype == pl.String and text == ["data"]


def _read(rows: Rows) -> Export:
    text = next(name for name in _TEXT if name in rows.frame.columns)
    label = next(name for name in _LABEL if name in rows.frame.columns)
    return Export(rows.frame, text, label)


TOOL = Tool("doccano", _is_export, _read)
