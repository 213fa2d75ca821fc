"""The page reads and writes CSV as Python does."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from py_mini_racer import JSEvalException, MiniRacer

from tagline.data import read_texts
from tagline.data.columns import HEADER_NAMES, TEXT_NAMES, find_text_columns
from tagline.data.reading import ReadLog
from tagline.errors import DataError
from tagline.export.html.compose import CSV_SCRIPTS, read_script
from tagline.runs.predicting.tables import CsvStyle, open_table

FACTS = {"headerNames": sorted(HEADER_NAMES), "textNames": list(TEXT_NAMES), "textColumns": []}
FILES = {
    "plain": "text,label\ngood film,pos\nbad film,neg\n",
    "no last line end": "text,label\ngood film,pos\nbad film,neg",
    "quotes": 'text,label\n"good, ""very"" good",pos\n"",neg\n',
    "lines in cells": 'text,label\n"good\nfilm\r\n",pos\n"bad",neg\n',
    "CR LF": 'text,label\r\n"good",pos\r\nbad,"neg"\r\n',
    "semicolons": "text;label\ngood, very;pos\nbad;neg\n",
    "tabs": 'text\tlabel\n5" of film\tpos\n"bad\tneg\n',
    "tabs with quotes": 'text\tlabel\n"good\tfilm"\tpos\nbad\tneg\n',
    "pipes": "text|label\ngood|pos\nbad|neg\n",
    "no header": "It was a good and long film,1\nIt was a bad and long film,0\n",
    "no known name": "film,verdict\nIt was a good and long film,1\nIt was a bad and long film,0\n",
    "numbers as names": "0,1\nIt was a good and long film,pos\nIt was a bad and long film,neg\n",
    "names twice": "text,a,a,\ngood,1,2,3\nbad,4,5,6\n",
    "empty lines": "text,label\n\ngood,pos\n,\nbad,neg\n\n",
    "one column": "review\ngood film\nbad film\n",
    "quotes inside": 'text,label\n5" of film,pos\nbad "film",neg\n',
    "upper case": "ID,Review\n1,good\n2,bad\n",
    "emoji": "text,label\n👍🏽 İ,pos\n我喜欢,neg\n",
    "bare CR": "text,label\rgood,pos\rbad,neg\r",
    "sep=;": "sep=;\r\ntext;label\r\ngood, very, very;pos\r\nbad;neg\r\n",
    "sep= in quotes": '"sep=|"\ntext|label\ngood|pos\nbad|neg\n',
    "sep= and no header": "sep=\t\nIt was a good and long film\t1\nIt was a bad and long film\t0\n",
    "sep= only in a text": "text,label\nsep=;,pos\nbad,neg\n",
    "semicolons with more commas": "text;label\n" + "good, very, very good;pos\nbad, bad;neg\n" * 5,
    "semicolons and a comma in the header": "text;label, or class\n" + "good;pos\nbad;neg\n" * 5,
    "semicolons with quotes": 'label;text\npos;"good; very\n""good"""\nneg;""\n',
    "pipes with quotes": 'label|text\npos|"good|very"\nneg|bad, bad\n',
    "single quotes": "label,text\n" + "".join(f"l{i % 3},'Text {i}; it''s, \"so\"'\n" for i in range(30)),
    "single quotes around the header": "'label';'text'\n'pos';'good;\nvery'\n'neg';'it''s bad'\n",
    "single quotes with tabs": "label\ttext\n" + "".join(f"l{i % 3}\t'Text\t{i}'\n" for i in range(30)),
    "single quotes and no header": "".join(f"l{i % 3}|'It was a long film {i}'\n" for i in range(30)),
    "backticks": "label,text\n" + "".join(f"l{i % 3},`Text, {i}`\n" for i in range(30)),
    "apostrophes": "text,label\n" + "".join(f"\"'twas the {i}th, they said\",a\nthe 'night',b\n" for i in range(9)),
    "backslashes escape quotes": "text,label\n" + "".join(f'"a \\"no, {i}\\" \\\\ b",x\n' for i in range(20)),
    "no header, semicolons": "".join(f"{('ham', 'spam')[i % 2]};it was message {i}, of words\n" for i in range(40)),
    "no header, label first": "".join(f"{('ham', 'spam')[i % 2]}\tit's message {i} of words\n" for i in range(40)),
    "no header, inf": "It was a good and long film,inf\nIt was a bad and long film,nan\n",
    "one column of commas": "text\n" + "".join(", ".join(["word"] * (i % 7 + 1)) + "\n" for i in range(30)),
    "one column, quoted": 'text\n"good, very"\n""\n"two\nlines"\n',
    "too few fields": "text,label\n" + "ok,pos\n" * 5 + "good\nbad,neg\n",
    "too many fields": 'text,label\nok,pos\n"a\nb",neg\nx,y,z\n,,,\n"",,\nok,neg\n',
    "a quote not closed": 'text,label\nok,pos\n"good,pos\nbad,neg\n',
    "text after a quote": 'text,label\nok,pos\n"good"x,pos\n"two\nlines"x,neg\nok,neg\nok,neg\n',
    "cells in front of quotes": (
        "id,text\n" + "1,x\n" * 5 + '2,"the "best" film\n"3\n3",good\n"4\n4",a,"b"c\n5,"open\n'
    ),
    "an unreadable first row": "text;label\r\nx;y;z\r\ngood;pos\r\nbad;neg\r\n",
    "an unreadable row and no known name": "film,verdict\nIt was a good and long film,1\nx\nIt was bad and long,0\n",
    "white space": "text,label\n \t,pos\n\u00a0\u2003,neg\n\ufeff,neg\n\x1c,neg\nok,neg\n",
    "a space before quotes": "text, label\n" + '"good, very", "pos"\nbad, "neg"\n "x" ,  y\n' * 5,
    "a space before a quotation": "label,text\n" + 'pos, "good" film\nneg, "bad"\n' * 5,
    "tildes": "~text~,~label~\n" + "~good, ~~very~~~,~pos~\n~bad\nfilm~,~neg~\n" * 3,
    "bars as quotes": "|text|;|label|\n" + "|good; very|;|pos|\n" * 3,
    "carets around texts": "text,label\n" + "^good, very^,pos\n^bad^,neg\n" * 9,
    "typographic quotes": "text,label\r\n" + "“good, ””very”””,pos\r\n“bad”,neg\r\n" * 5,
    "guillemets": "«text»;«label»\n" + "«good; very»;«pos»\n" * 3,
    "low quotes": "label;text\n" + "pos;„good; very“\n" * 3,
    "quotations": "text;label\n" + "“Good” film;pos\n“Bad”;neg\n" * 3,
    "comments": "# by x, on y\n#\ntext,label\n" + "good,pos\nbad,neg\n" * 3,
    "comments as wide as the table": "# by x, y\n# today\ntext,label\n" + "good,pos\nbad,neg\n" * 3,
    "a comment that names the columns": "# Columns: text, label\ntext,label\n" + "good,pos\nbad,neg\n" * 3,
    "comments and no known name": "# a, b\nMeldung,Art\n" + "".join(f"Ein langer Text {i},a\n" for i in range(8)),
    "a commented header above a name": "#id,text\na1,news\n" + "".join(f"a{i},Text {i}\n" for i in range(9)),
    "a commented header": "#id,text\n1,good\n2,bad\n",
    "a header with a number sign": "#,text,Klasse\n" + "1,Es war gut,a\n2,Es war schlecht,b\n" * 3,
    "texts with a number sign": "".join(f"#love this long thing {i},{'ab'[i % 2]}\n" for i in range(9)),
    "labels that are names": "".join(f"Win a long prize now {i},{('spam', 'ham')[i % 2]}\n" for i in range(9)),
    "a label that recurs late": "Win now,spam\n"
    + "".join(f"It was {i} of them,ham\n" for i in range(70))
    + "Hi,spam\n",
    "a text that is the name of its column, late": "film,verdict\n"
    + "".join(f"It was a long film {i},pos\n" for i in range(70))
    + "film,neg\n",
    "values that are names": "words,channel,kind\n"
    + "".join(f"it was a long story {i},email,question\n" for i in range(9)),
    "a row with an escape": "text,label\n" + '"good, very",pos\n' * 30 + '"so \\"bad\\", it is",neg\n',
    "escaped single quotes": "text,label\n" + "'it\\'s, \\'so\\'\nor not','pos'\n" * 9,
    "tabs and escapes": "text\tlabel\n" + '"so \\"bad\\""\tneg\ngood\tpos\n' * 9,
    "tabs and quotes of two texts": "label\ttext\n" + 'pos\t"good film\nneg\tbad\npos\t"good"\n' * 3,
    "repeated headers": 'text,label\n\ufeff"text",label\n' * 4 + "good,label\n",
    "comments and no header": "# by x\n" + "".join(f"It was a good film {i};1\n" for i in range(9)),
    "a title": "Tickets of May\r\n\r\ntext;label\r\n" + "good, very;pos\r\nbad;neg\r\n" * 3,
    "a title with empty cells": "Tickets,,\n,,\nid,text,label\n" + "1,good,pos\n2,bad,neg\n" * 3,
    "a title with a comma": "Tickets, May 2024\ntext,label\n" + "good,pos\nbad,neg\n" * 3,
    "a title that is a name": "Reviews\ntext,label\n" + "good,pos\nbad,neg\n" * 3,
    "a title above unknown names": "Tickets\nMeldung;Art\n" + "".join(f"Ein langer Text {i};a\n" for i in range(8)),
    "a title above commas": "Tickets\n\nMeldung,Art\n" + "".join(f"Ein langer Text {i},a\n" for i in range(25)),
    "prose below a line": "Films\n" + "".join(f"It was film, {i} of them\n" for i in range(30)),
    "texts of one comma": "text\n" + "news, today\nHello, world\n" * 9,
    "a first row without a label": "It was a long film,\n" + "".join(f"It was a film {i},pos\n" for i in range(9)),
    "files that were joined": "text,label\r\n" + 'good,pos\r\n\ufeff"text",label\r\nbad,neg\r\n' * 3 + "text,x\r\n",
    "files of unknown names that were joined": "words,kind\n"
    + "".join(f"It was a long film {i},{('pos', 'neg')[i % 2]}\n" for i in range(50))
    + "words,kind\nIt was long,pos\n",
    "files of unknown names and byte order marks that were joined": "\ufeffwords,kind\n"
    + "".join(f"It was a long film {i},{('pos', 'neg')[i % 2]}\n" for i in range(50))
    + "\ufeffwords,kind\nIt was long,pos\n",
    "unknown names that recur often": "words,kind\n"
    + "".join(f"It was a rather long film {i},pos\n{'words,kind' if i % 2 else 'It was,neg'}\n" for i in range(20)),
    "an unknown name that recurs in one column": "words\n" + "It was a long film\nIt was\nwords\n" * 9,
    "titles of several cells": "Report,Q1,2024\nBy,Jane,x\ntext,label,n\n" + "good,pos,1\nbad,neg,2\n" * 3,
    "spaces around separators": '"text" , "label"\n' + '"good, very" , "pos" \r\n"bad" ,"neg"\n' * 5,
    "one column of quoted texts with a comma": '"Hello, world"\n"Bye, moon"\n' * 9,
    "two byte order marks": "\ufeff\ufefftext,label\ngood,pos\n\ufefftext,label\nbad,neg\n",
    "a column that repeats its name": "text\n" + "good\ntext\n" * 3,
    "psql": " text | label\n------+-------\n" + " good | pos\n" * 30 + "(30 rows)\n",
    "Markdown": "| text | label |\n|:---|---|\n" + "| good | pos |\n| bad | neg |\n" * 3,
    "Markdown with colons": "| text | label |\n|:--|-:|\n" + "| good | pos |\n| bad | neg |\n" * 3,
    "Markdown without outer bars": "text | label\n:-|-:\n" + "good | pos\nbad | neg\n" * 3,
    "dashes for cells": "text|label\n-|-\n" + "good|pos\nbad|neg\n" * 3,
    "row names of R": '"text","label"\n' + "".join(f'"{i}","good, very","pos"\n' for i in range(9)),
    "row names of R beside ids": "id\ttext\n" + "".join(f"{i}\t{9 - i}\tgood film\n" for i in range(9)),
    "separators at the ends of rows": "text,label\n" + "good,pos,\nbad,neg,\n" * 3,
    "formulas that are texts": '="text",label\n' + 'good,"=""pos"""\nbad,="neg"\nfine,\n' * 3,
    "a formula in a cell too many": "text,label\n" + "good film,pos\n" * 9 + 'bad film,neg,="x"\n',
    "some formulas": 'text,label\n="good film",pos\n' + "bad film,neg\n" * 3,
    "blank lines first": "\n\ntext,label\ngood,pos\nbad,neg\n",
}
FAULTS = {
    'text,"label\n' + "good,pos\n" * 30: r"The header, line 1, cannot be read: a quote is opened and never closed\.",
    'sep=,\ntext,"label"x\n' + "good,pos\n" * 30: "The header, line 2, cannot be read: a closing quote is followed by",
    "text,label\n" + "good\n" * 3 + "bad,neg\n": (
        r"3 of 4 rows cannot be read \(more than 50 %\); the first is line 2: 2 fields expected, 1 found\."
    ),
    '"text,label"\n' + '"good, pos"\n"bad, neg"\n' * 9: "[Ee]very row is one quoted cell",
    "": "The file is empty",
    "\n\n": "The file is empty",
    "a,b\nx,y\nz,x\n": "The text column is not clear",
}


#: What browsers have and V8 alone lacks: a decoder of UTF-8 and Windows-1252.
TEXT_DECODER = """
class TextDecoder {
  constructor(name) { this.name = name; }
  decode(bytes) {
    if (this.name === "windows-1252") return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    try {
      return decodeURIComponent(Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
    } catch (error) {
      throw new TypeError(error.message);
    }
  }
}
"""


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    engine = MiniRacer()
    engine.eval(TEXT_DECODER + "\n".join(map(read_script, ("encoding.js", *CSV_SCRIPTS))))
    return engine


def ask(engine: MiniRacer, expression: str, *arguments: Any) -> Any:
    given = ", ".join(f"JSON.parse({json.dumps(json.dumps(argument))})" for argument in arguments)
    return json.loads(engine.eval(f"JSON.stringify(({expression})({given}))"))


def read(engine: MiniRacer, text: str) -> Any:
    return ask(
        engine,
        "(text, facts) => {const table = readCsv(text, facts); return {...table, texts: findTexts(table, facts)}}",
        text,
        FACTS,
    )


@pytest.mark.parametrize("name", FILES)
def test_rows_and_texts_are_pythons(engine: MiniRacer, tmp_path: Path, name: str) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(FILES[name].encode())
    log = ReadLog()
    batches = list(read_texts(file, batch_rows=100, log=log))
    frame = pl.concat([batch.rows for batch in batches])
    reasons = pl.concat([batch.reasons for batch in batches]).to_list()
    found = read(engine, FILES[name])
    assert found["columns"] == frame.columns
    assert found["separator"] == log.separator
    assert [row["reason"] for row in found["rows"]] == reasons
    assert [row["line"] for row in found["rows"] if row["reason"]] == [rejected.line for rejected in log.rejected]
    nothing = [None] * frame.width
    assert [tuple(row["cells"] or nothing) for row in found["rows"]] == frame.rows()
    assert [frame.columns[i] for i in found["texts"]] == list(find_text_columns(frame, (), "x"))
    texts = [(row["cells"] or nothing)[found["texts"][0]] or "" for row in found["rows"]]
    assert texts == [text for batch in batches for text in batch.texts]


RAW = st.text(st.sampled_from("abcdefg'\"`~#“”\\,;|\t\n 1é"), max_size=8)
MARKS = st.sampled_from([("", "")] * 3 + [(mark, mark) for mark in "\"'`~"] + [("“", "”"), (' "', '"')])
ABOVE = st.sampled_from(["", "", "# by x\n", "A title\n\n", "Title, 1\n", "text\n", "a{0}{0}\n"])


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.tuples(RAW, MARKS), min_size=1, max_size=12),
    separator=st.sampled_from(",;|\t"),
    above=ABOVE,
    header=st.sampled_from(["text{0}label\n", "words{0}label\n", "words{0}kind\n", ""]),
)
def test_any_file_is_read_as_python_reads_it(
    engine: MiniRacer, tmp_path: Path, rows: list[tuple[str, tuple[str, str]]], separator: str, above: str, header: str
) -> None:
    body = "".join(f"{opening}{raw}{closing}{separator}pos\n" for raw, (opening, closing) in rows)
    text = (above + header).format(separator) + body
    file = tmp_path / "rows.csv"
    file.write_text(text, newline="")
    log = ReadLog()
    try:
        frames = [(batch.rows, batch.reasons) for batch in read_texts(file, log=log)]
    except DataError:
        assume(False)
    assume(2 * len(log.rejected) <= sum(rows.height for rows, _ in frames) > 0)
    frame = pl.concat([rows for rows, _ in frames])
    found = ask(engine, "readCsv", text, FACTS)
    assert (found["columns"], found["separator"]) == (frame.columns, log.separator)
    assert [row["reason"] for row in found["rows"]] == [reason for _, reasons in frames for reason in reasons]
    assert [tuple(row["cells"] or [None] * frame.width) for row in found["rows"]] == frame.rows()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [b"good", "caf\u00e9".encode(), b"caf\xe9", b'"caf\xe9\nx"', "\U0001f44d\u00e9".encode() + b"\xe9\xe8x"]
        ),
        min_size=1,
        max_size=9,
    )
)
def test_bytes_that_are_not_utf8_are_read_as_python_reads_them(
    engine: MiniRacer, tmp_path: Path, rows: list[bytes]
) -> None:
    content = b"text,label\n" + b"".join(row + b",pos\n" for row in rows)
    file = tmp_path / "rows.csv"
    file.write_bytes(content)
    log = ReadLog()
    batches = list(read_texts(file, log=log))
    assume(2 * len(log.rejected) <= len(rows) and log.encoding in (None, "Windows-1252"))
    reasons = [reason for batch in batches for reason in batch.reasons]
    decode = "const file = decodeFile(Uint8Array.from(bytes)); return {...file, ...readCsv(file.text, facts)}"
    found = ask(engine, f"(bytes, facts) => {{{decode}}}", list(content), FACTS)
    assert found["encoding"] == log.encoding
    assert [row["reason"] for row in found["rows"]] == reasons
    cells = [row for batch in batches for row in batch.rows.rows()]
    assert [tuple(row["cells"] or [None, None]) for row in found["rows"]] == cells


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_what_cannot_be_read_is_an_error_that_names_the_line(engine: MiniRacer, text: str, message: str) -> None:
    with pytest.raises(JSEvalException, match=message):
        read(engine, text)


CELLS = st.text(st.sampled_from("ab,;|\t\"'\n\r é👍 "), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS | st.none()), min_size=1, max_size=6), st.sampled_from(",;|\t"))
def test_what_is_written_is_what_polars_writes(
    engine: MiniRacer, rows: list[tuple[str, str | None]], separator: str
) -> None:
    frame = pl.DataFrame(rows, schema={"text": pl.String, "label": pl.String}, orient="row")
    written = frame.write_csv(separator=separator)
    lines = ask(engine, "(rows, s) => rows.map((row) => csvLine(row, s)).join('')", [frame.columns, *rows], separator)
    assert lines == written


def test_several_columns_that_the_model_reads_must_be_there(engine: MiniRacer) -> None:
    facts = FACTS | {"textColumns": ["subject", "body"]}
    table = {"columns": ["body", "subject"], "rows": []}
    assert ask(engine, "findTexts", table, facts) == [1, 0]
    with pytest.raises(JSEvalException, match="no column “subject”"):
        ask(engine, "findTexts", {"columns": ["body"], "rows": []}, facts)


def test_the_column_of_the_training_data_comes_first_and_any_can_be_named(engine: MiniRacer) -> None:
    facts = FACTS | {"textColumns": ["remark"]}
    table = {"columns": ["text", "remark"], "rows": []}
    assert ask(engine, "findTexts", table, facts) == [1]
    assert ask(engine, "findTexts", table, FACTS) == [0]
    assert ask(engine, "findTexts", table, facts, ["text"]) == [0]
    assert ask(engine, "findTexts", table, FACTS, ["remark", "text"]) == [1, 0]
    caught = "(...given) => { try { return findTexts(...given); } catch (error) { return error.columns; } }"
    assert ask(engine, caught, table, FACTS, ["nope"]) == ["text", "remark"]
    assert ask(engine, caught, {"columns": ["a", "b"], "rows": []}, FACTS) == ["a", "b"]


def test_columns_that_the_file_has_keep_their_names(engine: MiniRacer) -> None:
    taken = ["prediction", "text", "prediction_2"]
    assert ask(engine, "freeNames", ["prediction", "probability"], taken) == ["prediction_3", "probability"]


LABEL = """(rows, answers, columns, separator, decisions) => {
  const added = addedColumns(answers[0].probability === null ? "multilabel" : "multiclass", decisions);
  const predict = () => predictedCells(answers.shift(), ["pos", "neg; bad", 'b"ü'], decisions);
  const lines = rows.map((row) => labelledRow(row, { columns, texts: [1], added, predict }));
  return [[...columns, ...added], ...lines].map((line) => csvLine(line, separator)).join("");
}"""
ALWAYS = {"unsureBelow": 0.0, "setThreshold": None}
ROWS = [
    {"cells": ["1", "good"], "reason": None},
    {"cells": ["7", None], "reason": "2 fields expected, 1 found"},
    {"cells": None, "reason": "a quote is opened and never closed"},
    {"cells": ["2", " \u3000"], "reason": None},
    {"cells": ["", "bad"], "reason": None},
]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "answers",
    [
        [{"prediction": "pos", "probability": 0.987654}, {"prediction": "neg; bad", "probability": 0.99999}],
        [{"prediction": "pos", "probability": 0.75}, {"prediction": "pos", "probability": 0.00014}],
        [{"prediction": ["a", 'b"ü'], "probability": None}, {"prediction": [], "probability": None}],
    ],
)
def test_rows_are_written_as_predict_writes_them(
    engine: MiniRacer, answers: list[dict[str, Any]], separator: str
) -> None:
    written = ask(engine, LABEL, ROWS, answers, ["id", "text"], separator, ALWAYS)
    first, last = answers
    columns: dict[str, list[Any]] = {
        "id": ["1", "7", None, "2", ""],
        "text": ["good", None, None, " \u3000", "bad"],
        "prediction": [first["prediction"], None, None, None, last["prediction"]],
        "probability": [first["probability"], None, None, None, last["probability"]],
        "reason": [
            None,
            "2 fields expected, 1 found",
            "a quote is opened and never closed",
            "the text is empty",
            None,
        ],
    }
    if first["probability"] is None:
        del columns["probability"]
    stream = BytesIO()
    with open_table(stream, "csv", CsvStyle(separator)) as write:
        write(pl.DataFrame(columns).with_columns(pl.col(pl.Float64).round(4)))
    assert written == stream.getvalue().decode()


def test_unsure_rows_and_prediction_sets_are_written_as_predict_writes_them(engine: MiniRacer) -> None:
    answers = [
        {"prediction": "pos", "probability": 0.5, "probabilities": [0.5, 0.25, 0.25]},
        {"prediction": 'b"ü', "probability": 0.49999, "probabilities": [0.1, 0.40001, 0.49999]},
    ]
    decisions = {"unsureBelow": 0.5, "setThreshold": 0.25}
    written = ask(engine, LABEL, ROWS, answers, ["id", "text"], ",", decisions)
    columns = {
        "id": ["1", "7", None, "2", ""],
        "text": ["good", None, None, " \u3000", "bad"],
        "prediction": ["pos", None, None, None, None],
        "probability": [0.5, None, None, None, 0.49999],
        "prediction_set": [["pos", "neg; bad", 'b"ü'], None, None, None, ['b"ü', "neg; bad"]],
        "reason": [None, ROWS[1]["reason"], ROWS[2]["reason"], "the text is empty", "unsure"],
    }
    stream = BytesIO()
    with open_table(stream, "csv", CsvStyle(",")) as write:
        write(pl.DataFrame(columns).with_columns(pl.col(pl.Float64).round(4)))
    assert written == stream.getvalue().decode()


def test_a_long_file_of_one_column_takes_no_time(engine: MiniRacer) -> None:
    rows = ask(
        engine, "(n) => readCsv('text\\n' + 'good film\\n'.repeat(n), {headerNames: ['text']}).rows.length", 300_000
    )
    assert rows == 300_000
