"""Excel workbooks: which sheet is read, and where its table begins."""

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from tagline.data.sources.files import read_file, read_texts
from tagline.data.streams import compression
from tagline.errors import DataError

TABLE = [("text", "label"), *((f"film {i}", "ab"[i % 2]) for i in range(5))]


def write(path: Path, sheets: dict[str, list[tuple[Any, ...]]], hidden: str | None = None) -> Path:
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
            if name == hidden:
                sheet.hide()
            else:
                sheet.activate()
    return path


@pytest.mark.parametrize(
    ("above", "note"),
    [
        ([], None),
        ([(), ()], None),
        ([("Tickets of May",)], "begins in row 2"),
        ([("Tickets",), (), ("by x",)], "begins in row 4"),
    ],
)
def test_the_header_may_stand_below_a_title(tmp_path: Path, above: list[tuple[str, ...]], note: str | None) -> None:
    read = read_file(write(tmp_path / "a.xlsx", {"S": [*above, *TABLE]}))
    assert read.frame.columns == ["text", "label"]
    assert read.frame.rows() == TABLE[1:]
    assert read.place is not None
    assert read.place["line"].to_list() == [len(above) + i for i in range(2, 7)]
    assert [note in told for told in read.notes if note] == ([True] if note else [])


def test_the_first_visible_sheet_with_a_table_is_read_and_named(tmp_path: Path) -> None:
    info = [("Read me first",), ("by x",)]
    read = read_file(write(tmp_path / "a.xlsx", {"Old": TABLE, "Info": info, "Data": TABLE, "More": TABLE}, "Old"))
    assert read.frame.rows() == TABLE[1:]
    assert read.notes == (f"`{tmp_path / 'a.xlsx'}`: sheet `Data` is read, not `Info`, `More`.",)
    texts = [("text",), ("one",), ("two",)]
    assert read_file(write(tmp_path / "b.xlsx", {"S": texts})).frame["text"].to_list() == ["one", "two"]


def test_numbers_and_their_text_are_one_label(tmp_path: Path) -> None:
    rows = [("text", "label"), *((f"film {i}", [1, "1", 2.0, "2"][i % 4]) for i in range(8))]
    assert set(read_file(write(tmp_path / "a.xlsx", {"S": rows})).frame["label"].to_list()) == {"1", "2"}


def test_no_cell_is_lost_where_a_column_holds_values_of_several_types(tmp_path: Path) -> None:
    day = datetime(2024, 1, 2)
    firsts: tuple[Any, ...] = (1, True, day, 1, None, True, day)
    rows = [(f"film {i}", *firsts) for i in range(120)]
    rows.append(("last", "A7", "maybe", "unknown", 2.5, "late", False, day))
    path = write(tmp_path / "a.xlsx", {"S": [("text", *"abcdefg"), *rows]})
    read = read_file(path).frame
    assert read.row(0) == ("film 0", "1", "true", "2024-01-02", "1", None, True, "2024-01-02")
    assert read.row(120) == ("last", "A7", "maybe", "unknown", "2.5", "late", False, "2024-01-02")
    (streamed,) = (batch.rows for batch in read_texts(path))
    assert (streamed["d"].to_list(), streamed.drop("d").rows()) == ([1] * 120 + [2.5], read.drop("d").rows())


def test_a_sheet_may_have_no_header(tmp_path: Path) -> None:
    rows = [(f"film {i}", "ab"[i % 2]) for i in range(20)]
    read = read_file(write(tmp_path / "a.xlsx", {"S": rows}))
    assert (read.frame.rows(), read.frame.columns) == (rows, ["column_1", "column_2"])
    assert "has no header" in read.notes[0]
    assert read.place is not None
    assert read.place["line"].to_list() == list(range(1, 21))


def test_a_column_without_a_name_is_no_title(tmp_path: Path) -> None:
    rows = [("", "Meldung"), *((f"A{i}", f"Text {i}") for i in range(8))]
    read = read_file(write(tmp_path / "a.xlsx", {"S": rows}))
    assert (read.frame.to_series(1).to_list(), read.frame.columns[1]) == ([text for _, text in rows[1:]], "Meldung")
    values = [("Anliegen", "Kanal", "Art"), *((f"hi {i}", "email", ("question", "praise")[i % 2]) for i in range(8))]
    assert read_file(write(tmp_path / "b.xlsx", {"S": values})).frame.rows() == values[1:]


def test_a_workbook_that_claims_to_hold_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for i in range(5):
            archive.writestr(f"{i}.xml", b"\0" * (60 << 20))
    with pytest.raises(DataError, match=r"a.xlsx` holds more than 200 times its size"):
        read_file(path)


def test_a_workbook_that_claims_less_than_it_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.xlsx", {"a": TABLE})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more.xml", b"\0" * 10_000_000)
    path.write_bytes(path.read_bytes().replace((10_000_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little")))
    monkeypatch.setattr(compression, "UNBOUNDED", 4_000_000)
    with pytest.raises(DataError, match=r"a.xlsx` holds more than 200 times its size"):
        read_file(path)


@pytest.mark.parametrize("cell", ['<c\nr="XFD1048576" t="n"><v>1</v></c>', "<c r='ZZ999999'><v>1</v></c>"])
def test_cells_far_from_each_other_are_refused(tmp_path: Path, cell: str) -> None:
    path = write(tmp_path / "a.xlsx", {"a": [*TABLE, ("far", "a")]})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    empty = b'<row r="8"><c r="XFD1048576" s="1"/></row>'  # a cell that only has a format
    for added, refused in ((empty, False), (empty + f"<row>{cell}</row>".encode(), True)):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content.replace(b"</sheetData>", added + b"</sheetData>"))
        if refused:
            with pytest.raises(DataError, match=r"a.xlsx` has a sheet of [\d,]+ rows and [\d,]+ columns, nearly all"):
                read_file(path)
        else:
            assert read_file(path).frame.height == len(TABLE)


def test_headers_with_questions_years_and_numbers_beyond_64_bits(tmp_path: Path) -> None:
    question = "How satisfied were you with the service of our hotel, from 1 to 5, and why?"
    for names in ((question, "Overall opinion of it"), ("Nachricht", "2024")):
        body = [(f"It was stay {i}", f"good {i % 7}") for i in range(40)]
        assert read_file(write(tmp_path / "a.xlsx", {"s": [names, *body]})).frame.columns == list(names)
    rows = [("text", "label"), *((f"text {i}", [1e20, 5][i % 2]) for i in range(40))]
    assert read_file(write(tmp_path / "b.xlsx", {"s": rows})).frame["label"].null_count() == 0


def test_a_column_of_errors_alone_is_read_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate(TABLE):
            sheet.write_row(i, 0, row)
        sheet.write_string(0, 2, "ratio")
        sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
    assert read_file(path).frame.columns == ["text", "label", "ratio"]
    assert not caplog.records


@pytest.mark.parametrize("header", [(), ("text", "label")])
def test_a_sheet_of_errors_alone_is_empty(tmp_path: Path, header: tuple[str, ...]) -> None:
    path = tmp_path / "data.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, header)
        for row in range(1, 4):
            for column in range(2):
                sheet.write_formula(row, column, "=NA()", None, "#N/A")
    with pytest.raises(DataError, match=r"data\.xlsx` is empty: it has no rows"):
        read_file(path)
    assert not sum(len(batch.texts) for batch in read_texts(path))
