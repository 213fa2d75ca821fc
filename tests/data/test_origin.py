"""Where a row was read: the line that a reader of the file finds there, whatever else the file holds."""

import csv
import datetime
import gzip
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.data import load_dataset
from tagline.data.formats.delimited import reader as delimited
from tagline.data.origin import SourceRows, row_hashes
from tagline.data.sources.files import read_file
from tests.data.sources.test_files import workbook

cells = st.text(st.sampled_from('ab "\n,é;'), max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(cells, cells).filter(any), min_size=1, max_size=12),
    blanks=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    bad=st.booleans(),
    piece=st.sampled_from([1, 8, 1 << 22]),
)
def test_lines_are_those_of_pythons_reader(
    tmp_path: Path, rows: list[tuple[str, str]], blanks: list[int], bad: bool, piece: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["text", "label\nof it"])
    for row, n in zip(rows, blanks, strict=False):
        out.write("\n" * n)
        writer.writerow(row)
    if bad:
        out.write("one,two,three\n")
        writer.writerow(["last", "row"])
    path = tmp_path / "data.csv"
    path.write_text(out.getvalue())
    reader = csv.reader(io.StringIO(out.getvalue()))
    expected, before = [], 0
    for found in reader:
        if len(found) == 2:
            # The line on which a row ends, less the line breaks in its cells.
            expected.append((reader.line_num - sum(cell.count("\n") for cell in found), *found))
        before = reader.line_num
    assert before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "PIECE_BYTES", piece)
        read = read_file(path)
    assert read.place is not None
    assert [(line, *row) for line, row in zip(read.place["line"], read.frame.rows(), strict=True)] == expected[1:]


def test_lines_of_every_kind_of_file(tmp_path: Path) -> None:
    csv_text = 'text,label\n\n"two\nlines",a\n\n,\nthird,b\n'
    (tmp_path / "c.csv").write_text(csv_text)
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(csv_text.encode()))
    (tmp_path / "utf16.csv").write_text(csv_text, encoding="utf-16")
    (tmp_path / "semicolon.csv").write_text("sep=;\n" + csv_text.replace(",", ";"))
    (tmp_path / "j.jsonl").write_text('\n{"text": "x", "label": "a"}\n\n{"text": "y", "label": "b"}\n')
    (tmp_path / "d.json").write_text(json.dumps([{"text": "x", "label": "a"}, {"text": "y", "label": "b"}], indent=1))
    (tmp_path / "f.txt").write_text("__label__a x\n__label__b y\n")
    pl.DataFrame({"text": ["x", "y"], "label": ["a", "b"]}).write_parquet(tmp_path / "p.parquet")
    (tmp_path / "e.xlsx").write_bytes(workbook([("text", "label"), ("x", "a"), (), ("y", "b")]))
    (tmp_path / "below.xlsx").write_bytes(workbook([(), (), (), ("text", "label"), ("x", "a"), (), ("y", "b"), ()]))
    lines = {
        "c.csv": [3, 7],
        "c.csv.gz": [3, 7],
        "utf16.csv": [3, 7],
        "semicolon.csv": [4, 8],
        "j.jsonl": [2, 4],
        "d.json": [1, 2],
        "f.txt": [1, 2],
        "p.parquet": [1, 2],
        "e.xlsx": [2, 4],
        "below.xlsx": [5, 7],
    }
    for name, expected in lines.items():
        place = read_file(tmp_path / name).place
        assert place is not None
        assert place["line"].to_list() == expected, name
        assert place["file"].unique().to_list() == [str(tmp_path / name)]


def test_splits_name_file_and_line_of_each_of_their_rows(tmp_path: Path) -> None:
    for part in ("train", "test"):
        rows = "".join(f"{part} text {i},{'ab'[i % 2]}\n" for i in range(20))
        (tmp_path / f"{part}.csv").write_text("text,label\n" + rows.replace("text 3", " "))
    data = load_dataset(tmp_path)
    for split in (data.train, data.test):
        assert split is not None
        assert split.origin is not None
        for text, place in zip(split.texts, split.origin.places.iter_rows(named=True), strict=True):
            assert Path(place["file"]).read_text().split("\n")[place["line"] - 1].startswith(text)


def test_hashes_recognise_rows_whatever_column_is_the_text(tmp_path: Path) -> None:
    rows = [{"subject": f"s {i}", "body": f"b {i}", "label": "ab"[i % 2], "n": i} for i in range(40)]
    one = load_dataset(rows, text="subject", folds=2).train.origin
    pl.DataFrame(rows[::-1]).write_parquet(tmp_path / "rows.parquet")
    other = load_dataset(tmp_path / "rows.parquet", text="body", folds=2).train.origin
    assert one is not None
    assert other is not None
    assert one.hashes.tolist() == other.hashes[::-1].tolist()
    assert len(set(one.hashes.tolist())) == 40
    assert one.file.null_count() == 40
    assert one.line.to_list() == list(range(1, 41))


def test_folders_of_texts_and_nested_columns_have_hashes(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        for i in range(6):
            (tmp_path / name / f"{i}.txt").write_text(f"{name} {i}")
    data = load_dataset(tmp_path)
    assert data.test is not None
    assert data.test.origin is not None
    assert [Path(str(file)).read_text() for file in data.test.origin.file] == data.test.texts.to_list()
    nested = [{"text": f"t {i}", "labels": ["a", "b"][: i % 3], "about": {"id": i}, "raw": b"x"} for i in range(12)]
    frame = pl.DataFrame(nested)
    origin = load_dataset(frame, text="text", label="labels", multilabel=True, folds=2).train.origin
    assert origin is not None
    assert len(set(origin.hashes.tolist())) == 12


NUMBERS = [getattr(pl, f"{kind}{bits}") for kind in ("Int", "UInt") for bits in (8, 16, 32, 64, 128)]
VALUES: list[tuple[object, pl.DataType | type[pl.DataType]]] = [
    *((1, dtype) for dtype in (*NUMBERS, pl.Float16, pl.Float32, pl.Float64, pl.Decimal(9, 2))),
    (True, pl.Boolean),
    *(("a", dtype) for dtype in (pl.String, pl.Categorical, pl.Enum(["a"]))),
    (b"\xff", pl.Binary),
    (datetime.date(2020, 1, 1), pl.Date),
    (datetime.time(1), pl.Time),
    (datetime.datetime(2020, 1, 1), pl.Datetime),
    (datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), pl.Datetime("us", "Europe/Berlin")),
    (datetime.timedelta(1), pl.Duration),
    (None, pl.Null),
]


@pytest.mark.parametrize(("value", "dtype"), VALUES, ids=[str(dtype) for _, dtype in VALUES])
def test_cells_of_every_type_have_hashes(value: object, dtype: pl.DataType) -> None:
    x = pl.Series("x", [value, None], dtype=dtype)
    nested = [pl.concat_list("x"), pl.concat_arr("x"), pl.struct("x"), pl.concat_list(pl.struct(pl.concat_list("x")))]
    nested += [pl.struct(pl.concat_list(pl.struct(pl.concat_arr("x")))), pl.struct(pl.struct("x", n=1))]
    for expr in (pl.col("x"), *nested):
        rows = x.to_frame().select(expr)
        found = row_hashes(rows)
        assert found.n_unique() == (1 if value is None else 2), rows.schema
        assert found.to_list() == [row_hashes(row)[0] for row in rows.iter_slices(1)]


def test_python_objects_have_no_part_in_hashes_and_extension_types_that_of_their_values() -> None:
    texts = pl.DataFrame({"text": ["x", "y"], "n": [1, 2]})
    objects = texts.with_columns(pl.Series("object", [object(), object()], dtype=pl.Object))
    assert row_hashes(objects).to_list() == row_hashes(texts).to_list()
    extended = texts.with_columns(pl.col("n").ext.to(pl.Extension("tagline.tests", pl.Int64)))
    assert row_hashes(extended).to_list() == row_hashes(texts).to_list()
    assert row_hashes(texts.clear()).to_list() == []


def test_predictions_can_be_written_whatever_the_columns_beside_text_and_label_are(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": [f"t {i}" for i in range(40)], "label": ["a", "b"] * 20})
    image = pl.struct(bytes=pl.lit(b"\xff"), path=pl.lit("x.png"))
    rows.with_columns(pl.duration(days=1).alias("took"), image=image).write_parquet(tmp_path / "rows.parquet")
    data = load_dataset(tmp_path / "rows.parquet")
    assert data.test is not None
    assert data.test.origin is not None
    assert data.test.origin.places.columns == ["file", "line", "row"]
    assert len(set(data.test.origin.hashes.tolist())) == len(data.test)


def test_large_columns_beside_the_texts_are_not_kept() -> None:
    texts = pl.Series("text", [f"text {i}" for i in range(40)])
    alone = texts.to_frame()
    with_images = alone.with_columns(image=pl.Series([bytes(1_000)] * 40))
    kept, dropped = SourceRows.of(alone, texts), SourceRows.of(with_images, texts)
    assert kept.cells is not None
    assert dropped.cells is None
    rows = np.array([3, 1, 39])
    for found, frame in ((kept, alone), (dropped, with_images)):
        assert found.hashes_of(rows).tolist() == row_hashes(frame)[rows].to_list()


def test_rows_of_a_test_file_are_hashed_as_in_that_file(tmp_path: Path) -> None:
    rows = pl.DataFrame({"text": [f"t {i}" for i in range(40)], "label": ["a", "b"] * 20})
    rows.head(30).write_csv(tmp_path / "train.csv")
    rows.tail(10).write_csv(tmp_path / "test.csv")
    data = load_dataset(tmp_path / "train.csv", test=tmp_path / "test.csv")
    assert data.test is not None
    assert data.test.origin is not None
    assert data.test.origin.hashes.tolist() == row_hashes(rows.tail(10)).to_list()
    assert data.train.origin is not None
    assert data.train.origin.hashes.tolist() == row_hashes(rows.head(30)).to_list()
