"""``GET /healthz`` and ``GET /readyz``: whether the process runs, and whether it accepts requests."""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tagline.serve.http.errors import ApiError, json_response
from tagline.serve.route import Route
from tagline.serve.state import service_of


class Health(BaseModel):
    """The status of the server."""

    status: str


async def health(request: Request) -> Response:
    """Return 200 while the process runs."""
    return json_response({"status": "ok"})


async def ready(request: Request) -> Response:
    """Return 200 if requests should be sent to this server."""
    service = service_of(request)
    if service.draining:
        raise ApiError("unavailable", "The server is stopping.")
    if (failure := service.scorer.failure) is not None:
        raise ApiError("unavailable", failure)
    return json_response({"status": "ok"})


ROUTES = [
    Route("GET", "/healthz", health, tag="server", response=Health, secured=False),
    Route("GET", "/readyz", ready, tag="server", errors=("unavailable",), response=Health, secured=False),
    Route("HEAD", "/healthz", health, secured=False, documented=False),
    Route("HEAD", "/readyz", ready, secured=False, documented=False),
]
