"""Prodigy: ``answer`` is accept, reject or ignore; ``accept`` holds the options chosen, or ``label`` the one shown."""

from typing import Any

import polars as pl

from tagline.data.annotation_tools.base import Answer, Export, Tool, as_list, cells, label_column
from tagline.data.rows import Rows

_ANSWERS = frozenset(("accept", "reject", "ignore"))
_MARKS = frozenset(("_input_hash", "_task_hash", "_view_id", "_session_id", "accept", "options", "label"))


def _is_export(frame: pl.DataFrame) -> bool:
    if "answer" not in frame.columns or frame.schema["answer"] != pl.String or not _MARKS & set(frame.columns):
        return False
    return set(frame["answer"].drop_nulls().unique().to_list()) <= _ANSWERS


def _read(rows: Rows) -> Export:
    answers = rows.frame["answer"].to_list()
    if "accept" in rows.frame.columns:
        return _read_choices(rows.frame, answers)
    if "label" in rows.frame.columns:
        return _read_binary(rows.frame, answers)
    return Export(rows.frame, left_out=_left_out(answers))


def _left_out(answers: list[str | None]) -> pl.Series:
    reasons = {"reject": "rejected by the annotator", "ignore": "ignored by the annotator"}
    found = [None if answer == "accept" else reasons.get(answer or "", "no answer") for answer in answers]
    return pl.Series("left_out", found, dtype=pl.String)


def _read_choices(frame: pl.DataFrame, answers: list[str | None]) -> Export:
    """Read the options that were chosen by their ids, or by their texts where the ids are numbers."""
    options = cells(frame["options"]) if "options" in frame.columns else [None] * frame.height
    chosen: list[Answer] = [_names(ids, shown) for ids, shown in zip(cells(frame["accept"]), options, strict=True)]
    return Export(frame.with_columns(label_column("accept", chosen)), label="accept", left_out=_left_out(answers))


def _names(ids: Any, options: Any) -> Answer:
    if ids is None:
        return None
    texts = {str(o["id"]): o.get("text") for o in as_list(options) if isinstance(o, dict) and "id" in o}
    listed = ids if isinstance(ids, list) else [ids]
    numbered = bool(texts) and all(name.isdigit() for name in texts)
    return tuple(str(texts.get(str(name)) or name) if numbered else str(name) for name in listed if name is not None)


def _read_binary(frame: pl.DataFrame, answers: list[str | None]) -> Export:
    """Read one label a row that was accepted or rejected: two classes if it is always the same label."""
    if frame.schema["label"].is_nested():
        return Export(frame, label="label", left_out=_left_out(answers))
    labels = frame["label"].cast(pl.String)
    shown = labels.drop_nulls().unique().to_list()
    if len(shown) != 1 or "reject" not in answers:
        return Export(frame, label="label", left_out=_left_out(answers))
    opposite = f"not {shown[0]}"
    rejected = pl.Series([answer == "reject" for answer in answers])
    found = frame.select(pl.when(rejected).then(pl.lit(opposite)).otherwise(labels).alias("label")).to_series()
    left_out = _left_out([None if answer is None else answer.replace("reject", "accept") for answer in answers])
    note = f"Texts for which `{shown[0]}` was rejected have the class `{opposite}`."
    return Export(frame.with_columns(found), label="label", left_out=left_out, notes=(note,))


TOOL = Tool("Prodigy", _is_export, _read)
