"""SQL queries, answered by DuckDB, and Arrow tables in memory."""

import os
import signal
import threading
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from tagline.data import load_dataset
from tagline.data.sources import query as query_module
from tagline.data.sources.query import Query
from tagline.data.sources.read import read_source
from tagline.errors import DataError, MissingExtraError

FRAME = pl.DataFrame({"text": [f"text number {i}, ünïcode" for i in range(400)], "label": ["pos", "neg"] * 200})


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    FRAME[:100].write_parquet(tmp_path / "a.parquet")
    FRAME[100:].write_parquet(tmp_path / "b.parquet")
    FRAME[:10].write_csv(tmp_path / "few.csv")
    return tmp_path


def test_the_rows_of_a_query_keep_their_order(parts: Path) -> None:
    rows = read_source(Query(f"SELECT text, label FROM '{parts}/*.parquet'"))
    assert rows.frame.equals(FRAME)
    assert read_source(Query(f"FROM '{parts}/few.csv'")).frame.equals(FRAME[:10])


def test_a_query_computes_columns(parts: Path) -> None:
    sql = f"SELECT upper(text) AS message, label = 'pos' AS positive FROM '{parts}/*.parquet' WHERE length(text) > 22;"
    dataset = load_dataset(Query(sql), label="positive")
    assert (dataset.name, dataset.source, dataset.classes) == ("query", sql, ["false", "true"])
    assert dataset.facts.rows_read == 390


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC text", "The query fails: Parser Error"),
        ("SELECT * FROM 'none.parquet'", "The query fails: IO Error: No files found"),
        ("SELECT 1 AS text WHERE false", "The query has no rows."),
        ("SELECT 1 AS text, 2 AS text", "The query has several columns `text`"),
        ("SELECT none FROM (SELECT 1 AS one)", "The query fails: Binder Error: Referenced column"),
        ("SELECT error('a\nb')", "The query fails: Invalid Input Error: a b"),
        ("", "`--query` takes one query"),
        ("SELECT 1; SELECT 2", "`--query` takes one query"),
        ("COPY (SELECT 1) TO 'written.csv'", "`--query` takes one query"),
    ],
)
def test_what_is_no_query_is_refused(sql: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        read_source(Query(sql))
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_name_is_no_variable_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "rows", FRAME, raising=False)
    with pytest.raises(DataError, match="The query fails: Catalog Error: Table with name rows does not exist"):
        read_source(Query("SELECT * FROM rows"))


def test_a_signature_in_a_query_is_not_recorded() -> None:
    sql = "SELECT 'a' AS text, 'b' AS label WHERE 'https://host/x?signature=secret' <> ''"
    assert read_source(Query(sql)).source == sql.replace("?signature=secret", "")


def test_types_that_polars_lacks_are_read_as_text() -> None:
    sql = """SELECT 'a' AS text, INTERVAL 3 DAY AS "the ""days", [INTERVAL 1 HOUR] AS hours,
        union_value(number := 1) AS either, '101'::BIT AS bits, {'a': 1} AS object"""
    row = read_source(Query(sql)).frame.row(0, named=True)
    assert row.pop("object") == {"a": 1}
    assert row == {"text": "a", 'the "days': "3 days", "hours": "['01:00:00']", "either": "1", "bits": "101"}


def test_a_long_query_is_named_by_its_beginning_and_without_passwords() -> None:
    sql = (
        "SELECT 'https://user:secret@host/a?signature=secret' AS text,\n'pos' AS label WHERE true" + " AND true" * 1000
    )
    assert "secret" not in read_source(Query(sql)).source
    assert len(read_source(Query(sql)).source) <= 200
    with pytest.raises(DataError) as caught:
        read_source(Query("SELECT error('https://user:secret@host/a?signature=secret')"))
    assert str(caught.value) == "The query fails: Invalid Input Error: https://host/a"


def test_an_interrupt_ends_a_long_query() -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        read_source(Query("SELECT count(*) AS label FROM range(1000000000000)"))
    timer.join()


def test_without_duckdb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[sql\]"):
        read_source(Query("SELECT 1"))


def test_arrow_tables_and_relations_are_read() -> None:
    table = pa.table({"text": FRAME["text"].to_list(), "label": FRAME["label"].to_list()})
    for data in (table, table.to_reader(), duckdb.from_arrow(table)):
        assert read_source(data).frame.equals(FRAME)
