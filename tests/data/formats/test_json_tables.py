"""JSON documents: every orient of pandas, wrapped lists, and what is no table."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError

ROWS = [(f"a longer text, number {i}", "ab"[i % 2]) for i in range(12)]
FRAME = pd.DataFrame(ROWS, columns=["text", "label"])
OBJECTS = [{"text": text, "label": label} for text, label in ROWS]


def read(tmp_path: Path, content: str, name: str = "data.json") -> list[tuple[Any, ...]]:
    path = tmp_path / name
    path.write_text(content)
    texts = [text for batch in read_texts(path) for text in batch.texts]
    frame = read_file(path).frame
    assert frame[frame.columns[0]].to_list() == texts
    return frame.rows()


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table", "values"])
@pytest.mark.parametrize("indent", [0, 2])
def test_every_orient_of_pandas(tmp_path: Path, orient: Any, indent: int) -> None:
    assert read(tmp_path, FRAME.to_json(orient=orient, indent=indent)) == ROWS


def test_columns_as_lists(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps(FRAME.to_dict("list"))) == ROWS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.txt"])
@pytest.mark.parametrize(
    "document",
    [
        OBJECTS,
        {"version": "1", "data": OBJECTS},
        {"meta": {"n": 12, "tags": ["x"]}, "items": OBJECTS},
        {"result": {"rows": OBJECTS, "total": 12}},
    ],
)
def test_lists_of_objects_are_found(tmp_path: Path, document: Any, name: str, indent: int | None) -> None:
    assert read(tmp_path, json.dumps(document, indent=indent), name) == ROWS


def test_pretty_printed_objects_after_each_other(tmp_path: Path) -> None:
    assert read(tmp_path, "\n".join(json.dumps(each, indent=2) for each in OBJECTS), "data.jsonl") == ROWS


def test_json_lines_under_either_suffix(tmp_path: Path) -> None:
    for name in ("data.json", "data.jsonl", "data.ndjson", "data"):
        assert read(tmp_path, "\n".join(map(json.dumps, OBJECTS)), name) == ROWS
        assert read(tmp_path, json.dumps(OBJECTS[0]), name) == ROWS[:1]


def test_blank_lines_before_a_document_are_skipped(tmp_path: Path) -> None:
    assert read(tmp_path, "\n" * 200 + json.dumps(OBJECTS)) == ROWS


def test_lists_named_as_splits_become_a_column(tmp_path: Path) -> None:
    rows = read(tmp_path, json.dumps({"train": OBJECTS[:8], "test": OBJECTS[8:]}))
    assert rows == [(*row, "train" if i < 8 else "test") for i, row in enumerate(ROWS)]


def test_layouts_of_services_and_data_sets(tmp_path: Path) -> None:
    by_class = {name: [text for text, label in ROWS if label == name] for name in "ab"}
    sorted_rows = [(text, name) for name, texts in by_class.items() for text in texts]
    assert read(tmp_path, json.dumps(by_class)) == sorted_rows
    assert (
        read(tmp_path, json.dumps({"data": {**by_class, "a": by_class["a"][:2]}})) == sorted_rows[:2] + sorted_rows[6:]
    )
    assert read(tmp_path, json.dumps(dict(ROWS))) == ROWS
    assert read(tmp_path, json.dumps([list(FRAME.columns), *map(list, ROWS)])) == ROWS
    assert read_file(tmp_path / "data.json").frame.columns == ["text", "label"]
    hits = [{"_index": "t", "_id": str(i), "_source": row} for i, row in enumerate(OBJECTS)]
    assert read(tmp_path, json.dumps({"took": 3, "hits": {"total": 12, "hits": hits}})) == ROWS
    assert read(tmp_path, "\n".join(map(json.dumps, hits)), "data.jsonl") == ROWS
    intents = {"intents": [{"tag": name, "patterns": texts, "responses": ["ok"]} for name, texts in by_class.items()]}
    assert read(tmp_path, json.dumps(intents)) == sorted_rows


def test_no_row_is_taken_for_names_and_no_column_for_a_class(tmp_path: Path) -> None:
    pairs = [[text, ("question", "praise")[i % 2]] for i, (text, _) in enumerate(ROWS)]
    assert read(tmp_path, json.dumps(pairs)) == [tuple(pair) for pair in pairs]
    long = [["a text that is longer than the name of any column, which has few words", "topic"], *pairs]
    assert read(tmp_path, json.dumps(long)) == [tuple(pair) for pair in long]
    assert read(tmp_path, json.dumps([["text", "kind"], *pairs])) == [tuple(pair) for pair in pairs]
    assert "the first list names the columns, `text`, `kind`" in read_file(tmp_path / "data.json").notes[0]
    departments = ["Technical Support", "Human Resources", "Customer Service"]
    columns = {"ticket": [text for text, _ in ROWS], "department": 4 * departments}
    assert read(tmp_path, json.dumps(columns)) == list(zip(columns["ticket"], columns["department"], strict=True))
    (tmp_path / "data.json").write_text(json.dumps({"ticket text": columns["ticket"][:3], "department": departments}))
    assert read_file(tmp_path / "data.json").frame.columns == ["ticket text", "department"]


def test_rows_of_the_datasets_viewer_have_class_names(tmp_path: Path) -> None:
    label = {"feature_idx": 1, "name": "label", "type": {"names": ["a", "b"], "_type": "ClassLabel"}}
    rows = [
        {"row_idx": i, "row": {"text": text, "label": i % 2}, "truncated_cells": []} for i, (text, _) in enumerate(ROWS)
    ]
    rows[0]["row"]["label"] = -1
    assert read(tmp_path, json.dumps({"features": [label], "rows": rows})) == [(ROWS[0][0], None), *ROWS[1:]]
    rows[1]["row"]["label"] = 2
    with pytest.raises(DataError, match=r"Column `label` holds `2` in line 2 of `.*`, but its classes"):
        read(tmp_path, json.dumps({"features": [label], "rows": rows}))


def test_pairs_by_split_have_their_split(tmp_path: Path) -> None:
    pairs = list(map(list, ROWS))
    rows = read(
        tmp_path, json.dumps({"train": pairs[:6], "val": pairs[6:8], "test": pairs[8:11], "oos_test": pairs[11:]})
    )
    assert [row[2] for row in rows] == ["train"] * 6 + ["val"] * 2 + ["test"] * 4
    assert [row[:2] for row in rows] == ROWS


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"a": OBJECTS, "b": OBJECTS}, "several lists of objects, `a`, `b`"),
        ({"intent": 1, "n": [1, 2]}, "one object with the keys `intent`, `n`"),
        ({}, "an empty object"),
        ([1, 2], "must hold an array of objects"),
        ([[]], "must hold an array of objects"),
        ({"tags": ["x"], "authors": ["a", "b"]}, "the keys `tags`, `authors`"),
    ],
)
def test_what_is_no_table_is_named(tmp_path: Path, document: Any, message: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match=message):
        read_file(path)
