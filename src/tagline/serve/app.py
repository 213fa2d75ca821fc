"""The ASGI application: the routes, their errors and the middleware."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp

from tagline.serve.direct_routes import DirectRoutes
from tagline.serve.http.errors import ApiError, internal_error
from tagline.serve.http.middleware import ServiceMiddleware
from tagline.serve.http.request_body import invalid_request
from tagline.serve.http.root_path import RootPath
from tagline.serve.route import describe_bodies
from tagline.serve.routes import ROUTES
from tagline.serve.routes.predict_file import FILE_HEADERS
from tagline.serve.state import Service, record_of


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the description of the service, which is made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_bodies(ROUTES, super().openapi())
        return self.openapi_schema


def make_app(service: Service) -> ASGIApp:
    """Return the ASGI application of a service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for work in (service.models.watch(), service.metrics.share())]
        yield
        for task in tasks:
            task.cancel()

    app = _App(
        title="tagline",
        version=version("tagline"),
        description="Text classification over HTTP.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        servers=[{"url": service.settings.root_path}] if service.settings.root_path else None,
        lifespan=lifespan,
    )
    for route in ROUTES:
        app.add_api_route(**route.for_fastapi())
    app.add_exception_handler(ApiError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_routing_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid_query)
    app.add_exception_handler(Exception, _answer_fault)
    secured: ASGIApp = ServiceMiddleware(DirectRoutes(app, ROUTES), service, ROUTES)
    if service.settings.root_path:
        secured = RootPath(secured, service.settings.root_path)
    if not service.settings.cors:
        return secured
    return CORSMiddleware(  # outermost: a browser sends its preflight without the key, and reads errors too
        secured,
        allow_origins=service.settings.cors,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Encoding", "Content-Type", "X-API-Key"],
        expose_headers=["Retry-After", "X-Tagline-Model", *FILE_HEADERS],
    )


async def _answer_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    record_of(request).code = error.code
    return error.response()


async def _answer_fault(request: Request, error: Exception) -> Response:
    if isinstance(error, ClientDisconnect):
        return Response()  # which nobody receives
    return await _answer_error(request, internal_error())  # the middleware gets the error as well, and logs it


async def _answer_invalid_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _answer_error(request, invalid_request(error.errors()))


async def _answer_routing_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        api_error = ApiError("method_not_allowed", f"`{request.url.path}` does not support `{request.method}`.")
    else:
        api_error = ApiError("not_found", f"There is no path `{request.url.path}`; `/docs` lists the paths.")
    response = await _answer_error(request, api_error)
    response.headers.update(error.headers or {})
    return response
