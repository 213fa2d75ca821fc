"""Argilla: records of version 1 (``annotation``), and questions with the responses of several users, of later ones."""

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
from tagline.data.frames import frame_of_dicts, scalar_text
from tagline.data.rows import Rows

_RESPONSES = ".responses"
_UNUSED = ("discarded", "draft")


def _is_export(frame: pl.DataFrame) -> bool:
    names = set(frame.columns)
    if "annotation" in names and {"status", "prediction"} <= names:
        return True
    if {"fields", "responses"} <= names and holds(frame, "fields", dict):
        return True
    return bool(_flat_questions(frame) or _listed_questions(frame))


def _flat_questions(frame: pl.DataFrame) -> list[str]:
    """Return the questions whose responses and users have a column each, as version 2 exports them."""
    columns = set(frame.columns)
    names = [name.removesuffix(_RESPONSES) for name in frame.columns if name.endswith(_RESPONSES)]
    return [name for name in names if f"{name}{_RESPONSES}.users" in columns]


def _listed_questions(frame: pl.DataFrame) -> list[str]:
    """Return the columns of responses with ``user_id`` and ``value``, as feedback data sets of version 1 have them."""
    found, columns = [], set(frame.columns)
    for name in frame.columns:
        if f"{name}-suggestion" not in columns:
            continue
        first = next((cell for cell in cells(frame[name]) if cell), None)
        if isinstance(first, list) and isinstance(first[0], dict) and {"user_id", "value"} <= set(first[0]):
            found.append(name)
    return found


def _read(rows: Rows) -> Export:
    frame = rows.frame
    if "annotation" in frame.columns and "prediction" in frame.columns:
        return _read_records(frame)
    if "fields" in frame.columns and "responses" in frame.columns:
        texts = frame_of_dicts([cell if isinstance(cell, dict) else {} for cell in cells(frame["fields"])])
        by_question = [_by_question(cell) for cell in cells(frame["responses"])]
        names = dict.fromkeys(name for responses in by_question for name in responses)
        return _export(texts, {name: [responses.get(name, []) for responses in by_question] for name in names})
    questions = {name: [_listed(cell) for cell in cells(frame[name])] for name in _listed_questions(frame)}
    for name in _flat_questions(frame):
        statuses = f"{name}{_RESPONSES}.status"
        given = cells(frame[statuses]) if statuses in frame.columns else [None] * frame.height
        questions[name] = [
            list(zip(as_list(values), as_list(status) or [None] * len(as_list(values)), strict=False))
            for values, status in zip(cells(frame[f"{name}{_RESPONSES}"]), given, strict=True)
        ]
    own = [c for c in frame.columns if not any(c == q or c.startswith((f"{q}.", f"{q}-suggestion")) for q in questions)]
    return _export(frame.select(own), questions)


def _by_question(responses: Any) -> dict[str, list[tuple[Any, Any]]]:
    """Return answers with their statuses by question, of responses by question or of a list of users' ``values``."""
    if isinstance(responses, dict):
        return {name: _listed(given) for name, given in responses.items()}
    found: dict[str, list[tuple[Any, Any]]] = {}
    for one in as_list(responses):
        values = one.get("values") if isinstance(one, dict) else None
        for name, answer in values.items() if isinstance(values, dict) else ():
            value = answer.get("value") if isinstance(answer, dict) else answer
            found.setdefault(name, []).append((value, one.get("status")))
    return found


def _listed(responses: Any) -> list[tuple[Any, Any]]:
    return [(one.get("value"), one.get("status")) for one in as_list(responses) if isinstance(one, dict)]


def _export(texts: pl.DataFrame, questions: dict[str, list[list[tuple[Any, Any]]]]) -> Export:
    """Return texts with a label column for each question, of the responses of each row and their statuses."""
    columns = []
    disagreeing: set[int] = set()
    used = [False] * texts.height
    discarded = [False] * texts.height
    for name, responses in questions.items():
        answers: list[Answer] = []
        for row, given in enumerate(responses):
            kept = [_answer(value) for value, status in given if status not in _UNUSED]
            used[row] |= bool(kept)
            discarded[row] |= any(status == "discarded" for _, status in given)
            answer, agree = agreed(kept)
            answers.append(answer)
            if not agree:
                disagreeing.add(row)
        columns.append(label_column(name, answers))
    reasons = [
        "discarded by the annotator" if given_up and not kept else None
        for given_up, kept in zip(discarded, used, strict=True)
    ]
    left_out = pl.Series("left_out", reasons, dtype=pl.String)
    notes = disagreement_note(len(disagreeing))
    return Export(texts.with_columns(columns), left_out=left_out, notes=notes, questions=tuple(questions))


def _answer(value: Any) -> Answer:
    if value is None or isinstance(value, dict):
        return None
    return tuple(map(scalar_text, value)) if isinstance(value, list) else (scalar_text(value),)


def _read_records(frame: pl.DataFrame) -> Export:
    """Read the records of version 1; a text without a column of its own is among ``inputs``."""
    discarded = ("Discarded", "discarded")
    reasons = ["discarded by the annotator" if status in discarded else None for status in frame["status"].to_list()]
    if "inputs" in frame.columns and ("text" not in frame.columns or frame["text"].is_null().all()):
        inputs = [cell if isinstance(cell, dict) else {} for cell in cells(frame["inputs"])]
        frame = pl.concat([frame.drop("text", strict=False), frame_of_dicts(inputs)], how="horizontal")
    answers = [None if cell is None else _answer(cell) for cell in cells(frame["annotation"])]
    frame = frame.with_columns(label_column("annotation", answers))
    used = ("text", "annotation")
    kept = frame.select(*used) if "text" in frame.columns else frame
    return Export(kept, label="annotation", left_out=pl.Series("left_out", reasons, dtype=pl.String))


TOOL = Tool("Argilla", _is_export, _read)
