"""Answers made of probabilities and explanations."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from tagline.explain import explain_text
from tagline.serve.errors import ApiError
from tagline.serve.model_store import ServedModel
from tagline.serve.routes.schemas import PredictRequest
from tagline.serve.settings import Limits


def within_limits(texts: list[str], limits: Limits, *, truncate: bool) -> tuple[list[str], list[bool]]:
    """Return the texts, cut where that is allowed, and which ones were.

    Raises:
        ApiError: there are too many of them, or one is too long and must not be cut.

    """
    if len(texts) > limits.max_texts:
        raise ApiError(
            "too_many_texts",
            f"There are {len(texts):,} texts, and one request may have {limits.max_texts:,}.",
            limit=limits.max_texts,
        )
    long = [len(text) > limits.max_chars for text in texts]
    if any(long):
        if not truncate:
            row = long.index(True)
            raise ApiError(
                "text_too_long",
                f"Text {row} has {len(texts[row]):,} characters, and a text may have {limits.max_chars:,}: shorten "
                "it, or ask with `truncate` to have it cut.",
                limit=limits.max_chars,
                row=row,
            )
        texts = [text[: limits.max_chars] for text in texts]
    return texts, long


def predict_answer(served: ServedModel, asked: PredictRequest, cut: list[bool], proba: NDArray[np.float64]) -> bytes:
    """Return the answer to texts with these probabilities, (n_texts, n_classes), as JSON."""
    classifier, classes = served.classifier, served.classes
    decided = classifier.decide(proba, threshold=asked.threshold)
    rows: list[dict[str, Any]] = []
    for row, (label, values) in enumerate(zip(decided.tolist(), proba.tolist(), strict=True)):
        found: dict[str, Any]
        if isinstance(label, list):
            found = {"prediction": [str(name) for name in label], "probability": None}
        else:
            name = str(label)
            found = {"prediction": name, "probability": values[classes.index(name)]}
        if asked.probabilities:
            found["probabilities"] = dict(zip(classes, values, strict=True))
        if asked.top_k:
            order = np.argsort(-proba[row], kind="stable")[: asked.top_k].tolist()
            found["top"] = [{"class": classes[k], "probability": values[k]} for k in order]
        found["truncated"] = cut[row]
        rows.append(found)
    return to_json({"model": served.name, "version": served.version, "predictions": rows})


def explain_answer(served: ServedModel, text: str, class_name: str | None, *, cut: bool) -> bytes:
    """Return the explanation of a text as JSON."""
    classifier = served.classifier
    found = explain_text(classifier, text, class_name)
    proba = served.predictor.predict_proba([text])
    decided = classifier.decide(proba).tolist()[0]
    return to_json(
        {
            "model": served.name,
            "version": served.version,
            "prediction": [str(name) for name in decided] if isinstance(decided, list) else str(decided),
            "probabilities": dict(zip(served.classes, proba[0].tolist(), strict=True)),
            "class": found.class_name,
            "probability": found.proba,
            "scale": found.scale,
            "intercept": found.intercept,
            "score": found.score,
            "contributions": [{"name": p.name, "value": p.value, "spans": p.spans} for p in found.contributions],
            "words": found.words(),
            "truncated": cut,
        }
    )
