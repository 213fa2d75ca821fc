"""SQL queries, answered by DuckDB, and Arrow tables in memory."""

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


def test_without_duckdb_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"tagline\[sql\]"):
        read_source(Query("SELECT 1"))


def test_arrow_tables_and_relations_are_read() -> None:
    table = pa.table({"text": FRAME["text"].to_list(), "label": FRAME["label"].to_list()})
    for data in (table, table.to_reader(), duckdb.from_arrow(table)):
        assert read_source(data).frame.equals(FRAME)
