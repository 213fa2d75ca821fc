"""Cells such as `="007"`: formulas by which Excel reads a cell of a CSV file as a text."""

import re
from collections.abc import Sequence

import polars as pl

_PATTERN = r'="((?:[^"]|"")*)"'
_FORMULA = re.compile(_PATTERN)


def without_formula(cell: str) -> str:
    """Return the text of a formula, and any other cell as it is."""
    found = _FORMULA.fullmatch(cell)
    return found[1].replace('""', '"') if found else cell


def formula_columns(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the columns of which all cells that are not empty are such formulas."""

    def is_one(i: int) -> bool:
        cells = [row[i] for row in rows if len(row) > i and row[i]]
        return bool(cells) and all(_FORMULA.fullmatch(cell) for cell in cells)

    return tuple(name for i, name in enumerate(columns) if is_one(i))


def texts_of(column: str) -> pl.Expr:
    """Return the texts of a column of formulas."""
    cells, pattern = pl.col(column), f"^{_PATTERN}$"
    texts = cells.str.replace(pattern, "$1").str.replace_all('""', '"', literal=True)
    return pl.when(cells.str.contains(pattern)).then(texts).otherwise(cells).alias(column)
