"""Texts, or sequences of word ids, from any container."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from tagline.data.json_values import replace_surrogates
from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.inputs.containers import as_array, column_values, described, is_missing, is_sequence, listed


def as_texts(texts: Iterable[str]) -> pl.Series:
    """Return texts as a String series without nulls, (n_texts,).

    One column in two dimensions, (n_texts, 1), is flattened: an array, a frame, or lists of one text each.

    Raises:
        InputError: they are one string, several columns, or not all strings; or one is missing.

    """
    if isinstance(texts, str | bytes):
        raise InputError("The texts are one string: pass a list, for example `[text]`.")
    if isinstance(texts, pl.Series):
        series = texts.cast(pl.String) if isinstance(texts.dtype, pl.Categorical | pl.Enum | pl.Null) else texts
    else:
        values = column_values(as_array(texts), "texts") if hasattr(texts, "__array__") else listed(texts, "texts")
        for row, value in enumerate(values):
            if not isinstance(value, str):
                raise InputError(f"Text {row} is {described(value)}, not a string.")
        try:
            series = pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # half of a surrogate pair: cut out of broken JSON
            series = pl.Series(replace_surrogates(values), dtype=pl.String)
    missing = series.is_null() | series.is_nan() if series.dtype.is_float() else series.is_null()
    if missing.any():
        raise InputError(f"Text {missing.arg_true()[0]} is missing, not a string.")
    if series.dtype != pl.String:
        raise InputError(f"The texts are {series.dtype}, not strings.")
    return series


def as_inputs(texts: Iterable[Any]) -> pl.Series | Sequences:
    """Return texts as a String series, or sequences of word ids, lists or arrays of integers, as `Sequences`.

    Raises:
        InputError: they are neither.

    """
    if isinstance(texts, Sequences):
        return texts
    if isinstance(texts, pl.Series) and isinstance(texts.dtype, pl.List | pl.Array):
        rows = texts.to_list()
        return Sequences.of(rows) if rows and is_sequence(rows[0]) else as_texts(rows)
    if isinstance(texts, pl.Series | str | bytes):
        return as_texts(texts)  # type: ignore[arg-type]  # one string is an error there
    if hasattr(texts, "__array__"):
        array = as_array(texts)
        lists = array.ndim == 1 and len(array) and is_sequence(array[0])
        if array.dtype.kind not in "biuf" and not lists:
            return as_texts(array)
    values = listed(texts, "texts")
    if values and is_sequence(values[0]):
        return as_texts(_only_column(values)) if _holds_text(values) else Sequences.of(values)
    return as_texts(texts if hasattr(texts, "__array__") else values)


def _holds_text(rows: list[Any]) -> bool:
    """Say whether the first value of some sequences is a text, or missing."""
    first = next((row[0] for row in rows if is_sequence(row) and len(row)), None)
    return isinstance(first, str) or (first is not None and is_missing(first))


def _only_column(rows: list[Any]) -> list[Any]:
    """Return the values of sequences of one value each."""
    for number, row in enumerate(rows):
        if not is_sequence(row) or len(row) != 1:
            has = f"{len(row):,} values" if is_sequence(row) else "no list"
            raise InputError(f"Text {number} has {has}, not one: give one string for each text.")
    return [row[0] for row in rows]


def joined_texts(texts: pl.Series | Sequences, more: pl.Series | Sequences) -> pl.Series | Sequences:
    """Return the one after the other."""
    if isinstance(texts, Sequences) and isinstance(more, Sequences):
        return Sequences(np.concatenate([texts.ids, more.ids]), np.concatenate([texts.lengths, more.lengths]))
    if isinstance(texts, Sequences) or isinstance(more, Sequences):
        raise InputError("The validation texts are ids and the others are not, or the other way round.")
    return pl.concat([texts, more], rechunk=True)


def group_column(groups: Iterable[Any], n_texts: int, n_more: int) -> pl.Series:
    """Return the group of each text as a String series; ``n_more`` texts without one are each their own."""
    if hasattr(groups, "__array__") and not isinstance(groups, pl.Series):
        groups = column_values(as_array(groups), "groups")
    given = groups.to_list() if isinstance(groups, pl.Series) else listed(groups, "groups")
    if len(given) == n_texts + n_more:
        n_more = 0
    elif len(given) != n_texts:
        raise InputError(f"There are {n_texts:,} texts and {len(given):,} groups.")
    return pl.Series([f"g{group}" for group in given] + [f"v{row}" for row in range(n_more)], dtype=pl.String)
