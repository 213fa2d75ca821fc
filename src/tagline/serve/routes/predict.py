"""``POST /v1/predict``: classify one text or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from tagline.many_classes import Probabilities
from tagline.runs.predicting.prediction_row import (
    OptionError,
    PredictionFields,
    PredictionOptions,
    is_empty,
    prediction_rows,
    withheld,
)
from tagline.serve.batching import share_of_longest
from tagline.serve.http.connections import LOSS, TASKS, Loss
from tagline.serve.http.deadline import answered_within
from tagline.serve.http.errors import ApiError
from tagline.serve.http.request_body import read_json
from tagline.serve.model_store import ServedModel
from tagline.serve.rounds import RequestTexts, ShortRequest
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

    def options(self) -> PredictionOptions:
        """Return the options alone, which are equal for many requests."""
        if _OPTIONS.isdisjoint(self.model_fields_set):
            return _DEFAULT
        given = {name: getattr(self, name) for name in _OPTIONS & self.model_fields_set}
        return PredictionOptions.model_construct(**given)


class Prediction(PredictionFields):
    """The prediction for one text."""

    truncated: Truncated


class PredictAnswer(BaseModel):
    """A prediction for each text, in their order."""

    model: str
    version: Version
    predictions: list[Prediction]


_DEFAULT, _OPTIONS = PredictionOptions(), frozenset(PredictionOptions.model_fields)
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
    given, responder = RequestTexts(texts, cut), _Responder(model, body.options())
    scorer, share = service.scorer, share_of_longest(model, texts)
    if share <= 1:
        scope = request.scope
        short = ShortRequest(given, responder, share, limits.timeout, scope.get(LOSS) or Loss())
        answer = await scorer.rounds.score(short, is_alone=len(scope.get(TASKS, ())) == 1)
    else:
        async with answered_within(request.scope, limits.timeout):
            answer = await scorer.score(model, texts, lambda proba: responder([given], proba)[0])
    return Response(answer, media_type="application/json")


@dataclass(frozen=True)
class _Responder:
    """Makes the answers of a model to requests with these options, as JSON."""

    model: ServedModel
    options: PredictionOptions

    def __call__(self, requests: Sequence[RequestTexts], proba: Probabilities) -> list[bytes]:
        """Return the answer to each request, from the probabilities of all their texts, (n_texts, n_classes)."""
        model, classifier, options = self.model, self.model.classifier, self.options
        texts = [text for request in requests for text in request.texts]
        reasons = withheld([is_empty(text) for text in texts], options.unlike(classifier, texts, proba))
        rows = iter(prediction_rows(classifier, model.classes, proba, options, reasons).to_json())
        found = []
        for request in requests:
            own = zip(request.cut, rows, strict=False)  # `rows` last: what follows is that of the next request
            predictions = [row | {"truncated": truncated} for truncated, row in own]
            found.append(to_json({"model": model.name, "version": model.version, "predictions": predictions}))
        return found


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
