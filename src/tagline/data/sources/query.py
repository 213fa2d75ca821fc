"""The rows of an SQL query, which DuckDB answers: of CSV, JSON and Parquet files, globs, URLs and databases."""

import re
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from importlib.util import find_spec
from textwrap import shorten
from typing import TYPE_CHECKING

import polars as pl

from tagline.data.rows import Rows
from tagline.data.streams import let_interrupts_end_waits
from tagline.data.streams.urls import without_access
from tagline.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

_NAME = "query"
_LONGEST_NAME = 200
_LONGEST_REASON = 300
_NOT_IN_POLARS = re.compile(r"\b(INTERVAL|UNION|BIT|BIGNUM|VARIANT)\b")  # for the first two it panics
_SECONDS_BETWEEN_INTERRUPTS = 0.05


@dataclass(frozen=True)
class Query:
    """An SQL query whose rows are labelled texts, such as ``SELECT text, label FROM 'reviews/*.parquet'``."""

    sql: str


def read_query(query: Query) -> Rows:
    """Return the rows of a query, in its order; intervals, unions and bit strings as text.

    Raises:
        DataError: it is not one query, or it fails.
        MissingExtraError: DuckDB is not installed.

    """
    if find_spec("duckdb") is None:
        raise MissingExtraError("`--query`", "sql")
    import duckdb

    try:
        # Without replacements a name in the query cannot be that of a variable of this module.
        with duckdb.connect(config={"python_enable_replacements": False}) as connection:
            statements = connection.extract_statements(query.sql)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise DataError("`--query` takes one query, such as \"SELECT text, label FROM 'reviews.parquet'\".")
            frame = _frame(_readable(connection.sql(query.sql)), connection)
    except duckdb.Error as error:
        reason = str(error).partition("\n\nLINE ")[0]  # what follows shows the query
        raise DataError(
            f"The query fails: {shorten(without_access(reason), _LONGEST_REASON, placeholder=' …')}"
        ) from None
    if not frame.height:
        raise DataError("The query has no rows.")
    return Rows(frame, _NAME, shorten(without_access(query.sql), _LONGEST_NAME, placeholder=" …"))


def _readable(relation: "DuckDBPyRelation") -> "DuckDBPyRelation":
    """Return a relation whose columns have names of their own and types that polars has."""
    columns = {name: str(type_) for name, type_ in zip(relation.columns, relation.types, strict=True)}
    if len(columns) < len(relation.columns):
        twice = next(name for name in columns if relation.columns.count(name) > 1)
        raise DataError(f"The query has several columns `{twice}`: rename them with `AS`.")
    if not any(_NOT_IN_POLARS.search(type_) for type_ in columns.values()):
        return relation
    quoted = {'"' + name.replace('"', '""') + '"': type_ for name, type_ in columns.items()}
    return relation.project(
        ", ".join(
            f"CAST({name} AS VARCHAR) AS {name}" if _NOT_IN_POLARS.search(type_) else name
            for name, type_ in quoted.items()
        )
    )


def _frame(relation: "DuckDBPyRelation", connection: "DuckDBPyConnection") -> pl.DataFrame:
    """Return the rows of a relation; Ctrl-C ends the query."""
    let_interrupts_end_waits()
    with ThreadPoolExecutor(1) as pool:
        # A relation that is read as Arrow is answered meanwhile, with the GIL held, and without an end by Ctrl-C.
        answer = pool.submit(relation.create, _NAME)
        try:
            answer.result()
        except BaseException:
            while not answer.done():  # an interrupt before the query runs would be lost
                connection.interrupt()
                wait([answer], _SECONDS_BETWEEN_INTERRUPTS)
            raise
    return pl.DataFrame(connection.table(_NAME))
