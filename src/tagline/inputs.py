"""Convert texts and labels of any container to columns."""

import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError, nearest
from tagline.features.sequences import Sequences
from tagline.indicators import read_indicator
from tagline.task import Bools, Task

Labels = NDArray[Any]
_LONGEST_LABEL = 1_000
_MOST_NUMBERS = 20  # different numbers with a fraction that can be classes, such as half stars up to 10


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
        values = _column(np.asarray(texts), "texts") if hasattr(texts, "__array__") else _listed(texts, "texts")
        for row, value in enumerate(values):
            if not isinstance(value, str):
                raise InputError(f"Text {row} is {_what(value)}, not a string.")
        try:
            series = pl.Series(values, dtype=pl.String)
        except UnicodeEncodeError:  # half of a surrogate pair: cut out of broken JSON
            series = pl.Series([v.encode("utf-8", "replace").decode() for v in values], dtype=pl.String)
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
        return Sequences.of(rows) if rows and _is_sequence(rows[0]) else as_texts(rows)
    if isinstance(texts, pl.Series | str | bytes):
        return as_texts(texts)  # type: ignore[arg-type]  # one string is an error there
    if hasattr(texts, "__array__") and np.asarray(texts).dtype.kind not in "biuf":
        array = np.asarray(texts)
        if array.ndim != 1 or not (len(array) and _is_sequence(array[0])):
            return as_texts(array)
    values = _listed(texts, "texts")
    if values and _is_sequence(values[0]):
        return as_texts(_only_column(values)) if _holds_text(values) else Sequences.of(values)
    return as_texts(texts if hasattr(texts, "__array__") else values)


def list_labels(labels: Iterable[Any] | None, classes: Labels | None = None) -> Labels:
    """Return labels as an array: (n_texts,) of one type, objects for lists, or a boolean matrix.

    Strings are normalized to NFC, as texts are. The columns of a frame take the order of ``classes``, (n_classes,).

    Raises:
        InputError: a label is missing or too long; lists and single labels are mixed; or columns are not ``classes``.

    """
    if labels is None:
        raise InputError("`fit` requires y to be passed, but the target y is None: give a label for each text.")
    if isinstance(labels, str | bytes):
        raise InputError("The labels are one string: pass a list.")
    indicator = read_indicator(labels)
    if indicator is not None:
        return indicator.Y if classes is None else indicator.in_order(classes)
    if isinstance(labels, pl.Series):
        values = labels.to_list()
    elif sp.issparse(labels) or hasattr(labels, "__array__"):
        array = labels.toarray() if sp.issparse(labels) else np.asarray(labels)  # type: ignore[attr-defined]
        if array.ndim == 2 and array.shape[1] == 1:
            _warn_of_column_vector()
        values = _column(array, "labels")
    else:
        values = _listed(labels, "labels")
    if any(isinstance(value, list | tuple | set | np.ndarray) for value in values):
        return _label_lists(values)
    for row, value in enumerate(values):
        if isinstance(value, str) and len(value) > _LONGEST_LABEL:
            raise InputError(f"Label {row} has {len(value):,} characters: are these the texts?")
        if _is_missing(value):
            raise InputError(f"Label {row} is missing.")
    types = {type(value) for value in values}
    if len(types) > 1:
        values = [str(value) for value in values]
    array = np.array([_composed(value) for value in values]) if values else np.empty(0, dtype=str)
    return array if array.dtype.kind in "biufU" else np.array([str(value) for value in values])  # dates and the like


def _label_lists(values: list[Any]) -> Labels:
    """Return lists of labels as an array of lists, whose labels are all of one type."""
    nested = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        if _is_missing(value) or isinstance(value, str) or not isinstance(value, Iterable):
            raise InputError(f"Label {row} is {_what(value)}, but others are lists: give each text a list.")
        nested[row] = [_composed(name) for name in value]
        if any(_is_missing(name) for name in nested[row]):
            raise InputError(f"Label {row} holds a missing label.")
    if len({type(name) for row in nested for name in row}) > 1:
        nested[:] = [[str(name) for name in row] for row in nested]
    return nested


def _composed(label: Any) -> Any:
    """Return a label with strings in NFC, in which labels that look the same are the same."""
    return unicodedata.normalize("NFC", label) if isinstance(label, str) else label


def _warn_of_column_vector() -> None:
    """Warn as scikit-learn's classifiers do."""
    from sklearn.exceptions import DataConversionWarning

    message = "A column-vector y was passed when a 1d array was expected: the labels are flattened to (n_texts,)."
    warnings.warn(message, DataConversionWarning, stacklevel=4)


def _is_sequence(value: object) -> bool:
    return isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1


def _holds_text(rows: list[Any]) -> bool:
    """Say whether the first value of some sequences is a text, or missing."""
    first = next((row[0] for row in rows if _is_sequence(row) and len(row)), None)
    return isinstance(first, str) or (first is not None and _is_missing(first))


def _only_column(rows: list[Any]) -> list[Any]:
    """Return the values of sequences of one value each."""
    for number, row in enumerate(rows):
        if not _is_sequence(row) or len(row) != 1:
            has = f"{len(row):,} values" if _is_sequence(row) else "no list"
            raise InputError(f"Text {number} has {has}, not one: give one string for each text.")
    return [row[0] for row in rows]


def _column(array: NDArray[Any], what: str) -> list[Any]:
    """Return the values of an array of one dimension, or of one column."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        one = ", for example one column of a frame" if array.ndim == 2 else ""
        raise InputError(f"The {what} have the shape {array.shape}: give an array of one dimension{one}.")
    values: list[Any] = array.tolist()
    return values


def _listed(values: Iterable[Any], what: str) -> list[Any]:
    try:
        return list(values)
    except TypeError:
        raise InputError(f"The {what} are {_what(values)}: give a list.") from None


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
    if labels.dtype.kind == "f" and len(classes) > max(2, min(_MOST_NUMBERS, len(labels) // 2)):
        fractions = classes[classes % 1 != 0]
        if len(fractions):
            raise InputError(
                f"Unknown label type: continuous. The labels are {len(classes):,} different numbers, such as "
                f"{fractions[0]:g}: a classifier learns classes. Divide the numbers into a few, such as low and high."
            )
    if len(classes) < 2:
        raise InputError(f"There is only one class, `{classes[0]}`: a classifier needs two or more.")
    Y = np.zeros((len(labels), len(classes)), dtype=bool)
    Y[np.arange(len(labels)), y] = True
    return classes, Y, Task.of(len(classes))


def _what(value: object) -> str:
    return "missing" if _is_missing(value) else f"of type `{type(value).__name__}`"


def _is_missing(value: Any) -> bool:
    """Say whether a value is None, NaN, or the NA of pandas, which is neither equal nor unequal to itself."""
    if value is None or isinstance(value, str):
        return value is None
    try:
        return bool(value != value)
    except TypeError:
        return True
    except ValueError:  # an array has several answers
        return False


def check_lengths(texts: pl.Series | Sequences, labels: Labels) -> None:
    """Raise InputError unless there are as many texts as labels, and some."""
    if len(texts) != len(labels):
        raise InputError(f"There are {len(texts):,} texts and {len(labels):,} labels.")
    if len(texts) == 0:
        raise InputError("There are no texts to learn from.")


def joined_labels(labels: Labels, more: Labels) -> Labels:
    """Return the labels of the train rows, followed by those of the validation rows, in the type of the former.

    Raises:
        InputError: the ones are lists of labels and the others are not, or they are of different types.

    """
    if labels.ndim != more.ndim or (labels.dtype == object) != (more.dtype == object):
        raise InputError("The validation labels are lists and the others are not, or the other way round.")
    if labels.ndim == 2 and labels.shape[1] != more.shape[1]:
        raise InputError(f"The labels have {labels.shape[1]:,} columns, and the validation labels {more.shape[1]:,}.")
    if labels.ndim == 1 and labels.dtype != object and labels.dtype.kind != more.dtype.kind:
        by_text = {label_text(label): label for label in np.unique(labels)}
        for label in more:
            if label_text(label) not in by_text:
                raise InputError(
                    f"The validation label `{label}` is {_what(label.item())}, and the train labels are "
                    f"{_what(labels[0].item())}: give both in one type."
                )
        more = np.array([by_text[label_text(label)] for label in more], dtype=labels.dtype)
    return np.concatenate([labels, more])


def label_text(label: Any) -> str:
    """Return the text by which labels are compared: 1, 1.0 and "1" are the same label, and é however it is encoded."""
    whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if whole else str(_composed(label))


def check_overlap(found: Iterable[str], known: Sequence[str], what: str = "labels") -> None:
    """Raise InputError if there are labels and none of them is a class of the model."""
    names = sorted(set(found))
    if names and not set(names) & set(known):
        raise InputError(
            f"None of the {what} is a class of the model: the data has {shown_names(names)}, "
            f"the model {shown_names(known)}."
        )


def shown_names(names: Sequence[str]) -> str:
    """Return the first five names, sorted, and how many more there are."""
    shown = ", ".join(f"`{name}`" for name in sorted(names)[:5])
    return shown + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")


def matches(truth: Labels, predicted: Labels, classes: Labels) -> Bools:
    """Return which rows are predicted correctly, (n_texts,): labels, or whole sets of labels, are compared as text.

    Raises:
        InputError: a matrix of labels has not a column for each class, or no label is a class.

    """
    if predicted.dtype != object:
        if truth.ndim == 2 or truth.dtype == object:
            raise InputError("The model gives each text one label, and the labels are lists: give one for each text.")
        if {truth.dtype.kind, predicted.dtype.kind} & {"i", "u", "f"}:  # False is 0, and True is 1
            truth, predicted, classes = (a.astype(int) if a.dtype == bool else a for a in (truth, predicted, classes))
        check_overlap(map(label_text, np.unique(truth)), [label_text(name) for name in classes])
        if truth.dtype.kind == predicted.dtype.kind and all(_composed(name) == name for name in classes.tolist()):
            return np.asarray(truth == predicted)
        return np.array([label_text(a) == label_text(b) for a, b in zip(truth, predicted, strict=True)], dtype=bool)
    if truth.ndim == 2 and truth.shape[1] != len(classes):
        raise InputError(f"The labels have {truth.shape[1]:,} columns, and the model has {len(classes):,} classes.")
    if truth.ndim == 1 and truth.dtype != object:
        raise InputError("The model gives each text a list of labels: give the labels as lists, for example `[label]`.")
    sets = [classes[row] for row in truth] if truth.ndim == 2 else truth
    if truth.ndim == 1:
        check_overlap((label_text(name) for row in sets for name in row), [label_text(name) for name in classes])
    pairs = zip(sets, predicted, strict=True)
    return np.array([set(map(label_text, a)) == set(map(label_text, b)) for a, b in pairs], dtype=bool)


def label_indices(labels: Labels, classes: Labels, task: Task) -> NDArray[Any]:
    """Return labels as indices into ``classes``, (n_texts,), or multi-label as booleans, (n_texts, n_classes).

    Raises:
        InputError: a label is not a class, or labels are lists where the model gives one label, or the other way round.

    """
    if labels.ndim == 2 and labels.shape[1] == len(classes) and task is Task.MULTILABEL:
        return np.asarray(labels)
    if (labels.ndim == 2 or labels.dtype == object) != (task is Task.MULTILABEL) or labels.ndim == 2:
        given = "lists of labels, or a column for each class" if task is Task.MULTILABEL else "one label for each text"
        raise InputError(f"The labels are not those of the model: give {given}.")
    index = {label_text(name): k for k, name in enumerate(classes.tolist())}
    rows = [[label_text(name) for name in row] for row in (labels if labels.dtype == object else labels[:, None])]
    for number, row in enumerate(rows):
        for name in row:
            if name not in index:
                raise InputError(
                    f"Label {number} is `{name}`, which is not a class of the model.{nearest(name, index)}"
                )
    if task is not Task.MULTILABEL:
        return np.array([index[name] for (name,) in rows], dtype=np.int64)
    Y = np.zeros((len(rows), len(classes)), dtype=bool)
    for number, row in enumerate(rows):
        Y[number, [index[name] for name in row]] = True
    return Y


def joined(texts: pl.Series | Sequences, more: pl.Series | Sequences) -> pl.Series | Sequences:
    """Return the one after the other."""
    if isinstance(texts, Sequences) and isinstance(more, Sequences):
        return Sequences(np.concatenate([texts.ids, more.ids]), np.concatenate([texts.lengths, more.lengths]))
    if isinstance(texts, Sequences) or isinstance(more, Sequences):
        raise InputError("The validation texts are ids and the others are not, or the other way round.")
    return pl.concat([texts, more], rechunk=True)


def group_column(groups: Iterable[Any], n_texts: int, n_more: int) -> pl.Series:
    """Return the group of each text as a String series; ``n_more`` texts without one are each their own."""
    if hasattr(groups, "__array__") and not isinstance(groups, pl.Series):
        groups = _column(np.asarray(groups), "groups")
    given = groups.to_list() if isinstance(groups, pl.Series) else _listed(groups, "groups")
    if len(given) == n_texts + n_more:
        n_more = 0
    elif len(given) != n_texts:
        raise InputError(f"There are {n_texts:,} texts and {len(given):,} groups.")
    return pl.Series([f"g{group}" for group in given] + [f"v{row}" for row in range(n_more)], dtype=pl.String)
