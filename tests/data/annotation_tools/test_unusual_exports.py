"""Exports of annotation tools with values in unusual places."""

from typing import Any

import pytest

from tagline.data import load_dataset
from tagline.errors import TaglineError

TEXTS = [f"some text {i}" for i in range(8)]


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        (
            {
                "fields": [{"text": text} for text in TEXTS],
                "responses": [[{"values": {"topic": {"value": v}}, "status": "submitted"}] for v in "abab" * 2],
            },
            ["a", "b"] * 4,
        ),
        (
            {"text": TEXTS, "answer": ["accept"] * 8, "_input_hash": [1] * 8, "label": [["a"], ["b"]] * 4},
            ["a", "b"] * 4,
        ),
        ({"id": list(range(8)), "text": TEXTS, "cats": [["a"], ["b"]] * 4, "entities": [[]] * 8}, ["a", "b"] * 4),
        ({"id": list(range(8)), "data": TEXTS, "label": ["C#", "b"] * 4}, ["C#", "b"] * 4),
    ],
)
def test_labels_in_lists_and_names_with_separators(columns: dict[str, list[Any]], labels: list[str]) -> None:
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    assert load_dataset(rows, folds=2).train.labels.to_list() == labels


@pytest.mark.parametrize("cell", [[{"rating": 4}], '[{"rating": 4}]', [{"taxonomy": [["4"]]}], '[["4"]]'])
def test_ratings_and_taxonomies_of_label_studio(cell: object) -> None:
    other = str(cell).replace("4", "5") if isinstance(cell, str) else [{"rating": 5}]
    added = {"annotation_id": 1, "annotator": 1, "created_at": "2024"}
    rows = [{"text": text, "stars": (cell, other)[i % 2], **added} for i, text in enumerate(TEXTS)]
    assert load_dataset(rows, folds=2).classes == ["4", "5"]


@pytest.mark.parametrize("responses", ["x", ["x"], 3])
def test_responses_of_another_kind_are_no_labels(responses: object) -> None:
    with pytest.raises(TaglineError):
        load_dataset([{"fields": {"text": text}, "responses": responses} for text in TEXTS])


@pytest.mark.parametrize(
    "row",
    [
        {"accept": ["a"], "answer": "accept", "options": 3},
        {"data": {"text": "x"}, "annotations": 0.5},
        {"q.responses": 3, "q.responses.users": ["u"]},
        {"q.responses": ["a"], "q.responses.users": ["u"], "q.responses.status": 3},
        {"annotation": "a", "prediction": None, "status": ["Validated"]},
    ],
)
def test_values_that_are_no_lists_are_no_answers(row: dict[str, object]) -> None:
    try:
        data = load_dataset([{"text": text} | row for text in TEXTS], folds=2)
    except TaglineError:
        return
    assert len(data.train) == len(TEXTS)
