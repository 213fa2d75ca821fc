"""The registry of annotation tools, and what all of them have in common."""

import json
from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.annotation_tools import TOOLS, read_export
from tagline.data.annotation_tools.base import agreed
from tagline.data.rows import Rows
from tests.data.annotation_tools.exports import CLASSES, SINGLE, TEXTS, labels_of, write_lines

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"
CATS = [{"text": t, "cats": {c: int(c == n) for c in CLASSES}, "kind": n} for t, n in zip(TEXTS, SINGLE, strict=True)]


def test_the_guide_lists_every_tool() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in TOOLS if f"| {name} |" not in guide] == []


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"text": ["a"], "label": ["b"]}),
        pl.DataFrame({"id": [1], "text": ["a"], "label": ["b"]}),
        pl.DataFrame({"text": ["a"], "data": ["{}"], "label": ["b"]}),
        pl.DataFrame({"text": ["a"], "cats": [3], "answer": ["accept"]}),
        pl.DataFrame({"text": ["a"], "annotation": ["x"], "status": ["y"]}),
        pl.DataFrame({"text": [None], "cats": [None]}, schema={"text": pl.String, "cats": pl.String}),
        pl.DataFrame({"fields": ["{broken"], "responses": ["{"], "data": ["{"], "annotations": ["["]}),
        pl.DataFrame(),
    ],
)
def test_other_tables_are_left_alone(frame: pl.DataFrame) -> None:
    rows = Rows(frame, "data", "data")
    assert read_export(rows, ()) is rows


def test_the_rows_of_an_export_keep_what_their_file_said() -> None:
    rows = Rows(pl.DataFrame(CATS), "data", "data", notes=("said",), encoding="cp1252")
    read = read_export(rows, ())
    assert (read.label, read.encoding, read.notes[0]) == ("cats", "cp1252", "said")


def test_a_column_that_is_named_is_the_label_and_kept() -> None:
    data, labels = labels_of(CATS, label="kind")
    assert data.facts.label_columns == ("kind",)
    assert labels == dict(zip(TEXTS, SINGLE, strict=True))
    pairs = list(zip(TEXTS, SINGLE, strict=True))
    tasks = [{"id": i, "data": {"text": t}, "annotations": [], "meta": n} for i, (t, n) in enumerate(pairs)]
    assert labels_of(tasks, label="meta")[1] == dict(zip(TEXTS, SINGLE, strict=True))


def test_a_folder_of_exports_is_read_as_one(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", CATS[:10])
    write_lines(tmp_path / "b.jsonl", CATS[10:])
    assert labels_of(tmp_path)[1] == dict(zip(TEXTS, SINGLE, strict=True))


def test_exports_come_with_test_rows_of_another_tool(tmp_path: Path) -> None:
    pairs = list(zip(TEXTS, SINGLE, strict=True))
    other = [{"id": i, "text": f"new {t}", "label": [n.upper()]} for i, (t, n) in enumerate(pairs)]
    data = load_dataset(CATS, label="cats", test=CATS[:5])
    assert data.test is not None
    assert data.test.labels.to_list() == SINGLE[:5]
    (tmp_path / "doccano.json").write_text(json.dumps(other))
    data = load_dataset(CATS, test=tmp_path / "doccano.json")
    assert data.test is not None
    assert (data.classes, data.test.labels.to_list()) == (list(CLASSES), SINGLE)


def test_the_most_frequent_answer_is_taken() -> None:
    assert agreed([("a", "b"), ("c",), ("b", "a")]) == (("a", "b"), False)
    assert agreed([None, ("c",), ("d",)]) == (("c",), False)
    assert agreed([("a",), None]) == (("a",), True)
    assert agreed([None]) == (None, True)
