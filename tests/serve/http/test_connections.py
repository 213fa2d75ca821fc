"""A client that is slow, sends too much or disconnects does not affect other clients."""

import asyncio
import json
import socket
import struct
import time
from contextlib import ExitStack, suppress
from unittest.mock import MagicMock

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from tagline.serve.http import connections, middleware
from tagline.serve.http.connections import ABORT, LOSS, Loss
from tagline.serve.http.deadline import answered_within
from tagline.serve.http.errors import ApiError, timed_out
from tests.serve.service import post, read_answer, serving, waited

SLOW_SECONDS = 3  # the `--timeout` of the server
PATIENCE = 30  # for a busy machine; who is never cut off takes minutes


def one_byte_a_second(connection: socket.socket, data: bytes) -> float:
    """Send slowly until the other side has had enough; return after how many seconds."""
    started = time.monotonic()
    connection.settimeout(1)
    for byte in data:
        try:
            connection.sendall(bytes([byte]))
        except OSError:
            break
        try:
            connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            continue  # no answer yet
        except OSError:
            pass
        break
    return time.monotonic() - started


@pytest.mark.slow
def test_a_client_that_sends_one_byte_a_second_is_disconnected(server, client):
    request = post("/v1/predict", json.dumps({"text": "great " * 20}).encode())
    head = request.index(b"\r\n\r\n") + 4
    with server.connect() as slow_head, server.connect() as slow_body:
        slow_body.sendall(request[:head])
        assert one_byte_a_second(slow_body, request[head:]) < SLOW_SECONDS + PATIENCE
        slow_body.settimeout(PATIENCE)
        status, headers, body = read_answer(slow_body)
        assert (status, headers["connection"], json.loads(body)["error"]["code"]) == (408, "close", "too_slow")
        assert one_byte_a_second(slow_head, request[:head]) < SLOW_SECONDS + PATIENCE
    assert client.post("/v1/predict", json={"text": "great"}).status_code == 200


def test_a_silent_connection_is_closed(server):
    with server.connect() as silent:
        silent.settimeout(SLOW_SECONDS + PATIENCE)
        started = time.monotonic()
        with suppress(ConnectionResetError):
            assert silent.recv(1) == b""
        assert time.monotonic() - started >= SLOW_SECONDS - 0.5


def test_dropped_connections_leave_nothing_behind(server, client):
    request = post("/v1/predict", b'{"text": "a great film"}')
    for length in (10, 60, len(request) - 5, len(request)):
        for _ in range(10):
            with server.connect() as gone:
                gone.sendall(request[:length])
    assert client.post("/v1/predict", json={"text": "great"}).status_code == 200
    waited(lambda: "tagline_in_flight 1.0" in client.get("/metrics").text, SLOW_SECONDS + PATIENCE)
    assert not [line for line in server.lines() if line["level"] == "error"]


def test_a_connection_keeps_nothing_of_a_request_that_was_answered(models, tmp_path):
    texts = json.dumps({"texts": [" " * 9000] * 1000}).encode()  # 9 MB that need no scoring
    request = post("/v1/predict", texts)
    with serving(tmp_path, models["two"]) as server, ExitStack() as idle:

        def ask(connection: socket.socket) -> None:
            connection.sendall(request)
            assert read_answer(connection)[0] == 200

        with server.connect() as first:
            ask(first)
        before = server.memory_mb()
        for _ in range(10):
            ask(idle.enter_context(server.connect()))
            with server.connect() as closed:
                ask(closed)
        assert server.memory_mb() - before < 40  # 90 MB are kept otherwise


@pytest.mark.slow
def test_an_unread_body_must_end_in_time(server):
    request = post("/healthz", b"x" * 100)
    head = request.index(b"\r\n\r\n") + 4
    with server.connect() as trickle:
        trickle.sendall(request[:head])
        assert one_byte_a_second(trickle, request[head:]) < SLOW_SECONDS + PATIENCE


def test_endless_headers_are_rejected(server, client):
    with server.connect() as connection, suppress(ConnectionError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        for number in range(100):
            connection.sendall(b"x-%d: " % number + b"y" * 100_000 + b"\r\n")
        assert connection.recv(1) == b""
    assert client.get("/healthz").status_code == 200
    assert server.memory_mb() < 1000


def test_urls_and_headers_are_limited(server):
    heads = {
        200: ["GET /healthz?" + "x" * 30_000, *(f"X-{n}: y" for n in range(97)), "X-Large: " + "y" * 60_000],
        414: ["GET /healthz?" + "x" * 32_761],
        431: ["GET /healthz", *(f"X-{n}: y" for n in range(100))],
    }
    for status, (first, *headers) in heads.items():
        with server.connect() as connection:
            request = "\r\n".join([f"{first} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
            for _ in range(2):  # the connection is kept
                connection.sendall(request)
                assert read_answer(connection)[0] == status
    for first, header, code in (
        ("GET /" + "x" * 200_000, "X: y", "uri_too_long"),
        ("POST /v1/predict", "X: " + "y" * 70_000, "headers_too_large"),
    ):
        with server.connect() as connection:
            connection.sendall(f"{first} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode())
            assert json.loads(read_answer(connection)[2])["error"]["code"] == code
    assert max(len(line.get("path", "")) for line in server.lines()) <= 200


def test_a_client_that_vanishes_before_it_reads_its_answer_is_no_fault(server, client):
    path = "/v1/predict/file?model=four&format=jsonl&probabilities=true&top_k=4"  # an answer larger than any buffer
    request = post(path, b"text\n" + b"x\n" * 20_000).replace(b"application/json", b"text/csv")
    with socket.socket() as gone:
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing sends RST
        gone.settimeout(PATIENCE)
        gone.connect((server.host, server.port))
        gone.sendall(request)
        assert gone.recv(2000, socket.MSG_WAITALL).startswith(b"HTTP/1.1 200 OK")
        assert "tagline_in_flight 2.0" in client.get("/metrics").text
    waited(lambda: "tagline_in_flight 1.0" in client.get("/metrics").text, SLOW_SECONDS + PATIENCE)
    assert not [line for line in server.lines() if line["level"] == "error"]
    assert "Traceback" not in server.text()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/predict", json.dumps({"texts": ["great " * 300] * 50}).encode()),
        ("/v1/explain", json.dumps({"text": "great film " * 180}).encode()),
        ("/v1/predict/file", b"text\n" + b"great film\n" * 20_000),
    ],
)
def test_nothing_is_computed_for_a_client_that_has_gone(server, path, body):
    kind = b"text/csv" if path.endswith("file") else b"application/json"

    def gone():
        with server.connect() as connection:
            connection.sendall(post(path, body).replace(b"application/json", kind))
        time.sleep(0.1)
        found = [line for line in server.lines() if (line.get("path"), line.get("status")) == (path, 499)]
        return found[-1] if found else None

    assert "code" not in waited(gone, PATIENCE)  # not always: a short answer may be ready before


def test_a_client_that_reads_nothing_of_an_answer_in_one_piece_is_disconnected(monkeypatch):
    monkeypatch.setattr(connections, "_UNREAD_SECONDS", 0.01)

    async def is_aborted(*sizes):
        connection = connections._Connection.__new__(connections._Connection)
        connection.loop, connection.flow, connection.transport = asyncio.get_running_loop(), MagicMock(), MagicMock()
        connection.transport.get_write_buffer_size.side_effect = sizes
        connection.pause_writing()
        await asyncio.sleep(0.1)
        if len(sizes) == 1:
            connection.resume_writing()
        return connection.transport.abort.called

    assert asyncio.run(is_aborted(90, 90))
    assert asyncio.run(is_aborted(90, 80, 80, 80))  # it has read some of it, and then no more
    monkeypatch.setattr(connections, "_UNREAD_SECONDS", 60)
    assert not asyncio.run(is_aborted(90))


def test_what_is_awaited_ends_with_its_time_or_its_connection():
    loss = Loss()

    async def await_long(seconds, *, lost=False, error=None):
        async with answered_within({LOSS: loss}, seconds):
            if error is not None:
                raise error
            if lost:
                loss.has_happened = True
                next(iter(loss.on_loss))()
            await asyncio.sleep(0 if seconds is None and not lost else 60)

    with pytest.raises(ApiError, match=r"within 0.01 seconds"):
        asyncio.run(await_long(0.01))
    asyncio.run(await_long(None))
    for seconds in (None, 60):
        with pytest.raises(TimeoutError, match="the disk"):
            asyncio.run(await_long(seconds, error=TimeoutError("the disk does not answer")))
    for _ in range(2):  # the second time it has happened before
        with pytest.raises(ClientDisconnect):
            asyncio.run(await_long(60, lost=True))
    loss.has_happened = False
    with pytest.raises(ClientDisconnect):
        asyncio.run(await_long(None, lost=True))
    assert loss.on_loss == set()


def test_a_client_that_reads_nothing_is_disconnected_and_no_fault(monkeypatch):
    monkeypatch.setattr(middleware, "WRITE_SECONDS", 0.01)
    service, cut = MagicMock(draining=False), []
    service.settings.allowed_hosts = service.settings.api_key = None

    async def app(scope, receive, send):
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        except ClientDisconnect:
            scope["tagline.record"].code = "internal_error"  # as FastAPI's handler of all exceptions does
            raise

    async def send(_):
        await asyncio.Event().wait()  # the buffers are full

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    scope[ABORT] = lambda: cut.append(True)
    asyncio.run(middleware.ServiceMiddleware(app, service, [])(scope, MagicMock(), send))
    [logged] = service.log.write_request.call_args_list
    assert (logged.args[0], logged.kwargs["status"], logged.kwargs["code"], cut) == ("info", 499, None, [True])
    service.metrics.rejected.assert_not_called()


def test_an_answer_whose_time_ends_after_it_has_begun_is_no_fault():
    """Starlette wraps the error in another one, as it cannot answer twice."""
    service, app = MagicMock(draining=False), FastAPI()
    service.settings.allowed_hosts = service.settings.api_key = None

    async def parts():
        yield b"half"
        raise timed_out(3)

    @app.get("/")
    def answer() -> StreamingResponse:
        return StreamingResponse(parts())

    @app.exception_handler(ApiError)
    def show(_, error: ApiError):
        return error.response()

    async def receive():
        await asyncio.Event().wait()  # the client stays

    async def send(_):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
    with pytest.raises(RuntimeError):  # it reaches uvicorn, which cuts the connection
        asyncio.run(middleware.ServiceMiddleware(app, service, [])(scope, receive, send))
    [logged] = service.log.write_request.call_args_list
    assert (logged.kwargs["status"], logged.kwargs["code"]) == (200, "timed_out")
    service.log.write.assert_not_called()
