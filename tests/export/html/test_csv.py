"""The page reads and writes CSV as Python does."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_mini_racer import JSEvalException, MiniRacer

from tagline.data import read_texts
from tagline.data.columns import HEADER_NAMES, TEXT_NAMES, find_text_columns
from tagline.export.html.compose import read_script
from tagline.runs.predicting.tables import open_table

FACTS = {"headerNames": sorted(HEADER_NAMES), "textNames": list(TEXT_NAMES), "textColumns": []}
FILES = {
    "plain": "text,label\ngood film,pos\nbad film,neg\n",
    "no last line end": "text,label\ngood film,pos\nbad film,neg",
    "quotes": 'text,label\n"good, ""very"" good",pos\n"",neg\n',
    "lines in cells": 'text,label\n"good\nfilm\r\n",pos\n"bad",neg\n',
    "CR LF": 'text,label\r\n"good",pos\r\nbad,"neg"\r\n',
    "byte order mark": "\ufefftext,label\ngood,pos\nbad,neg\n",
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
}
FAULTS = {
    "text,label\ngood\n": "Line 2 cannot be read: 2 fields expected, 1 found",
    'text,label\nok,pos\n"a\nb",neg\nx,y,z\n': "Line 5 cannot be read: 2 fields expected, 3 found",
    'text,label\n"good,pos\n': "Line 2 cannot be read: a quote is opened and never closed",
    'text,label\n"good"x,pos\n': "Line 2 cannot be read: a closing quote is followed by",
    "": "The file is empty",
    "\n\n": "The file is empty",
    "text\rgood\r": "bare carriage return",
    "a,b\nx,y\nz,x\n": "The text column is not clear",
}


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    engine = MiniRacer()
    engine.eval(read_script("csv.js"))
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
    batches = list(read_texts(file, batch_rows=100, text=None))
    frame = pl.concat([batch.rows for batch in batches])
    found = read(engine, FILES[name])
    assert found["columns"] == frame.columns
    assert [tuple(row) for row in found["rows"]] == frame.rows()
    assert [frame.columns[i] for i in found["texts"]] == list(find_text_columns(frame, (), "x"))
    texts = [row[found["texts"][0]] for row in found["rows"]]
    assert texts == [text for batch in batches for text in batch.texts]


@pytest.mark.parametrize(("text", "message"), FAULTS.items())
def test_what_cannot_be_read_is_an_error_that_names_the_line(engine: MiniRacer, text: str, message: str) -> None:
    with pytest.raises(JSEvalException, match=message):
        read(engine, text)


CELLS = st.text(st.sampled_from('ab,;"\n\r é👍 '), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_what_is_written_is_what_polars_writes_and_reads_back(engine: MiniRacer, rows: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(rows, schema=["text", "label"], orient="row")
    written = frame.write_csv()
    lines = ask(engine, "(rows) => rows.map(csvLine).join('')", [frame.columns, *rows])
    assert lines == written
    table = ask(engine, "readCsv", written, FACTS)
    assert table["columns"] == frame.columns
    assert [tuple(row) for row in table["rows"]] == rows


def test_several_columns_that_the_model_reads_must_be_there(engine: MiniRacer) -> None:
    facts = FACTS | {"textColumns": ["subject", "body"]}
    table = {"columns": ["body", "subject"], "rows": []}
    assert ask(engine, "findTexts", table, facts) == [1, 0]
    with pytest.raises(JSEvalException, match="no column “subject”"):
        ask(engine, "findTexts", {"columns": ["body"], "rows": []}, facts)


def test_columns_that_the_file_has_keep_their_names(engine: MiniRacer) -> None:
    taken = ["prediction", "text", "prediction_2"]
    assert ask(engine, "freeNames", ["prediction", "probability"], taken) == ["prediction_3", "probability"]


def test_answers_are_written_as_predict_writes_them(engine: MiniRacer) -> None:
    answers = [
        {"prediction": "pos", "probability": 0.75},
        {"prediction": "pos", "probability": 1},
        {"prediction": ["a", 'b"ü'], "probability": None},
        {"prediction": [], "probability": None},
    ]
    cells = ask(engine, "(answers) => answers.map(addedCells)", answers)
    assert cells == [["pos", "0.75"], ["pos", "1.0"], ['["a", "b\\"ü"]'], ["[]"]]
    stream = BytesIO()
    with open_table(stream, "csv") as write:
        write(pl.DataFrame({"prediction": [answers[2]["prediction"], []]}))
    assert stream.getvalue().decode() == ask(
        engine, "(rows) => rows.map(csvLine).join('')", [["prediction"], *cells[2:]]
    )


def test_a_long_file_of_one_column_takes_no_time(engine: MiniRacer) -> None:
    rows = ask(
        engine, "(n) => readCsv('text\\n' + 'good film\\n'.repeat(n), {headerNames: ['text']}).rows.length", 300_000
    )
    assert rows == 300_000
