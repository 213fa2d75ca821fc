"""Middleware of all routes: API key, concurrency limit, response headers, log and metrics."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache, partial
from hashlib import sha256
from hmac import compare_digest
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagline.serve.http.access_log import location_of
from tagline.serve.http.connections import ABORT, FLOW
from tagline.serve.http.content_encoding import decoded
from tagline.serve.http.errors import ApiError, internal_error
from tagline.serve.http.hosts import is_allowed
from tagline.serve.http.limits import check_head
from tagline.serve.route import API_PREFIX, Route
from tagline.serve.state import RequestRecord, Service

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = [
    (b"content-security-policy", _CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_BODIES = 16  # of the largest size are kept in memory at a time
_CLOSE = (b"connection", b"close")
_CLIENT_GONE = 499  # as nginx logs it; no client receives it
_LOGGED_PATH = 200  # characters
_HOSTS = 64  # names that are remembered: most requests have the same one
WRITE_SECONDS = 30.0  # after which a client that reads nothing is disconnected


class ServiceMiddleware:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, service: Service, routes: Sequence[Route]) -> None:
        self._app, self._service = app, service
        self._secured = {route.path for route in routes if route.secured}
        self._streamed = {route.path for route in routes if route.streamed}
        settings = service.settings
        self._key = None if settings.api_key is None else sha256(settings.api_key.encode()).digest()
        names = settings.allowed_hosts
        self._is_allowed = None if names is None else lru_cache(maxsize=_HOSTS)(partial(is_allowed, names=names))
        self._max_concurrent = settings.limits.max_concurrent
        self._headers = [*SECURITY_HEADERS, *([_HSTS] if settings.certificate else [])]
        self._max_body_bytes = _BODIES * settings.limits.max_body
        self._in_progress = self._body_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = scope["tagline.record"] = RequestRecord(self._service)
        service = self._service
        counted = False
        flow = scope.get(FLOW)
        receive = decoded(scope, receive)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], *self._headers]
                if service.draining:
                    message["headers"].append(_CLOSE)
            if flow is not None and not flow.write_paused:  # `send` does not wait
                await send(message)
                return
            try:
                async with asyncio.timeout(WRITE_SECONDS):
                    await send(message)
            except TimeoutError:
                scope[ABORT]()
                raise ClientDisconnect from None

        async def counted_receive() -> Message:
            message = await receive()
            n_bytes = len(message.get("body", b""))
            record.body_bytes += n_bytes
            self._body_bytes += n_bytes
            if self._body_bytes > self._max_body_bytes:
                raise ApiError("overloaded", "Too many large requests are in progress. Try again in a second.")
            return message

        service.metrics.began()
        try:
            counted = self._admit(scope)
            self._in_progress += counted
            await self._app(scope, receive if scope["path"] in self._streamed else counted_receive, send_with_headers)
        except ApiError as error:
            record.code = error.code
            if record.status:
                raise
            with suppress(ClientDisconnect):
                await error.response()(scope, receive, send_with_headers)
        except ClientDisconnect:
            record.status, record.code = _CLIENT_GONE, None  # FastAPI's handler takes it for a fault
        except Exception as error:
            if record.status and isinstance(error.__cause__, ApiError):  # raised after the response has started
                record.code = error.__cause__.code
                raise
            service.log.write("error", "fault", path=scope["path"], trace=location_of(error))
            if record.status:
                raise  # the connection is cut, so that half an answer is not taken for a complete one
            record.code = "internal_error"
            with suppress(ClientDisconnect):
                await internal_error().response()(scope, receive, send_with_headers)
        finally:
            self._in_progress -= counted
            self._body_bytes -= record.body_bytes
            self._note(scope, record)
            del scope["tagline.record"]  # and its texts: a connection keeps its scope until the next request

    def _admit(self, scope: Scope) -> bool:
        """Return whether a request counts towards the concurrency limit; raise `ApiError` if it is not accepted."""
        check_head(scope)
        if self._is_allowed is not None:
            for name, value in scope["headers"]:
                if name == b"host" and not self._is_allowed(host := value.decode("latin-1")):
                    raise ApiError(
                        "unknown_host",
                        f"This server does not answer as `{host:.100}`: start it with `--allow-host NAME`.",
                    )
        if self._key is not None and self._needs_key(scope["path"]) and not self._has_key(scope):
            raise ApiError(
                "unauthorized", "An API key is required: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`."
            )
        limited: bool = scope["path"].startswith(API_PREFIX)
        if limited and self._in_progress >= self._max_concurrent:
            raise ApiError("overloaded", f"{self._max_concurrent:,} requests are in progress. Try again in a second.")
        return limited

    def _needs_key(self, path: str) -> bool:
        return path in self._secured or path.startswith(API_PREFIX)

    def _has_key(self, scope: Scope) -> bool:
        assert self._key is not None
        given = b""
        for name, value in scope["headers"]:
            if name == b"x-api-key":
                given = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                given = value[7:].strip()
        return compare_digest(sha256(given).digest(), self._key)

    def _note(self, scope: Scope, record: RequestRecord) -> None:
        service = self._service
        seconds = perf_counter() - record.started
        service.metrics.answered(scope["path"], record.status, seconds)
        if record.code is not None:
            service.metrics.rejected(record.code)
        if record.n_texts and record.model is not None:
            service.metrics.texts(record.model, record.n_texts)
        client = scope.get("client")
        service.log.write_request(
            "info" if record.status < 500 else "error",
            round(1000 * seconds, 3),
            record.texts if service.settings.log_texts else None,
            method=scope["method"],
            path=scope["path"][:_LOGGED_PATH],
            status=record.status,
            client=client[0] if client else None,
            code=record.code,
            model=record.model,
            texts=record.n_texts or None,
        )
