"""The choice of the columns: named, known from the source, or found."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tagline.data.columns.label import choose_question, find_label
from tagline.data.columns.questions import require_column
from tagline.data.columns.split import split_column, unused_splits
from tagline.data.columns.text import find_text, left_out
from tagline.data.rows import Rows
from tagline.data.wording import quoted
from tagline.errors import ColumnError, DataError


@dataclass(frozen=True)
class Columns:
    """Text, label and split column of a frame, and a sentence on how they were chosen."""

    text: tuple[str, ...]
    label: tuple[str, ...]
    split: str | None
    chosen: str
    notes: tuple[str, ...] = ()


def choose_columns(
    rows: Rows, text: Sequence[str], label: Sequence[str], group: str | None, weight: str | None = None
) -> Columns:
    """Decide which columns of ``rows`` are text, label and split; raise `DataError` where that is not clear.

    The columns ``group`` and ``weight`` are never chosen.
    """
    frame = rows.frame
    for name in (*text, *label, *(other for other in (group, weight) if other)):
        require_column(frame, name, rows.source)
    split = rows.split or split_column(frame, {*text, *label, group, weight})
    taken = {name for name in (split, group, weight) if name}
    if label or rows.label:
        label_columns = tuple(dict.fromkeys(label)) or (str(rows.label),)
        label_how = "given" if label else "known from the layout"
    elif questions := [name for name in rows.questions if name not in {*text, *taken}]:
        label_columns, label_how = (choose_question(rows, questions),), "known from the layout"
    else:
        settled = {*text} | ({rows.text} if rows.text else set())
        try:
            found, label_how = find_label(frame, taken | settled, rows.source)
        except ColumnError as error:
            raise (error if settled else _with_text_question(error, frame, taken, rows.source)) from None
        label_columns = (found,)
    taken.update(label_columns)
    if text:
        text_columns, text_how = tuple(text), "given"
    elif rows.text:
        text_columns, text_how = (rows.text,), "known from the layout"
    else:
        found, text_how = find_text(frame, taken, rows.source)
        text_columns = (found,)
    for name in label_columns:
        if name in text_columns:
            raise DataError(f"`{rows.source}`: column `{name}` cannot be both text and label.")
    for name, columns in (("text", text_columns), ("label", label_columns)):
        if weight in columns:
            raise DataError(f"`{rows.source}`: column `{weight}` cannot be both {name} and weight.")
    chosen = chosen_columns(text_columns, text_how, label_columns, label_how)
    notes = () if text or rows.text else left_out(frame, text_columns, taken)
    if split is None:
        notes = (*unused_splits(frame, {*text_columns, *taken}, rows.source), *notes)
    return Columns(text_columns, label_columns, split, chosen, notes)


def _with_text_question(asked: ColumnError, frame: pl.DataFrame, taken: set[str], source: str) -> ColumnError:
    """Return the question for the label column, with that for the text column if it follows."""
    candidates = {*asked.answer[1::2]}
    if not candidates:
        return asked
    try:
        find_text(frame, taken | candidates, source)
    except ColumnError as error:
        if error.answer:
            question = str(error).removeprefix(f"`{source}`: ")
            both = f"{asked} {question[0].upper()}{question[1:]}"
            return ColumnError(both, (*error.answer, *asked.answer), asked.columns)
    except DataError:
        pass
    return asked


def chosen_columns(text: Sequence[str], text_how: str, label: Sequence[str], label_how: str) -> str:
    """Return a sentence on which columns are text and label, and how they were chosen."""
    return f"text is {quoted(text)} ({text_how}), label is {quoted(label)} ({label_how})"
