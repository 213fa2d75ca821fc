"""Values inside objects are columns where they are named, and objects are no texts by themselves."""

import json
from pathlib import Path

import polars as pl
import pytest

from tagline.data import load_dataset, read_texts
from tagline.data.columns.nested import nested_names, with_nested
from tagline.errors import ColumnError, DataError

ROWS = [
    {"id": i, "ticket": {"title": f"title {i}", "body": f"body of {i}", "by": {"name": "ab"[i % 2]}}, "n": {"k": i % 2}}
    for i in range(20)
]


def write(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)))
    return path


def test_values_inside_objects_are_named_with_a_dot(tmp_path: Path) -> None:
    path = write(tmp_path)
    data = load_dataset(path, text=("ticket.title", "ticket.body"), label="ticket.by.name", folds=2)
    assert data.train.texts[3] == "title 3\nbody of 3"
    assert data.train.labels.to_list() == ["a", "b"] * 10
    assert load_dataset(path, text="ticket.title", label="n.k", folds=2).classes == ["0", "1"]
    for named in ({"text": "ticket.title"}, {"preferred": ("ticket.title",)}):
        batches = list(read_texts(path, batch_rows=7, **named))  # type: ignore[arg-type]
        assert [text for batch in batches for text in batch.texts] == [f"title {i}" for i in range(20)]
        assert batches[0].rows.columns == ["id", "ticket", "n"]


def test_objects_are_no_texts_unless_they_are_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps({"text": row["ticket"], "label": "ab"[i % 2]}) for i, row in enumerate(ROWS)))
    told = "column `text` holds objects, not texts: name what to read of them .*`text.title`, `text.body`, `text.by`"
    with pytest.raises(ColumnError, match=told) as caught:
        load_dataset(path)
    assert caught.value.answer == ("--text", "text.title", "--text", "text.body")
    with pytest.raises(ColumnError, match=told):
        list(read_texts(path))
    assert load_dataset(path, text="text", folds=2).train.texts[0].startswith('{"title"')
    with pytest.raises(ColumnError, match=r"hold `ticket\.title`, `ticket\.body`, `ticket\.by`, `n\.k`"):
        list(read_texts(write(tmp_path)))


def test_lists_of_objects_are_no_texts() -> None:
    parts = [[{"type": "bold", "text": "a"}, {"type": "plain", "text": "b"}] for _ in range(4)]
    with pytest.raises(DataError, match="column `text` holds lists of objects of `type`, `text`, not texts: choose"):
        load_dataset({"text": parts, "label": ["a", "b"] * 2})
    chat = [{"role": "user", "content": "late"}, {"role": "assistant", "content": "delivery"}]
    for rows, told in (
        ([{"messages": chat}] * 4, "It holds lists of objects of `role`, `content`: save text and label as"),
        ([{"row": chat[0]}] * 4, "hold `role`, `content`, which `--text` and `--label` name as `row.role`"),
        ([{"n": 1}] * 4, "It holds Int64"),
    ):
        with pytest.raises(DataError, match=told):
            load_dataset(rows)


def test_typed_objects_are_read_too() -> None:
    frame = pl.DataFrame([{"a": {"b": {"c": "x"}}}, {"a": None}])
    assert nested_names(frame) == ["a.b"]
    assert with_nested(frame, ["a.b.c", "a", None, "z.b"]).rows() == [({"b": {"c": "x"}}, "x"), (None, None)]
    with pytest.raises(DataError, match=r"holds objects, not text: name what to read of it \(`a.b`\)"):
        load_dataset(frame.with_columns(label=pl.Series(["x", "y"])), text="a", label="label")
