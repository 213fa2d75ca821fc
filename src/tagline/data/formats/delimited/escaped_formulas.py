"""Cells of CSV that a spreadsheet would take for formulas, and an apostrophe in front of them."""

import polars as pl
import polars.selectors as cs

# The characters of OWASP's page on CSV injection; `web/static/ui/spreadsheet.js` has the same two patterns.
_FORMULA = r"^[=+\-@\t\r\n\x00＝＋－＠]"
_NUMBER = r"^[+-][.,]?[0-9][0-9.,]*([eE][+-]?[0-9]+)?%?$"


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame with an apostrophe in front of cells that begin as a formula does; numbers stay as they are."""
    cells = cs.by_dtype(pl.String, pl.Categorical, pl.Enum)
    text = cells.cast(pl.String)
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return frame.with_columns(pl.when(is_formula).then(pl.lit("'") + text).otherwise(text).name.keep())
