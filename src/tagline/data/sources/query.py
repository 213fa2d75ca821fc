"""The rows of an SQL query, which DuckDB answers: of CSV, JSON and Parquet files, globs, URLs and databases."""

from dataclasses import dataclass
from importlib.util import find_spec

import polars as pl

from tagline.data.rows import Rows
from tagline.data.streams.urls import without_access
from tagline.errors import DataError, MissingExtraError

_NAME = "query"


@dataclass(frozen=True)
class Query:
    """An SQL query whose rows are labelled texts, such as ``SELECT text, label FROM 'reviews/*.parquet'``."""

    sql: str


def read_query(query: Query) -> Rows:
    """Return the rows of a query, in its order.

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
            frame = pl.DataFrame(connection.sql(query.sql))
    except duckdb.Error as error:
        reason = without_access(str(error).partition("\n")[0])
        raise DataError(f"The query fails: {reason}") from None
    if not frame.height:
        raise DataError("The query has no rows.")
    return Rows(frame, _NAME, without_access(query.sql))
