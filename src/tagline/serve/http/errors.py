"""Errors of the HTTP API: a status, a code for programs and a message for people."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json
from starlette.responses import Response

#: The status of each code, and what it means in the description of the service.
CODES = {
    "malformed_json": (400, "The body is not valid JSON."),
    "invalid_utf8": (400, "The body is not valid UTF-8."),
    "malformed_gzip": (400, "The body is not valid gzip, which its `Content-Encoding` states."),
    "unauthorized": (401, "The API key is missing or wrong."),
    "not_found": (404, "There is no such path."),
    "unknown_model": (404, "There is no model with this name."),
    "method_not_allowed": (405, "The path does not support this method."),
    "too_slow": (408, "The body did not arrive in time."),
    "body_too_large": (413, "The body exceeds the size limit of the server."),
    "uri_too_long": (414, "The URL exceeds the length limit of the server."),
    "unsupported_media_type": (415, "The content type is not supported by this path."),
    "invalid_request": (422, "A field is missing or unknown, or has an invalid value."),
    "too_many_texts": (422, "There are more texts than the server accepts in one request."),
    "text_too_long": (422, "A text exceeds the length limit of the server; `truncate` cuts it."),
    "invalid_file": (422, "The file cannot be read."),
    "unknown_host": (421, "The `Host` of the request is not this machine: start the server with `--allow-host NAME`."),
    "headers_too_large": (431, "The headers are too many or too large."),
    "overloaded": (429, "The server is at its limit of concurrent requests: retry after `Retry-After` seconds."),
    "internal_error": (500, "The server failed; its log has the details."),
    "unavailable": (503, "The server is stopping, or cannot classify texts at the moment."),
    "disk_full": (507, "The server has no space for the file."),
    "timed_out": (504, "The answer was not ready in time."),
}
RETRY_AFTER_SECONDS = 1


class ErrorBody(BaseModel):
    """An error: a code for programs, a message for people."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str


class ErrorAnswer(BaseModel):
    """The answer to every request that fails."""

    error: ErrorBody


class ApiError(Exception):
    """A request that fails; ``code`` is a key of `CODES`, ``details`` are further members of the error object."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = CODES[code][0], code, message, details

    def response(self) -> Response:
        """Return the answer, with the headers that belong to its status."""
        headers = {}
        if self.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="tagline"'
        if self.status in (429, 503):
            headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        if self.status in (408, 413):  # the rest of the body is not read
            headers["Connection"] = "close"
        return json_response(
            {"error": {"code": self.code, "message": self.message, **self.details}}, self.status, headers
        )


def json_response(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(to_json(document), status, headers, media_type="application/json")


def internal_error() -> ApiError:
    """Return the error for a fault of the server."""
    return ApiError("internal_error", "The server failed to answer; its log has the details.")


def timed_out(seconds: float) -> ApiError:
    """Return the error for an answer that took too long."""
    return ApiError("timed_out", f"The answer was not ready within {seconds:g} seconds.")


def responses_of(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI response objects of error codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    described: dict[int | str, dict[str, Any]] = {}
    for status, found in sorted(by_status.items()):
        described[status] = {
            "model": ErrorAnswer,
            "description": " ".join(f"`{code}`: {CODES[code][1]}" for code in found),
            "content": {
                "application/json": {
                    "examples": {
                        code: {"value": {"error": {"code": code, "message": CODES[code][1]}}} for code in found
                    }
                }
            },
        }
        if status in (429, 503):
            described[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
        if status == 401:
            described[status]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return described
