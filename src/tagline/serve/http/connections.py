"""Connections: a client that sends its request too slowly, or endless headers, or reads nothing, is disconnected."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tagline.serve.http.exchange import Exchange
from tagline.serve.http.limits import MAX_URL

ABORT = "tagline.abort"  # the key of a request's scope with the function that closes its connection at once
LOSS = "tagline.loss"  # the key of a request's scope with the `Loss` of its connection
FLOW = "tagline.flow"  # the key of a request's scope with the `FlowControl` of its connection, which tells full buffers
ARRIVED = "tagline.arrived"  # is in the scope of a request whose body has arrived: `receive` does not wait
TASKS = "tagline.tasks"  # the key of a request's scope with the set of the tasks that answer requests, its own included
_MAX_HEAD = 512 * 1024  # bytes of the headers; a single read returns up to half of it
_UNREAD_SECONDS = 30.0  # in which a client must read some of an answer that does not fit into the buffers


@dataclass
class Loss:
    """Whether a connection has been lost, and what to call when it is."""

    has_happened: bool = False
    on_loss: set[Callable[[], None]] = field(default_factory=set)


class _Connection(HttpToolsProtocol):
    """uvicorn's connection class, which waits for a request without limit, with a time limit."""

    seconds: float
    _timer: asyncio.TimerHandle | None = None
    _reading_timer: asyncio.TimerHandle | None = None
    _head: int | None = 0  # bytes of the headers so far, None after them

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._loss = Loss()
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._stop_reading_timer()
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:  # would keep the connection for as long as an idle one
            self.timeout_keep_alive_task.cancel()
        self._loss.has_happened = True
        for call in list(self._loss.on_loss):
            call()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        self._stop_reading_timer()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
            if self._head > _MAX_HEAD:
                self._disconnect()
                return
        super().data_received(data)
        if self._head is not None:
            self._start_timer()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_url(self, url: bytes) -> None:
        # httptools cannot parse an URL of 64 KB: of one that is too long, as much is kept as shows it.
        super().on_url(url[: MAX_URL + 2 - len(self.url)])  # a `?` is not counted

    def on_headers_complete(self) -> None:
        self._head = None
        self._stop_timer()
        super().on_headers_complete()
        self.cycle.__class__ = Exchange  # uvicorn makes it, and its task has not started
        self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]  # a key of our own
        self.scope[LOSS] = self._loss  # type: ignore[literal-required]  # likewise
        self.scope[FLOW] = self.flow  # type: ignore[literal-required]  # likewise
        self.scope[TASKS] = self.tasks  # type: ignore[literal-required]  # likewise

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if (
            self.cycle is not None and self.cycle.more_body
        ):  # the rest of the body is not read, but must still end in time
            self._start_timer()

    def on_message_complete(self) -> None:
        self._stop_timer()
        super().on_message_complete()
        self.scope[ARRIVED] = True  # type: ignore[literal-required]  # a key of our own
        if not self.pipeline:  # a client that sends request after request has to wait for the answers
            self.flow.resume_reading()  # paused by a large body: without it the end of the connection is not noticed

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.seconds, self._disconnect)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expect_reading(self) -> None:
        unread = self.transport.get_write_buffer_size()

        def check() -> None:
            if self.transport.get_write_buffer_size() < unread:
                self._expect_reading()
            else:
                self._disconnect()

        self._reading_timer = self.loop.call_later(_UNREAD_SECONDS, check)

    def _stop_reading_timer(self) -> None:
        if self._reading_timer is not None:
            self._reading_timer.cancel()
            self._reading_timer = None

    def _disconnect(self) -> None:
        self._timer = None
        self.transport.abort()


def connection_class(seconds: float) -> type[asyncio.Protocol]:
    """Return the class of connections with a time limit for each request to arrive."""
    return type("LimitedConnection", (_Connection,), {"seconds": seconds})


def expects_request(connection: object) -> bool:
    """Return whether a request is expected: the first one of a connection, or one whose headers are incomplete."""
    return isinstance(connection, _Connection) and connection._head is not None
