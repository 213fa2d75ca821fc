"""``POST /v1/explain``: the contribution of each word to the logit of a class."""

import asyncio
from functools import partial

from pydantic import BaseModel, Field, TypeAdapter
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from tagline.errors import InputError
from tagline.explain import explain_text
from tagline.runs.predicting.prediction_row import named_probabilities
from tagline.serve.http.deadline import answered_within
from tagline.serve.http.errors import ApiError
from tagline.serve.http.request_body import read_json
from tagline.serve.model_store import ServedModel
from tagline.serve.route import Route
from tagline.serve.routes.shared_schemas import JSON_BODY_ERRORS, POSITIVE_EXAMPLE, TextRequest, Truncated, Version
from tagline.serve.state import record_of, service_of


class ExplainRequest(TextRequest):
    """One text, and the class whose logit to explain."""

    text: str = Field(description="The text to explain.")
    class_name: str | None = Field(
        default=None,
        alias="class",
        max_length=1000,
        description="The class to explain; the predicted one if it is left out.",
    )
    novelty: bool = Field(default=False, description="Add `novelty_p_value`.")


class FeatureValue(BaseModel):
    """A feature and what it adds."""

    name: str
    value: float


class Contribution(FeatureValue):
    """Contribution of one n-gram or word to the logit, and its occurrences."""

    spans: list[tuple[int, int]] = Field(description="Start and end, in Unicode code points.")


class WordContribution(Contribution):
    """Contribution of one word, or of an n-gram of words, with the character n-grams inside it."""

    features: list[FeatureValue] = Field(description="The n-grams that the contribution is the sum of.")


class ExplainAnswer(BaseModel):
    """`score`, the logit, is `intercept` plus all `contributions`, or all of `by_word` (for a network: within 1 %).

    Of decision trees the probability is explained instead, of a label tree the score of the path to the class.
    """

    model: str
    version: Version
    prediction: str | list[str]
    probabilities: dict[str, float]
    class_name: str = Field(alias="class")
    probability: float
    scale: str = Field(
        description="`log-odds`: the logit of one of two classes or of a label; `score`: a logit for softmax; "
        "`path-score`: of a label tree, the sum of the scores on the path to the class; or `probability`."
    )
    intercept: float
    score: float
    contributions: list[Contribution]
    by_word: list[WordContribution]
    words: list[tuple[int, int, float]] = Field(description="Start, end and value of each token, in code points.")
    novelty_p_value: float | None = Field(
        default=None, description="If requested: small for a text unlike the training texts; null if it is not known."
    )
    truncated: Truncated


_REQUEST = TypeAdapter(ExplainRequest)


async def explain(request: Request) -> Response:
    """Return the contribution of each word of a text to the logit of a class."""
    service = service_of(request)
    limits = service.settings.limits
    body = await read_json(request, _REQUEST, limits)
    model = service.models.find(body.model)
    (text,), (cut,) = limits.apply([body.text], truncate=body.truncate)
    record_of(request).classified(model, [text])
    answer = partial(_explain_answer, model, text, body, cut=cut)
    try:
        async with answered_within(request.scope, limits.timeout):
            content = await asyncio.get_running_loop().run_in_executor(service.explain_pool, answer)
    except InputError as error:
        raise ApiError("invalid_request", str(error), **({"field": "class"} if body.class_name else {})) from None
    return Response(content, media_type="application/json")


def _explain_answer(model: ServedModel, text: str, body: ExplainRequest, *, cut: bool) -> bytes:
    classifier = model.classifier
    found = explain_text(classifier, text, body.class_name)
    proba = model.predictor.probabilities([text])
    decided = classifier.decide(proba).tolist()[0]
    novelty = {}
    if body.novelty:
        is_known = classifier.novelty_ is not None
        novelty["novelty_p_value"] = float(classifier.novelty_p_values([text], proba)[0]) if is_known else None
    return to_json(
        {
            "model": model.name,
            "version": model.version,
            "prediction": [str(name) for name in decided] if isinstance(decided, list) else str(decided),
            "probabilities": named_probabilities(proba, model.classes)[0],
            "class": found.class_name,
            "probability": found.proba,
            "scale": found.scale,
            "intercept": found.intercept,
            "score": found.score,
            "contributions": [{"name": p.name, "value": p.value, "spans": p.spans} for p in found.contributions],
            "by_word": [
                {
                    "name": word.name,
                    "value": word.value,
                    "spans": word.spans,
                    "features": [{"name": p.name, "value": p.value} for p in word.features],
                }
                for word in found.by_word
            ],
            "words": found.words(),
            **novelty,
            "truncated": cut,
        }
    )


ROUTES = [
    Route(
        "POST",
        "/v1/explain",
        explain,
        tag="texts",
        errors=JSON_BODY_ERRORS,
        response=ExplainAnswer,
        body=ExplainRequest,
        examples={"the predicted class": {"text": POSITIVE_EXAMPLE}},
    )
]
