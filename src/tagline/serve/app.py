"""The application: routes, page and gate put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from tagline.serve.errors import ApiError, internal_error
from tagline.serve.fast_path import FastPath
from tagline.serve.middleware import ServiceMiddleware
from tagline.serve.openapi import complete
from tagline.serve.request_body import invalid
from tagline.serve.routes.api import PREDICT, endpoint_of, make_router
from tagline.serve.routes.pages import make_pages
from tagline.serve.state import Service, record_of


def make_app(service: Service) -> ASGIApp:
    """Return the ASGI application of a service: the gate around the routes."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(service.models.watch())
        yield
        watching.cancel()

    app = FastAPI(
        title="tagline",
        version=version("tagline"),
        description="Text classification over HTTP.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    router = make_router(service)
    app.include_router(router)
    app.include_router(make_pages(lambda: _description(app)))
    app.add_exception_handler(ApiError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(RequestValidationError, _refuse_query)
    app.add_exception_handler(Exception, _refuse_fault)
    gate = ServiceMiddleware(FastPath(app, PREDICT, endpoint_of(router, PREDICT)), service)
    if not service.settings.cors:
        return gate
    return CORSMiddleware(  # outside of the gate: a browser asks without the key, and reads refusals too
        gate,
        allow_origins=service.settings.cors,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "X-API-Key"],
        expose_headers=["Retry-After", "X-Tagline-Model", "X-Tagline-Rejected", "X-Tagline-Rows"],
    )


def _description(app: FastAPI) -> dict[str, Any]:
    return complete(app.openapi())


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    record_of(request).code = error.code
    return error.response()


async def _refuse_fault(request: Request, error: Exception) -> Response:
    return await _refuse(request, internal_error())  # the error goes on to the gate, which logs it


async def _refuse_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _refuse(request, invalid(error.errors()))


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        refusal = ApiError("method_not_allowed", f"`{request.url.path}` does not know `{request.method}`.")
    else:
        refusal = ApiError("not_found", f"There is nothing at `{request.url.path}`; `/docs` lists what there is.")
    response = await _refuse(request, refusal)
    response.headers.update(error.headers or {})
    return response
