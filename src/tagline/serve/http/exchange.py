"""Responses: one that is complete leaves in one piece."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

_HEADS = 256  # that are remembered: the same headers in most responses, and a length for each size
_CONNECTION_HEADERS = (b"connection", b"transfer-encoding")

Header = tuple[bytes, bytes]


class Exchange(RequestResponseCycle):
    """uvicorn's request and response, which writes the head of a response together with a body of known length.

    uvicorn writes head and body by themselves: a second system call, which wakes the client twice, takes longer than to
    score a short text.
    """

    _start: Any = None  # the message with the head, until the body comes
    _head: "_Head"  # which it gives

    async def send(self, message: Any) -> None:
        """Send a message of the response."""
        if message["type"] == "http.response.start":
            head = _head_of(tuple(message["headers"]))
            if head is not None:
                self._start, self._head = message, head
                return
        elif self._start is not None:
            start, self._start = self._start, None
            if self._is_whole(message):
                self._write(start["status"], message["body"])
                return
            await super().send(start)
        await super().send(message)

    def _is_whole(self, message: Any) -> bool:
        """Return whether a body is all that a connection without peculiarities has to send."""
        return (
            not message.get("more_body", False)
            and len(message.get("body", b"")) == self._head.length
            and self.scope["method"] != "HEAD"
            and self.keep_alive
            and not self.disconnected
            and not self.flow.write_paused
        )

    def _write(self, status: int, body: bytes) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        by_default = map(_line, self.default_headers)
        self.transport.write(b"".join((STATUS_LINE[status], *by_default, self._head.lines, b"\r\n", body)))
        self.response_complete = True
        self.message_event.set()
        self.on_response()


@dataclass(frozen=True)
class _Head:
    """The lines of a head, and the length of the body that it announces."""

    lines: bytes
    length: int


@lru_cache(maxsize=_HEADS)
def _head_of(headers: tuple[Header, ...]) -> _Head | None:
    """Return the head; None if it is for uvicorn: of unknown length, about the connection, or with invalid headers."""
    given = dict(headers)
    if b"content-length" not in given or any(name in given for name in _CONNECTION_HEADERS):
        return None
    if any(HEADER_RE.search(name) or HEADER_VALUE_RE.search(value) for name, value in headers):
        return None
    return _Head(b"".join(map(_line, headers)), int(given[b"content-length"]))


def _line(header: Header) -> bytes:
    return b"%s: %s\r\n" % header
