"""Bodies of requests: read within limits of size and time, and parsed strictly."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from tagline.serve.http.connections import ARRIVED
from tagline.serve.http.errors import ApiError
from tagline.serve.http.limits import Limits

Body = TypeVar("Body", bound=BaseModel)
_DISCARD_SECONDS = 2.0
_LARGE = 100_000  # bytes of JSON that are parsed in a thread, so that other requests do not wait
_LONGEST_FIELD = 100


async def read_json(request: Request, adapter: TypeAdapter[Body], limits: Limits) -> Body:
    """Return the JSON body of a request, validated by ``adapter``.

    Raises:
        ApiError: it is too large or too slow, not JSON, or invalid.

    """
    kind = _header(request, b"content-type")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise ApiError(
            "unsupported_media_type",
            "The body must be JSON: send it with `Content-Type: application/json`. Files, such as CSV, are labelled by "
            "`/v1/predict/file`.",
        )
    body = await read_body(request, limits.max_body, limits.timeout)
    if len(body) > _LARGE:
        return await asyncio.to_thread(_parse, body, adapter)
    return _parse(body, adapter)


def _parse(body: bytes, adapter: TypeAdapter[Body]) -> Body:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise _body_error(error, body) from None


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """Return the body of a request, of at most ``max_bytes``, if it arrives within ``seconds``."""
    length = _header(request, b"content-length")
    if length.isdecimal() and int(length) > max_bytes:
        await discard(request)
        raise too_large(max_bytes)
    if ARRIVED in request.scope:
        return await _whole_body(request.receive, max_bytes)
    try:
        async with asyncio.timeout(seconds):
            return await _whole_body(request.receive, max_bytes)
    except TimeoutError:
        raise too_slow(seconds) from None


def _header(request: Request, name: bytes) -> str:
    """Return the first header of a name, as `Request.headers` does, in less time."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


async def _whole_body(receive: Receive, max_bytes: int) -> bytes:
    parts, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > max_bytes:
            raise too_large(max_bytes)
        parts.append(part)
        has_more = message.get("more_body", False)
    return b"".join(parts)


def too_slow(seconds: float) -> ApiError:
    """Return the error for a body that does not arrive in time."""
    return ApiError("too_slow", f"The body did not arrive within {seconds:g} seconds.")


def too_large(max_bytes: int) -> ApiError:
    """Return the error for a body of more than ``max_bytes``."""
    return ApiError("body_too_large", f"The body is larger than {max_bytes:,} bytes.", limit=max_bytes)


async def discard(request: Request) -> None:
    """Read a rejected body for a short while: a client that is disconnected while it sends does not read the answer."""
    with suppress(TimeoutError, ApiError):
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass


def _body_error(error: ValidationError, body: bytes) -> ApiError:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    first = found[0]
    if first["type"] == "json_invalid":
        try:
            body.decode()
        except UnicodeDecodeError as fault:
            return ApiError("invalid_utf8", f"The body is not UTF-8: byte {fault.start:,} cannot be read.")
        about = first["msg"].removeprefix("Invalid JSON: ")
        return ApiError("malformed_json", f"The body is not JSON: {about}.")
    invalid = invalid_request(found)
    if first["type"] == "extra_forbidden" and not {"text", "texts"} & from_json(body).keys():
        return ApiError(invalid.code, f"{invalid.message} `text` or `texts` is missing.", **invalid.details)
    return invalid


def invalid_request(found: Sequence[Any]) -> ApiError:
    """Return the error for what pydantic found in a body or a query."""
    first = found[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))[:_LONGEST_FIELD]
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        what = "there is no such field"
    message = f"`{field}`: {what}." if field else f"{what}."
    return ApiError("invalid_request", message, **({"field": field} if field else {}))
