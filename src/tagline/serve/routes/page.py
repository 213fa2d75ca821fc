"""``GET /`` and its files, ``/docs`` and ``/openapi.json``; they reveal nothing about the models and need no key."""

from functools import lru_cache

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tagline import web
from tagline.serve.http.errors import ApiError, json_response
from tagline.serve.openapi_page import documentation_page
from tagline.serve.route import Route


async def index(request: Request) -> Response:
    """Return the page."""
    return _asset("index.html")


async def static(request: Request, name: str) -> Response:
    """Return a file of the page."""
    return _asset(name)


async def openapi(request: Request) -> Response:
    """Return the OpenAPI description."""
    return json_response(request.app.openapi())


async def docs(request: Request) -> Response:
    """Return the OpenAPI description as a page for people."""
    return Response(_documentation(request.app), media_type="text/html; charset=utf-8")


@lru_cache(maxsize=1)
def _documentation(app: FastAPI) -> str:
    return documentation_page(app.openapi())


def _asset(name: str) -> Response:
    if name not in web.ASSETS:
        raise ApiError("not_found", f"There is no file `{name}`.")
    return Response(web.asset(name), headers={"Content-Type": web.ASSETS[name], "Cache-Control": "no-cache"})


ROUTES = [
    Route("GET", "/", index, secured=False, documented=False),
    Route("HEAD", "/", index, secured=False, documented=False),
    Route("GET", "/static/{name}", static, secured=False, documented=False),
    Route("GET", "/openapi.json", openapi, secured=False, documented=False),
    Route("GET", "/docs", docs, secured=False, documented=False),
]
