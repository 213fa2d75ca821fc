"""Files to label: taken in to disk, read through once, then sent back row by row as they are predicted."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import StreamingResponse

from tagline.data import Rejected, read_texts
from tagline.data.rows import check_rejected
from tagline.errors import DataError, InputError
from tagline.runs.predict import Output, predict_frames, text_columns
from tagline.runs.tables import open_table
from tagline.serve.errors import ApiError
from tagline.serve.model_store import ServedModel
from tagline.serve.request_body import discard, too_large, too_slow
from tagline.serve.routes.schemas import FileQuery
from tagline.serve.settings import Limits

KINDS = {
    "text/csv": "csv",
    "application/jsonl": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/x-jsonlines": "jsonl",
}
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_BATCH_ROWS = 1_000
_MOST_AT_WORK = 16  # files on disk at a time
_WRITE_BYTES = 1_000_000  # so much of an upload is written at a time, and must arrive within the time limit
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "Zstandard", b"PAR1": "Parquet"}
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class FileRequest:
    """What to do with a file: ``kind`` is its own format, ``wanted`` that of the answer."""

    kind: str
    wanted: str
    text: tuple[str, ...]
    output: Output


class FileLabeller:
    """Labels files; their work shares one thread, a block of rows of each in turn."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._at_work = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="files")

    async def answer(self, request: Request, served: ServedModel, asked: FileRequest) -> StreamingResponse:
        """Take the body of a request as a file, and return it labelled.

        Raises:
            ApiError: it is too large or too slow, or cannot be read.

        """
        if self._at_work >= _MOST_AT_WORK:
            raise ApiError("overloaded", f"{_MOST_AT_WORK} files are being labelled: try again in a while.")
        self._at_work += 1
        folder = TemporaryDirectory(prefix="tagline-", ignore_cleanup_errors=True)
        try:
            path = Path(folder.name) / f"file.{asked.kind}"
            await self._receive(request, path)
            with _in_words(path):
                rows, rejected = await self._run(partial(_survey, path, served, asked, self._limits.max_chars))
        except BaseException:
            self._at_work -= 1
            folder.cleanup()
            raise
        headers = {
            "Content-Type": MEDIA_TYPES[asked.wanted],
            "X-Tagline-Model": served.version,
            "X-Tagline-Rows": str(rows),
            "X-Tagline-Rejected": str(rejected),
        }
        return StreamingResponse(self._labelled(folder, path, served, asked), headers=headers)

    async def _run(self, function: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    async def _receive(self, request: Request, path: Path) -> None:
        most, seconds = self._limits.max_file, self._limits.timeout
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            await discard(request)
            raise too_large(most)
        waiting, size, written = bytearray(), 0, 0
        loop = asyncio.get_running_loop()
        with path.open("wb") as file:
            try:
                async with asyncio.timeout(seconds) as deadline:
                    async for part in request.stream():
                        waiting += part
                        size += len(part)
                        if size > most:
                            raise too_large(most)
                        if len(waiting) >= _WRITE_BYTES:
                            await loop.run_in_executor(None, file.write, bytes(waiting))
                            written += len(waiting)
                            waiting.clear()
                            deadline.reschedule(loop.time() + seconds)
            except TimeoutError:
                raise too_slow(seconds) from None
            await loop.run_in_executor(None, file.write, bytes(waiting))
            start = bytes(waiting[:4]) if not written else b""
        start = start or await loop.run_in_executor(None, _first_bytes, path)
        packed = next((name for magic, name in _PACKED.items() if start.startswith(magic)), None)
        if packed:
            raise ApiError("unsupported_media_type", f"The file is {packed}: send it as plain CSV or JSON Lines.")

    async def _labelled(
        self, folder: "TemporaryDirectory[str]", path: Path, served: ServedModel, asked: FileRequest
    ) -> AsyncIterator[bytes]:
        blocks = _blocks(path, served, asked)
        try:
            while (block := await self._run(partial(next, blocks, None))) is not None:
                yield block
        finally:
            self._at_work -= 1
            with suppress(RuntimeError):  # the pool is gone: the server has stopped
                self._pool.submit(_close, blocks, folder)


def _close(blocks: Iterator[bytes], folder: "TemporaryDirectory[str]") -> None:
    blocks.close()  # type: ignore[attr-defined]  # a generator
    folder.cleanup()


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _survey(path: Path, served: ServedModel, asked: FileRequest, most_chars: int) -> tuple[int, int]:
    """Read the file through, so that what is wrong with it is said before the answer begins.

    Return the number of its rows and how many of them cannot be read, which may be up to 1 %.
    """
    rejected: list[Rejected] = []
    rows, first = 0, None
    asked.output.check(served.classifier)
    columns = text_columns(served.classifier, asked.text)
    for batch in read_texts(path, text=columns or None, batch_rows=_BATCH_ROWS, rejected=rejected):
        longest = batch.texts.str.len_chars().arg_max()
        if longest is not None and (chars := len(batch.texts[longest])) > most_chars:
            raise DataError(
                f"The text of row {rows + longest + 1:,} has {chars:,} characters; {most_chars:,} are taken."
            )
        rows += len(batch.texts)
        first = first or batch.rows.columns
        more = [name for name in batch.rows.columns if name not in first]
        if more and asked.wanted == "csv":
            raise DataError(f"Later rows have a column `{more[0]}` that the first ones lack: ask for `format=jsonl`.")
    check_rejected(rejected, rows, strict=False)
    return rows, len(rejected)


def _blocks(path: Path, served: ServedModel, asked: FileRequest) -> Iterator[bytes]:
    stream = io.BytesIO()
    frames = predict_frames(
        served.predictor,
        path,
        asked.output,
        kind=asked.wanted,
        text=asked.text,
        rejected=[],
        batch_rows=_BATCH_ROWS,
    )
    with open_table(stream, asked.wanted) as write:
        for frame in frames:
            write(frame)
            yield stream.getvalue()
            stream.seek(0)
            stream.truncate()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into a refusal: without its place on this server, and in the words of a URL."""
    try:
        yield
    except InputError as error:
        message = str(error).replace(str(path), path.name).replace("`--text`", "`text=COLUMN`")
        raise ApiError("invalid_file", message) from None


def file_request(content_type: str, query: FileQuery) -> FileRequest:
    """Return what the content type and the query of a request ask for.

    Raises:
        ApiError: the content type is none that is read here.

    """
    kind = KINDS.get(content_type.partition(";")[0].strip().lower())
    if kind is None:
        raise ApiError(
            "unsupported_media_type", "Send `Content-Type: text/csv`, or `application/x-ndjson` for JSON Lines."
        )
    output = Output(threshold=query.threshold, top_k=query.top_k, proba=query.probabilities)
    return FileRequest(kind, query.format or kind, tuple(query.text), output)
