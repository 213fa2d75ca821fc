"""The page that people see, its files, and the description of the service for programs and for people."""

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tagline import web
from tagline.serve.errors import ApiError, json_response
from tagline.serve.openapi_page import documentation_page


def make_pages(description: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return the routes of the page and of the documents; they hold nothing of the models and need no key."""
    router = APIRouter(include_in_schema=False)

    @cache
    def page() -> str:
        return documentation_page(description())

    @router.get("/")
    async def index(request: Request) -> Response:
        return _asset("index.html")

    @router.get("/static/{name}")
    async def static(request: Request, name: str) -> Response:
        return _asset(name)

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return json_response(description())

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        return Response(page(), media_type="text/html; charset=utf-8")

    return router


def _asset(name: str) -> Response:
    if name not in web.ASSETS:
        raise ApiError("not_found", f"There is no file `{name}`.")
    return Response(web.asset(name), headers={"Content-Type": web.ASSETS[name], "Cache-Control": "no-cache"})
