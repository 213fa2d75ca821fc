"""Label Studio: JSON of tasks with their annotations; JSON-MIN and CSV with one annotation a row."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from tagline.data.annotation_tools.base import (
    Answer,
    Export,
    Tool,
    agreed,
    as_list,
    cells,
    disagreement_note,
    holds,
    label_column,
)
from tagline.data.columns import OTHER_NAMES, is_label_like
from tagline.data.frames import frame_of_dicts, scalar_text
from tagline.data.rows import Rows

_ANNOTATIONS = ("annotations", "completions")
#: Columns of tasks that were not annotated yet.
_TASK = frozenset(("id", "data", "meta", "project", "predictions", "drafts", "created_at", "updated_at"))
#: Columns that JSON-MIN and CSV add to those of the task and its tags.
_ADDED = ("annotation_id", "annotator", "completed_by", "created_at", "updated_at", "lead_time", "agreement")
#: Keys of a region's value that are labels of the whole text, and those that mark a span.
_CHOSEN = ("choices", "taxonomy", "rating")
_SPAN = frozenset(("start", "end"))


def _is_export(frame: pl.DataFrame) -> bool:
    names = set(frame.columns)
    if holds(frame, "data", dict) and (names <= _TASK or names & set(_ANNOTATIONS)):
        return True
    return "annotation_id" in names and len(names & set(_ADDED)) >= 3


def _read(rows: Rows) -> Export:
    return _read_tasks(rows) if holds(rows.frame, "data", dict) else _read_rows(rows.frame)


def _read_rows(frame: pl.DataFrame) -> Export:
    """Read JSON-MIN or CSV: columns of choices, or of a single one, are questions."""
    frame = frame.drop(_ADDED, strict=False)
    frame = frame.with_columns(found for column in frame if (found := _answers(column)) is not None)
    return Export(frame, questions=tuple(column.name for column in frame if _holds_choices(column)))


def _answers(column: pl.Series) -> pl.Series | None:
    """Return ratings, ``[{"rating": 4}]``, and the paths of a taxonomy as labels; None for other columns."""
    if not column.dtype.is_nested() and (column.dtype != pl.String or not column.str.starts_with("[").any()):
        return None
    answers: list[Answer] = []
    for cell in cells(column):
        names = _names(cell) if isinstance(cell, list) else None
        if names is None and cell is not None:
            return None
        answers.append(names)
    return label_column(column.name, answers)


def _names(items: list[Any]) -> Answer:
    """Return the labels in the value of a tag; None if it marks spans or holds something else."""
    names: list[str] = []
    for item in items:
        chosen = next((item[key] for key in _CHOSEN if key in item), None) if isinstance(item, dict) else [item]
        if chosen is None or (isinstance(item, dict) and _SPAN & set(item)) or not isinstance(item, dict | list):
            return None
        listed = chosen if isinstance(chosen, list) else [chosen]
        names.extend("/".join(map(str, one)) if isinstance(one, list) else scalar_text(one) for one in listed)
    return tuple(names)


def _holds_choices(column: pl.Series) -> bool:
    if column.dtype == pl.String and column.name.casefold() not in OTHER_NAMES and is_label_like(column):
        return True
    if isinstance(column.dtype, pl.List):
        return True
    if isinstance(column.dtype, pl.Struct):
        return column.dtype.fields[0].name in _CHOSEN
    return column.dtype == pl.String and bool(column.str.contains(r'^\{"choices":').any())


def _read_tasks(rows: Rows) -> Export:
    """Read tasks: a column for each key of ``data``, and one for each tag of the labelling configuration."""
    tasks = [task if isinstance(task, dict) else {} for task in cells(rows.frame["data"])]
    name = next((name for name in _ANNOTATIONS if name in rows.frame.columns), None)
    annotations = [None] * len(tasks) if name is None else cells(rows.frame[name])
    answers: dict[str, list[Answer]] = {}
    left_out: list[str | None] = []
    n_disagreeing = 0
    for i, given in enumerate(annotations):
        known = [one for one in as_list(given) if isinstance(one, dict)]
        kept = [one for one in known if not one.get("was_cancelled")]
        left_out.append("skipped by the annotator" if known and not kept else None)
        truth = [one for one in kept if one.get("ground_truth")]
        choices = [_choices(one.get("result")) for one in truth or kept]
        disagreeing = False
        for tag in dict.fromkeys(tag for chosen in choices for tag in chosen):
            column = answers.setdefault(tag, [None] * len(tasks))
            column[i], agree = agreed([chosen.get(tag) for chosen in choices])
            disagreeing |= not agree
        n_disagreeing += disagreeing
    columns = [label_column(tag, found) for tag, found in answers.items()]
    return Export(
        frame_of_dicts(tasks).with_columns(columns),
        left_out=pl.Series("left_out", left_out, dtype=pl.String),
        notes=disagreement_note(n_disagreeing),
        questions=tuple(answers),
    )


def _choices(result: Any) -> Mapping[str, Answer]:
    """Return the labels of the whole text in an annotation, by tag."""
    found: dict[str, list[str]] = {}
    for region in as_list(result):
        value = region.get("value") if isinstance(region, dict) else None
        if not isinstance(value, dict):
            continue
        chosen = next((value[key] for key in _CHOSEN if key in value), None)
        if chosen is None or _SPAN & set(value):
            continue
        names = found.setdefault(str(region.get("from_name", "label")), [])
        for item in chosen if isinstance(chosen, list) else [chosen]:
            names.append("/".join(map(str, item)) if isinstance(item, list) else scalar_text(item))
    return {tag: tuple(dict.fromkeys(names)) for tag, names in found.items()}


TOOL = Tool("Label Studio", _is_export, _read)
