"""CSV and TSV: the fast reader and the careful one give the same rows, and bad rows cost only themselves."""

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.data.formats.base import Source
from tagline.data.formats.delimited import reader
from tagline.data.formats.delimited.dialect import Dialect
from tagline.data.formats.delimited.reader import read_delimited
from tagline.data.formats.delimited.records import Grammar, Lines, read_records
from tagline.data.frames import concat
from tagline.data.reading import ReadLog
from tagline.data.rows import check_rejected
from tagline.data.sources import files
from tagline.data.sources.files import read_file, read_texts

# Of a bare carriage return, which ends a line for Python and not for us, its writer makes something else.
cells = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=30)
pieces = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "bc", " ", "é", '""', '","', ',"']), max_size=40)


def written(rows: list[tuple[str, str]], terminator: str = "\n", **options: object) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=terminator, **options)  # type: ignore[arg-type]
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    return out.getvalue().encode()


def in_blocks(data: bytes, size: int) -> list[bytes]:
    lines = data.splitlines(keepends=True)
    return [b"".join(lines[i : i + size]) for i in range(0, len(lines), size)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=12).filter(lambda r: all(any(x) for x in r)),
    terminator=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_python_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str]], terminator: str, quoting: int
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(written(rows, terminator, quoting=quoting))
    read = read_file(path)
    assert read.rejected == ()
    assert read.frame.rows() == rows


@settings(max_examples=200, deadline=None)
@given(pieces=pieces, size=st.integers(1, 4))
def test_fast_and_careful_reading_agree(pieces: list[str], size: int) -> None:
    data = "".join(pieces).encode()
    dialect = Dialect(Grammar(","), columns=("a", "b"), header_lines=0)
    source = Source("f", None)
    whole = list(read_delimited(iter([data]), dialect, source))
    careful = list(read_records(Lines(data.split(b"\n")), Grammar(","), width=2))
    good = [tuple(record.cells) for record in careful if record.reason is None]
    assert [row for frame in whole for row in frame.rows()] == good
    assert [(r.line, r.reason) for r in source.log.rejected] == [
        (r.line, r.reason) for r in careful if r.reason is not None
    ]


@settings(max_examples=200, deadline=None)
@given(pieces=pieces, size=st.integers(1, 4))
def test_blocks_of_any_size_give_the_same_rows(pieces: list[str], size: int) -> None:
    data = "".join(pieces).replace("\r", "").encode()
    dialect = Dialect(Grammar(","), columns=("a", "b"), header_lines=0)
    results = []
    for blocks in ([data], in_blocks(data, size)):
        source = Source("f", None)
        frames = list(read_delimited(iter(blocks), dialect, source))
        results.append(([row for frame in frames for row in frame.rows()], source.log.rejected))
    assert results[0] == results[1]


def test_streaming_agrees_with_whole_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(files, "SAMPLE_BYTES", 1000)
    rows = [(f'text {i}, with "quotes"\nand lines', str(i % 3)) for i in range(500)]
    path = tmp_path / "data.csv"
    data = written(rows).replace(b"text 77,", b'text 77" ,', 1)
    path.write_bytes(data)
    log = ReadLog()
    batches = list(read_texts(path, batch_rows=64, log=log))
    whole = read_file(path)
    assert concat(batch.rows.filter(batch.reasons.is_null()) for batch in batches).equals(whole.frame)
    assert tuple(log.rejected) == whole.rejected
    reasons = pl.concat([batch.reasons for batch in batches])
    assert reasons.drop_nulls().to_list() == [row.reason for row in whole.rejected]
    assert whole.rejected[0].line == 77 * 2 + 2


@pytest.mark.parametrize("odd", ["", 'a "bad" quote,1\n', '"an ""x""\n",1\n'])
def test_a_header_that_is_repeated_is_no_row(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "data.csv"
    part = "text,label\n" + "label,text\n" + "".join(f"text {i},label\n" for i in range(60)) + odd
    path.write_text(part + part + "\ufeff" + part, encoding="utf-8")
    read = read_file(path)
    assert read.frame.height == 3 * (61 + bool(odd))
    assert "text" not in read.frame["text"].to_list()
    first = part.count("\n") + 1
    assert f"2 rows repeat the header and are left out (first: line {first})." in read.notes[0]
    log = ReadLog()
    batches = list(read_texts(path, log=log))
    assert sum(batch.rows.height for batch in batches) == read.frame.height + 2
    assert [(row.line, row.reason) for row in log.rejected] == [
        (line, "the row repeats the header") for line in (first, 2 * first - 1)
    ]
    assert [reason for batch in batches for reason in batch.reasons.drop_nulls()] == [
        "the row repeats the header",
        "the row repeats the header",
    ]


def test_repeated_headers_are_no_faults(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('text,label\n\ufeff"text",label\n' * 4 + "good,label\n", encoding="utf-8")
    log = ReadLog()
    assert pl.concat([batch.reasons for batch in read_texts(path, log=log)]).null_count() == 1
    check_rejected(log.rejected, 1, limit=0.5)
    check_rejected(log.rejected, 1, strict=True)
    assert read_file(path).frame.rows() == [("good", "label")]


def test_large_blocks_are_read_carefully_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PIECE_BYTES", 100)
    rows = [(f'a "{i}"\n' * (i % 40 + 1), str(i)) for i in range(1, 200)]
    lines = written(rows) + b"one,too,many\nlast,0\n"
    source = Source("f", None)
    dialect = Dialect(Grammar(","), columns=("text", "label"), header_lines=1)
    frames = list(read_delimited(iter([lines]), dialect, source))
    assert len(frames) > 10
    assert [row for frame in frames for row in frame.rows()] == [*rows, ("last", "0")]
    assert source.log.rejected[0].line == lines.count(b"\n") - 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"a,b,c", "2 fields expected, 3 found"),
        (b"a", "2 fields expected, 1 found"),
        (b'"never closed,b', "a quote is opened and never closed"),
        (b'"closed"early,b', "a closing quote is followed by something other than the separator"),
    ],
)
@pytest.mark.parametrize("place", [1, 150, 300])
def test_a_bad_row_costs_only_itself(tmp_path: Path, bad: bytes, reason: str, place: int) -> None:
    lines = [b"text,label"] + [b"row %d,%d" % (i, i % 2) for i in range(300)]
    lines.insert(place, bad)
    path = tmp_path / "data.csv"
    path.write_bytes(b"\n".join(lines) + b"\n")
    read = read_file(path)
    assert read.frame.height == 300
    assert [row.line for row in read.rejected] == [place + 1]
    assert read.rejected[0].reason.startswith(reason)
    assert read.rejected[0].file == str(path)


def test_a_bad_row_of_a_stream_keeps_the_cells_in_front_of_the_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    bad = ['3;"b";"the "Plus" tariff;x', '"4";c;"never closed', 'e;"two\nlines";"x"y;z']
    path.write_text(
        "\n".join(["id;author;text;n", *(f"{i};a;fine, {i};0" for i in range(9)), *bad, "8;d;fine;1"]) + "\n"
    )
    rows = pl.concat([batch.rows for batch in read_texts(path, text="text")]).rows()[9:]
    assert rows == [
        ("3", "b", None, None),
        ("4", "c", None, None),
        ("e", None, None, None),  # the next line is read as a row of its own
        ('lines"', None, None, None),
        ("8", "d", "fine", "1"),
    ]


def test_cells_stay_strings_and_empty_rows_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\n007,1.0\n\n,\nx,\n")
    assert read_file(path).frame.rows() == [("007", "1.0"), ("x", "")]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"text{separator}label\nfine, really{separator}pos\n")
    assert read_file(path).frame.rows() == [("fine, really", "pos")]


def test_bare_quotes_of_a_tsv_are_text(tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text('text\tlabel\n"Great" she said\tpos\n"open\tneg\n')
    assert read_file(path).frame.rows() == [('"Great" she said', "pos"), ('"open', "neg")]


def test_a_file_without_header_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text('"3","Wall St. Bears","Short-sellers are back"\n"1","Talks","Leaders met"\n')
    read = read_file(path)
    assert read.frame.columns == ["column_1", "column_2", "column_3"]
    assert read.frame.height == 2
    assert "has no header" in read.notes[0]


def test_a_header_of_numbers_in_order_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("0,1\ngood film,pos\n")
    assert read_file(path).frame.rows() == [("good film", "pos")]


def test_repeated_and_empty_column_names_become_unique(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(",text,text\n0,a,b\n")
    assert read_file(path).frame.columns == ["column_1", "text", "text_3"]


def test_bare_carriage_returns_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\rgood,pos\r")
    assert read_file(path).frame.rows() == [("good", "pos")]


def test_all_cells_are_strings(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n1,2\n")
    assert set(read_file(path).frame.dtypes) == {pl.String}
