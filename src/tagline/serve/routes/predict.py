"""``POST /v1/predict``: classify one text or several."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from tagline.runs.predicting.prediction_row import (
    OptionError,
    PredictionFields,
    PredictionOptions,
    is_empty,
    prediction_rows,
    withheld,
)
from tagline.serve.http.deadline import answered_within, check_connection
from tagline.serve.http.errors import ApiError, timed_out
from tagline.serve.http.request_body import read_json
from tagline.serve.model_store import ServedModel
from tagline.serve.route import Route
from tagline.serve.routes.shared_schemas import (
    JSON_BODY_ERRORS,
    NEGATIVE_EXAMPLE,
    POSITIVE_EXAMPLE,
    TextRequest,
    Truncated,
    Version,
)
from tagline.serve.state import record_of, service_of


def _require_one_of_text_and_texts(schema: dict[str, Any]) -> None:
    for name in ("text", "texts"):
        schema["properties"][name].pop("default", None)
    schema["oneOf"] = [{"required": ["text"]}, {"required": ["texts"]}]


class PredictRequest(PredictionOptions, TextRequest):
    """One text, or several."""

    model_config = ConfigDict(json_schema_extra=_require_one_of_text_and_texts)

    text: str = Field(default="", description="The text to classify.")
    texts: list[str] = Field(
        default_factory=list, min_length=1, fail_fast=True, description="The texts to classify, instead of `text`."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if ("text" in self.model_fields_set) == ("texts" in self.model_fields_set):
            raise ValueError("Give `text` or `texts`, one of them")
        return self


class Prediction(PredictionFields):
    """The prediction for one text."""

    truncated: Truncated


class PredictAnswer(BaseModel):
    """A prediction for each text, in their order."""

    model: str
    version: Version
    predictions: list[Prediction]


_REQUEST = TypeAdapter(PredictRequest)


async def predict(request: Request) -> Response:
    """Classify one text or several."""
    service = service_of(request)
    limits = service.settings.limits
    body = await read_json(request, _REQUEST, limits)
    model = service.models.find(body.model)
    texts, cut = limits.apply([body.text] if "text" in body.model_fields_set else body.texts, truncate=body.truncate)
    try:
        body.check(model.classifier)
    except OptionError as error:
        raise ApiError("invalid_request", str(error), field=error.option) from None
    record_of(request).classified(model, texts)
    finish = partial(_answer, model, body, texts, cut)
    scorer = service.scorer
    try:
        has_turn = await scorer.has_turn(model, texts, limits.timeout)
    except TimeoutError:
        raise timed_out(limits.timeout) from None
    if has_turn:
        check_connection(request.scope)
        answer = scorer.score_at_once(model, texts, finish)
    else:
        async with answered_within(request.scope, limits.timeout):
            answer = await scorer.score(model, texts, finish)
    return Response(answer, media_type="application/json")


def _answer(
    model: ServedModel,
    options: PredictionOptions,
    texts: Sequence[str],
    cut: Sequence[bool],
    proba: NDArray[np.float64],
) -> bytes:
    """Return the answer for texts with these probabilities, (n_texts, n_classes), as JSON."""
    reasons = withheld([is_empty(text) for text in texts], options.unlike(model.classifier, texts, proba))
    rows = prediction_rows(model.classifier, model.classes, proba, options, reasons).to_json()
    for row, truncated in zip(rows, cut, strict=True):
        row["truncated"] = truncated
    return to_json({"model": model.name, "version": model.version, "predictions": rows})


ROUTES = [
    Route(
        "POST",
        "/v1/predict",
        predict,
        tag="texts",
        errors=(*JSON_BODY_ERRORS, "too_many_texts"),
        response=PredictAnswer,
        body=PredictRequest,
        examples={
            "one text": {"text": POSITIVE_EXAMPLE},
            "several texts": {"texts": [POSITIVE_EXAMPLE, NEGATIVE_EXAMPLE], "probabilities": True},
            "the two most probable classes": {"text": POSITIVE_EXAMPLE, "top_k": 2},
            "a threshold": {"text": NEGATIVE_EXAMPLE, "threshold": 0.8},
            "nothing for texts unlike the training texts": {"text": "Ein Satz auf Deutsch.", "novelty": 0.04},
        },
        direct=True,
    )
]
