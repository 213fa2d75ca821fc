"""Argilla: records of version 1, and responses in the three ways that later versions write them."""

from typing import Any

import pytest

from tagline.errors import DataError
from tests.data.annotation_tools.exports import SEVERAL, SINGLE, TEXTS, labels_of


def records(annotations: list[Any], **more: Any) -> list[dict[str, Any]]:
    rows = zip(TEXTS, annotations, strict=True)
    common = {"prediction": None, "prediction_agent": None, "annotation_agent": "me", "status": "Validated", "id": "x"}
    return [{"text": t, "inputs": {"text": t}, "annotation": a, **common, **more} for t, a in rows]


def nested(responses: list[list[Any]], status: str) -> list[dict[str, Any]]:
    return [
        {"id": str(i), "fields": {"text": text}, "suggestions": {}, "metadata": {}, "status": "completed",
         "responses": {"topic": [{"value": v, "user_id": str(k), "status": status} for k, v in enumerate(given)]}}
        for i, (text, given) in enumerate(zip(TEXTS, responses, strict=True))
    ]  # fmt: skip


def flat(responses: list[list[Any]], status: str) -> list[dict[str, Any]]:
    return [
        {"id": str(i), "status": "completed", "text": text, "topic.responses": given, "topic.suggestion": None,
         "topic.responses.users": [str(k) for k in range(len(given))],
         "topic.responses.status": [status] * len(given)}
        for i, (text, given) in enumerate(zip(TEXTS, responses, strict=True))
    ]  # fmt: skip


def feedback(responses: list[list[Any]], status: str) -> list[dict[str, Any]]:
    return [
        {"text": text, "topic": [{"user_id": str(k), "value": v, "status": status} for k, v in enumerate(given)],
         "topic-suggestion": None, "topic-suggestion-metadata": None, "external_id": None}
        for text, given in zip(TEXTS, responses, strict=True)
    ]  # fmt: skip


def test_annotations_are_labels_and_discarded_records_left_out() -> None:
    rows = records(SINGLE)
    for row in rows[::5]:
        row["status"] = "Discarded"
    data, labels = labels_of(rows)
    assert data.facts.dropped == {"discarded by the annotator": 6}
    assert labels == {t: n for i, (t, n) in enumerate(zip(TEXTS, SINGLE, strict=True)) if i % 5}
    assert labels_of(records(SEVERAL))[1] == dict(zip(TEXTS, SEVERAL, strict=True))
    assert list(labels_of(records(SINGLE, text=None))[1]) == TEXTS


@pytest.mark.parametrize("export", [nested, flat, feedback])
def test_responses_are_labels(export: Any) -> None:
    data, labels = labels_of(export([[name] for name in SINGLE], "submitted"))
    assert (data.task, data.facts.label_column) == ("multiclass", "topic")
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))
    several = labels_of(export([[names] for names in SEVERAL], "submitted"))[1]
    assert several == dict(zip(TEXTS, SEVERAL, strict=True))


@pytest.mark.parametrize("export", [nested, flat, feedback])
def test_the_majority_counts_and_discarded_responses_do_not(export: Any) -> None:
    rows = export([[SINGLE[(i + 1) % 30], name, name] for i, name in enumerate(SINGLE)], "submitted")
    data, labels = labels_of(rows)
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))
    assert "30 rows have annotations that disagree" in " ".join(data.facts.warnings)
    half = rows[:15] + export([[name] for name in SINGLE], "discarded")[15:]
    assert labels_of(half)[0].facts.dropped == {"discarded by the annotator": 15}


def test_records_and_fields_of_other_types_are_no_fault_of_the_program() -> None:
    rows = nested([[name] for name in SINGLE], "submitted")
    rows[1]["fields"] = "damaged"
    assert len(labels_of(rows)[1]) == len(TEXTS) - 1
    without = [
        {name: value for name, value in row.items() if name not in ("inputs", "text")} for row in records(SINGLE)
    ]
    with pytest.raises(DataError, match="text"):
        labels_of(without)
