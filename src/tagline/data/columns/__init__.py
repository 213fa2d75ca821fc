"""Which column is the text, which the label, which the split.

The choice, in this order: the column that the caller names; the one that the structure of the source determines;
the first of the known names (`names.py`), ignoring case; the only column of strings that look like texts, or the only
one of few distinct values. If that leaves no column or several, it is a `DataError` that lists the columns. Strings
without words, such as times, phone numbers and ids, are texts only if no column has words.
"""

from tagline.data.columns.choose import Columns, choose_columns, chosen_columns
from tagline.data.columns.join import join_texts
from tagline.data.columns.names import HEADER_NAMES, OTHER_NAMES, TEXT_NAMES
from tagline.data.columns.nested import with_nested
from tagline.data.columns.questions import require_column
from tagline.data.columns.text import find_text_columns
from tagline.data.columns.values import is_label_like

__all__ = [
    "HEADER_NAMES",
    "OTHER_NAMES",
    "TEXT_NAMES",
    "Columns",
    "choose_columns",
    "chosen_columns",
    "find_text_columns",
    "is_label_like",
    "join_texts",
    "require_column",
    "with_nested",
]
