"""Compressed bodies: what comes back, and what is refused."""

import asyncio
import gzip
import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagline.serve.http.content_encoding import decoded
from tagline.serve.http.errors import ApiError

GZIP = {"Content-Encoding": "gzip"}
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}
#: Without the time, so that all workers give the tests the same names.
compressed = partial(gzip.compress, mtime=0)


def received(body: bytes, size: int) -> bytes:
    """Return what a handler reads of a gzip body that arrives in parts."""
    parts = [body[start : start + size] for start in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": part, "more_body": n < len(parts)} for n, part in enumerate(parts, start=1)
    ]

    async def read() -> bytes:
        async def receive():
            return messages.pop(0)

        plain, found = decoded({"headers": [(b"content-encoding", b"gzip")]}, receive), b""
        while (message := await plain())["more_body"]:
            assert len(message["body"]) <= 1 << 16
            found += message["body"]
        return found

    return asyncio.run(read())


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=40).map(lambda part: part * 5000), max_size=3), st.sampled_from([1, 7, 1 << 16]))
def test_any_stream_is_decompressed_in_small_pieces(members: list[bytes], size: int) -> None:
    members = members or [b""]
    body = b"".join(compressed(member) for member in members)
    assert received(body, max(size, len(body) // 50)) == b"".join(members)


@pytest.mark.parametrize(
    "body",
    [b"", b"text", compressed(b"x" * 99)[:-1], compressed(b"x") + b"y"],
    ids=["empty", "text", "cut", "more"],
)
def test_a_stream_that_is_damaged(body: bytes) -> None:
    with pytest.raises(ApiError) as error:
        received(body, 5)
    assert error.value.code == "malformed_gzip"


def test_compressed_bodies_are_answered_like_plain_ones(client):
    plain = json.dumps({"text": "a great film", "model": "two"}).encode()
    for path in ("/v1/predict", "/v1/explain"):
        expected = client.post(path, content=plain, headers=JSON).json()
        assert client.post(path, content=compressed(plain), headers=JSON | GZIP).json() == expected
    rows = b"text\na great film\ndull\n"
    expected = client.post("/v1/predict/file", content=rows, headers=CSV).text
    assert client.post("/v1/predict/file", content=compressed(rows), headers=CSV | GZIP).text == expected


@pytest.mark.parametrize(
    ("path", "headers", "body", "status", "code"),
    [
        ("/v1/predict", JSON | GZIP, compressed(b" " * 200_001), 413, "body_too_large"),
        ("/v1/predict", JSON | GZIP, compressed(b" " * 50_000_000), 413, "body_too_large"),
        ("/v1/predict/file", CSV | GZIP, compressed(b" " * 50_000_000), 413, "body_too_large"),
        ("/v1/predict", JSON | GZIP, b'{"text": "x"}', 400, "malformed_gzip"),
        ("/v1/explain", JSON | GZIP, compressed(b'{"text": "x"}')[:-4], 400, "malformed_gzip"),
        ("/v1/predict/file", CSV | GZIP, b"text\nx\n", 400, "malformed_gzip"),
        ("/v1/predict", JSON | {"Content-Encoding": "br"}, b'{"text": "x"}', 415, "unsupported_media_type"),
        ("/v1/predict/file", CSV, compressed(b"text\nx\n"), 415, "unsupported_media_type"),
    ],
)
def test_what_is_refused(client, path, headers, body, status, code):
    answer = client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
