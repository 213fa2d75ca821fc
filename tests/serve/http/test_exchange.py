"""A response has the bytes that uvicorn writes, and leaves in one piece if it is complete."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tagline.serve.http.connections import connection_class

LENGTH = (b"content-length", b"4")
START = {"type": "http.response.start", "status": 200, "headers": [LENGTH, (b"x-frame-options", b"DENY")]}
BODY = {"type": "http.response.body", "body": b"good"}


class Transport(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def written(protocol: type[asyncio.Protocol], request: bytes, *messages: dict[str, Any]) -> Transport:
    """Return what a connection writes if an application sends these messages."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(dict(message))

    async def answer() -> Transport:
        config = uvicorn.Config(app, http=protocol, log_config=None, ws="none", lifespan="off")
        config.load()
        state = ServerState()
        state.default_headers = [(b"date", b"today")]
        connection: Any = protocol(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        transport = Transport()
        connection.connection_made(transport)
        connection.data_received(request)
        while state.tasks:
            await asyncio.sleep(0)
        connection.connection_lost(None)
        return transport

    return asyncio.run(answer())


def request(first: str = "GET / HTTP/1.1", *headers: str) -> bytes:
    return "\r\n".join([first, "Host: localhost", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("asked", "messages", "pieces"),
    [
        (request(), [START, BODY], 1),
        (request() * 3, [START, BODY], 3),
        (request(), [START | {"status": 404}, BODY], 1),
        (request(), [START | {"headers": [(b"content-length", b"0")]}, BODY | {"body": b""}], 1),
        (request("POST / HTTP/1.1", "Expect: 100-continue", "Content-Length: 0"), [START, BODY], 2),
        (request("HEAD / HTTP/1.1"), [START, BODY], 1),
        (request("GET / HTTP/1.0"), [START, BODY], 2),
        (request("GET / HTTP/1.1", "Connection: close"), [START, BODY], 2),
        (request(), [START | {"headers": [LENGTH, (b"connection", b"close")]}, BODY], 2),
        (request(), [START, BODY | {"body": b"go", "more_body": True}, BODY | {"body": b"od"}], 3),
        (request(), [START | {"headers": []}, BODY | {"more_body": True}, BODY], 3),
        (request(), [START, BODY | {"body": b"too long"}], 1),
        (request(), [START, BODY | {"body": b""}], 2),
        (request(), [START | {"headers": [LENGTH, (b"x", b"a\r\nb: c")]}, BODY], 0),
        (request(), [BODY], 2),
        (request(), [START, BODY, BODY], 1),
    ],
)
def test_a_response_is_that_of_uvicorn(asked: bytes, messages: list[dict[str, Any]], pieces: int) -> None:
    ours, theirs = (written(kind, asked, *messages) for kind in (connection_class(60.0), HttpToolsProtocol))
    assert b"".join(ours.written) == b"".join(theirs.written)
    assert ours.closed == theirs.closed
    assert len(ours.written) == pieces


def test_an_application_that_fails_before_the_body_answers_500() -> None:
    """uvicorn has sent the head by then, and cuts the connection."""
    found = written(connection_class(60.0), request(), START)
    assert b"".join(found.written).startswith(b"HTTP/1.1 500 ")
    assert found.closed
