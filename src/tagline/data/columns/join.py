"""One text per row, of one or several columns."""

from collections.abc import Sequence

import polars as pl

from tagline.data.columns.nested import object_keys
from tagline.data.frames import as_strings
from tagline.data.wording import kind_of_values, listed
from tagline.errors import DataError


def join_texts(frame: pl.DataFrame, columns: Sequence[str], source: str) -> pl.Series:
    """Return one String series of the text columns, joined by a newline; null only where all of them are.

    Raises:
        DataError: a column holds no text; ``source`` is for the message.

    """
    parts = [_as_text(frame[name], source) for name in columns]
    if len(parts) == 1:
        return parts[0].alias("text")
    joined = pl.DataFrame([part.alias(str(i)) for i, part in enumerate(parts)])
    text = pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)
    return joined.select(pl.when(~pl.all_horizontal(pl.all().is_null())).then(text).alias("text")).to_series()


def _as_text(column: pl.Series, source: str) -> pl.Series:
    texts = as_strings(column)
    if texts is None:
        names = listed(f"{column.name}.{key}" for key in object_keys(column))
        others = f"name what to read of it ({names})" if names else "choose another"
        kind = kind_of_values(column.dtype)
        raise DataError(f"`{source}`: column `{column.name}` holds {kind}, not text: {others} with `--text`.")
    return texts
