"""What is refused, with which status, and that a client that is slow, loud or gone harms nobody."""

import json
import socket
import time
from contextlib import suppress

import httpx
import pytest

from tests.serve.service import post, read_answer, serving, waited

JSON = {"Content-Type": "application/json"}
SLOW_SECONDS = 3  # what the server was told
PATIENCE = 30  # for a busy machine; who is never cut off takes minutes


@pytest.mark.parametrize(
    ("body", "status", "code", "said"),
    [
        (b"", 400, "malformed_json", "EOF"),
        (b"{", 400, "malformed_json", "EOF"),
        (b'{"text": "x",}', 400, "malformed_json", "trailing comma"),
        (b'{"text": "\xff"}', 400, "invalid_utf8", "byte 10"),
        (b'{"text": "\\ud800"}', 400, "malformed_json", "hex escape"),
        (b"[" * 5000, 400, "malformed_json", "recursion"),
        (b'"x"', 422, "invalid_request", "object"),
        (b"[]", 422, "invalid_request", "object"),
        (b"{}", 422, "invalid_request", "`text` or `texts`"),
        (b'{"text": "x", "texts": ["y"]}', 422, "invalid_request", "one of them"),
        (b'{"text": null}', 422, "invalid_request", "`text`"),
        (b'{"text": 1}', 422, "invalid_request", "`text`"),
        (b'{"texts": []}', 422, "invalid_request", "`texts`"),
        (b'{"texts": ["x", 1]}', 422, "invalid_request", "`texts.1`"),
        (b'{"text": "x", "tetx": 1}', 422, "invalid_request", "`tetx`"),
        (b'{"text": "x", "top_k": -1}', 422, "invalid_request", "`top_k`"),
        (b'{"text": "x", "top_k": "1"}', 422, "invalid_request", "`top_k`"),
        (b'{"text": "x", "threshold": 1.5}', 422, "invalid_request", "`threshold`"),
        (b'{"text": "x", "threshold": NaN}', 422, "invalid_request", "`threshold`"),
        (b'{"text": "x", "probabilities": 1}', 422, "invalid_request", "`probabilities`"),
        (b'{"text": "x", "model": "towo"}', 404, "unknown_model", "Did you mean `two`?"),
        (json.dumps({"texts": ["x"] * 51}).encode(), 422, "too_many_texts", "may have 50"),
        (json.dumps({"texts": ["x", "y" * 2001]}).encode(), 422, "text_too_long", "Text 1 has 2,001"),
        (b'{"text": "' + b"x" * 200_000 + b'"}', 413, "body_too_large", "200,000 bytes"),
    ],
)
def test_bodies_that_cannot_be_answered(client, body, status, code, said):
    answer = client.post("/v1/predict", content=body, headers=JSON)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert error["message"].endswith((".", "?"))


def test_a_body_too_large_is_refused_whatever_its_length_says(server):
    pieces = (b'{"text": "' if i == 0 else b"x" * 10_000 for i in range(100))
    with server.client() as client:
        answer = client.post("/v1/predict", content=pieces, headers=JSON)
        assert answer.status_code == 413


def test_only_json_is_taken(client):
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = client.post("/v1/predict", content=b'{"text": "x"}', headers=headers)
        assert answer.status_code == 415
        assert "application/json" in answer.json()["error"]["message"]
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/v1/predict", content=b'{"text": "x"}', headers=kind).status_code == 200


def test_a_long_text_is_cut_only_if_asked_and_that_is_said(client):
    text = "great " * 300 + "dull " * 300
    assert client.post("/v1/predict", json={"text": text}).status_code == 422
    assert client.post("/v1/explain", json={"text": text}).status_code == 422
    asked = {"texts": [text, "great"], "truncate": True, "probabilities": True}
    cut, whole = client.post("/v1/predict", json=asked).json()["predictions"]
    assert (cut["truncated"], whole["truncated"]) == (True, False)
    expected = client.post("/v1/predict", json={"text": text[:2000], "probabilities": True}).json()["predictions"][0]
    assert cut["probabilities"] == expected["probabilities"]
    explained = client.post("/v1/explain", json={"text": text, "truncate": True}).json()
    assert explained["truncated"] is True
    assert max(end for _, end, _ in explained["words"]) <= 2000


def test_paths_and_methods_that_are_not_there(client):
    answer = client.get("/nope")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    answer = client.get("/static/../secrets")
    assert answer.status_code == 404
    answer = client.get("/v1/predict")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert client.post("/v1/explain", json={"text": "x", "class": "c9"}).status_code == 422


def one_byte_a_second(connection: socket.socket, data: bytes) -> float:
    """Send slowly until the other side has had enough; return after how many seconds."""
    begun = time.monotonic()
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
    return time.monotonic() - begun


@pytest.mark.slow
def test_a_client_that_sends_one_byte_a_second_is_cut_off(server, client):
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
        begun = time.monotonic()
        with suppress(ConnectionResetError):
            assert silent.recv(1) == b""
        assert time.monotonic() - begun >= SLOW_SECONDS - 0.5


def test_dropped_connections_leave_nothing_behind(server, client):
    request = post("/v1/predict", b'{"text": "a great film"}')
    for length in (10, 60, len(request) - 5, len(request)):
        for _ in range(10):
            with server.connect() as gone:
                gone.sendall(request[:length])
    assert client.post("/v1/predict", json={"text": "great"}).status_code == 200
    waited(lambda: "tagline_in_flight 1.0" in client.get("/metrics").text, SLOW_SECONDS + PATIENCE)
    assert not [line for line in server.lines() if line["level"] == "error"]


def test_too_many_at_a_time_are_told_to_come_again(models, tmp_path):
    with serving(tmp_path, models["two"], "--max-concurrent", 2) as server, server.client() as client:
        request = post("/v1/predict", b'{"text": "a great film"}')
        waiting = [server.connect() for _ in range(2)]
        for connection in waiting:
            connection.sendall(request[:-5])
        answer = waited(lambda: refused(client), PATIENCE)
        assert answer.json()["error"]["code"] == "overloaded"
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == 200
        assert 'tagline_rejected_total{code="overloaded"}' in client.get("/metrics").text
        for connection in waiting:
            connection.sendall(request[-5:])
            assert read_answer(connection)[0] == 200
            connection.close()
        assert client.post("/v1/predict", json={"text": "great"}).status_code == 200


def refused(client: httpx.Client) -> httpx.Response | None:
    answer = client.post("/v1/predict", json={"text": "great"})
    return answer if answer.status_code == 429 else None


@pytest.mark.slow
def test_a_body_that_nobody_reads_may_not_trickle_for_ever(server):
    request = post("/healthz", b"x" * 100)
    head = request.index(b"\r\n\r\n") + 4
    with server.connect() as trickle:
        trickle.sendall(request[:head])
        assert one_byte_a_second(trickle, request[head:]) < SLOW_SECONDS + PATIENCE


def test_endless_headers_are_cut_off(server, client):
    with server.connect() as connection, suppress(ConnectionError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        for number in range(100):
            connection.sendall(b"x-%d: " % number + b"y" * 100_000 + b"\r\n")
        assert connection.recv(1) == b""
    assert client.get("/healthz").status_code == 200
    assert server.memory_mb() < 1000


def test_a_body_of_many_faults_is_refused_by_the_first(client):
    began = time.monotonic()
    answer = client.post("/v1/predict", content=b'{"texts": [' + b"1," * 40_000 + b"1]}", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "texts.0"
    assert time.monotonic() - began < PATIENCE


def test_a_long_text_in_a_file_is_refused_with_its_row(client):
    rows = b"text\nshort\n" + b"word " * 10_000 + b"\n"
    answer = client.post("/v1/predict/file", content=rows, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid_file")
    assert "row 2 has" in answer.json()["error"]["message"]
