"""Bodies that are rejected, with which status, and bodies that arrive slowly."""

import json
import time

import pytest

JSON = {"Content-Type": "application/json"}
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
        (b'{"text": "x", "tetx": 1}', 422, "invalid_request", "`tetx`: there is no such field."),
        (b'{"txt": "x"}', 422, "invalid_request", "`txt`: there is no such field. `text` or `texts` is missing."),
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
def test_invalid_bodies(client, body, status, code, said):
    answer = client.post("/v1/predict", content=body, headers=JSON)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert error["message"].endswith((".", "?"))


def test_a_large_body_without_content_length_is_rejected(server):
    pieces = (b'{"text": "' if i == 0 else b"x" * 10_000 for i in range(100))
    with server.client() as client:
        answer = client.post("/v1/predict", content=pieces, headers=JSON)
        assert answer.status_code == 413


def test_only_json_is_accepted(client):
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = client.post("/v1/predict", content=b'{"text": "x"}', headers=headers)
        assert answer.status_code == 415
        assert "application/json" in answer.json()["error"]["message"]
        assert "Files, such as CSV, are labelled by `/v1/predict/file`." in answer.json()["error"]["message"]
    kind = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert client.post("/v1/predict", content=b'{"text": "x"}', headers=kind).status_code == 200


def test_a_body_with_many_errors_is_rejected_at_the_first(client):
    began = time.monotonic()
    answer = client.post("/v1/predict", content=b'{"texts": [' + b"1," * 40_000 + b"1]}", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "texts.0"
    assert time.monotonic() - began < PATIENCE
