"""Labels from any container: as an array, as a matrix of the classes, and as text by which they are compared."""

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from tagline.errors import InputError, nearest
from tagline.features.sequences import Sequences
from tagline.inputs.containers import as_array, column_values, composed, described, is_missing, listed
from tagline.inputs.indicators import read_indicator
from tagline.many_classes import MOST_DENSE_CLASSES, ClassMatrix, OneHot
from tagline.task import Bools, Ints, Task

Labels = NDArray[Any]
_LONGEST_LABEL = 1_000
_MOST_NUMBERS = 20  # different numbers with a fraction that can be classes, such as half stars up to 10


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
        array = _strings(labels)
        array = _string_lists(labels) if array is None else array
        if array is not None:
            return array
        values = labels.to_list()
    elif sp.issparse(labels) or hasattr(labels, "__array__"):
        array = labels.toarray() if sp.issparse(labels) else as_array(labels)  # type: ignore[attr-defined]
        if array.ndim == 2 and array.shape[1] == 1:
            _warn_of_column_vector()
        values = column_values(array, "labels")
    else:
        values = listed(labels, "labels")
    if any(isinstance(value, list | tuple | set | np.ndarray) for value in values):
        return _label_lists(values)
    for row, value in enumerate(values):
        if isinstance(value, str) and len(value) > _LONGEST_LABEL:
            raise InputError(f"Label {row} has {len(value):,} characters: are these the texts?")
        if is_missing(value):
            raise InputError(f"Label {row} is missing.")
    values = [composed(value) for value in values]
    if len({type(value) for value in values}) > 1:
        values = [str(value) for value in values]
    return _array_of(values)


def _array_of(values: list[Any]) -> Labels:
    """Return values of one type as an array: of strings if they are dates, or integers that no type of NumPy holds."""
    array = np.array(values) if values else np.empty(0, dtype=str)
    rounded = array.dtype.kind == "f" and isinstance(values[0], int)
    return array if array.dtype.kind in "biufU" and not rounded else np.array([str(value) for value in values])


def _strings(labels: pl.Series) -> Labels | None:
    """Return a column of strings as an array, by its distinct values; None if there is anything to complain about."""
    if labels.dtype != pl.String or not len(labels) or labels.null_count():
        return None
    distinct = labels.unique()
    if distinct.str.len_chars().max() > _LONGEST_LABEL:  # type: ignore[operator]  # it has a value
        return None
    names = np.array([composed(name) for name in distinct.to_list()])
    places = labels.replace_strict(distinct, np.arange(len(distinct)), return_dtype=pl.UInt32)
    return np.asarray(names[places.to_numpy()])


def _string_lists(labels: pl.Series) -> Labels | None:
    """Return a column of lists of strings as an array of lists; None if a string must be changed or is missing."""
    if labels.dtype != pl.List(pl.String) or not len(labels) or labels.null_count():
        return None
    distinct = labels.filter(labels.list.len() > 0).explode().unique().to_list()
    if any(name is None or composed(name) != name for name in distinct):
        return None
    nested = np.empty(len(labels), dtype=object)
    nested[:] = labels.to_list()
    return nested


def _label_lists(values: list[Any]) -> Labels:
    """Return lists of labels as an array of lists, whose labels are all of one type."""
    nested = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        if is_missing(value) or isinstance(value, str) or not isinstance(value, Iterable):
            raise InputError(f"Label {row} is {described(value)}, but others are lists: give each text a list.")
        nested[row] = [composed(name) for name in value]
        for name in nested[row]:
            if is_missing(name) or isinstance(name, list | tuple | set | dict | np.ndarray):
                raise InputError(f"Label {row} holds a label that is {described(name)}.")
    if len({type(name) for row in nested for name in row}) > 1:
        nested[:] = [[str(name) for name in row] for row in nested]
    return nested


def _warn_of_column_vector() -> None:
    """Warn as scikit-learn's classifiers do."""
    from sklearn.exceptions import DataConversionWarning

    message = "A column-vector y was passed when a 1d array was expected: the labels are flattened to (n_texts,)."
    warnings.warn(message, DataConversionWarning, stacklevel=4)


def encode_labels(labels: Labels, known: Labels | None = None) -> tuple[Labels, ClassMatrix, Task]:
    """Return the sorted classes, the class matrix (n_texts, n_classes), and the task.

    ``known``, (n_known,), are classes that need no text.
    """
    if labels.ndim == 2:
        return np.arange(labels.shape[1]), labels, Task.MULTILABEL
    if labels.dtype == object:
        names = sorted({name for row in labels for name in row}.union([] if known is None else known.tolist()))
        classes = _array_of(names)
        index = {name: column for column, name in enumerate(names)}
        if len(classes) == 0:
            raise InputError("No text has a label.")
        Y = np.zeros((len(labels), len(classes)), dtype=bool)
        rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
        Y[rows, [index[name] for row in labels for name in row]] = True
        return classes, Y, Task.MULTILABEL
    classes, y = _distinct(labels)
    if known is not None:
        found, classes = classes, np.union1d(known, classes)
        y = np.searchsorted(classes, found)[y]
    if labels.dtype.kind == "f" and len(classes) > max(2, min(_MOST_NUMBERS, len(labels) // 2)):
        fractions = classes[classes % 1 != 0]
        if len(fractions):
            raise InputError(
                f"Unknown label type: continuous. The labels are {len(classes):,} different numbers, such as "
                f"{fractions[0]:g}: a classifier learns classes. Divide the numbers into a few, such as low and high."
            )
    if len(classes) < 2:
        raise InputError(f"There is only one class, `{classes[0]}`: a classifier needs two or more.")
    matrix = OneHot(y, len(classes))
    return classes, matrix if len(classes) > MOST_DENSE_CLASSES else matrix.dense(), Task.of(len(classes))


def _distinct(labels: Labels) -> tuple[Labels, Ints]:
    """Return the sorted classes and the class of each label, (n_texts,)."""
    if labels.dtype.kind != "U":
        classes, y = np.unique(labels, return_inverse=True)
        return classes, y
    names = labels.tolist()  # NumPy would sort all of them
    place = {name: k for k, name in enumerate(sorted(set(names)))}
    return np.array(list(place), dtype=labels.dtype), np.fromiter(map(place.__getitem__, names), np.int64, len(names))


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
                    f"The validation label `{label}` is {described(label.item())}, and the train labels are "
                    f"{described(labels[0].item())}: give both in one type."
                )
        more = np.array([by_text[label_text(label)] for label in more], dtype=labels.dtype)
    return np.concatenate([labels, more])


def label_text(label: Any) -> str:
    """Return the text by which labels are compared: 1, 1.0 and "1" are the same label, and é however it is encoded."""
    whole = isinstance(label, float | np.floating) and float(label).is_integer()
    return str(int(label)) if whole else str(composed(label))


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
        if truth.dtype.kind == predicted.dtype.kind and all(composed(name) == name for name in classes.tolist()):
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
