"""``GET /v1/models`` and ``GET /v1/model``: the models that are served, and one of them in detail."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from tagline.serve.http.errors import json_response
from tagline.serve.http.query import check_not_repeated
from tagline.serve.route import Route
from tagline.serve.state import service_of


class ModelQuery(BaseModel):
    """Which model."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, description="The name of a model; the first one if it is left out.")


class ModelName(BaseModel):
    """One model that is served."""

    name: str
    title: str
    version: str
    default: bool


class ModelsAnswer(BaseModel):
    """All models that are served."""

    models: list[ModelName]


class ModelAnswer(BaseModel):
    """The details of a model."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: str
    tagline: str = Field(description="The version of tagline that serves it.")
    title: str
    task: str
    classes: list[str]


async def models(request: Request) -> Response:
    """List the models."""
    store = service_of(request).models
    return json_response(
        {
            "models": [
                {"name": m.name, "title": m.about["title"], "version": m.version, "default": m.name == store.default}
                for m in store
            ]
        }
    )


async def model(request: Request, query: Annotated[ModelQuery, Query()]) -> Response:
    """Return the details of a model: classes, metrics, facts about its data, version."""
    check_not_repeated(request)
    found = service_of(request).models.find(query.model)
    return json_response({"name": found.name, "version": found.version, **found.about})


ROUTES = [
    Route("GET", "/v1/models", models, tag="models", errors=("overloaded",), response=ModelsAnswer),
    Route(
        "GET",
        "/v1/model",
        model,
        tag="models",
        errors=("overloaded", "unknown_model", "invalid_request"),
        response=ModelAnswer,
    ),
]
