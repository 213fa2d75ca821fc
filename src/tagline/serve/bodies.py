"""Bodies of requests: read within bounds of size and time, and parsed strictly."""

import asyncio
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request

from tagline.serve.refusals import Refusal
from tagline.serve.settings import Limits

Asked = TypeVar("Asked", bound=BaseModel)
_DISCARD_SECONDS = 2.0  # most clients read an answer only when they have sent everything


async def read_json(request: Request, adapter: TypeAdapter[Asked], limits: Limits) -> Asked:
    """Return the body of a request as ``adapter`` understands it.

    Raises:
        Refusal: it is too large or too slow, no JSON, or not what it should be.

    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise Refusal("unsupported_media_type", "The body must be JSON: send it with `Content-Type: application/json`.")
    body = await read_body(request, limits.max_body, limits.timeout)
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise _explained(error, body) from None


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body of a request, of at most so many bytes, if it arrives in so many seconds."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        await _discard(request)
        raise _too_large(most)
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                parts.append(part)
                if size > most:
                    break
    except TimeoutError:
        raise Refusal("too_slow", f"The body did not arrive within {seconds:g} seconds.") from None
    if size > most:
        parts.clear()
        raise _too_large(most)
    return b"".join(parts)


def _too_large(most: int) -> Refusal:
    return Refusal("body_too_large", f"The body is larger than {most:,} bytes.", limit=most)


async def _discard(request: Request) -> None:
    try:
        async with asyncio.timeout(_DISCARD_SECONDS):
            async for _ in request.stream():
                pass
    except TimeoutError:
        pass


def _explained(error: ValidationError, body: bytes) -> Refusal:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        try:
            body.decode()
        except UnicodeDecodeError as fault:
            return Refusal("invalid_utf8", f"The body is not UTF-8: byte {fault.start:,} cannot be read.")
        about = first["msg"].removeprefix("Invalid JSON: ")
        return Refusal("malformed_json", f"The body is not JSON: {about}.")
    field = ".".join(str(part) for part in first["loc"])
    what = first["msg"].removeprefix("Value error, ")
    message = f"`{field}`: {what}." if field else f"{what}."
    return Refusal("invalid_request", message, **({"field": field} if field else {}))
