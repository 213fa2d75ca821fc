"""The page escapes formulas as Python does."""

import json
from io import BytesIO

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

from tagline.runs.predicting.tables import CsvStyle, open_table
from tagline.web import asset

CELLS = st.text(st.sampled_from("=+-@1.,e%\t\r\n\0\"';|a＝ "), max_size=5)
ESCAPE = "((parts, separator) => { const {add} = formulaEscaper(separator); return parts.map(add).join(''); })"


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    engine = MiniRacer()
    start, script = "const FORMULA", asset("ui.js")
    engine.eval(script[script.index(start) : script.index("/** Gives a CSV file of tagline's")])
    return engine


@settings(max_examples=60, deadline=None)
@given(
    st.lists(CELLS, min_size=2, max_size=2, unique=True),
    st.lists(st.tuples(CELLS | st.none(), CELLS), max_size=6),
    st.sampled_from(",;|\t"),
    st.integers(1, 9),
)
def test_any_file_is_escaped_as_python_does(
    engine: MiniRacer, names: list[str], rows: list[tuple[str | None, str]], separator: str, step: int
) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
    plain, escaped = BytesIO(), BytesIO()
    for stream, escape in ((plain, False), (escaped, True)):
        with open_table(stream, "csv", CsvStyle(separator, escape_formulas=escape)) as write:
            write(frame)
    text = plain.getvalue().decode()
    parts = [text[at : at + step] for at in range(0, len(text), step)]
    arguments = (json.dumps(json.dumps(given)) for given in (parts, separator))
    assert engine.eval(f"{ESCAPE}({', '.join(f'JSON.parse({a})' for a in arguments)})") == escaped.getvalue().decode()
