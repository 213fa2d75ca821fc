"""Cells of CSV that a spreadsheet would take for formulas."""

import polars as pl

from tagline.data.formats.delimited.escaped_formulas import escape_formulas

# As OWASP lists them: https://owasp.org/www-community/attacks/CSV_Injection
ESCAPED = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "-",
    "+49 30 1",
]
KEPT = ["-1.5", "+3", "-1,5", "-.5", "+1e-9", "-12.345,67", "-5%", "a=1", " =1", "'=1", "", "1+1", None]


def test_formulas_get_an_apostrophe_and_numbers_none():
    frame = pl.DataFrame({"a": ESCAPED + KEPT, "n": -1.5}).with_columns(b=pl.col("a").cast(pl.Categorical))
    escaped = escape_formulas(frame)
    expected = [f"'{cell}" for cell in ESCAPED] + KEPT
    assert escaped["a"].to_list() == escaped["b"].to_list() == expected
    assert escaped["n"].to_list() == frame["n"].to_list()
