"""What is said to a client whose request is not answered: a status, a code for programs and a sentence for people."""

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

#: What may go wrong, by code: the status, and what it means in the description of the service.
CODES = {
    "malformed_json": (400, "The body is not JSON."),
    "invalid_utf8": (400, "The body is not UTF-8."),
    "unauthorized": (401, "The API key is missing or wrong."),
    "not_found": (404, "There is nothing at this path."),
    "unknown_model": (404, "No model has this name."),
    "method_not_allowed": (405, "This path does not know the method."),
    "too_slow": (408, "The body did not arrive in time."),
    "body_too_large": (413, "The body is larger than the server takes."),
    "unsupported_media_type": (415, "The body is of a type that is not read here."),
    "invalid_request": (422, "A field is missing, unknown or has a value that is not allowed."),
    "too_many_texts": (422, "There are more texts than the server takes in one request."),
    "text_too_long": (422, "A text is longer than the server takes; `truncate` cuts it."),
    "invalid_file": (422, "The file cannot be read."),
    "overloaded": (429, "The server has as many requests as it takes: try again after `Retry-After` seconds."),
    "internal_error": (500, "Something is wrong with the server; its log says what."),
    "unavailable": (503, "The server is stopping, or cannot classify texts at the moment."),
    "timed_out": (504, "The answer was not ready in time."),
}
RETRY_AFTER_SECONDS = 1


class ApiError(Exception):
    """A request that is not answered; ``code`` is one of `CODES`, ``details`` are further members of the error."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = CODES[code][0], code, message, details

    def response(self) -> Response:
        """Return the answer, with the headers that its status asks for."""
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
    """Return what is said of a fault of this server."""
    return ApiError("internal_error", "Something went wrong; the server's log says what.")
