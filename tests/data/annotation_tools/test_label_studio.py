"""Label Studio: JSON, JSON-MIN and CSV; several annotations, skipped ones, several tags."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tagline.data import load_dataset, read_texts
from tagline.errors import ColumnError, DataError
from tests.data.annotation_tools.exports import CLASSES, SEVERAL, SINGLE, TEXTS, labels_of


def annotation(*chosen: str, tag: str = "topic", kind: str = "choices", **more: Any) -> dict[str, Any]:
    region = {"from_name": tag, "to_name": "text", "type": kind, "value": {kind: list(chosen)}}
    return {"id": 1, "result": [region], "was_cancelled": False, **more}


def tasks(annotations: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {"id": i, "data": {"text": text, "ref": i}, "annotations": given, "predictions": [], "drafts": []}
        for i, (text, given) in enumerate(zip(TEXTS, annotations, strict=True))
    ]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_tasks_are_read_from_a_file_and_from_python(tmp_path: Path) -> None:
    rows = tasks([[annotation(name)] for name in SINGLE])
    for source in (write(tmp_path / "a.json", rows), rows):
        data, labels = labels_of(source)
        assert (data.task, data.facts.text_columns, data.facts.label_columns) == ("multiclass", ("text",), ("topic",))
        assert labels == dict(zip(TEXTS, SINGLE, strict=True))
    assert labels_of(tasks([[annotation(*names)] for names in SEVERAL]))[1] == dict(zip(TEXTS, SEVERAL, strict=True))


def test_skipped_and_unlabelled_tasks_are_left_out_and_counted() -> None:
    given = [[annotation(name, was_cancelled=i % 5 == 0)] if i % 3 else [] for i, name in enumerate(SINGLE)]
    data, _ = labels_of(tasks(given), label="topic")
    assert data.facts.dropped == {"no label": 10, "skipped by the annotator": 4}


def test_annotators_who_disagree_are_outvoted_and_counted() -> None:
    other = annotation("delivery")
    given = [[annotation("billing"), other, annotation("billing")] for _ in range(15)]
    given += [[other, annotation("technical")] for _ in range(5)]
    given += [[other, annotation("technical", ground_truth=True)] for _ in range(5)]
    given += [[annotation("technical"), annotation("billing", was_cancelled=True)] for _ in range(5)]
    data, labels = labels_of(tasks(given))
    assert list(labels.values()) == ["billing"] * 15 + ["delivery"] * 5 + ["technical"] * 10
    told = "20 rows have annotations that disagree: the most frequent is used, the first of equally frequent ones."
    assert told in data.facts.warnings


def test_each_tag_is_a_column_to_choose() -> None:
    both = [{**annotation(n), "result": [*annotation(n)["result"], *annotation("4", tag="q", kind="rating")["result"]]}
            for n in SINGLE]  # fmt: skip
    rows = tasks([[one] for one in both])
    for one, row in zip(SINGLE, rows, strict=True):
        row["annotations"][0]["result"][1]["value"] = {"rating": len(one)}
    assert labels_of(rows, label="q")[0].classes == ["7", "8", "9"]
    with pytest.raises(ColumnError, match="several questions, `topic`, `q`: choose one with `--label`") as caught:
        load_dataset(rows)
    assert caught.value.answer == ("--label", "topic")
    assert labels_of(rows, label="topic")[0].classes == list(CLASSES)


def test_paths_of_a_taxonomy_are_names_and_spans_are_none() -> None:
    paths = [[annotation(tag="t", kind="taxonomy")] for _ in TEXTS]
    for one, name in zip(paths, SINGLE, strict=True):
        one[0]["result"][0]["value"]["taxonomy"] = [["ticket", name]]
    assert labels_of(tasks(paths))[0].classes == [f"ticket/{name}" for name in CLASSES]
    span = {"from_name": "ner", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["ORG"]}}
    with pytest.raises(DataError, match="no column looks like a label"):
        load_dataset(tasks([[{"result": [span]}] for _ in TEXTS]))


def minimal(name: Any, i: int) -> dict[str, Any]:
    times = {
        "created_at": f"2024-01-01T00:00:{i:02d}Z",
        "updated_at": f"2024-01-01T00:00:{i:02d}Z",
        "lead_time": i + 0.5,
    }
    return {"review": TEXTS[i], "id": i, "kind": name, "annotator": 1, "annotation_id": i, **times}


def test_minimal_json_and_csv_hold_a_name_or_choices(tmp_path: Path) -> None:
    cells = [names[0] if len(names) == 1 else {"choices": names} for names in SEVERAL]
    rows = [minimal(cell, i) for i, cell in enumerate(cells)]
    expected = dict(zip(TEXTS, SEVERAL, strict=True))
    assert labels_of(write(tmp_path / "a.json", rows))[1] == expected
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(
            [row | {"kind": c if isinstance(c, str) else json.dumps(c)} for row, c in zip(rows, cells, strict=True)]
        )
    assert labels_of(tmp_path / "a.csv")[1] == expected
    data, labels = labels_of([minimal(name, i) for i, name in enumerate(SINGLE)])
    assert (data.facts.text_columns, data.task) == (("review",), "multiclass")
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))


def test_two_columns_of_choices_are_asked_about() -> None:
    rows = [{**minimal(name, i), "sentiment": ("pos", "neg")[i % 2]} for i, name in enumerate(SINGLE)]
    with pytest.raises(ColumnError, match="several questions, `kind`, `sentiment`"):
        load_dataset(rows)
    assert labels_of(rows, label="kind")[0].classes == list(CLASSES)
    assert load_dataset(rows, group="sentiment").classes == list(CLASSES)


def test_texts_to_predict_are_those_of_the_tasks(tmp_path: Path) -> None:
    for given in ([[annotation(name)] for name in SINGLE], [[] for _ in TEXTS]):
        batches = list(read_texts(write(tmp_path / "a.json", tasks(given)), batch_rows=7))
        assert [text for batch in batches for text in batch.texts] == TEXTS
        assert batches[0].rows.columns[:3] == ["id", "data", "annotations"]
