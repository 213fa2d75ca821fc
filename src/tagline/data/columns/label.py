"""The column of labels, where it is not named: found by its name or its values."""

from collections.abc import Sequence

import polars as pl

from tagline.data.columns.beginnings import beginning_hint
from tagline.data.columns.names import LABEL_NAMES, OTHER_NAMES, SPLIT_COLUMNS, TEXT_NAMES, by_name
from tagline.data.columns.nested import object_keys
from tagline.data.columns.questions import ambiguous
from tagline.data.columns.values import holds_subjects, is_flag, is_label_like
from tagline.data.rows import Rows
from tagline.data.wording import listed, quoted
from tagline.errors import ColumnError, DataError


def find_label(frame: pl.DataFrame, taken: set[str], source: str) -> tuple[str, str]:
    """Return the column of labels, of those that are not taken, and how it was found."""
    named = by_name(frame, LABEL_NAMES, taken)
    if named is not None:
        return named, "by its name"
    text = by_name(frame, TEXT_NAMES, taken)
    rest = [name for name in frame.columns if name not in taken and name != text]
    rest = [name for name in rest if name.strip().casefold() not in (*SPLIT_COLUMNS, *OTHER_NAMES)]
    if frame.width == 1:
        raise DataError(
            f"`{source}` has one column, `{frame.columns[0]}`: labelled data has a column of texts and one of labels. "
            f"{_hint_of_one_column(frame.to_series())}"
        )
    candidates = [name for name in rest if is_label_like(frame[name]) and not holds_subjects(frame[name])]
    if len(candidates) == 1:
        return candidates[0], "the only column of few distinct values"
    if candidates and all(is_flag(frame[name]) for name in candidates):
        raise ColumnError(
            f"`{source}`: which column is the label? {quoted(candidates)} hold 0 and 1: name all of them with "
            "`--label` if each is a label, or one of them.",
            tuple(part for name in candidates for part in ("--label", name)),
            frame.columns,
        )
    raise ambiguous("label", sorted(candidates, key=lambda name: frame[name].n_unique()), 1, frame, source)


def _hint_of_one_column(column: pl.Series) -> str:
    """Say how text and label may be told apart in the only column of a source."""
    if column.dtype == pl.String and not object_keys(column):
        hint = beginning_hint(column)
        return hint or "If there are more columns, give `--separator`; if labels begin the lines, `--label-prefix`."
    if keys := object_keys(column):
        return f"Its objects hold {listed(keys)}, which `--text` and `--label` name as `{column.name}.{keys[0]}`."
    if keys := object_keys(_answers(column)):
        return f"It holds lists of objects of {listed(keys)}: save text and label as columns of their own."
    return f"It holds {column.dtype}."


def choose_question(rows: Rows, questions: Sequence[str]) -> str:
    """Return the only question of an export, or the only one that is answered by labels."""
    if len(questions) == 1:
        return questions[0]
    names = [name for name in questions if is_label_like(_answers(rows.frame[name]))]
    if len(names) == 1:
        return names[0]
    names = names or list(questions)
    raise ColumnError(
        f"`{rows.source}`: the texts have labels for several questions, {listed(names)}: choose one with `--label`.",
        ("--label", names[0]),
        rows.frame.columns,
    )


def _answers(column: pl.Series) -> pl.Series:
    return column.explode() if isinstance(column.dtype, pl.List) else column
