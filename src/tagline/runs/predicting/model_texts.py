"""The texts of a file for a model: the columns that it was trained on, or those named."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from tagline.data import Batch, FileLayout, ReadLog, read_texts
from tagline.data.wording import listed
from tagline.errors import ColumnError

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier


class _TextColumns(TypedDict, total=False):
    """The text columns of `read_texts`."""

    text: Sequence[str]
    preferred: Sequence[str]


def read_for_model(
    clf: "TextClassifier",
    source: str | Path,
    named: Sequence[str],
    *,
    batch_rows: int,
    layout: FileLayout,
    log: ReadLog,
) -> Iterator[Batch]:
    """Stream a file as `read_texts` does, with the text columns named, or those that the model was trained on.

    Raises:
        InputError: the file cannot be read, or lacks a column.

    """
    with _explain_missing_columns(clf, named):
        yield from read_texts(source, batch_rows=batch_rows, **_text_columns(clf, named), layout=layout, log=log)


@contextmanager
def _explain_missing_columns(clf: "TextClassifier", named: Sequence[str]) -> Iterator[None]:
    """If a file lacks a text column of the model, add to the error what the model was trained on, and what to do."""
    try:
        yield
    except ColumnError as error:
        trained = clf.card_.get("text_columns") or []
        there = [name for name in trained if name in error.columns]
        if named or len(trained) < 2 or len(there) == len(trained):
            raise
        if there:
            advice = f"`--text {shlex.quote(there[0])}` predicts from that column alone"
        else:
            advice = "name the text column with `--text`"
        message = f"{error} The model was trained on {listed(trained)}; {advice}, less reliably."
        raise ColumnError(message, tuple(part for name in there for part in ("--text", name)), error.columns) from None


def untrained_columns(clf: "TextClassifier", named: Sequence[str]) -> list[str]:
    """Return a warning if the columns named are not all that the model was trained on."""
    trained = clf.card_.get("text_columns") or []
    if not named or len(trained) < 2 or len(named) >= len(trained):
        return []
    return [f"The model was trained on {listed(trained)} together: predictions from {listed(named)} are less reliable."]


def _text_columns(clf: "TextClassifier", named: Sequence[str]) -> _TextColumns:
    """Return the text columns of a file for a model: those named, or those that it was trained on."""
    trained = clf.card_.get("text_columns") or []
    if named or len(trained) > 1:
        return {"text": list(named) or trained}
    return {"preferred": trained}  # a single column may have another name here; several must all be present
