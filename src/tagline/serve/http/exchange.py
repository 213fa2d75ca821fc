"""Responses: one that is complete leaves in one piece."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE, RequestResponseCycle

_LINES = 1024  # that are remembered: the same headers in most responses, and a length for each size
_CONNECTION_HEADERS = (b"connection", b"transfer-encoding")

Header = tuple[bytes, bytes]


class Exchange(RequestResponseCycle):
    """uvicorn's request and response, which writes the head of a response together with a body of known length.

    uvicorn writes head and body by themselves: a second system call, which wakes the client twice, takes longer than to
    score a short text.
    """

    _head: Any = None  # the message with the head, until the body comes
    _length = 0  # of the body

    async def send(self, message: Any) -> None:
        """Send a message of the response."""
        if message["type"] == "http.response.start":
            length = _length_of_whole(message["headers"])
            if length is not None:
                self._head, self._length = message, length
                return
        elif self._head is not None:
            head, self._head = self._head, None
            if self._is_whole(message):
                self._write(head, message["body"])
                return
            await super().send(head)
        await super().send(message)

    def _is_whole(self, message: Any) -> bool:
        """Return whether a body is all that a connection without peculiarities has to send."""
        return (
            not message.get("more_body", False)
            and len(message.get("body", b"")) == self._length
            and self.scope["method"] != "HEAD"
            and self.keep_alive
            and not self.disconnected
            and not self.flow.write_paused
        )

    def _write(self, head: Any, body: bytes) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        lines = [_line(header) for header in (*self.default_headers, *head["headers"])]
        self.transport.write(b"".join((STATUS_LINE[head["status"]], *lines, b"\r\n", body)))
        self.response_complete = True
        self.message_event.set()
        self.on_response()


def _length_of_whole(headers: Iterable[Header]) -> int | None:
    """Return the length of a body; None if it is not known, or if the headers decide about the connection."""
    length = None
    for name, value in headers:
        if name == b"content-length":
            length = int(value)
        elif name in _CONNECTION_HEADERS:
            return None
    return length


@lru_cache(maxsize=_LINES)
def _line(header: Header) -> bytes:
    """Return a line of a head; a header that would end it raises `RuntimeError`, as in uvicorn."""
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header.")
    return b"%s: %s\r\n" % header
