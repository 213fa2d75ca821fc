"""The structured log: one JSON object per line on standard error, written by a thread.

Several processes may write to the same pipe: what is written at a time is small enough for the system not to mix it
with what others write.
"""

import json
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

_GATHER_SECONDS = 0.05  # the lines of this time are written together
_MAX_WAITING = 100_000  # lines; a log reader that hangs must not stop the service
_TOGETHER = 4096  # bytes, as PIPE_BUF of Linux, which macOS allows too; longer lines are written alone
_REQUESTS = 1024  # kinds of requests that are remembered: most are alike but for their time
_as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


def location_of(error: BaseException) -> str:
    """Return the type of an error and where it was raised, without its message, which may contain a client's text."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return f"{type(error).__name__} at {' < '.join(reversed(where))}"


def _members(**fields: Any) -> str:
    """Return the fields as in a JSON object, without its braces."""
    return _as_json(fields)[1:-1]


@lru_cache(maxsize=_REQUESTS)
def _members_of_request(
    level: str,
    method: str,
    path: str,
    status: int,
    client: str | None,
    code: str | None,
    model: str | None,
    texts: int | None,
) -> str:
    fields = {"method": method, "path": path, "status": status}
    others = {"client": client, "code": code, "model": model, "texts": texts}
    known = {name: value for name, value in others.items() if value is not None}
    return _members(level=level, event="request", **fields, **known)


@lru_cache(maxsize=1)
def _time_of(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class AccessLog:
    """A log that never blocks its caller; it drops lines, and reports how many, before it fills the memory.

    Each line has the number of the ``worker``, if there are several.
    """

    def __init__(self, stream: TextIO | None = None, worker: int | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._worker = "" if worker is None else f'"worker": {worker}, '
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._has_lines = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def write(self, level: str, event: str, **fields: Any) -> None:
        """Log one event with its fields."""
        self._append(_members(level=level, event=event, **fields))

    def write_request(
        self,
        level: str,
        ms: float,
        logged_texts: list[str] | None,
        *,
        method: str,
        path: str,
        status: int,
        client: str | None,
        code: str | None,
        model: str | None,
        texts: int | None,
    ) -> None:
        """Log a request that took ``ms`` milliseconds, with its texts if given and its fields that are not None."""
        members = _members_of_request(level, method, path, status, client, code, model, texts)
        given = f", {_members(logged_texts=logged_texts)}" if logged_texts else ""
        self._append(f'{members}, "ms": {ms}{given}')

    def _append(self, members: str) -> None:
        """Append a line with these members of its JSON object, and the time."""
        if len(self._lines) >= _MAX_WAITING:
            self._dropped += 1
            return
        second, ms = divmod(time.time_ns() // 1_000_000, 1000)
        self._lines.append(f'{{"time": "{_time_of(second)}.{ms:03}+00:00", {self._worker}{members}}}')
        if not self._has_lines.is_set():  # sets it for all lines that the thread has not taken, in less time
            self._has_lines.set()

    def close(self) -> None:
        """Write the waiting lines."""
        self._closing = True
        self._has_lines.set()
        self._thread.join(timeout=2.0)

    def _write_all(self) -> None:
        while not (self._closing and not self._lines):
            self._has_lines.wait()
            if not self._closing:
                time.sleep(_GATHER_SECONDS)
            self._has_lines.clear()
            waiting = [self._lines.popleft() for _ in range(len(self._lines))]
            dropped, self._dropped = self._dropped, 0
            if dropped:
                waiting.append(json.dumps({"level": "warning", "event": "log_lines_dropped", "lines": dropped}))
            try:
                for part in _parts(waiting):
                    self._stream.write(part)
                    self._stream.flush()
            except (OSError, ValueError):  # the reader has closed it
                return


def _parts(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines in parts that are written at a time."""
    part, size = "", 0
    for line in lines:
        added = len(line.encode(errors="replace")) + 1
        if part and size + added > _TOGETHER:
            yield part
            part, size = "", 0
        part, size = f"{part}{line}\n", size + added
    yield part
