"""Declaration of an endpoint: its path, its handler and its part of the OpenAPI description."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from tagline.serve.http.errors import responses_of

API_PREFIX = "/v1/"  # below it, unknown paths need the key and count towards `max_concurrent` too
_ANY_REQUEST = ("uri_too_long", "unknown_host", "headers_too_large", "internal_error")  # the errors of any endpoint
_SCHEMA = "#/components/schemas/{model}"
_ANY_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"header": []}, {}]


@dataclass(frozen=True)
class Route:
    """An endpoint.

    ``handler`` takes a `starlette.requests.Request` and, if it has one, the query as a pydantic model. The rest is the
    description: ``tag`` groups endpoints, ``errors`` are the codes of `CODES` that a request may get, ``response`` is
    the schema of the answer, or ``success`` its OpenAPI response object where the answer is not JSON. ``body`` is the
    schema of a JSON body with ``examples`` by name; ``content`` describes a body of other media types.

    ``secured`` endpoints need the API key if there is one. The body of a ``streamed`` endpoint goes to the disk and
    does not count as memory. A ``direct`` endpoint takes no query and bypasses FastAPI, which costs more time than a
    prediction. Endpoints that are not ``documented`` serve the page; metrics count them as ``other``.
    """

    method: str
    path: str
    handler: Callable[..., Awaitable[Response]]
    tag: str = ""
    errors: tuple[str, ...] = ()
    response: type[BaseModel] | None = None
    success: Mapping[str, Any] | None = None
    body: type[BaseModel] | None = None
    examples: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] | None = None
    secured: bool = True
    streamed: bool = False
    direct: bool = False
    documented: bool = True

    def for_fastapi(self) -> dict[str, Any]:
        """Return the arguments of ``FastAPI.add_api_route``."""
        if not self.documented:
            return {"path": self.path, "endpoint": self.handler, "methods": [self.method], "include_in_schema": False}
        content = self.content
        if self.body is not None:
            examples = {name: {"value": value} for name, value in self.examples.items()}
            schema = {"$ref": _SCHEMA.format(model=self.body.__name__)}
            content = {"application/json": {"schema": schema, "examples": examples}}
        errors = (*(("unauthorized",) if self.secured else ()), *_ANY_REQUEST, *self.errors)
        return {
            "path": self.path,
            "endpoint": self.handler,
            "methods": [self.method],
            "tags": [self.tag],
            "response_model": self.response,
            "responses": ({200: self.success} if self.success else {}) | responses_of(*errors),
            "openapi_extra": ({"security": _ANY_SECURITY} if self.secured else {})
            | ({"requestBody": {"required": True, "content": content}} if content else {}),
            **({"response_class": Response} if self.response is None else {}),
        }


def describe_bodies(routes: list[Route], document: dict[str, Any]) -> dict[str, Any]:
    """Add to FastAPI's description what it cannot see: the bodies, which the handlers read themselves, and the keys."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (route.body for route in routes if route.body is not None):
        schema = model.model_json_schema(ref_template=_SCHEMA)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    return document
