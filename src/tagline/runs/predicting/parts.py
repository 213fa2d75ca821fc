"""Predict a file into a folder of parts, so that a prediction that was stopped goes on where it was.

The folder holds files of the same number of rows, ``part-00000.csv`` and so on, and ``manifest.json``, which says what
is predicted and which parts are whole. A part appears when it is, and is then added to the manifest. To go on, the
source is read again from its start: the texts of a whole part are compared with those that it was made from, and not
predicted. So the parts are the same however often the prediction was stopped.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from tagline.data import Batch
from tagline.data.rows import MAX_UNREADABLE_KEPT, Rejected, check_rejected
from tagline.data.streams import STDIN
from tagline.data.streams.urls import is_url, recorded
from tagline.engines import LOCAL, Engine
from tagline.errors import DataError, InputError
from tagline.run_folder import check_foreign
from tagline.runs.environment import versions
from tagline.runs.predicting.predict import FileOptions, FileSummary, OnRows, PredictedFile, write_rejected
from tagline.runs.predicting.prediction_row import PredictionOptions
from tagline.runs.predicting.tables import open_table
from tagline.runs.resume import hold
from tagline.storage.atomic import remove_abandoned, write_json

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

MANIFEST = "manifest.json"
PART_ROWS = 1_000_000

_Predicted = TypeVar("_Predicted")

_FORMAT = 1
_REJECTED = "rejected.csv"


@dataclass(frozen=True)
class Part:
    """A whole part: its file and size in bytes, its rows, a hash of their texts, and what `FileSummary` counts."""

    file: str
    size: int
    rows: int
    texts: str
    empty: int
    unlike: int
    unsure: int


@dataclass
class _Manifest:
    """What ``manifest.json`` says; ``names`` are those of the columns that were added, by their usual names."""

    path: Path
    request: dict[str, Any]
    names: dict[str, str]
    parts: list[Part]
    complete: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def n_rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def write(self) -> None:
        content = {
            "format": _FORMAT,
            "complete": self.complete,
            "rows": self.n_rows,
            "columns": self.names,
            "notes": self.notes,
            "parts": [asdict(part) for part in self.parts],
            "request": self.request,
        }
        write_json(self.path, content)

    def summary(self, rejected: Sequence[Rejected]) -> FileSummary:
        return FileSummary(
            self.n_rows,
            sum(part.empty for part in self.parts),
            sum(part.unlike for part in self.parts),
            sum(part.unsure for part in self.parts),
            tuple(rejected),
            self.path.parent / _REJECTED if rejected else None,
            tuple(self.notes),
        )


def predict_parts(
    clf: "TextClassifier",
    source: str | Path,
    folder: Path,
    options: PredictionOptions,
    file_options: FileOptions,
    *,
    model: str,
    part_rows: int = PART_ROWS,
    engine: Engine = LOCAL,
    on_columns: Callable[[Sequence[str]], None] = lambda columns: None,
    on_rows: OnRows = lambda rows, share: None,
) -> FileSummary:
    """Predict a file into a folder of parts, or go on with what was stopped; a second call does nothing.

    Args:
        clf: the model; ``model`` is the checksum of its bundle.
        source: any file that tagline reads, but not standard input.
        folder: a new folder, or one that this prediction was started in.
        options: which columns are added.
        file_options: how the file is read and written.
        model: see ``clf``.
        part_rows: the rows of a part.
        engine: where batches are predicted; it changes nothing in the parts, which another engine may go on with.
        on_columns: called with the text columns before the first rows are predicted.
        on_rows: as of `predict_file`; rows of whole parts count when they are read.

    Raises:
        InputError: the source cannot be read, or has changed; the folder is that of something else. Whole parts stay;
            without any, the folder is left empty, or removed if it was missing.

    """
    if str(source) == STDIN:
        raise InputError("Standard input cannot be read a second time: write its predictions to a file.")
    check_foreign(folder / MANIFEST)
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"`{folder}` cannot be written: {(error.strerror or str(error)).lower()}.") from None
    with hold(folder, "predicts into it"):
        remove_abandoned(folder)
        manifest = _manifest(folder, _request(source, options, file_options, model, part_rows))
        if manifest.complete:
            return manifest.summary([])
        try:
            return _predict(clf, source, manifest, options, file_options, engine, on_columns, on_rows)
        except InputError:
            if not manifest.parts:  # another source may be meant for this folder
                manifest.path.unlink()
                if is_new:
                    folder.rmdir()
            raise


def _request(
    source: str | Path, options: PredictionOptions, file_options: FileOptions, model: str, part_rows: int
) -> dict[str, Any]:
    """Return all that decides the content of the parts, as JSON."""
    facts = None
    if not is_url(source) and Path(source).is_file():
        facts = [Path(source).stat().st_size, Path(source).stat().st_mtime_ns]
    request = {
        "source": recorded(str(source)),
        "size_and_time": facts,
        "model": model,
        "options": options.model_dump(mode="json"),
        "file_options": asdict(file_options),
        "part_rows": part_rows,
        "versions": versions(),
    }
    return json.loads(json.dumps(request, default=str))  # type: ignore[no-any-return]  # tuples are lists in JSON


def _manifest(folder: Path, request: dict[str, Any]) -> _Manifest:
    """Return the manifest of a folder, a new one if it is empty."""
    path = folder / MANIFEST
    if not path.exists():
        if any(folder.iterdir()):
            raise InputError(f"`{folder}` is not empty and has no `{MANIFEST}`: name a new folder.")
        manifest = _Manifest(path, request, {}, [])
        manifest.write()
        return manifest
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known = content["request"] if content["format"] == _FORMAT else {}
        parts = [Part(**part) for part in content["parts"]]
        manifest = _Manifest(path, request, content["columns"], parts, content["complete"], content["notes"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"`{path}` cannot be read ({type(error).__name__}: {error}): name a new folder.") from None
    changed = [name.replace("_", " ") for name in request if known.get(name) != request[name]]
    if changed and not parts and not manifest.complete:  # stopped before the first part
        return _Manifest(path, request, {}, [])
    if changed:
        raise InputError(
            f"`{folder}` holds predictions with another {' and '.join(changed)}: name a new folder, or remove it."
        )
    _check_files(manifest)
    return manifest


def _check_files(manifest: _Manifest) -> None:
    folder = manifest.path.parent
    for part in manifest.parts:
        file = folder / part.file
        if not file.is_file() or file.stat().st_size != part.size:
            raise InputError(f"`{file}` is missing or has changed since it was written: remove `{folder}`.")


def _predict(
    clf: "TextClassifier",
    source: str | Path,
    manifest: _Manifest,
    options: PredictionOptions,
    file_options: FileOptions,
    engine: Engine,
    on_columns: Callable[[Sequence[str]], None],
    on_rows: OnRows,
) -> FileSummary:
    part_rows, whole = manifest.request["part_rows"], len(manifest.parts)
    file = PredictedFile(
        clf,
        source,
        options,
        file_options.kind or "csv",
        file_options.text,
        on_columns=on_columns,
        layout=file_options.layout,
        names=manifest.names,
        engine=engine,
    )
    batches = _cut(file.batches(), part_rows)
    unpredicted, predicted = ((batch, None) for batch in batches), file.predictions(batches)
    n_rows = 0

    def following(pieces: Iterator[tuple[Batch, _Predicted]]) -> Iterator[tuple[Batch, _Predicted]] | None:
        """Return the pieces of the next part."""
        first = next(pieces, None)
        return None if first is None else _counted(_of_part(first, pieces, part_rows), n_rows, file, on_rows)

    for number in count():
        if number < whole:
            read = following(unpredicted)
            if read is None:
                break
            n_rows += _check(manifest.parts[number], read, manifest)
        else:
            pieces = following(predicted)
            if pieces is None:
                break
            manifest.parts.append(_write(number, pieces, file, file_options, manifest.path.parent))
            manifest.names = file.names
            manifest.write()
            n_rows += manifest.parts[-1].rows
    if len(manifest.parts) > number:
        raise _changed(manifest)
    rejected = file.log.rejected
    check_rejected(
        rejected,
        None if file_options.strict else n_rows - len(rejected),
        strict=file_options.strict,
        limit=MAX_UNREADABLE_KEPT,
        adjustable=False,
    )
    if rejected:
        write_rejected(manifest.path.parent / _REJECTED, rejected)
    _check_files(manifest)  # someone may have removed the folder meanwhile, which the next part made again
    manifest.complete, manifest.notes = True, list(file.log.notes)
    manifest.write()
    return manifest.summary(rejected)


def _cut(batches: Iterator[Batch], part_rows: int) -> Iterator[Batch]:
    """Cut batches where parts end."""
    n_read = 0
    for batch in batches:
        start = 0
        while True:  # a file without rows has one batch, of its columns
            piece = batch.rows_from(start, part_rows - n_read % part_rows)
            yield piece
            n_read, start = n_read + len(piece), start + len(piece)
            if start == len(batch):
                break


def _of_part(
    first: tuple[Batch, _Predicted], pieces: Iterator[tuple[Batch, _Predicted]], part_rows: int
) -> Iterator[tuple[Batch, _Predicted]]:
    n_rows, piece = 0, first
    while True:
        n_rows += len(piece[0])
        yield piece
        following = next(pieces, None) if n_rows < part_rows else None
        if following is None:
            return
        piece = following


def _counted(
    pieces: Iterator[tuple[Batch, _Predicted]], n_rows: int, file: PredictedFile, on_rows: OnRows
) -> Iterator[tuple[Batch, _Predicted]]:
    for piece in pieces:
        yield piece
        n_rows += len(piece[0])
        on_rows(n_rows, file.share_read)


def _check(part: Part, pieces: Iterator[tuple[Batch, None]], manifest: _Manifest) -> int:
    """Return the rows of a whole part that is read again; raise `DataError` if it was made from other texts."""
    texts = _TextHash()
    for batch, _ in pieces:
        texts.add(batch)
    if texts.hex != part.texts:
        raise _changed(manifest)
    return part.rows


def _changed(manifest: _Manifest) -> DataError:
    folder = manifest.path.parent
    return DataError(f"The input has changed since `{folder}` was started: remove the folder, or name a new one.")


def _write(
    number: int,
    pieces: Iterator[tuple[Batch, pl.DataFrame]],
    file: PredictedFile,
    file_options: FileOptions,
    folder: Path,
) -> Part:
    path = folder / f"part-{number:05}.{file.kind}"
    texts, n_rows = _TextHash(), 0
    before = file.n_empty, file.n_unlike, file.n_unsure
    first = next(pieces)  # after which the style of the file is known
    style = replace(file.csv_style, escape_formulas=file_options.escape_formulas)
    with open_table(path, file.kind, style) as write:
        for batch, added in chain([first], pieces):
            if file_options.strict:
                check_rejected(file.log.rejected, None, strict=True)
            texts.add(batch)
            write(file.predicted(batch, added))
            n_rows += len(batch)
    now = file.n_empty, file.n_unlike, file.n_unsure
    return Part(path.name, path.stat().st_size, n_rows, texts.hex, *(b - a for a, b in zip(before, now, strict=True)))


class _TextHash:
    """A hash of texts."""

    def __init__(self) -> None:
        self._digest = blake2b(digest_size=16)

    def add(self, batch: Batch) -> None:
        self._digest.update(batch.texts.str.len_bytes().to_numpy().tobytes())
        self._digest.update(b"".join(batch.texts.cast(pl.Binary).to_list()))

    @property
    def hex(self) -> str:
        return self._digest.hexdigest()
