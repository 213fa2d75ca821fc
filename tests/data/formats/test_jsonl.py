"""JSON Lines: invalid lines are rejected one by one."""

import json
from pathlib import Path
from unittest import mock

import polars as pl
import pytest

from tagline.data import load_dataset
from tagline.data.sources import files
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError


def test_bad_json_lines_are_rejected_by_line(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"é {i}", "label": i % 2}, ensure_ascii=False).encode() for i in range(400)]
    lines[3] = b'{"text": "cut'
    lines[9] = b"[1, 2]"
    lines[11] = b'{"text": "caf\xe9"}'
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join(lines))
    read = read_file(path)
    assert [row.line for row in read.rejected] == [4, 10, 12]
    assert ["valid JSON" in r.reason or "object" in r.reason or "UTF-8" in r.reason for r in read.rejected] == [
        True
    ] * 3
    assert read.frame.schema == {"text": pl.String, "label": pl.Int64}
    data = load_dataset(path)
    assert data.classes == ["0", "1"]
    assert data.facts.rejected_frame()["line"].to_list() == [4, 10, 12]
    assert "line 4" in " ".join(data.facts.warnings)


def test_a_bad_line_of_a_stream_keeps_the_members_in_front_of_the_bad_one(tmp_path: Path) -> None:
    bad = [
        b'{"id": 7, "n": 1.50, "text": "cut',
        b'{ "id": 8, "text": "the "Plus" tariff", "n": 1}',
        b'{"id": 9, "odd": [{}, 1], "n": 12',
        b'{"id": 10, "text": "caf\xe9", "n": 1}',
        b"[1, 2]",
        b'{"id" 11, "n": 2}',
    ]
    good = [json.dumps({"id": i, "text": f"très bien {i}", "n": 0.5}, ensure_ascii=False).encode() for i in range(7)]
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\n".join([*good, *bad]) + b"\n")
    [batch] = read_texts(path)
    assert batch.rows.columns == ["id", "text", "n"]
    nothing = (None, None, None)
    assert batch.rows.rows()[7:] == [
        (7, None, 1.5),
        (8, None, None),
        (9, None, None),
        (10, None, None),
        nothing,
        nothing,
    ]
    assert batch.reasons.is_null().to_list() == [True] * 7 + [False] * 6
    assert batch.lines is not None
    lines = ['{"id": 7, "n": 1.50}', '{ "id": 8}', '{"id": 9, "odd": [{}, 1]}', '{"id": 10}', "{}", "{}"]
    assert batch.lines.to_list()[7:] == lines


def test_parts_of_a_stream_that_lack_the_text_or_every_column_keep_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a", "n": 1}\n{"n": 2}\n{}\n{}\n{"text": "b"}\n', encoding="utf-8")
    with mock.patch.object(files, "BLOCK_BYTES", 4):
        batches = list(read_texts(path))
    assert [text for batch in batches for text in batch.texts] == ["a", "", "", "", "b"]
    assert [batch.rows.height for batch in batches] == [len(batch.texts) for batch in batches]
    path.write_text("{}\n[1]\n{}\n", encoding="utf-8")
    with pytest.raises(DataError, match="It has no columns at all"):
        list(read_texts(path))


@pytest.mark.parametrize(
    "line", ['{"text":\x1e "a", "n": 1, x}', '{"text": ' + 64 * "[" + 64 * "]" + ', "n": 1, x}', '\x1c{"text": "a", x}']
)
def test_nothing_is_kept_of_a_bad_line_that_is_no_json_either(tmp_path: Path, line: str) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(f'{{"text": "a"}}\n{line}\n{{"text": "b"}}\n', encoding="utf-8")
    (batch,) = read_texts(path)
    assert batch.lines is not None
    assert batch.lines.to_list() == ['{"text": "a"}', "{}", '{"text": "b"}']


def test_objects_of_ever_new_names_are_refused(tmp_path: Path) -> None:
    """Their table has a column for each of them: kilobytes of a file would become gigabytes."""
    rows = [{f"k{i}": 1, "text": "x"} for i in range(1500)]
    lines, document = tmp_path / "a.jsonl", tmp_path / "a.json"
    lines.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    document.write_text(json.dumps(rows), encoding="utf-8")
    for path in (lines, document):
        with pytest.raises(DataError, match=rf"{path.name}`: 1,500 objects have 1,501 different names"):
            read_file(path)
    with mock.patch.object(files, "BLOCK_BYTES", 2000), pytest.raises(DataError, match="different names"):
        list(read_texts(lines))
    with pytest.raises(DataError, match="`list`: 1,500 objects"):
        load_dataset(rows)
    wide = [{f"k{j}": j for j in range(i % 7, 1200)} | {"text": "x", "label": str(i % 2)} for i in range(20)]
    assert read_file(_written(tmp_path / "b.jsonl", wide)).frame.shape == (20, 1202)


def _written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path
