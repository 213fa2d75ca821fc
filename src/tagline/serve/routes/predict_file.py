"""``POST /v1/predict/file``: label the rows of a CSV or JSON Lines file.

The upload goes to the disk and is read once to find whatever is wrong with it; then the rows are predicted block by
block and sent as they are ready.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from time import perf_counter
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from fastapi import Query
from pydantic import ConfigDict, Field
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tagline.data import ReadLog
from tagline.data.rows import MAX_UNREADABLE_KEPT, check_rejected
from tagline.errors import ColumnError, DataError, InputError, is_disk_full
from tagline.runs.predicting.model_texts import read_for_model
from tagline.runs.predicting.predict import PredictedFile
from tagline.runs.predicting.prediction_row import OptionError, PredictionOptions
from tagline.runs.predicting.tables import open_table
from tagline.serve.http.deadline import answered_within
from tagline.serve.http.errors import ApiError, timed_out
from tagline.serve.http.limits import Limits
from tagline.serve.http.query import check_not_repeated
from tagline.serve.http.request_body import discard, too_large, too_slow
from tagline.serve.model_store import ServedModel
from tagline.serve.route import Route
from tagline.serve.routes.shared_schemas import NEGATIVE_EXAMPLE, POSITIVE_EXAMPLE
from tagline.serve.state import Service, record_of, service_of
from tagline.storage.atomic import temporary_folder

FORMATS = {
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
#: Headers of the answer that describe the file, and what they say.
FILE_HEADERS = {
    "X-Tagline-Rows": "The number of rows to come.",
    "X-Tagline-Rejected": "The number of rows that cannot be read.",
    "X-Tagline-Text-Columns": "The positions of the text columns, from 0, separated by commas.",
    "X-Tagline-Separator": "The separator of CSV, percent-encoded.",
    "X-Tagline-First-Line": "The line of the file, from 1, on which its first row stands.",
    "X-Tagline-Table-Line": "The line on which the table begins; absent if no title or comments stand above it.",
    "X-Tagline-Encoding": "The detected encoding of a file that is not UTF-8; absent for others.",
}
_BATCH_ROWS = 1_000
_MAX_FILES = 16  # on disk at a time
_WRITE_BYTES = 1_000_000  # so much of an upload is written at a time, and must arrive within the time limit
_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "Zstandard", b"PAR1": "Parquet"}
_Result = TypeVar("_Result")


class FileQuery(PredictionOptions):
    """How to label an uploaded file."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, description="The name of a model; the first one if it is left out.")
    text: list[str] = Field(
        default=[], description="The text column; several are joined. Detected automatically if it can be."
    )
    format: Literal["csv", "jsonl"] | None = Field(
        default=None, description="The format of the answer; that of the file if it is left out."
    )
    escape_formulas: bool = Field(
        default=False,
        description="Put an apostrophe in front of cells that a spreadsheet would take for formulas, in CSV.",
    )


async def predict_file(request: Request, query: Annotated[FileQuery, Query()]) -> Response:
    """Label the rows of a CSV or JSON Lines file: they come back with columns added."""
    check_not_repeated(request, may_repeat=("text",))
    service = service_of(request)
    kind = FORMATS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if kind is None:
        raise ApiError(
            "unsupported_media_type", "Send `Content-Type: text/csv`, or `application/x-ndjson` for JSON Lines."
        )
    if query.escape_formulas and (query.format or kind) != "csv":
        raise ApiError("invalid_request", "`escape_formulas` is for CSV: add `format=csv`.")
    model = service.models.find(query.model)
    if service.files_in_progress >= _MAX_FILES:
        raise ApiError("overloaded", f"{_MAX_FILES} files are being labelled. Try again later.")
    service.files_in_progress += 1
    limits = service.settings.limits
    folder = ExitStack()
    try:
        with _full_disk_as_api_error():
            make = partial(folder.enter_context, temporary_folder())  # lists the folder of temporary files first
            path = await asyncio.get_running_loop().run_in_executor(None, make) / f"file.{kind}"
            await _receive(request, path, limits)
        frames = PredictedFile(
            model.predictor, path, query, query.format or kind, tuple(query.text), batch_rows=_BATCH_ROWS
        )
        clock = _Clock(limits.timeout * max(1.0, path.stat().st_size / 1e6))
        with _as_api_errors(path):
            try:
                async with answered_within(request.scope, None):
                    survey = await _run(service, partial(_survey, frames, model, limits.max_chars, clock))
            except ClientDisconnect:
                clock.seconds = 0.0  # the thread stops at its next step
                raise
    except BaseException:
        service.files_in_progress -= 1
        folder.close()
        raise
    record_of(request).classified(model, [], survey.n_rows)
    headers = {"Content-Type": MEDIA_TYPES[frames.kind], "X-Tagline-Model": model.version, **survey.headers()}
    blocks = _blocks(frames, escape_formulas=query.escape_formulas)
    return _FileResponse(_labelled(service, blocks, clock), headers, partial(_release, service, blocks, folder))


async def _run(service: Service, function: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(service.file_pool, function)


async def _receive(request: Request, path: Path, limits: Limits) -> None:
    """Write the body of a request to a file.

    Raises:
        ApiError: it is too large or too slow, or compressed.

    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.max_file:
        await discard(request)
        raise too_large(limits.max_file)
    waiting, size, written = bytearray(), 0, 0
    loop = asyncio.get_running_loop()
    with path.open("wb") as file:
        try:
            async with asyncio.timeout(limits.timeout) as deadline:
                async for part in request.stream():
                    waiting += part
                    size += len(part)
                    if size > limits.max_file:
                        raise too_large(limits.max_file)
                    if len(waiting) >= _WRITE_BYTES:
                        await loop.run_in_executor(None, file.write, bytes(waiting))
                        written += len(waiting)
                        waiting.clear()
                        deadline.reschedule(loop.time() + limits.timeout)
        except TimeoutError:
            raise too_slow(limits.timeout) from None
        await loop.run_in_executor(None, file.write, bytes(waiting))
        start = bytes(waiting[:4]) if not written else b""
    start = start or await loop.run_in_executor(None, _first_bytes, path)
    compressed = next((name for magic, name in _COMPRESSED.items() if start.startswith(magic)), None)
    if compressed:
        remedy = "add `Content-Encoding: gzip`" if compressed == "gzip" else "send it as plain CSV or JSON Lines"
        raise ApiError("unsupported_media_type", f"The file is {compressed}: {remedy}.")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


@dataclass
class _Clock:
    """How many seconds a file may take, apart from waiting for others, and has taken."""

    seconds: float
    taken: float = 0.0

    def timed(self, step: Callable[[], _Result]) -> _Result:
        """Run a step.

        Raises:
            ApiError: the file has taken too long.

        """
        started = perf_counter()
        result = step()
        self.taken += perf_counter() - started
        if self.taken > self.seconds:
            raise timed_out(self.seconds)
        return result


@dataclass(frozen=True)
class _Survey:
    """What is known of a file before the answer starts; ``text_columns`` are positions."""

    n_rows: int
    text_columns: list[int]
    log: ReadLog

    def headers(self) -> dict[str, str]:
        values = {
            "X-Tagline-Rows": str(self.n_rows),
            "X-Tagline-Rejected": str(len(self.log.rejected)),
            "X-Tagline-Text-Columns": ",".join(map(str, self.text_columns)),
            "X-Tagline-Separator": quote(self.log.separator or ",", safe=",;|"),
        }
        found = {
            "X-Tagline-First-Line": self.log.first_line,
            "X-Tagline-Table-Line": self.log.table_line,
            "X-Tagline-Encoding": self.log.encoding,
        }
        return values | {name: str(value) for name, value in found.items() if value is not None}


def _survey(frames: PredictedFile, model: ServedModel, max_chars: int, clock: _Clock) -> _Survey:
    """Read the file once, so that an error is reported before the answer starts."""
    log = ReadLog()
    n_rows, first = 0, None
    positions: list[int] = []
    frames.options.check(model.classifier)
    batches = read_for_model(
        model.classifier, frames.source, frames.text, batch_rows=_BATCH_ROWS, layout=frames.layout, log=log
    )
    while (batch := clock.timed(partial(next, batches, None))) is not None:
        longest = batch.texts.str.len_chars().arg_max()
        if longest is not None and (chars := len(batch.texts[longest])) > max_chars:
            raise DataError(
                f"The text of row {n_rows + longest + 1:,} has {chars:,} characters; the limit is {max_chars:,}."
            )
        n_rows += len(batch.texts)
        if first is None:
            first = batch.rows.columns
            positions = [first.index(name) for name in batch.text if name in first]
        more = [name for name in batch.rows.columns if name not in first]
        if more and frames.kind == "csv":
            raise DataError(f"Later rows have a column `{more[0]}` that the first rows lack: use `format=jsonl`.")
    check_rejected(log.rejected, n_rows - len(log.rejected), limit=MAX_UNREADABLE_KEPT, adjustable=False)
    return _Survey(n_rows, positions, log)


class _FileResponse(StreamingResponse):
    """A response that calls ``release`` at its end.

    The generator cannot: if the client reads nothing before the response starts, none of its code runs.
    """

    def __init__(self, content: AsyncIterator[bytes], headers: dict[str, str], release: Callable[[], None]) -> None:
        super().__init__(content, headers=headers)
        self._release = release

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._release()


async def _labelled(service: Service, blocks: Iterator[bytes], clock: _Clock) -> AsyncIterator[bytes]:
    while (block := await _run(service, partial(clock.timed, partial(next, blocks, None)))) is not None:
        yield block


def _release(service: Service, blocks: Iterator[bytes], folder: ExitStack) -> None:
    service.files_in_progress -= 1
    with suppress(RuntimeError):  # the pool is closed: the server has stopped
        service.file_pool.submit(_close, blocks, folder)


def _blocks(frames: PredictedFile, *, escape_formulas: bool) -> Iterator[bytes]:
    stream, predicted = io.BytesIO(), iter(frames)
    first = next(predicted, None)
    if first is None:
        return
    style = replace(frames.csv_style, escape_formulas=escape_formulas)
    with open_table(stream, frames.kind, style) as write:
        for frame in chain([first], predicted):
            write(frame)
            yield stream.getvalue()
            stream.seek(0)
            stream.truncate()


def _close(blocks: Iterator[bytes], folder: ExitStack) -> None:
    blocks.close()  # type: ignore[attr-defined]  # a generator
    folder.close()


@contextmanager
def _full_disk_as_api_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise ApiError("disk_full", "The server has no space for the file. Try again later.") from None


@contextmanager
def _as_api_errors(path: Path) -> Iterator[None]:
    """Turn errors of a file into API errors that name no path of this server, and parameters as in the URL.

    An error that a choice of the text column solves has the names of the `columns`.
    """
    try:
        yield
    except OptionError as error:
        raise ApiError("invalid_request", str(error), field=error.option) from None
    except InputError as error:
        message = str(error).replace(str(path), path.name).replace("`--text`", "`text=COLUMN`")
        message = message.replace("`--text ", "`text=").replace(" (`text=` in Python)", "")
        columns = {"columns": error.columns} if isinstance(error, ColumnError) else {}
        raise ApiError("invalid_file", message, **columns) from None


ROUTES = [
    Route(
        "POST",
        "/v1/predict/file",
        predict_file,
        tag="texts",
        errors=(
            "overloaded",
            "disk_full",
            "malformed_gzip",
            "too_slow",
            "timed_out",
            "body_too_large",
            "unsupported_media_type",
            "invalid_request",
            "invalid_file",
            "unknown_model",
        ),
        success={
            "description": "The rows in their order, with `prediction`, `probability`, `reason` and what is requested.",
            "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
            "headers": {
                name: {"schema": {"type": "string"}, "description": description}
                for name, description in {**FILE_HEADERS, "X-Tagline-Model": "The version of the model."}.items()
            },
        },
        content={
            "text/csv": {
                "schema": {"type": "string"},
                "example": f'text\n"{POSITIVE_EXAMPLE}"\n"{NEGATIVE_EXAMPLE}"\n',
            },
            "application/x-ndjson": {
                "schema": {"type": "string"},
                "example": f'{{"text": "{POSITIVE_EXAMPLE}"}}\n',
            },
        },
        streamed=True,
    )
]
