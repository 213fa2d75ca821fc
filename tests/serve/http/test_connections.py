"""A client that is slow, sends too much or disconnects does not affect other clients."""

import json
import socket
import time
from contextlib import suppress

import pytest

from tests.serve.service import post, read_answer, waited

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
