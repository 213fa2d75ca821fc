"""A way past FastAPI's layers, which take longer than a prediction, for the routes that most requests go to."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from tagline.serve.route import Route


class DirectRoutes:
    """ASGI middleware that calls the handlers of ``direct`` routes itself; `ServiceMiddleware` answers their errors."""

    def __init__(self, app: ASGIApp, routes: Iterable[Route]) -> None:
        self._app = app
        self._handlers = {(route.method, route.path): route.handler for route in routes if route.direct}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        handler = self._handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            await self._app(scope, receive, send)
        else:
            response = await handler(Request(scope, receive))
            await response(scope, receive, send)
