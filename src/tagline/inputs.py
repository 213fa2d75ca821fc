"""What a user hands over in Python, as columns: texts of any container, labels of any kind."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.task import Task

Labels = NDArray[Any]
Bools = NDArray[np.bool_]
_LONGEST_LABEL = 1_000


def as_texts(texts: Iterable[str]) -> pl.Series:
    """Return texts as a String series without nulls, (n_texts,).

    Raises:
        InputError: they are one string, or not all strings.

    """
    if isinstance(texts, str | bytes):
        raise InputError("The texts are one string: pass a list, for example `[text]`.")
    if isinstance(texts, pl.Series):
        series = texts
    else:
        values = np.asarray(texts).ravel().tolist() if hasattr(texts, "__array__") else list(texts)
        for row, value in enumerate(values):
            if not isinstance(value, str):
                raise InputError(f"Text {row} is {_what(value)}, not a string.")
        try:
            series = pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # half of a surrogate pair: cut out of broken JSON
            series = pl.Series([v.encode("utf-8", "replace").decode() for v in values], dtype=pl.String)
    if series.dtype != pl.String:
        raise InputError(f"The texts are {series.dtype}, not strings.")
    if series.null_count():
        raise InputError(f"Text {series.is_null().arg_true()[0]} is null, not a string.")
    return series


def as_inputs(texts: Iterable[Any]) -> pl.Series | Sequences:
    """Return texts as a String series, or sequences of word ids, lists or arrays of integers, as `Sequences`.

    Raises:
        InputError: they are neither.

    """
    if isinstance(texts, Sequences):
        return texts
    if isinstance(texts, pl.Series) and isinstance(texts.dtype, pl.List | pl.Array):
        texts = texts.to_list()
    if isinstance(texts, pl.Series | str | bytes):
        return as_texts(texts)  # type: ignore[arg-type]  # one string is refused there
    values = list(texts)
    if values and isinstance(values[0], list | tuple | np.ndarray) and np.ndim(values[0]) == 1:
        return Sequences.of(values)
    return as_texts(texts if hasattr(texts, "__array__") else values)


def list_labels(labels: Iterable[Any]) -> Labels:
    """Return labels as an array: (n_texts,) of one type, objects for lists, or a boolean matrix."""
    if isinstance(labels, str | bytes):
        raise InputError("The labels are one string: pass a list.")
    if isinstance(labels, pl.Series):
        values = labels.to_list()
    elif hasattr(labels, "__array__"):
        array = np.asarray(labels)
        if array.ndim == 2 and array.shape[1] > 1:
            if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
                raise InputError("A matrix of labels holds a column for each label, and nothing but 0 and 1.")
            return array.astype(bool)
        values = array.ravel().tolist()
    else:
        values = list(labels)
    if any(isinstance(value, list | tuple | set | np.ndarray) for value in values):
        nested = np.empty(len(values), dtype=object)
        for row, value in enumerate(values):
            if value is None or isinstance(value, str) or not isinstance(value, Iterable):
                raise InputError(f"Label {row} is {_what(value)}, but others are lists: give each text a list.")
            nested[row] = list(value)
        if len({type(name) for row in nested for name in row}) > 1:
            nested[:] = [[str(name) for name in row] for row in nested]
        return nested
    for row, value in enumerate(values):
        if isinstance(value, str) and len(value) > _LONGEST_LABEL:
            raise InputError(f"Label {row} has {len(value):,} characters: are these the texts?")
        if value is None or value != value:
            raise InputError(f"Label {row} is missing.")
    types = {type(value) for value in values}
    if len(types) > 1:
        values = [str(value) for value in values]
    array = np.array(values) if values else np.empty(0, dtype=str)
    return array if array.dtype.kind in "biufU" else np.array([str(value) for value in values])  # dates and the like


def encode_labels(labels: Labels) -> tuple[Labels, Bools, Task]:
    """Return the sorted classes, the class matrix (n_texts, n_classes), and the task."""
    if labels.ndim == 2:
        return np.arange(labels.shape[1]), labels, Task.MULTILABEL
    if labels.dtype == object:
        classes = np.array(sorted({name for row in labels for name in row}))
        index = {name: column for column, name in enumerate(classes.tolist())}
        Y = np.zeros((len(labels), len(classes)), dtype=bool)
        for row, names in enumerate(labels):
            Y[row, [index[name] for name in names]] = True
        if len(classes) == 0:
            raise InputError("No text has a label.")
        return classes, Y, Task.MULTILABEL
    classes, y = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise InputError(f"All labels are `{classes[0]}`: there must be two classes or more to learn from.")
    Y = np.zeros((len(labels), len(classes)), dtype=bool)
    Y[np.arange(len(labels)), y] = True
    return classes, Y, Task.of(len(classes))


def _what(value: object) -> str:
    return "None" if value is None else f"of type `{type(value).__name__}`"


def check_lengths(texts: pl.Series | Sequences, labels: Labels) -> None:
    """Raise InputError unless there are as many texts as labels, and some."""
    if len(texts) != len(labels):
        raise InputError(f"There are {len(texts):,} texts and {len(labels):,} labels.")
    if len(texts) == 0:
        raise InputError("There are no texts to learn from.")


def label_sets(labels: Labels) -> list[list[Any]]:
    """Return the labels of each text, of label lists or of a boolean matrix."""
    if labels.ndim == 2:
        return [np.flatnonzero(row).tolist() for row in labels]
    return list(labels)


def joined(texts: pl.Series | Sequences, more: pl.Series | Sequences) -> pl.Series | Sequences:
    """Return the one after the other."""
    if isinstance(texts, Sequences) and isinstance(more, Sequences):
        return Sequences(np.concatenate([texts.ids, more.ids]), np.concatenate([texts.lengths, more.lengths]))
    if isinstance(texts, Sequences) or isinstance(more, Sequences):
        raise InputError("The validation texts are ids and the others are not, or the other way round.")
    return pl.concat([texts, more], rechunk=True)


def group_column(groups: Iterable[Any], n_texts: int, n_more: int) -> pl.Series:
    """Return the group of each text as a String series; ``n_more`` texts without one are each their own."""
    given = groups.to_list() if isinstance(groups, pl.Series) else list(groups)
    if len(given) == n_texts + n_more:
        n_more = 0
    elif len(given) != n_texts:
        raise InputError(f"There are {n_texts:,} texts and {len(given):,} groups.")
    return pl.Series([f"g{group}" for group in given] + [f"v{row}" for row in range(n_more)], dtype=pl.String)
