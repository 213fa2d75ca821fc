"""Bodies of requests: read within bounds of size and time, and parsed strictly."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request

from tagline.serve.errors import ApiError
from tagline.serve.settings import Limits

Asked = TypeVar("Asked", bound=BaseModel)
_DISCARD_SECONDS = 2.0
_LARGE = 100_000  # bytes of JSON that others should not wait for
_LONGEST_FIELD = 100


async def read_json(request: Request, adapter: TypeAdapter[Asked], limits: Limits) -> Asked:
    """Return the body of a request as ``adapter`` understands it.

    Raises:
        ApiError: it is too large or too slow, no JSON, or not what it should be.

    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise ApiError(
            "unsupported_media_type", "The body must be JSON: send it with `Content-Type: application/json`."
        )
    body = await read_body(request, limits.max_body, limits.timeout)
    if len(body) > _LARGE:
        return await asyncio.to_thread(_parsed, body, adapter)
    return _parsed(body, adapter)


def _parsed(body: bytes, adapter: TypeAdapter[Asked]) -> Asked:
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise _explained(error, body) from None


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body of a request, of at most so many bytes, if it arrives in so many seconds."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        await discard(request)
        raise too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                parts.append(part)
                if size > most:
                    break
    except TimeoutError:
        raise too_slow(seconds) from None
    if size > most:
        parts.clear()
        raise too_large(most)
    return b"".join(parts)


def too_slow(seconds: float) -> ApiError:
    """Return the refusal of a body that stops on its way."""
    return ApiError("too_slow", f"The body did not arrive within {seconds:g} seconds.")


def too_large(most: int) -> ApiError:
    """Return the refusal of a body of more than so many bytes."""
    return ApiError("body_too_large", f"The body is larger than {most:,} bytes.", limit=most)


async def discard(request: Request) -> None:
    """Let a body that is refused come in, for a short while: a client that is cut off while it sends reads nothing."""
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass
    except TimeoutError:
        pass


def _explained(error: ValidationError, body: bytes) -> ApiError:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    first = found[0]
    if first["type"] == "json_invalid":
        try:
            body.decode()
        except UnicodeDecodeError as fault:
            return ApiError("invalid_utf8", f"The body is not UTF-8: byte {fault.start:,} cannot be read.")
        about = first["msg"].removeprefix("Invalid JSON: ")
        return ApiError("malformed_json", f"The body is not JSON: {about}.")
    return invalid(found)


def invalid(found: Sequence[Any]) -> ApiError:
    """Return the refusal of values in which pydantic found something wrong."""
    first = found[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))[:_LONGEST_FIELD]
    what = first["msg"].removeprefix("Value error, ")
    message = f"`{field}`: {what}." if field else f"{what}."
    return ApiError("invalid_request", message, **({"field": field} if field else {}))
