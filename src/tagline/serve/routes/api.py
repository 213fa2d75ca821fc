"""The routes that answer about texts and models."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.responses import Response

from tagline.errors import InputError
from tagline.serve.errors import ApiError, json_response
from tagline.serve.fast_path import Endpoint
from tagline.serve.metrics import CONTENT_TYPE
from tagline.serve.model_store import ServedModel
from tagline.serve.openapi import DESCRIBED
from tagline.serve.request_body import read_json
from tagline.serve.routes.answers import explain_answer, predict_answer, within_limits
from tagline.serve.routes.files import FileLabeller, file_request
from tagline.serve.routes.schemas import (
    ExplainAnswer,
    ExplainRequest,
    FileQuery,
    Health,
    ModelAnswer,
    ModelQuery,
    ModelsAnswer,
    PredictAnswer,
    PredictRequest,
)
from tagline.serve.state import Service, record_of

_PREDICT = TypeAdapter(PredictRequest)
_EXPLAIN = TypeAdapter(ExplainRequest)
PREDICT = "/v1/predict"
FILES = "/v1/predict/file"


def make_router(service: Service) -> APIRouter:
    """Return the routes of a service."""
    router = APIRouter()
    limits = service.settings.limits
    labeller = FileLabeller(limits)
    explainers = ThreadPoolExecutor(1, thread_name_prefix="explain")

    @router.post(PREDICT, response_model=PredictAnswer, **DESCRIBED["predict"])
    async def predict(request: Request) -> Response:
        """Classify a text, or several."""
        asked = await read_json(request, _PREDICT, limits)
        served = service.models.find(asked.model)
        texts, cut = within_limits(
            [asked.text] if "text" in asked.model_fields_set else asked.texts, limits, truncate=asked.truncate
        )
        if asked.threshold is not None and served.classifier.task_ == "multiclass":
            raise ApiError(
                "invalid_request",
                f"`threshold`: it decides two classes, and this model has {len(served.classes):,}.",
                field="threshold",
            )
        _note(request, served, texts)
        finish = partial(predict_answer, served, asked, cut)
        try:
            async with asyncio.timeout(limits.timeout):
                answer = await service.scorer.score(served, texts, finish)
        except TimeoutError:
            raise _timed_out(limits.timeout) from None
        return Response(answer, media_type="application/json")

    @router.post("/v1/explain", response_model=ExplainAnswer, **DESCRIBED["explain"])
    async def explain(request: Request) -> Response:
        """Say what each word of a text adds to the score of a class."""
        asked = await read_json(request, _EXPLAIN, limits)
        served = service.models.find(asked.model)
        (text,), (cut,) = within_limits([asked.text], limits, truncate=asked.truncate)
        _note(request, served, [text])
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(limits.timeout):
                answer = await loop.run_in_executor(
                    explainers, partial(explain_answer, served, text, asked.class_name, cut=cut)
                )
        except TimeoutError:
            raise _timed_out(limits.timeout) from None
        except InputError as error:
            raise ApiError("invalid_request", str(error), **({"field": "class"} if asked.class_name else {})) from None
        return Response(answer, media_type="application/json")

    @router.post(FILES, **DESCRIBED["file"])
    async def predict_file(request: Request, query: Annotated[FileQuery, Query()]) -> Response:
        """Label the rows of a CSV or JSON Lines file: they come back with columns added."""
        asked = file_request(request.headers.get("content-type", ""), query)
        served = service.models.find(query.model)
        answer = await labeller.answer(request, served, asked)
        _note(request, served, [], int(answer.headers["X-Tagline-Rows"]))
        return answer

    @router.get("/v1/models", response_model=ModelsAnswer, **DESCRIBED["models"])
    async def models(request: Request) -> Response:
        """List the models."""
        default = service.models.default
        return json_response(
            {
                "models": [
                    {"name": m.name, "title": m.about["title"], "version": m.version, "default": m.name == default}
                    for m in service.models
                ]
            }
        )

    @router.get("/v1/model", response_model=ModelAnswer, **DESCRIBED["model"])
    async def model(request: Request, query: Annotated[ModelQuery, Query()]) -> Response:
        """Tell what there is to know of a model: classes, figures, facts of its data, version."""
        served = service.models.find(query.model)
        return json_response({"name": served.name, "version": served.version, **served.about})

    @router.get("/healthz", response_model=Health, **DESCRIBED["health"])
    async def health(request: Request) -> Response:
        """Say that the process is there."""
        return json_response({"status": "ok"})

    @router.get("/readyz", response_model=Health, **DESCRIBED["ready"])
    async def ready(request: Request) -> Response:
        """Say whether requests should be sent here."""
        if service.draining:
            raise ApiError("unavailable", "The server is stopping.")
        if (failure := service.scorer.failure) is not None:
            raise ApiError("unavailable", failure)
        return json_response({"status": "ok"})

    @router.get("/metrics", **DESCRIBED["metrics"])
    async def metrics(request: Request) -> Response:
        """Give the figures of the service as Prometheus reads them."""
        page = service.metrics.page((m.name, m.version) for m in service.models)
        return Response(page, headers={"Content-Type": CONTENT_TYPE})

    return router


def _note(request: Request, served: ServedModel, texts: list[str], n_texts: int | None = None) -> None:
    record = record_of(request)
    record.model, record.texts = served.name, texts
    record.n_texts = len(texts) if n_texts is None else n_texts


def _timed_out(seconds: float) -> ApiError:
    return ApiError("timed_out", f"The answer was not ready within {seconds:g} seconds.")


def endpoint_of(router: APIRouter, path: str) -> Endpoint:
    """Return the function behind a path."""
    endpoint: Endpoint = next(r.endpoint for r in router.routes if isinstance(r, APIRoute) and r.path == path)
    return endpoint
