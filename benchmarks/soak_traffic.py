"""The traffic of `soak.py`: kinds of requests, with the answer that each must get."""

import asyncio
import gzip
import io
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from soak_client import Answer, Connection, RequestLostError, chunked, request
from tagline.serve.http.limits import Limits
from tagline.serve.http.middleware import WRITE_SECONDS

KEY = "a-key-of-the-soak-test-0123456789"
JSON = {"Content-Type": "application/json", "X-API-Key": KEY}
#: Codes of 429, 503 and 504, which a busy server may answer to any request: a client tries again.
BUSY = ("overloaded", "unavailable", "timed_out")
SHORT_CHARS = 1000
_LARGE_BODIES = 20  # at a time: the server keeps 16 in memory
_FILES = 24  # at a time: the server keeps 16 on disk
_MAX_REPORTED = 20
_PROBABILITY = 1e-4  # largest difference, of float32 in batches of different sizes
_EXCEL = b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + bytes(200)
#: Format and size, as a share of the limit, of the files, and how often each is sent; the first is read slowly.
UPLOADS = [("csv", 0.1), ("csv", 0.99), ("jsonl", 0.99), ("jsonl", 0.01), ("csv", 0.001)]
UPLOAD_WEIGHTS = (4, 1, 1, 10, 10)
Message = tuple[bytes, bytes]
Check = Callable[[Answer], None]


class WrongAnswerError(Exception):
    """A complete answer that is not the expected one."""


@dataclass(frozen=True)
class Texts:
    """Texts for requests, by size: ``long`` ones fill a body when there are ``max_texts`` of them."""

    short: Sequence[str]
    long: Sequence[str]
    longest: Sequence[str]

    @classmethod
    def of(cls, given: Sequence[str], limits: Limits) -> "Texts":
        """Cut and join reviews."""
        reviews = list(given)
        short = [review[: 1 + 7 * k % SHORT_CHARS].strip() or "fine" for k, review in enumerate(reviews)]
        budget = limits.max_body // limits.max_texts - 8
        joined = (" ".join((reviews * 2)[k : k + 1 + budget // 100]) for k in range(min(200, len(reviews))))
        longest = " ".join(reviews * (1 + limits.max_chars // sum(map(len, reviews))))
        return cls(short, [_cut(text, budget) for text in joined], [longest[: limits.max_chars - k] for k in range(3)])

    def all(self) -> list[str]:
        """Return the texts of all sizes."""
        return [*self.short, *self.long, *self.longest]


def _cut(text: str, n_bytes: int) -> str:
    """Return as much of a text as fits into ``n_bytes`` of JSON."""
    while (size := len(_json(text))) > n_bytes:
        text = text[: len(text) - max(1, (size - n_bytes) // 4)]
    return text


def _json(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Expected:
    """The predictions of one version of a model: class and probability by text."""

    by_text: dict[str, tuple[str, float]]

    def check(self, text: str, label: str, probability: float) -> None:
        """Raise `WrongAnswerError` unless this is the prediction for ``text``."""
        wanted, proba = self.by_text[text]
        if abs(probability - proba) > _PROBABILITY or (label != wanted and proba > 0.5 + _PROBABILITY):
            raise WrongAnswerError(f"`{label}` {probability:.6f} instead of `{wanted}` {proba:.6f} for `{text[:60]}`")


@dataclass(frozen=True)
class Upload:
    """A file of numbered rows, plain and compressed."""

    kind: str
    texts: Sequence[str]
    data: bytes
    compressed: bytes

    @classmethod
    def of(cls, kind: str, texts: Sequence[str], n_bytes: int, rng: random.Random) -> "Upload":
        """Return a CSV or JSON Lines file of random texts, of up to ``n_bytes``."""
        if kind == "csv":
            cells = {text: '"' + text.replace('"', '""') + '"' for text in texts}
            rows, size = ["number,text"], 11
        else:
            cells = {text: json.dumps(text) for text in texts}
            rows, size = [], 0
        chosen: list[str] = []
        while True:
            text = rng.choice(texts)
            row = f"{len(chosen)},{cells[text]}"
            if kind == "jsonl":
                row = f'{{"number": {len(chosen)}, "text": {cells[text]}}}'
            size += len(row.encode()) + 1
            if size > n_bytes:
                break
            rows.append(row)
            chosen.append(text)
        data = ("\n".join(rows) + "\n").encode()
        return cls(kind, chosen, data, gzip.compress(data, 1))

    def check(self, answer: Answer, expected: Expected) -> None:
        """Raise `WrongAnswerError` unless all rows are there, in their order, with their predictions."""
        read = pl.read_csv if self.kind == "csv" else pl.read_ndjson
        found = read(io.BytesIO(answer.body))
        if found["number"].to_list() != list(range(len(self.texts))):
            raise WrongAnswerError(f"{len(found):,} rows of {len(self.texts):,}, or not in their order")
        if answer.headers["x-tagline-rows"] != str(len(self.texts)):
            raise WrongAnswerError(f"X-Tagline-Rows is {answer.headers['x-tagline-rows']}")
        for text, label, probability in zip(self.texts, found["prediction"], found["probability"], strict=True):
            expected.check(text, label, probability)


@dataclass(frozen=True)
class LargeBodies:
    """Bodies that take the client longer to make than to send: ``largest`` have texts, the others are to be refused."""

    largest: Sequence[tuple[Sequence[str], bytes]]
    too_large: bytes
    too_large_compressed: bytes
    invalid: bytes

    @classmethod
    def of(cls, texts: Texts, models: Sequence[str], limits: Limits, rng: random.Random) -> "LargeBodies":
        """Make them."""
        chosen = [rng.choices(texts.long, k=limits.max_texts) for _ in range(3)]
        largest = [(some, _json({"texts": some, "model": model})) for some in chosen for model in models]
        too_large = _json({"text": "x" * limits.max_body})
        invalid = _json({"text": "x" * (limits.max_body - 40), "no": 1})
        return cls(largest, too_large, gzip.compress(too_large, 1), invalid)


@dataclass
class Tally:
    """What came of the requests, by kind; ``broken`` says which promises were not kept."""

    outcomes: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    versions: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    n_lost: int = 0
    n_wrong: int = 0

    def lost(self, kind: str, error: object) -> None:
        """Count a request without a complete answer."""
        self.outcomes[kind]["lost"] += 1
        self.n_lost += 1
        self._break(f"{kind}: {error}")

    def wrong(self, kind: str, error: object) -> None:
        """Count an answer that is not the expected one."""
        self.n_wrong += 1
        self._break(f"{kind}: {error}")

    def _break(self, what: str) -> None:
        if len(self.broken) < _MAX_REPORTED:
            self.broken.append(what)


@dataclass
class World:
    """What all clients share; ``end`` is the time of the monotonic clock at which they stop."""

    port: int
    limits: Limits
    texts: Texts
    bodies: LargeBodies
    uploads: Sequence[Upload]
    models: Sequence[str]
    expected: dict[str, Expected]
    tally: Tally
    end: float


class Client:
    """One client: it draws requests from its own generator, and keeps its connection while it can."""

    def __init__(self, world: World, seed: str) -> None:
        self._world, self._rng = world, random.Random(seed)
        self._connection: Connection | None = None

    async def run(self, kinds: Sequence[Callable[["Client"], Awaitable[None]]], pause: float) -> None:
        """Send requests of these kinds, with random pauses of a mean of ``pause`` seconds, until the end."""
        while time.monotonic() < self._world.end:
            await self._rng.choice(kinds)(self)
            await asyncio.sleep(min(self._rng.expovariate(1 / pause), 5 * pause))
        if self._connection is not None:
            self._connection.close()

    # Requests that are answered ------------------------------------------------------------------------------------

    async def predict_one(self) -> None:
        """Classify one short text."""
        await self._ask("predict, one text", *self._predict([self._rng.choice(self._world.texts.short)]))

    async def predict_longest(self) -> None:
        """Classify a text of as many characters as are allowed."""
        await self._ask("predict, `--max-chars`", *self._predict([self._rng.choice(self._world.texts.longest)]))

    async def predict_many(self) -> None:
        """Classify as many texts as are allowed, in a body of nearly the largest size."""
        await self._ask("predict, `--max-texts` and `--max-body`", *self._predict_many())

    async def predict_some(self) -> None:
        """Classify some short texts, compressed or not."""
        texts = self._rng.choices(self._world.texts.short, k=self._rng.randint(2, self._world.limits.max_texts))
        await self._ask("predict, some texts", *self._predict(texts, compressed=self._rng.random() < 0.5))

    async def explain(self) -> None:
        """Explain one short text."""
        model, text = self._rng.choice(self._world.models), self._rng.choice(self._world.texts.short)
        message = request("POST", "/v1/explain", JSON, _json({"text": text, "model": model}))
        await self._ask("explain", message, partial(self._check_explanation, text))

    async def label_file(self) -> None:
        """Label a CSV or JSON Lines file, compressed or not."""
        upload, compressed = self._upload(), self._rng.random() < 0.5
        await self._ask(self._name(upload, compressed), *self._label(upload, compressed=compressed))

    async def read_page(self) -> None:
        """Get one of the pages."""
        model = self._rng.choice(self._world.models)
        path = self._rng.choice(
            ["/", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics", "/v1/models", f"/v1/model?model={model}"]
        )
        await self._ask("pages and metrics", request("GET", path, {"X-API-Key": KEY}), partial(_has_status, 200))

    # Requests that are refused -------------------------------------------------------------------------------------

    async def refused(self) -> None:
        """Send a request that must be refused, with a certain status and code."""
        limits, post = self._world.limits, partial(request, "POST", "/v1/predict")
        bodies = self._world.bodies
        some = self._upload()
        label = partial(request, "POST", "/v1/predict/file")
        as_csv = JSON | {"Content-Type": "text/csv"}
        made: list[tuple[int, str, Callable[[], Message]]] = [
            (400, "malformed_json", lambda: post(JSON, b'{"text": "a')),
            (400, "invalid_utf8", lambda: post(JSON, b'{"text": "\xff"}')),
            (400, "malformed_gzip", lambda: post(JSON | {"Content-Encoding": "gzip"}, b"\x1f\x8bno")),
            (401, "unauthorized", lambda: post(JSON | {"X-API-Key": ""}, b'{"text": "a"}')),
            (401, "unauthorized", lambda: post(JSON | {"X-API-Key": "wrong"}, b'{"text": "a"}')),
            (404, "not_found", lambda: request("GET", "/v1/nothing", {"X-API-Key": KEY})),
            (404, "unknown_model", lambda: post(JSON, b'{"text": "a", "model": "none"}')),
            (405, "method_not_allowed", lambda: request("GET", "/v1/predict", {"X-API-Key": KEY})),
            (413, "body_too_large", lambda: post(JSON, bodies.too_large)),
            (413, "body_too_large", lambda: _unannounced(bodies.too_large)),
            (413, "body_too_large", lambda: post(JSON | {"Content-Encoding": "gzip"}, bodies.too_large_compressed)),
            (415, "unsupported_media_type", lambda: post(JSON | {"Content-Type": "text/plain"}, b"a")),
            (415, "unsupported_media_type", lambda: post(JSON | {"Content-Encoding": "br"}, b"a")),
            (415, "unsupported_media_type", lambda: label(as_csv, some.compressed)),
            (415, "unsupported_media_type", lambda: label(JSON | {"Content-Type": "application/vnd.ms-excel"}, _EXCEL)),
            (421, "unknown_host", lambda: post(JSON | {"Host": "attacker.example"}, b'{"text": "a"}')),
            (422, "invalid_file", lambda: label(as_csv, _EXCEL)),
            (422, "invalid_file", lambda: label(as_csv, b"")),
            (422, "invalid_request", lambda: post(JSON, b'{"text": 1}')),
            (422, "invalid_request", lambda: post(JSON, b'{"texts": [1, null]}')),
            (422, "invalid_request", lambda: post(JSON, b'{"text": "a", "unknown": 1}')),
            (422, "invalid_request", lambda: post(JSON, b"[]")),
            (422, "too_many_texts", lambda: post(JSON, _json({"texts": ["a"] * (limits.max_texts + 1)}))),
            (422, "text_too_long", lambda: post(JSON, _json({"text": "a" * (limits.max_chars + 1)}))),
        ]
        if self._rng.randrange(len(made)) == 0:
            await self._announce_too_much(as_csv)
            return
        status, code, message = self._rng.choice(made)
        await self._ask(f"refused: {status} `{code}`", message(), partial(_is_refusal, status, code))

    async def _announce_too_much(self, headers: dict[str, str]) -> None:
        """Announce a file that is too large, and wait for the answer before sending it."""
        length = {"Content-Length": str(self._world.limits.max_file + 1)}
        head, start = request("POST", "/v1/predict/file", headers | length, b"text\na\n")
        send = partial(Connection.send, data=head + start)
        kind = "refused: 413 `body_too_large`, announced"
        await self._ask_apart(kind, send, partial(_is_refusal, 413, "body_too_large"))

    # Slow clients --------------------------------------------------------------------------------------------------

    async def send_slowly(self) -> None:
        """Send a request in pieces, slowly, but within the time limit."""
        (head, body), check = self._predict([self._rng.choice(self._world.texts.short)])
        data = head + body
        seconds = min(self._rng.uniform(0.1, 0.5) * self._world.limits.timeout, self._left())
        pieces = [data[start : start + 1 + len(data) // 20] for start in range(0, len(data), 1 + len(data) // 20)]

        async def send(connection: Connection) -> None:
            for piece in pieces:
                await connection.send(piece)
                await asyncio.sleep(seconds / len(pieces))

        await self._ask_apart("slow: sends for seconds", send, check)

    async def send_half(self) -> None:
        """Send half of a body: 408 after the time limit; or half of the headers: the connection is closed."""
        if self._left() < 1.5 * self._world.limits.timeout:
            return
        (head, body), _ = self._predict([self._rng.choice(self._world.texts.short)])
        if self._rng.random() < 0.5:
            half = partial(Connection.send, data=head + body[: len(body) // 2])
            await self._ask_apart("slow: half of a body", half, partial(_is_refusal, 408, "too_slow"))
        else:
            await self._is_disconnected("slow: half of the headers", head[: len(head) // 2])

    async def read_slowly(self) -> None:
        """Read a large answer slowly, but without a pause of the time limit."""
        upload = self._world.uploads[0]
        (head, body), check = self._label(upload)
        rate = len(upload.data) / max(min(20.0, self._left()), 0.1)

        async def send(connection: Connection) -> None:
            await connection.send(head)
            await connection.send(body)

        await self._ask_apart("slow: reads for seconds", send, check, receive_buffer=1 << 16, rate=rate)

    async def read_nothing(self) -> None:
        """Read nothing of an explanation of megabytes after its first byte: the connection is closed."""
        if self._left() < 2 * WRITE_SECONDS:
            return
        kind, text = "slow: reads nothing", self._rng.choice(self._world.texts.longest)
        head, body = request("POST", "/v1/explain", JSON, _json({"text": text}))
        connection = await self._open(kind, receive_buffer=4096)
        if connection is None:
            return
        await connection.send(head)
        await connection.send(body)
        try:
            await connection.receive_some(1)
        except RequestLostError as error:
            self._world.tally.lost(kind, error)
        else:
            await asyncio.sleep(WRITE_SECONDS + 10)
            await self._expect_end(kind, connection)
        connection.close()

    # Clients that vanish -------------------------------------------------------------------------------------------

    async def vanish(self) -> None:
        """Reset the connection, or close it, in the middle of a request or of its answer."""
        where = self._rng.choice(["in the headers", "in the body", "before the answer", "in the answer"])
        rng, texts = self._rng, self._world.texts
        (head, body), _ = self._rng.choice(
            [
                lambda: self._predict([rng.choice(texts.short)]),
                self._predict_many,
                lambda: self._label(self._upload()),
            ]
        )()
        data = head + body
        cut = {"in the headers": len(head) // 2, "in the body": len(head) + len(body) // 2}.get(where, len(data))
        connection = await self._open("vanished")
        if connection is None:
            return
        await connection.send(memoryview(data)[:cut])
        if where == "in the answer":
            try:
                await connection.receive_some(30)
            except RequestLostError as error:
                self._world.tally.lost("vanished in the answer", error)
        else:
            await asyncio.sleep(self._rng.random() * 0.05)
        (connection.reset if self._rng.random() < 0.7 else connection.close)()
        self._world.tally.outcomes["vanished"][where] += 1

    # Many at a time ------------------------------------------------------------------------------------------------

    async def burst(self) -> None:
        """Have more requests in progress than the server accepts: of texts, of large bodies, or of files."""
        limits, rng = self._world.limits, self._rng
        kind = rng.choice(["texts", "texts", "bodies", "files"])
        if kind == "texts":
            short = self._world.texts.short
            asked = [self._predict([rng.choice(short)]) for _ in range(limits.max_concurrent + 88)]
        elif kind == "bodies":
            message = request("POST", "/v1/predict", JSON, self._world.bodies.invalid)
            asked = [(message, partial(_is_refusal, 422, "invalid_request"))] * _LARGE_BODIES
        else:
            asked = [self._label(self._world.uploads[-1])] * _FILES
        half_sent = asyncio.Barrier(len(asked))

        async def send(message: Message, connection: Connection) -> None:
            head, body = message
            middle = len(body) // 2
            try:
                await connection.send(head)
                await connection.send(memoryview(body)[:middle])
            finally:
                await half_sent.wait()
            await asyncio.sleep(0.3)
            await connection.send(memoryview(body)[middle:])

        name = f"burst of {len(asked)} {kind}"
        await asyncio.gather(*(self._ask_apart(name, partial(send, message), check) for message, check in asked))

    # -----------------------------------------------------------------------------------------------------------------

    def _left(self) -> float:
        return self._world.end - time.monotonic()

    def _predict(self, texts: Sequence[str], *, compressed: bool = False) -> tuple[Message, Check]:
        body = _json({"texts": texts, "model": self._rng.choice(self._world.models)})
        headers = JSON | ({"Content-Encoding": "gzip"} if compressed else {})
        message = request("POST", "/v1/predict", headers, gzip.compress(body, 1) if compressed else body)
        return message, partial(self._check_predictions, texts)

    def _upload(self) -> Upload:
        """Choose a file; the server takes as long for one of the largest size as for a hundred small ones."""
        (upload,) = self._rng.choices(self._world.uploads, UPLOAD_WEIGHTS)
        return upload

    def _predict_many(self) -> tuple[Message, Check]:
        texts, body = self._rng.choice(self._world.bodies.largest)
        return request("POST", "/v1/predict", JSON, body), partial(self._check_predictions, texts)

    def _label(self, upload: Upload, *, compressed: bool = False) -> tuple[Message, Check]:
        kind = "text/csv" if upload.kind == "csv" else "application/x-ndjson"
        headers = JSON | {"Content-Type": kind} | ({"Content-Encoding": "gzip"} if compressed else {})
        path = f"/v1/predict/file?text=text&model={self._rng.choice(self._world.models)}"
        message = request("POST", path, headers, upload.compressed if compressed else upload.data)
        return message, partial(self._check_file, upload)

    def _name(self, upload: Upload, compressed: bool) -> str:
        size = f"{len(upload.data) / 1e6:.0f} MB" if len(upload.data) > 1e6 else f"{len(upload.data) / 1e3:.0f} kB"
        return f"file, {size} of {'CSV' if upload.kind == 'csv' else 'JSON Lines'}{', gzip' if compressed else ''}"

    def _expected(self, version: str) -> Expected:
        self._world.tally.versions[version] += 1
        if version not in self._world.expected:
            raise WrongAnswerError(f"the model's version is {version}, which is none of the replacements")
        return self._world.expected[version]

    def _check_predictions(self, texts: Sequence[str], answer: Answer) -> None:
        _has_status(200, answer)
        found = json.loads(answer.body)
        expected = self._expected(found["version"])
        if len(found["predictions"]) != len(texts):
            raise WrongAnswerError(f"{len(found['predictions'])} predictions for {len(texts)} texts")
        for text, row in zip(texts, found["predictions"], strict=True):
            expected.check(text, row["prediction"], row["probability"])

    def _check_explanation(self, text: str, answer: Answer) -> None:
        _has_status(200, answer)
        found = json.loads(answer.body)
        self._expected(found["version"]).check(text, found["prediction"], found["probabilities"][found["prediction"]])
        total = found["intercept"] + sum(one["value"] for one in found["contributions"])
        if abs(total - found["score"]) > 0.02 * (1 + abs(found["score"])):
            raise WrongAnswerError(f"contributions add up to {total} instead of {found['score']}")

    def _check_file(self, upload: Upload, answer: Answer) -> None:
        _has_status(200, answer)
        upload.check(answer, self._expected(answer.headers["x-tagline-model"]))

    async def _ask(self, kind: str, message: Message, check: Check) -> None:
        """Send a request over the connection that is kept, and judge its answer."""
        head, body = message

        async def send(connection: Connection) -> None:
            await connection.send(head)
            if body:
                await connection.send(body)

        if self._connection is None or not self._connection.is_open:
            self._connection = await self._open(kind)
        if self._connection is not None:
            await self._judge(kind, self._connection, send, check)

    async def _ask_apart(
        self,
        kind: str,
        send: Callable[[Connection], Awaitable[None]],
        check: Check,
        *,
        receive_buffer: int | None = None,
        rate: float = 0,
    ) -> None:
        """Send a request over a connection of its own, and judge its answer."""
        connection = await self._open(kind, receive_buffer)
        if connection is not None:
            await self._judge(kind, connection, send, check, rate)
            connection.close()

    async def _open(self, kind: str, receive_buffer: int | None = None) -> Connection | None:
        try:
            return await Connection.open(self._world.port, receive_buffer)
        except OSError as error:
            self._world.tally.lost(kind, f"no connection: {error}")
            return None

    async def _judge(
        self,
        kind: str,
        connection: Connection,
        send: Callable[[Connection], Awaitable[None]],
        check: Check,
        rate: float = 0,
    ) -> None:
        tally, begin = self._world.tally, time.perf_counter()
        try:
            await send(connection)
            answer = await connection.receive(rate)
        except RequestLostError as error:
            connection.close()
            tally.lost(kind, error)
            return
        seconds = time.perf_counter() - begin
        code = _code(answer)
        tally.outcomes[kind][f"{answer.status} {code}".strip()] += 1
        if code in BUSY:
            return
        tally.seconds[kind].append(seconds)
        try:
            if len(answer.body) > 100_000:  # in a thread, so that the other clients go on
                await asyncio.to_thread(check, answer)
            else:
                check(answer)
        except (WrongAnswerError, KeyError, ValueError, pl.exceptions.PolarsError) as error:
            tally.wrong(kind, f"{type(error).__name__}: {error}")

    async def _is_disconnected(self, kind: str, data: bytes) -> None:
        connection = await self._open(kind)
        if connection is None:
            return
        await connection.send(data)
        await asyncio.sleep(self._world.limits.timeout)
        await self._expect_end(kind, connection)
        connection.close()

    async def _expect_end(self, kind: str, connection: Connection) -> None:
        if await connection.has_ended(60):
            self._world.tally.outcomes[kind]["disconnected"] += 1
        else:
            self._world.tally.wrong(kind, "the server did not close the connection")


def _code(answer: Answer) -> str:
    """Return the code of an error, empty for a success."""
    if answer.status < 400:
        return ""
    try:
        return str(json.loads(answer.body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "without a code"


def _has_status(status: int, answer: Answer) -> None:
    if answer.status != status:
        raise WrongAnswerError(f"{answer.status} instead of {status}: {answer.body[:200]!r}")


def _is_refusal(status: int, code: str, answer: Answer) -> None:
    _has_status(status, answer)
    if _code(answer) != code:
        raise WrongAnswerError(f"`{_code(answer)}` instead of `{code}`")


def _unannounced(body: bytes) -> Message:
    """Return a request in chunks, without its length."""
    head, _ = request("POST", "/v1/predict", JSON | {"Transfer-Encoding": "chunked"})
    return head, chunked(body)


#: How many clients send which kinds of requests, with pauses of so many seconds.
CLIENTS: list[tuple[int, float, list[Callable[[Client], Awaitable[None]]]]] = [
    (8, 0.05, [Client.predict_one]),
    (2, 0.5, [Client.predict_some, Client.predict_longest, Client.predict_many]),
    (2, 0.1, [Client.explain]),
    (2, 1.0, [Client.label_file]),
    (1, 0.2, [Client.read_page]),
    (2, 0.2, [Client.refused]),
    (4, 1.0, [Client.send_slowly, Client.send_half]),
    (2, 1.0, [Client.read_slowly, Client.read_nothing]),
    (2, 0.3, [Client.vanish]),
    (1, 15.0, [Client.burst]),
]


def clients(world: World, seed: int) -> list[Awaitable[None]]:
    """Return the clients, each with its own seed."""
    return [
        Client(world, f"{seed}-{group}-{k}").run(kinds, pause)
        for group, (n, pause, kinds) in enumerate(CLIENTS)
        for k in range(n)
    ]


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, the 99th percentile and the maximum."""
    p50, p99, most = np.percentile(seconds, [50, 99, 100])
    return float(p50), float(p99), float(most)
