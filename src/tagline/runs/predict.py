"""Predict texts and files: rows in, the same rows in the same order out, with what the model says beside them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import polars as pl

from tagline.data import Batch, Rejected, read_texts
from tagline.data.columns import find_text_columns
from tagline.data.rows import check_rejected, is_blank
from tagline.data.streams import display_name
from tagline.errors import DataError, InputError, nearest
from tagline.features.encoder import Encoder
from tagline.features.sequences import Sequences
from tagline.runs.tables import JSON_OBJECT, open_table, table_kind

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Output:
    """What is added to each row.

    ``prediction`` and, but for multi-label models, ``probability``, that of the prediction, always; with ``top_k``
    also ``top_1``, ``top_1_probability``, …; with ``proba`` also ``proba:<class>`` for each class. A column
    of the data that has such a name keeps it, and the new one is numbered.
    """

    threshold: float | None = None
    positive: str | None = None
    top_k: int = 0
    proba: bool = False

    def check(self, clf: "TextClassifier") -> None:
        """Raise `InputError` if the model cannot answer this."""
        classes = [str(name) for name in clf.classes_]
        if self.threshold is not None and clf.task_ == "multiclass":
            raise InputError(f"`--threshold` decides two classes; this model has {len(classes):,}.")
        if self.positive is not None and clf.task_ != "binary":
            raise InputError(f"`--positive` names one of two classes; this model has {len(classes):,}.")
        if self.positive is not None and self.positive not in classes:
            known = ", ".join(f"`{name}`" for name in classes)
            raise InputError(
                f"`{self.positive}` is not a class of this model; they are {known}.{nearest(self.positive, classes)}"
            )

    def columns(self, clf: "TextClassifier", texts: pl.Series | list[list[int]]) -> pl.DataFrame:
        """Return the new columns for some texts, or sequences of ids, (n_texts, n_columns)."""
        classes = [str(name) for name in clf.classes_]
        proba = clf.predict_proba(texts)  # (n_texts, n_classes)
        decided = clf.decide(proba, threshold=self.threshold, positive=self.positive)
        columns: dict[str, pl.Series] = {}
        if clf.task_ == "multilabel":
            lists = [[str(name) for name in given] for given in decided]
            columns["prediction"] = pl.Series(lists, dtype=pl.List(pl.String))
        else:
            index = {name: k for k, name in enumerate(classes)}
            names = decided.astype(str).tolist()
            of_prediction = np.fromiter((index[name] for name in names), np.int64, len(names))
            columns["prediction"] = pl.Series(names, dtype=pl.String)
            columns["probability"] = pl.Series(proba[np.arange(len(proba)), of_prediction])
        k = min(self.top_k, len(classes))
        if k:
            order = np.argsort(-proba, axis=1, kind="stable")[:, :k]  # (n_texts, k)
            for place in range(k):
                columns[f"top_{place + 1}"] = pl.Series(classes, dtype=pl.String).gather(order[:, place])
                columns[f"top_{place + 1}_probability"] = pl.Series(proba[np.arange(len(proba)), order[:, place]])
        if self.proba:
            columns |= {f"proba:{name}": pl.Series(proba[:, i]) for i, name in enumerate(classes)}
        return pl.DataFrame(columns)


@dataclass(frozen=True)
class Predictions:
    """How many rows were written, ``empty`` ones without a text; the rows that could not be read, and their file."""

    rows: int
    empty: int
    rejected: tuple[Rejected, ...]
    rejected_file: Path | None


def predict_texts(clf: "TextClassifier", texts: Sequence[str], output: Output = Output()) -> pl.DataFrame:
    """Return ``text`` and what the model says of each text."""
    output.check(clf)
    series = pl.Series("text", list(texts), dtype=pl.String)
    return pl.concat([series.to_frame(), output.columns(clf, series)], how="horizontal")


def predict_ids(clf: "TextClassifier", sequences: Sequence[Sequence[int]], output: Output = Output()) -> pl.DataFrame:
    """Return what the model says of sequences of word ids, and as ``text`` their words; the ids if it knows no words.

    Raises:
        InputError: the model learnt from n-grams, or these are not ids that it knows.

    """
    output.check(clf)
    rows = Sequences.of(sequences).to_lists()
    added = output.columns(clf, rows)
    assert isinstance(clf.vectorizer_, Encoder)  # others have refused
    index = clf.vectorizer_.index
    texts = [str(ids) if index is None else index.decode(ids) for ids in rows]
    return pl.concat([pl.Series("text", texts, dtype=pl.String).to_frame(), added], how="horizontal")


def predict_file(
    clf: "TextClassifier",
    source: str | Path,
    target: str | Path | BinaryIO,
    output: Output = Output(),
    *,
    kind: str | None = None,
    text: Sequence[str] = (),
    strict: bool = False,
    reading: Callable[[Sequence[str]], None] = lambda columns: None,
    progress: Callable[[int], None] = lambda rows: None,
) -> Predictions:
    """Stream a file, or standard input for ``-``, through a model, in memory for some 10,000 rows.

    Args:
        clf: the model.
        source: any file that tagline reads; a label column is not needed.
        target: the file to write, which appears when it is whole; or an open binary stream. Rows that could not be
            read are listed beside the file, in ``<target>.rejected.csv``. From JSON Lines to JSON Lines
            the values of a row stay as they are written.
        output: what is added to each row.
        kind: ``"csv"``, ``"jsonl"`` or ``"parquet"``; else by the suffix of ``target``.
        text: the text columns; found by themselves if they can be.
        strict: make a row that cannot be read an error; otherwise it is left out, up to 1 % of all.
        reading: called with the text columns before the first rows are predicted.
        progress: called with the number of rows done so far.

    Raises:
        InputError: the source cannot be read, or too many of its rows; nothing is left at ``target`` unless it is
            a stream.

    """
    rejected: list[Rejected] = []
    blanks: list[int] = []
    done = 0
    path = Path(target) if isinstance(target, str | Path) else None
    kind = kind or (table_kind(path) if path else "csv")
    frames = predict_frames(
        clf,
        source,
        output,
        kind=kind,
        text=text,
        rejected=rejected,
        reading=reading,
        blank=blanks.append,
        batch_rows=BATCH_ROWS,
    )
    with open_table(target, kind) as write:
        for frame in frames:
            if strict and rejected:
                break
            write(frame)
            done += frame.height
            progress(done)
        if path:
            check_rejected(rejected, done, strict=strict)
    check_rejected(rejected, done, strict=strict)
    rejected_file = _write_rejected(path, rejected) if path and rejected else None
    return Predictions(done, sum(blanks), tuple(rejected), rejected_file)


def predict_frames(
    clf: "TextClassifier",
    source: str | Path,
    output: Output = Output(),
    *,
    kind: str,
    text: Sequence[str] = (),
    rejected: list[Rejected],
    reading: Callable[[Sequence[str]], None] = lambda columns: None,
    blank: Callable[[int], None] = lambda n: None,
    batch_rows: int,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of a file with what the model says of them, as ``open_table`` writes them in ``kind``.

    Rows that cannot be read are appended to ``rejected``; ``blank`` is called with the number of texts without a word
    in each batch; for the rest see ``predict_file``.
    """
    output.check(clf)
    columns = text_columns(clf, text)
    batches = read_texts(source, batch_rows=batch_rows, text=columns or None, rejected=rejected)
    return _predicted(clf, _announced(batches, columns, source, reading), output, blank, keep_lines=kind == "jsonl")


def text_columns(clf: "TextClassifier", named: Sequence[str]) -> list[str]:
    """Return the text columns that a file must have: those named, else the model's own; none: find them."""
    columns = list(named) or clf.card_.get("text_columns") or []
    if not named and len(columns) == 1:  # one column may go by another name here; several must all be there
        return []
    return columns


def _write_rejected(beside: Path, rejected: Sequence[Rejected]) -> Path:
    path = beside.with_name(f"{beside.name}.rejected.csv")
    with open_table(path) as write:
        write(pl.DataFrame([asdict(row) for row in rejected]))
    return path


def _announced(
    batches: Iterable[Batch], named: Sequence[str], source: str | Path, reading: Callable[[Sequence[str]], None]
) -> Iterator[Batch]:
    """Tell the text columns, as ``read_texts`` takes them, by the first batch."""
    told = False
    for batch in batches:
        if not told:
            reading(find_text_columns(batch.rows, named, display_name(source)))
            told = True
        yield batch


def _predicted(
    clf: "TextClassifier", batches: Iterable[Batch], output: Output, blank: Callable[[int], None], *, keep_lines: bool
) -> Iterator[pl.DataFrame]:
    names: dict[str, str] = {}
    for batch in batches:
        added = output.columns(clf, batch.texts)
        blank(n_blank(batch.texts))
        names = names or _free_names(added.columns, batch.rows.columns)
        taken = set(names.values()) & set(batch.rows.columns)
        if taken:
            raise DataError(f"Later rows have a column `{min(taken)}` that the first ones lack: give it another name.")
        lines = batch.lines if keep_lines else None
        rows = batch.rows if lines is None else lines.to_frame(JSON_OBJECT)
        yield pl.concat([rows, added.rename(names)], how="horizontal")


def n_blank(texts: pl.Series) -> int:
    """Return how many texts are empty but for spaces: the answer is then what the model says of no text."""
    return int(texts.to_frame("text").select(is_blank(pl.col("text")).sum()).item())


def _free_names(wanted: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Number the new columns whose names the data uses itself."""
    used, names = set(taken), {}
    for name in wanted:
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}_{number}"
        used.add(free)
        names[name] = free
    return names
