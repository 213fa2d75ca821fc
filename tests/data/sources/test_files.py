"""Every format, compressed or not, whole or streamed, from a file or standard input."""

import gzip
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import zstandard

from tagline.data import load_dataset, streams
from tagline.data.frames import concat
from tagline.data.reading import ReadLog
from tagline.data.sources import files
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError, MissingExtraError

TEXTS = [f"text number {i} — “ünïcode”, 日本" for i in range(40)]
LABELS = ["pos", "neg"] * 20
FRAME = pl.DataFrame({"text": TEXTS, "label": LABELS})


def row_batches(path: Path, **options: Any) -> Iterator[pl.DataFrame]:
    return (batch.rows for batch in read_texts(path, **options))


def as_bytes(kind: str) -> bytes:
    if kind == "csv":
        return FRAME.write_csv().encode()
    if kind == "tsv":
        return FRAME.write_csv(separator="\t").encode()
    if kind == "jsonl":
        return FRAME.write_ndjson().encode()
    if kind == "json":
        return json.dumps(FRAME.to_dicts()).encode()
    if kind == "txt":
        return "".join(f"__label__{y} {x}\n" for x, y in FRAME.iter_rows()).encode()
    out = io.BytesIO()
    FRAME.write_parquet(out)
    return out.getvalue()


def compressed(data: bytes, how: str) -> bytes:
    return {"": lambda d: d, ".gz": gzip.compress, ".zst": zstandard.compress}[how](data)


def workbook(rows: list[tuple[str, ...]]) -> bytes:
    """The smallest Excel file there is, with strings written into the cells."""
    cells = ["".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) for row in rows]
    body = "".join(f"<row>{row}</row>" for row in cells)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rels = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    content = "http://schemas.openxmlformats.org/package/2006/content-types"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{content}"><Default Extension="xml" '
        'ContentType="application/xml"/><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{rels}"><Relationship Id="r1" Type="{office}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="one" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{rels}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("how", ["", ".gz", ".zst"])
@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "txt"])
def test_text_formats(tmp_path: Path, kind: str, how: str) -> None:
    path = tmp_path / f"data.{kind}{how}"
    path.write_bytes(compressed(as_bytes(kind), how))
    assert read_file(path).frame.select("text", "label").equals(FRAME)
    batches = list(read_texts(path, batch_rows=7))
    assert [len(batch.texts) for batch in batches] == [7, 7, 7, 7, 7, 5]
    assert pl.concat([batch.texts for batch in batches]).to_list() == TEXTS
    data = load_dataset(path)
    assert (data.name, data.classes, data.task) == ("data", ["neg", "pos"], "binary")


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    path.write_bytes(as_bytes("parquet"))
    assert read_file(path).frame.equals(FRAME)
    assert concat(row_batches(path, batch_rows=7)).equals(FRAME)
    path.write_bytes(as_bytes("parquet")[:-30])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        read_file(path)
    with pytest.raises(DataError, match="not a whole Parquet file"):
        list(row_batches(path))


def test_excel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.xlsx"
    path.write_bytes(workbook([("text", "label"), ("a good film", "pos"), ("a bad film", "neg")]))
    assert read_file(path).frame.rows() == [("a good film", "pos"), ("a bad film", "neg")]
    assert concat(row_batches(path)).height == 2
    path.write_bytes(b"no workbook")
    with pytest.raises(DataError, match="not a readable Excel file"):
        read_file(path)
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(MissingExtraError, match=r"tagline\[xlsx\]"):
        read_file(path)


def test_zstandard_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.version_info >= (3, 14):
        return
    path = tmp_path / "data.csv.zst"
    path.write_bytes(zstandard.compress(as_bytes("csv")))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match=r"tagline\[zst\]"):
        read_file(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt", "parquet", "tsv"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for data in (as_bytes(kind), gzip.compress(as_bytes(kind))):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        read = read_file("-")
        assert read.frame.select("text", "label").equals(FRAME)
        assert read.source == "standard input"


def test_plain_lines_are_texts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = b"A fine film, really\n\nDull; long\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
    assert [text for batch in read_texts("-") for text in batch.texts] == [
        "A fine film, really",
        "",
        "Dull; long",
    ]
    path = tmp_path / "lines.txt"
    path.write_bytes(lines)
    with pytest.raises(DataError, match="--label"):
        load_dataset(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
def test_byte_order_marks(tmp_path: Path, encoding: str, kind: str) -> None:
    path = tmp_path / f"data.{kind}"
    path.write_bytes(as_bytes(kind).decode().encode(encoding))
    assert read_file(path).frame.select("text", "label").equals(FRAME)


def test_what_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"\x00\x01\x02" * 500)
    with pytest.raises(DataError, match="not text that can be read"):
        read_file(path)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DataError, match="check its permissions"):
        read_file(path)


@pytest.mark.parametrize("how", [".gz", ".zst"])
def test_a_cut_archive_is_an_error(tmp_path: Path, how: str) -> None:
    path = tmp_path / f"data.csv{how}"
    data = compressed(as_bytes("csv") * 50, how)
    path.write_bytes(data[: len(data) - 20])
    with pytest.raises(DataError, match="damaged or cut short"):
        read_file(path)
    with pytest.raises(DataError, match="damaged or cut short"):
        list(row_batches(path))


def test_several_compressed_frames_in_one_file(tmp_path: Path) -> None:
    first, second = as_bytes("csv")[:500], as_bytes("csv")[500:]
    for how in (".gz", ".zst"):
        path = tmp_path / f"data.csv{how}"
        path.write_bytes(compressed(first, how) + compressed(second, how))
        assert read_file(path).frame.equals(FRAME)


def test_streaming_finds_or_takes_the_text_column(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"id": 7, "title": "A", "body": "One thing"}\n{"id": 8, "title": null, "body": null}\n')
    assert [t for batch in read_texts(path) for t in batch.texts] == ["One thing", ""]
    assert [t for batch in read_texts(path, text=["title", "body"]) for t in batch.texts] == [
        "A\nOne thing",
        "",
    ]
    with pytest.raises(DataError, match=r"no column `bodi`. Did you mean `body`\? Its columns are `id`, `title`"):
        list(row_batches(path, text="bodi"))


def test_streams_are_read_in_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SAMPLE_BYTES", 1 << 12)
    monkeypatch.setattr(files, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(streams, "CHUNK_BYTES", 1 << 10)
    path = tmp_path / "data.csv"
    path.write_text("id,text\n" + "".join(f"{i},row {i}\n" for i in range(20_000)))
    stream = row_batches(path, batch_rows=100)
    first = next(stream)
    assert first.height == 100
    rest = concat(stream)
    assert concat([first, rest])["id"].to_list() == [str(i) for i in range(20_000)]


def test_rejected_rows_of_a_stream_carry_their_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "SAMPLE_BYTES", 200)
    monkeypatch.setattr(files, "BLOCK_BYTES", 200)
    path = tmp_path / "data.csv"
    lines = ["id,text", *(f"{i},row {i}" for i in range(200))]
    lines[120] = "120,too,many"
    path.write_text("\n".join(lines))
    log = ReadLog()
    batches = list(read_texts(path, log=log))
    assert [(r.line, r.excerpt) for r in log.rejected] == [(121, "120,too,many")]
    rows = pl.concat([batch.rows.with_columns(reason=batch.reasons) for batch in batches])
    assert rows.height == 200
    assert rows.row(119) == ("120", "too", "2 fields expected, 3 found")  # line 1 is the header
    assert rows.filter(pl.col("reason").is_null())["text"].to_list() == [f"row {i}" for i in range(200) if i != 119]
