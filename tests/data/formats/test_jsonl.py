"""JSON Lines: invalid lines are rejected one by one."""

import json
from pathlib import Path

import polars as pl

from tagline.data import load_dataset
from tagline.data.files import read_file


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
