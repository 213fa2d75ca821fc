"""Predict texts and files: rows in, the same rows in the same order out, with columns added."""

import csv
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, starmap
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import polars as pl

from tagline.data import Batch, FileLayout, ReadLog, Rejected
from tagline.data.reading import DETECT
from tagline.data.rows import MAX_UNREADABLE_KEPT, check_rejected, is_blank
from tagline.data.streams import STDIN
from tagline.data.streams.urls import is_url, recorded
from tagline.decisions.novelty import UNLIKE
from tagline.engines import LOCAL, Engine
from tagline.errors import DataError, InputError
from tagline.features.encoder import Encoder
from tagline.features.sequences import Sequences
from tagline.many_classes import Probabilities
from tagline.parallel import ahead
from tagline.runs.predicting.model_texts import read_for_model, untrained_columns
from tagline.runs.predicting.prediction_row import UNSURE, PredictionOptions, prediction_rows, withheld
from tagline.runs.predicting.tables import JSON_OBJECT, CsvStyle, open_table, style_of, table_kind

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_Item = TypeVar("_Item")
OnRows = Callable[[int, float | None], None]

BATCH_ROWS = 10_000
_DECIMALS = 4  # of a probability in text
_DEFAULTS = PredictionOptions()


@dataclass(frozen=True)
class FileOptions:
    """How a file is read and written.

    ``kind`` is the format to write, ``"csv"``, ``"jsonl"`` or ``"parquet"``; by default that of the suffix of the
    target. ``text`` are the text columns; found automatically if they can be. ``layout`` is how the source is
    written. ``strict`` makes a row that cannot be read an error; otherwise it has an empty prediction and a reason.
    ``escape_formulas`` puts an apostrophe in front of cells that a spreadsheet would take for formulas, for CSV.
    ``in_place``: the target is the source itself, which keeps its permissions; what would be lost in it is an error.
    """

    kind: str | None = None
    text: tuple[str, ...] = ()
    strict: bool = False
    layout: FileLayout = DETECT
    escape_formulas: bool = False
    in_place: bool = False


@dataclass(frozen=True)
class FileSummary:
    """How many rows were written, how many have no text, which could not be read, and notes on the source.

    ``unlike`` counts those that were not predicted because they are unlike the training texts, ``unsure`` those where
    the model abstains.
    """

    rows: int
    empty: int
    unlike: int
    unsure: int
    rejected: tuple[Rejected, ...]
    rejected_file: Path | None
    notes: tuple[str, ...]


def predict_texts(clf: "TextClassifier", texts: Sequence[str], options: PredictionOptions = _DEFAULTS) -> pl.DataFrame:
    """Return a row for each text: ``text`` and the columns of its prediction.

    An empty text has no prediction, as in a file, nor has one that is too unlike the training texts; ``reason`` says
    so, and is there if any text has one.
    """
    options.check(clf)
    series = pl.Series("text", list(texts), dtype=pl.String)
    return pl.concat([series.to_frame(), _without_empty_reason(_predicted(clf, series, options))], how="horizontal")


def predict_ids(
    clf: "TextClassifier", sequences: Sequence[Sequence[int]], options: PredictionOptions = _DEFAULTS
) -> pl.DataFrame:
    """Return a row for each sequence of word ids; ``text`` are its words, or the ids if the model has no word index.

    Raises:
        InputError: the model was trained on n-grams, or has no such ids.

    """
    options.check(clf)
    rows = Sequences.of(sequences).to_lists()
    added = _without_empty_reason(_prediction_columns(clf, clf.probabilities(rows), options, None))
    assert isinstance(clf.vectorizer_, Encoder)  # other models refuse ids
    index = clf.vectorizer_.index
    texts = [str(ids) if index is None else index.decode(ids) for ids in rows]
    return pl.concat([pl.Series("text", texts, dtype=pl.String).to_frame(), added], how="horizontal")


def _predicted(
    clf: "TextClassifier", texts: pl.Series, options: PredictionOptions, known: pl.Series | None = None
) -> pl.DataFrame:
    """Return the columns of predictions, empty where there is a reason, and ``reason``; some may be ``known``."""
    proba, unlike = options.proba_and_unlike(clf, texts)
    reasons = withheld(is_blank(texts).to_list(), unlike, None if known is None else known.to_list())
    return _prediction_columns(clf, proba, options, reasons)


def _prediction_columns(
    clf: "TextClassifier", proba: Probabilities, options: PredictionOptions, reasons: Sequence[str | None] | None
) -> pl.DataFrame:
    return prediction_rows(clf, [str(name) for name in clf.classes_], proba, options, reasons).to_frame()


def _without_empty_reason(added: pl.DataFrame) -> pl.DataFrame:
    return added.drop("reason") if "reason" in added and added["reason"].null_count() == len(added) else added


def predict_file(
    clf: "TextClassifier",
    source: str | Path,
    target: str | Path | BinaryIO,
    options: PredictionOptions = _DEFAULTS,
    file_options: FileOptions = FileOptions(),
    *,
    engine: Engine = LOCAL,
    on_columns: Callable[[Sequence[str]], None] = lambda columns: None,
    on_rows: OnRows = lambda rows, share: None,
) -> FileSummary:
    """Stream a file, or standard input for ``-``, through a model, with a few batches of 10,000 rows in memory.

    Args:
        clf: the model.
        source: any file that tagline reads; a label column is not needed.
        target: the file to write, which appears once it is complete; or an open binary stream. Rows that could not be
            read are listed in ``<target>.rejected.csv``; in ``target`` they are empty, with a reason. From JSON
            Lines to JSON Lines the values of a row are copied as text.
        options: which columns are added.
        file_options: how the file is read and written.
        engine: where batches are predicted; it changes nothing in the result.
        on_columns: called with the text columns before the first rows are predicted.
        on_rows: called after each batch with the number of rows written so far, and the share of the file that has
            been read, None if its size is not known.

    Raises:
        InputError: the source, or too many of its rows, cannot be read, or it is the target; nothing is left at
            ``target`` unless it is a stream.

    """
    path = Path(target) if isinstance(target, str | Path) else None
    if file_options.in_place:
        _check_in_place(source, target, file_options)
    else:
        _check_not_read(source, target)
    strict = file_options.strict or file_options.in_place
    kind = file_options.kind or (table_kind(path) if path else "csv")
    frames = PredictedFile(
        clf,
        source,
        options,
        kind,
        file_options.text,
        layout=file_options.layout,
        engine=engine,
        on_columns=on_columns,
    )
    predicted = iter(frames)
    done, first = 0, next(predicted, None)
    log = frames.log

    style = replace(frames.csv_style, escape_formulas=file_options.escape_formulas)
    if path is None:  # what reads a pipe expects no mark that the input lacks
        style = replace(style, byte_order_mark=log.byte_order_mark)
    if file_options.in_place and log.table_line is not None:
        raise InputError(f"`{path}` has lines above its table, which `--in-place` would lose: write to another file.")
    if file_options.in_place and kind == "csv" and path is not None and first is not None:
        encoding = log.marked_encoding or log.encoding or "utf-8"
        _check_header(path, first.columns, encoding, style_of(path, style).separator)
    with open_table(target, kind, style, keep_mode=file_options.in_place) as write:
        for frame in () if first is None else chain([first], predicted):
            if strict:
                check_rejected(log.rejected, None, strict=True)
            write(frame)
            done += frame.height
            on_rows(done, frames.share_read)
        check_rejected(
            log.rejected,
            None if strict else done - len(log.rejected),
            strict=strict,
            limit=MAX_UNREADABLE_KEPT,
            adjustable=False,
        )
    rejected_file = write_rejected(_rejected_file(path), log.rejected) if path and log.rejected else None
    return FileSummary(
        done, frames.n_empty, frames.n_unlike, frames.n_unsure, tuple(log.rejected), rejected_file, tuple(log.notes)
    )


def _check_not_read(source: str | Path, target: str | Path | BinaryIO) -> None:
    """Raise `InputError` if the source, whatever its name, is a file that will be written."""
    read = _stat(0 if str(source) == "-" else Path(source))
    for opened in _written(target):
        written = _stat(opened)
        if read and written and stat.S_ISREG(written.st_mode) and os.path.samestat(read, written):
            name = "Standard output" if isinstance(opened, int) else f"`{opened}`"
            raise InputError(f"{name} is the file that is read: write the predictions to another one.")


def _stat(file: Path | int) -> os.stat_result | None:
    try:
        return os.stat(file)  # noqa: PTH116  (of a descriptor, too)
    except (OSError, ValueError):  # missing, a glob, or closed
        return None


def _written(target: str | Path | BinaryIO) -> list[Path | int]:
    """Return the paths that may be written, or the descriptor of a stream."""
    if isinstance(target, str | Path):
        return [Path(target), _rejected_file(Path(target))]
    try:
        return [target.fileno()]
    except (OSError, AttributeError):  # in memory
        return []


def _check_in_place(source: str | Path, target: str | Path | BinaryIO, file_options: FileOptions) -> None:
    path = Path(source)
    if not isinstance(target, str | Path) or str(target) != str(source) or not path.is_file():
        raise InputError(f"`--in-place` writes to the file that is read, and `{recorded(str(source))}` is not a file.")
    kind = table_kind(path)
    if file_options.kind not in (None, kind):
        raise InputError(f"`--in-place` keeps the format of `{path}`: leave out `--format`.")
    if kind == "xlsx":
        raise InputError(f"`--in-place` would lose the layout and other sheets of `{path}`: write to another file.")


def _check_header(path: Path, columns: Sequence[str], encoding: str, separator: str) -> None:
    """Raise `InputError` if the first line is not the names of the columns, as they would be written."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        if file.read(1) != "\ufeff":
            file.seek(0)
        try:
            names = [name.strip() for name in next(csv.reader(file, delimiter=separator), [])]
        except csv.Error:
            names = []
    if not names or names != [name.strip() for name in columns[: len(names)]]:
        raise InputError(
            f"`--in-place` would change the separator or the header of `{path}`, which should name each column once in "
            "the first line: write to another file."
        )


@dataclass
class PredictedFile:
    """The rows of a file with the columns of their predictions: an iterable of frames for ``open_table``.

    ``kind`` is the format that the frames will be written in. A row without a text, or that cannot be read, has an
    empty prediction and a ``reason``. ``names`` are those of the columns added, by their usual names; chosen for the
    first rows if empty. ``log`` is what the reader found, and ``n_empty`` the number of texts without a word,
    ``n_unlike`` that of texts unlike the training texts, ``n_unsure`` that of texts where the model abstains.
    """

    clf: "TextClassifier"
    source: str | Path
    options: PredictionOptions
    kind: str
    text: Sequence[str] = ()
    batch_rows: int | None = None  # None: `BATCH_ROWS`
    on_columns: Callable[[Sequence[str]], None] = lambda columns: None
    layout: FileLayout = DETECT
    names: dict[str, str] = field(default_factory=dict)
    engine: Engine = LOCAL
    log: ReadLog = field(default_factory=ReadLog, init=False)
    n_empty: int = field(default=0, init=False)
    n_unlike: int = field(default=0, init=False)
    n_unsure: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Read and predict the file; raises as `batches` does."""
        frames = starmap(self.predicted, self.predictions(self.batches()))
        return self._ahead(frames) if self.engine is LOCAL else frames  # another engine works ahead itself

    def batches(self) -> Iterator[Batch]:
        """Read the file.

        Raises:
            InputError: it cannot be read, or the model does not support an option.

        """
        self.options.check(self.clf)
        batches = read_for_model(
            self.clf,
            self.source,
            self.text,
            batch_rows=self.batch_rows or BATCH_ROWS,
            layout=self.layout,
            log=self.log,
        )
        self.log.notes.extend(untrained_columns(self.clf, self.text))
        for number, batch in enumerate(self._ahead(batches)):
            if number == 0:
                self.on_columns(batch.text)
            yield batch

    def predictions(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, pl.DataFrame]]:
        """Yield each batch with the columns of its predictions."""
        work = ((batch, (batch.texts, batch.reasons)) for batch in batches)
        return self.engine.map(_predict_batch, (self.clf, self.options), work)

    def predicted(self, batch: Batch, added: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of a batch with the columns of their predictions, and count what those say."""
        if self.kind != "parquet":
            added = added.with_columns(pl.col(pl.Float32, pl.Float64).round(_DECIMALS))
        self._count(batch, added)
        self.names = self.names or _free_names(added.columns, batch.rows.columns)
        taken = set(self.names.values()) & set(batch.rows.columns)
        if taken:
            raise DataError(
                f"Later rows have a column `{min(taken)}` that the first rows lack, and the predictions use that "
                "name. Rename the column."
            )
        lines = batch.lines if self.kind == "jsonl" else None
        rows = batch.rows if lines is None else lines.to_frame(JSON_OBJECT)
        return pl.concat([rows, added.rename(self.names)], how="horizontal")

    @property
    def share_read(self) -> float | None:
        """The share of the file that has been read; None if its size is not known."""
        return None if self.log.share_read is None else self.log.share_read()

    @property
    def csv_style(self) -> CsvStyle:
        """How the source writes CSV; known once the first frame has been read.

        Only encodings of all of Unicode are kept: another may lack a character of a class name. In its place stands
        UTF-8 with a byte order mark, without which Excel would read that other encoding.
        """
        separator, encoding = self.log.separator or ",", self.log.marked_encoding or (self.log.encoding or "").lower()
        if encoding.startswith(("utf-16", "utf-32")):
            return CsvStyle(separator, byte_order_mark=True, encoding=encoding)
        return CsvStyle(separator, self.log.byte_order_mark or bool(self.log.encoding))

    def _ahead(self, items: Iterator[_Item]) -> Iterator[_Item]:
        """Make items in another thread, unless that could wait for a pipe, as nothing would end it."""
        is_file = str(self.source) != STDIN and (is_url(self.source) or Path(self.source).is_file())
        return ahead(items) if is_file else items

    def _count(self, batch: Batch, added: pl.DataFrame) -> None:
        self.n_empty += n_blank(batch.texts.filter(batch.reasons.is_null()))
        self.n_unlike += int((added["reason"] == UNLIKE).sum())
        self.n_unsure += int((added["reason"] == UNSURE).sum())


def _predict_batch(
    model: tuple["TextClassifier", PredictionOptions], batch: tuple[pl.Series, pl.Series]
) -> pl.DataFrame:
    """Return the columns of the predictions of some texts, some of which have a reason not to be predicted."""
    (clf, options), (texts, reasons) = model, batch
    return _predicted(clf, texts, options, reasons)


def _rejected_file(target: Path) -> Path:
    return target.parent / f"{target.name}.rejected.csv"


def write_rejected(path: Path, rejected: Sequence[Rejected]) -> Path:
    """Write a table of the rows that cannot be read; return ``path``."""
    with open_table(path, style=CsvStyle(escape_formulas=True)) as write:
        write(pl.DataFrame([asdict(row) for row in rejected]).drop("remedy"))  # that is one for a whole file
    return path


def n_blank(texts: pl.Series) -> int:
    """Return how many texts are empty or consist of white space."""
    return int(is_blank(texts).sum())


def _free_names(wanted: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """Return a free name for each new column: columns of the data keep theirs, and the new one gets a number."""
    used, names = set(taken), {}
    for name in wanted:
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}_{number}"
        used.add(free)
        names[name] = free
    return names
