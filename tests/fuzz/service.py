"""The HTTP service, in this process: bodies and queries of every endpoint that takes one.

The first byte of an input chooses the endpoint, the second the headers, and the others are query and body.
"""

import asyncio
import gzip
import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

from starlette.types import ASGIApp, Message

from tagline.serve.app import make_app
from tagline.serve.batching import Scorer
from tagline.serve.http.access_log import AccessLog
from tagline.serve.http.limits import Limits
from tagline.serve.metrics import Metrics
from tagline.serve.model_store import ModelStore
from tagline.serve.routes import ROUTES
from tagline.serve.settings import ServerSettings
from tagline.serve.state import Service
from tests.fuzz.inputs import NUMBERS, STRINGS, Choices
from tests.fuzz.target import Target

GOLDEN = Path(__file__).parents[1] / "golden"
_MODELS = {
    "topics": GOLDEN / "bundle-v2-fast-multiclass" / "model",
    "labels": GOLDEN / "bundle-v2-fast-multilabel" / "model",
    "two": GOLDEN / "bundle-v3" / "model",
    "ids": GOLDEN / "bundle-v2-lstm-masked" / "model",
}
_LIMITS = Limits(max_body=20_000, max_file=20_000, max_texts=50, max_chars=5_000, max_concurrent=4, timeout=60.0)
_JSON, _CSV, _LINES = "application/json", "text/csv", "application/x-ndjson"
#: Method, path, content type, and whether the body is generated.
_REQUESTS = (
    ("POST", "/v1/predict", _JSON, False),
    ("POST", "/v1/predict", _JSON, True),
    ("POST", "/v1/explain", _JSON, False),
    ("POST", "/v1/explain", _JSON, True),
    ("POST", "/v1/predict/file", _CSV, False),
    ("POST", "/v1/predict/file", _LINES, False),
    ("POST", "/v1/predict/file", _LINES, True),
    ("GET", "/v1/models", "", False),
    ("GET", "/", "", False),
)
_HEADERS: tuple[dict[str, str], ...] = (
    {}, {}, {}, {}, {"content-encoding": "gzip"}, {"content-encoding": "zip"}, {"content-length": "10"},
    {"content-length": "-1"}, {"content-type": "application/json; charset=utf-16"}, {"content-type": "\xff"},
    {"host": "a.b"}, {"content-type": "multipart/form-data; boundary=x"}, {"expect": "100-continue"},
    {"content-type": "application/x-www-form-urlencoded"}, {"accept": "text/html"}, {"content-encoding": "gzip, gzip"},
)  # fmt: skip
_FIELDS = ("text", "texts", "model", "top_k", "probabilities", "threshold", "truncate", "class", "format", "x")
_VALUES: tuple[Any, ...] = (
    "a good film", ["a", "b"], [], ["a"] * 51, "x" * 5001, *STRINGS, *NUMBERS, None, True, False, {"a": 1}, [[]],
    *_MODELS, "csv", "jsonl", "\ud83d", ["\ud83d"], [1], "topics\0",
)  # fmt: skip


@cache
def _app() -> tuple[ASGIApp, Service, asyncio.AbstractEventLoop]:
    """Return the application of a service, whose log goes nowhere, the service, and the loop that it runs in."""
    metrics, log = Metrics(route.path for route in ROUTES), AccessLog(io.StringIO())
    settings = ServerSettings(_MODELS, limits=_LIMITS)
    service = Service(settings, ModelStore(_MODELS, None, log, metrics), Scorer(), log, metrics)
    return make_app(service), service, asyncio.new_event_loop()


def _made_body(choices: Choices) -> bytes:
    fields = {choices.pick(_FIELDS): choices.pick(_VALUES) for _ in range(choices.below(6))}
    if not choices.once_in(4):
        fields["text"] = choices.pick(("a good film", *STRINGS))
    return json.dumps(fields).encode()


def _made_query(choices: Choices) -> bytes:
    pairs = [(choices.pick(_FIELDS), choices.pick(_VALUES)) for _ in range(choices.below(4))]
    return "&".join(f"{name}={quote(str(value), errors='replace')}" for name, value in pairs).encode()


def check(data: bytes) -> bool:
    """Send one request: the status is never 500, and JSON answers have sound values."""
    choices = Choices(data)
    method, path, kind, made = choices.pick(_REQUESTS)
    headers = {"host": "127.0.0.1", "content-type": kind} | choices.pick(_HEADERS)
    query = _made_query(choices) if choices.once_in(3) else b""
    n_lines = 1 + choices.below(5) if made and kind == _LINES else 1
    body = b"\n".join(_made_body(choices) for _ in range(n_lines)) if made else choices.rest()
    if headers.get("content-encoding") == "gzip" and choices.once_in(2):
        body = gzip.compress(body, 1)
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    app, service, loop = _app()
    status, fields, answer = loop.run_until_complete(_send(app, method, path, query, encoded, body))
    assert service.files_in_progress == 0
    assert 200 <= status < 600, status
    assert status not in (500, 503, 504), answer[:500]
    if status >= 400:
        assert json.loads(answer)["error"]["code"]
    elif path in ("/v1/predict", "/v1/explain"):
        _check_answer(json.loads(answer))
    elif fields.get(b"content-type") == _LINES.encode():
        assert answer.count(b"\n") == int(fields[b"x-tagline-rows"])
    return status < 400


async def _send(
    app: ASGIApp, method: str, path: str, query: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Return status, headers and body of the answer to a request that arrives in two parts."""
    half = len(body) // 2
    messages: list[Message] = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        if not messages:  # the client waits for the answer
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "query_string": query, "headers": headers, "root_path": "", "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent[1:])


def _check_answer(answer: Any) -> None:
    """No number is NaN or infinite, and probabilities are from 0 to 1."""
    json.dumps(answer, allow_nan=False)
    for row in answer.get("predictions", [answer]):
        for value in (row.get("probabilities") or {}).values():
            assert value is None or 0 <= value <= 1
        if row.get("probability") is not None:
            assert 0 <= row["probability"] <= 1


def seeds() -> list[bytes]:
    """Return a request of each kind, and decisions for those that are generated."""
    draw = Random(0)
    texts = [b'{"text": "a good film"}', b'{"texts": ["a", "b"], "probabilities": true, "top_k": 2, "model": "labels"}']
    explained = [b'{"text": "a good film", "model": "two"}', b'{"text": "a bad film", "class": "pos", "model": "ids"}']
    csv, lines = b'text,n\n"a good film",1\nbad,2\n', b'{"text": "a good film", "n": 1}\n{"text": "bad"}\n'
    bodies = {0: texts, 2: explained, 4: [csv], 5: [lines], 7: [b""], 8: [b""]}
    found = [bytes([number, header, 0]) + body for number, each in bodies.items() for body in each for header in (0, 4)]
    found += [bytes([number, 4, 2, 0, 1]) + gzip.compress(body) for number, body in ((0, texts[0]), (4, csv))]
    return found + [bytes([number, 0]) + draw.randbytes(32) for number in (1, 3, 6) for _ in range(12)]


WORDS = (
    *(json.dumps(value).encode() for value in _VALUES if len(str(value)) < 500),
    *(b'"%s": ' % field.encode() for field in _FIELDS),
    b"[" * 200, b"{" * 3, b"\xff", b"\\ud83d", b"1e400", b"NaN", b"\0", b'"texts": [', b"\r\n", b'"', b",",
)  # fmt: skip
TARGET = Target("service", check, seeds, WORDS)
