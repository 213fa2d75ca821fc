"""``GET /metrics``: the metrics of the server, for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response

from tagline.serve.metrics import CONTENT_TYPE
from tagline.serve.route import Route
from tagline.serve.state import service_of


async def metrics(request: Request) -> Response:
    """Return the metrics of the server in the text format of Prometheus."""
    service = service_of(request)
    page = service.metrics.page((model.name, model.version) for model in service.models)
    return Response(page, headers={"Content-Type": CONTENT_TYPE})


ROUTES = [
    Route(
        "GET",
        "/metrics",
        metrics,
        tag="server",
        success={"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."},
    )
]
