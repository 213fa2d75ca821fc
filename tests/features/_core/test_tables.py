"""The committed Unicode tables are those of polars."""

import pytest
from tools.unicode_tables import FOLDER, TABLES


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_polars(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="ascii") == TABLES[name](), "run `python tools/unicode_tables.py`"
