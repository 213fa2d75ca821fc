"""The dialect of a delimited file: what is written in any of them is read back."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagline.data import load_dataset
from tagline.data.reading import FileLayout, ReadLog
from tagline.data.sources.files import read_file, read_texts
from tagline.errors import DataError, InputError

words = st.text(st.sampled_from("abc déÜ,;|\t'\"\n"), max_size=20).map(lambda text: f"a {text.strip()}")
tables = st.lists(st.tuples(words, st.sampled_from(["pos", "neg"])), min_size=8, max_size=30)


def written(rows: list[tuple[str, str]], header: bool = True, **dialect: object) -> str:
    out = io.StringIO()
    writer = csv.writer(out, **dialect)  # type: ignore[arg-type]
    if header:
        writer.writerow(["text", "label"])
    writer.writerows(rows)
    return out.getvalue()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables,
    separator=st.sampled_from(",;|\t"),
    quote=st.sampled_from("\"'"),
    sep_line=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_table_written_in_any_dialect_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str]], separator: str, quote: str, sep_line: bool, encoding: str
) -> None:
    path = tmp_path / "data.csv"
    text = written(rows, delimiter=separator, quotechar=quote, quoting=csv.QUOTE_ALL)
    path.write_bytes((f"sep={separator}\r\n" * sep_line + text).encode(encoding))
    read = read_file(path)
    assert read.frame.rows() == rows
    assert read.frame.columns == ["text", "label"]
    assert read.rejected == ()
    log = ReadLog()
    assert [text for batch in read_texts(path, log=log) for text in batch.texts] == [text for text, _ in rows]
    assert log.separator == separator


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=tables, separator=st.sampled_from(",;|\t^~"), quote=st.sampled_from("\"'`$"))
def test_a_named_dialect_is_used(tmp_path: Path, rows: list[tuple[str, str]], separator: str, quote: str) -> None:
    path = tmp_path / "data.txt"
    path.write_text(written(rows, delimiter=separator, quotechar=quote), encoding="utf-8", newline="")
    assert read_file(path, layout=FileLayout(separator=separator, quote=quote)).frame.rows() == rows


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=tables,
    separator=st.sampled_from(",;|\t"),
    around=st.sampled_from(["~~", "^^", "“”", "„“", "«»", ' "', "  'x"]),
    above=st.sampled_from(["", "# exported by x, on y\n# 2\n", "Tickets\r\n\r\n", "Tickets of 1, 2 and 3{0}{0}{0}\n"]),
)
def test_unusual_quotes_and_lines_above_the_header_are_found(
    tmp_path: Path, rows: list[tuple[str, str]], separator: str, around: str, above: str
) -> None:
    spaced = around.startswith(" ")
    opening, closing = ('"', '"') if spaced else (around[0], around[1])
    path = tmp_path / "data.csv"
    lines = [("text", "label"), *rows]
    cells = [[f"{opening}{cell.replace(closing, 2 * closing)}{closing}" for cell in line] for line in lines]
    text = "".join((separator + " " * spaced).join(line) + "\n" for line in cells)
    path.write_text(above.format(separator) + text, encoding="utf-8", newline="")
    read = read_file(path)
    assert (read.frame.columns, read.frame.rows(), read.rejected) == (["text", "label"], rows, ())
    first = above.count("\n") + 1
    assert any(f"the table begins in line {first}; the " in note for note in read.notes) == bool(above)
    assert read.place is not None
    assert read.place["line"][0] == first + 1
    assert [text for batch in read_texts(path) for text in batch.texts] == [text for text, _ in rows]


@pytest.mark.parametrize(
    "content",
    [
        "# by x\n#\nid,text,label\n" + "1,good,a\n" * 9,
        "# made by x, y\n# on Monday\ntext,label\n" + "good,a\n" * 9,
        "#\n#a,b\n#\ntext,label\n" + "good,a\n" * 9,
        "# Columns: text, label\ntext,label\n" + "good,a\n" * 9,
        "#text,label\ntext,label\n" + "good,a\n" * 9,
        "# a, b\nanliegen,bereich\n" + "ganz gut,a\n" * 9,
        "Tickets,,\n,,\nid,text,label\n" + "1,good,a\n" * 9,
        "Tickets, May\nText;Label\n" + "good, very;a\n" * 9,
        "Tickets\n\nMeldung;Art\n" + "gut;a\n" * 9,
        "Report,Q1,2024\nBy,Jane,x\n,,\ntext,label,n\n" + '"good" ,a,1\n' * 9,
    ],
)
def test_the_header_may_stand_below_other_lines(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    read = read_file(path)
    assert (read.frame.height, read.rejected) == (9, ())
    assert read.frame.to_series(-2 if read.frame.width > 2 else 0)[0] in ("a", "good", "good, very", "gut", "ganz gut")
    assert "line above" in read.notes[0] or "lines above" in read.notes[0]


VALUES = "".join(f"hello there {i},{('phone', 'email')[i % 2]},{('praise', 'question')[i % 2]}\n" for i in range(9))


@pytest.mark.parametrize(
    ("content", "n_rows"),
    [
        ("#id,text\n1,good\n2,bad\n", 2),
        ("#,Kommentar,Klasse\n" + "1,gut,a\n2,schlecht,b\n" * 3, 6),
        ("#tweet,stance\n" + "".join(f"It was film {i},{'ab'[i % 2]}\n" for i in range(9)), 9),
        ("#tweet,link\n" + "".join(f"It was film {i},http://x/{i}\n" for i in range(9)), 9),
        ("#id,text\na1,news\n" + "".join(f"a{i},Text {i}\n" for i in range(9)), 10),
        ("#nr,thema\na1,sonne\n" + "".join(f"a{i},Text {i}\n" for i in range(9, 12)), 4),
        ("#love this thing,a\n" + "".join(f"It was film {i},{'ab'[i % 2]}\n" for i in range(9)), 10),
        ("".join(f"#love this thing {i};{'ab'[i % 2]}\n" for i in range(9)), 9),
        ("message_text,channel,kind\nhello there,email,question\nhi,phone,praise\nbad,chat,complaint\n", 3),
        ("message_text,channel,kind\n" + VALUES, 9),
        (VALUES, 9),
        ("".join(f"Win a prize now {i},{('spam', 'ham')[i % 2]}\n" for i in range(9)), 9),
        (";Meldung\n" + "".join(f"A{i};Text {i}\n" for i in range(9)), 10),
        ("text\n" + "news, today\nHello, world\n" * 9, 18),
        ("good film,\nanother one,b\nbad film,a\nold one,b\n", 4),
        ("It was 1, of them\n" * 30, 30),
    ],
)
def test_first_rows_are_not_taken_for_titles(tmp_path: Path, content: str, n_rows: int) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    read = read_file(path)
    assert (read.frame.height, read.rejected) == (n_rows, ())
    assert not any("above" in note for note in read.notes)


def test_a_label_that_recurs_late_shows_that_the_first_line_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = "".join(f"It was a message of {i},ham\n" for i in range(200))
    path.write_text(f"Win a prize,spam\n{rows}Win more,spam\n")
    assert read_file(path).frame.height == 202
    path.write_text(f"Nachricht,Art\n{rows}Nachricht,Spam\n")
    read = read_file(path)
    assert (read.frame.columns, read.frame.height, read.notes) == (["Nachricht", "Art"], 201, ())
    path.write_text(f"Win a prize,once\n{rows}")
    assert (
        "the first line is read as the header: `Win a prize`, `once`. If it is a row, add" in read_file(path).notes[0]
    )
    path.write_text(f"Kurze Nachricht,Art\n{rows}")
    assert read_file(path).notes == ()


@pytest.mark.parametrize(
    ("content", "columns", "n_rejected"),
    [
        ('"text","label"\n' + "".join(f'"{i}","so, {i}","a"\n' for i in range(9)), ["column_1", "text", "label"], 0),
        ("id\ttext\n" + "".join(f"{i}\tx{i}\tgood film\n" for i in range(9)), ["column_1", "id", "text"], 0),
        ("text;label\n" + "good;a;\nbad;b;\n" * 9, ["text", "label", "column_3"], 0),
        ("id,text\n" + "".join(f"{i},good film,pos\n" for i in range(9)), ["id", "text"], 9),
        ("text,label\n" + "".join(f"Well{i}, good,pos\n" for i in range(9)), ["text", "label"], 9),
    ],
)
def test_a_header_may_be_one_cell_short(tmp_path: Path, content: str, columns: list[str], n_rejected: int) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    read = read_file(path)
    assert (read.frame.columns, len(read.rejected)) == (columns, n_rejected)


def test_formulas_in_a_whole_column_are_the_texts_that_excel_shows(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('text,label,code\n="so ""it"" is","=""pos""",="007"\nbad,="neg",\n')
    assert read_file(path).frame.rows() == [('="so ""it"" is"', "pos", "007"), ("bad", "neg", "")]


def test_a_second_label_column_of_the_same_name_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label,label,x,x\n" + "good,a,b,1,1\nbad,c,d,2,2\n")
    (note,) = read_file(path).notes
    assert "the header repeats `label`: the further columns are called `label_3`. To use" in note


def test_a_file_of_nothing_but_a_sep_line_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("sep=;\n")
    with pytest.raises(DataError, match="is empty: it has no rows"):
        read_file(path)


def test_rows_that_are_one_quoted_cell_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('"text,label"\n' + '"good,a"\n"bad,b"\n' * 9)
    with pytest.raises(DataError, match=r"every row is one quoted cell, .* give `--quote ''`\."):
        read_file(path)
    assert read_file(path, layout=FileLayout(quote="")).frame.rows()[0] == ('"good', 'a"')


def test_a_dialect_that_does_not_fit_names_the_options(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + "$a, b$,x\n$c, d$,y\n" * 9)
    with pytest.raises(DataError, match=r"18 of 18 rows cannot be read .* give `--separator` or `--quote`\.$"):
        load_dataset(path)
    assert load_dataset(path, quote="$").train.texts.str.contains("^[ac], [bd]$").all()


@pytest.mark.parametrize("separator", [",", ";", "|", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_the_label_may_come_first_without_a_header(tmp_path: Path, separator: str, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    rows = [(("ham", "spam")[i % 2], f"it''s message {i} of many words") for i in range(40)]
    path.write_text("".join(f"{label}{separator}{text}\n" for label, text in rows))
    read = read_file(path)
    assert read.frame.rows() == rows
    assert "has no header" in read.notes[0]


def test_single_quotes_around_cells_are_quotes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("topic;article\n" + "".join(f"t{i % 3};'Text {i}; it''s \"so\"'\n" for i in range(30)))
    assert read_file(path).frame["article"].to_list() == [f'Text {i}; it\'s "so"' for i in range(30)]
    path.write_text("topic;article\n" + "".join(f"t{i % 3};'Text {i}'\n" for i in range(30)))
    assert read_file(path).frame["article"].to_list() == [f"Text {i}" for i in range(30)]


def test_apostrophes_are_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [(f"'twas the {i}th night, they said", "a") if i % 2 else (f"the {i}th 'night'", "b") for i in range(30)]
    path.write_text(written(rows))
    assert read_file(path).frame.rows() == rows


def test_backslashes_escape_quotes_where_doubling_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    rows = [(f'he said "no, {i}" and \\ left', "ab"[i % 2]) for i in range(30)]
    text = written(rows, doublequote=False, escapechar="\\", quoting=csv.QUOTE_ALL)
    path.write_text(text)
    assert read_file(path).frame.rows() == rows


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_any_quote_may_be_escaped_with_any_separator(tmp_path: Path, separator: str, quote: str) -> None:
    path = tmp_path / "data.csv"
    rows = [(f"it {i} is {quote}so{quote}" + "\nor not" * (i % 3 == 0), "ab"[i % 2]) for i in range(30)]
    escapes = {"doublequote": False, "escapechar": "\\", "quoting": csv.QUOTE_ALL}
    path.write_text(written(rows, delimiter=separator, quotechar=quote, **escapes))
    assert read_file(path).frame.rows() == rows
    assert read_file(path, layout=FileLayout(quote=quote)).frame.rows() == rows


def test_quotes_in_two_texts_do_not_join_the_rows_between_them(tmp_path: Path) -> None:
    rows = [(("ham", "spam")[i % 2], f"it was message {i}") for i in range(40)]
    rows[20], rows[23] = ("ham", '"It was so'), ("spam", 'they said "no"')
    text = "".join(f"{label}\t{text}\n" for label, text in rows)
    (tmp_path / "data.tsv").write_text(f"label\ttext\n{text}")
    assert read_file(tmp_path / "data.tsv").frame.rows() == rows
    (tmp_path / "data.txt").write_text(text)
    assert read_file(tmp_path / "data.txt").frame.rows() == rows
    (tmp_path / "data.txt").write_text(f"{text}ham\tone tab\ttoo many\n")
    read = read_file(tmp_path / "data.txt")
    assert (read.frame.rows(), len(read.rejected)) == (rows, 1)


def test_backslashes_escape_in_blocks_without_quotes_in_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagline.data.sources.files.BLOCK_BYTES", 500)
    monkeypatch.setattr("tagline.data.sources.files.SAMPLE_BYTES", 500)
    path = tmp_path / "data.csv"
    path.write_text("text,label\n" + '"a \\"b\\" c",x\n' * 50 + '"a \\\\ b",x\n' * 50)
    texts = [text for batch in read_texts(path) for text in batch.texts]
    assert texts == ['a "b" c'] * 50 + ["a \\ b"] * 50


def test_a_single_column_of_unquoted_texts_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    texts = [", ".join(["word"] * (i % 7 + 1)) for i in range(30)]
    path.write_text("\n".join(["text", *texts]) + "\n")
    assert [text for batch in read_texts(path) for text in batch.texts] == texts


def test_prose_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "new.txt"
    texts = ["First, a sentence.", "Second, another one.", "A third; and so on.", "A fourth one"]
    path.write_text("\n".join(texts))
    assert [text for batch in read_texts(path) for text in batch.texts] == texts


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ({"separator": "||"}, "The separator must be one ASCII character, not `||`"),
        ({"quote": "„"}, "The quote must be one ASCII character"),
        ({"separator": ";", "quote": ";"}, "`;` cannot be both separator and quote"),
        ({"label_prefix": " "}, "The label prefix must not be empty"),
    ],
)
def test_an_impossible_layout_is_an_error(layout: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("|", r"\|")):
        FileLayout(**layout)


@pytest.mark.parametrize("line", [500_000 * "-" + "x", 500_000 * " " + "x:"])
def test_a_long_line_that_begins_as_a_rule_is_a_row(tmp_path: Path, line: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"text,label\n{line},b\nc,d\n")
    assert read_file(path).frame.height == 2
