"""The registry of file formats: every reader is found, named in errors and documented."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tagline.data.formats import FORMATS, SUFFIXES, Format, Source
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError

GUIDE = Path(__file__).parents[3] / "docs" / "guide.md"


def test_each_suffix_has_one_format() -> None:
    suffixes = [suffix for format_ in FORMATS.values() for suffix in format_.suffixes]
    assert len(suffixes) == len(set(suffixes)) == len(SUFFIXES)
    assert all(re.fullmatch(r"\.[a-z0-9]+", suffix) for suffix in suffixes)


def test_the_guide_lists_every_format() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name, format_ in FORMATS.items() if not all(s in guide for s in format_.suffixes[:1])] == []


def test_the_error_for_a_binary_file_lists_readable_suffixes(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(100) + b"x")
    with pytest.raises(DataError) as raised:
        read_file(path)
    assert all(f"`{suffix}`" in str(raised.value) for suffix in SUFFIXES)


def read_pairs(source: Source) -> Iterator[pl.DataFrame]:
    for block in source.blocks():
        rows = [line.split("=", 1) for line in block.decode().splitlines()]
        yield pl.DataFrame({"label": [row[0] for row in rows], "text": [row[1] for row in rows]})


def test_a_new_format_needs_nothing_but_its_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = Format("pairs", (".pairs",), read_pairs, sniff=lambda source: 95 * source.sample.startswith(b"pos="))
    monkeypatch.setitem(FORMATS, "pairs", pairs)
    monkeypatch.setitem(SUFFIXES, ".pairs", pairs)
    for name in ("data.pairs", "data.pairs.gz", "data"):
        path = tmp_path / name
        path.write_bytes(b"pos=good\nneg=bad\n")
        assert read_file(path).frame.rows() == [("pos", "good"), ("neg", "bad")]
        assert [text for batch in read_texts(path) for text in batch.texts] == ["good", "bad"]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json", ".csv"])
@pytest.mark.parametrize("name", ["\0line", "\0reason", "\0object"])
def test_a_column_cannot_pass_for_one_of_the_readers(tmp_path: Path, suffix: str, name: str) -> None:
    path = tmp_path / f"data{suffix}"
    frame = pl.DataFrame({"text": ["a good film", "bad"], name: ['{"x": 1}', None]})
    if suffix == ".parquet":
        frame.write_parquet(path)
    elif suffix == ".csv":
        path.write_text(f"text,{name}\na good film,x\nbad,\n", encoding="utf-8")
    else:
        path.write_text(frame.write_ndjson() if suffix == ".jsonl" else json.dumps(frame.to_dicts()), encoding="utf-8")
    for read in (read_file, lambda file: list(read_texts(file))):
        with pytest.raises(DataError, match="begins with NUL"):
            read(path)
