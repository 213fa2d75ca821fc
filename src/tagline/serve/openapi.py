"""The OpenAPI description: requests with examples, and every way in which a route may refuse."""

from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from tagline.serve.errors import CODES
from tagline.serve.routes.schemas import BAD, GOOD, ErrorAnswer, ExplainRequest, PredictRequest

_SCHEMA = "#/components/schemas/{model}"
_ALWAYS = ("unauthorized", "internal_error")
_COUNTED = (*_ALWAYS, "overloaded")
_JSON_BODY = (
    *_COUNTED,
    "malformed_json",
    "invalid_utf8",
    "too_slow",
    "body_too_large",
    "unsupported_media_type",
    "invalid_request",
    "text_too_long",
    "unknown_model",
    "timed_out",
)


def errors_of(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Describe the answers with these codes, status by status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(CODES[code][0], []).append(code)
    described: dict[int | str, dict[str, Any]] = {}
    for status, found in sorted(by_status.items()):
        described[status] = {
            "model": ErrorAnswer,
            "description": " ".join(f"`{code}`: {CODES[code][1]}" for code in found),
            "content": {
                "application/json": {
                    "examples": {
                        code: {"value": {"error": {"code": code, "message": CODES[code][1]}}} for code in found
                    }
                }
            },
        }
        if status in (429, 503):
            described[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
        if status == 401:
            described[status]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return described


def body_of(model: type[BaseModel], examples: dict[str, Any]) -> dict[str, Any]:
    """Describe a JSON body."""
    content = {
        "schema": {"$ref": _SCHEMA.format(model=model.__name__)},
        "examples": {name: {"value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


_SECURED: dict[str, Any] = {"security": [{"bearer": []}, {"header": []}, {}]}

DESCRIBED: dict[str, dict[str, Any]] = {
    "predict": {
        "tags": ["texts"],
        "responses": errors_of(*_JSON_BODY, "too_many_texts"),
        "openapi_extra": _SECURED
        | body_of(
            PredictRequest,
            {
                "one text": {"text": GOOD},
                "several texts": {"texts": [GOOD, BAD], "probabilities": True},
                "the two most probable classes": {"text": GOOD, "top_k": 2},
                "a threshold": {"text": BAD, "threshold": 0.8},
            },
        ),
    },
    "explain": {
        "tags": ["texts"],
        "responses": errors_of(*_JSON_BODY),
        "openapi_extra": _SECURED | body_of(ExplainRequest, {"the predicted class": {"text": GOOD}}),
    },
    "file": {
        "tags": ["texts"],
        "response_class": Response,
        "responses": {
            200: {
                "description": "The rows in their order, with `prediction`, `probability` and what was asked for.",
                "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
                "headers": {
                    "X-Tagline-Rows": {"schema": {"type": "integer"}, "description": "How many rows will come."},
                    "X-Tagline-Rejected": {"schema": {"type": "integer"}, "description": "Rows that were unreadable."},
                    "X-Tagline-Model": {"schema": {"type": "string"}, "description": "The version of the model."},
                },
            },
            **errors_of(
                *_COUNTED,
                "too_slow",
                "body_too_large",
                "unsupported_media_type",
                "invalid_request",
                "invalid_file",
                "unknown_model",
            ),
        },
        "openapi_extra": _SECURED
        | {
            "requestBody": {
                "required": True,
                "content": {
                    "text/csv": {"schema": {"type": "string"}, "example": f'text\n"{GOOD}"\n"{BAD}"\n'},
                    "application/x-ndjson": {"schema": {"type": "string"}, "example": f'{{"text": "{GOOD}"}}\n'},
                },
            }
        },
    },
    "models": {"tags": ["models"], "responses": errors_of(*_COUNTED), "openapi_extra": _SECURED},
    "model": {
        "tags": ["models"],
        "responses": errors_of(*_COUNTED, "unknown_model", "invalid_request"),
        "openapi_extra": _SECURED,
    },
    "health": {"tags": ["server"], "responses": errors_of("internal_error")},
    "ready": {"tags": ["server"], "responses": errors_of("internal_error", "unavailable")},
    "metrics": {
        "tags": ["server"],
        "response_class": Response,
        "responses": {
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."},
            **errors_of(*_ALWAYS),
        },
        "openapi_extra": _SECURED,
    },
}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Add to FastAPI's description what it cannot see: the bodies, which the routes read themselves, and the keys."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for model in (PredictRequest, ExplainRequest):
        schema = model.model_json_schema(ref_template=_SCHEMA)
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    return document
