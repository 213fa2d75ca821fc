"""Connections: a client that does not get its request across in time, or sends endless headers, is cut off."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

ABORT = "tagline.abort"  # where a request's scope holds what ends its connection, whatever is still to be sent
_MOST_HEAD = 512 * 1024  # bytes that may come in before the headers end; one read takes up to half of it


def connection_class(seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's connection, which waits for ever for the end of a request, with an end to that."""

    class Connection(HttpToolsProtocol):
        _waiting: asyncio.TimerHandle | None = None
        _head: int | None = 0  # bytes of the headers so far, None behind them

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cease()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._head is not None:
                self._head += len(data)
                if self._head > _MOST_HEAD:
                    self._cut()
                    return
            super().data_received(data)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head = 0
            self._wait()

        def on_headers_complete(self) -> None:
            self._head = None
            self._cease()
            super().on_headers_complete()
            self.scope[ABORT] = self.transport.abort  # type: ignore[literal-required]  # a key of our own

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle is not None and self.cycle.more_body:  # nobody reads the rest; it may not trickle on for ever
                self._wait()

        def on_message_complete(self) -> None:
            self._cease()
            super().on_message_complete()

        def _wait(self) -> None:
            if self._waiting is None:
                self._waiting = self.loop.call_later(seconds, self._cut)

        def _cease(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

        def _cut(self) -> None:
            self._waiting = None
            self.transport.abort()

    return Connection
