"""The arguments of `TextClassifier.fit`, checked, as training data."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError
from tagline.features.sequences import Sequences
from tagline.inputs.indicators import IndicatorFormat, read_indicator
from tagline.inputs.labels import check_lengths, encode_labels, joined_labels, label_text, list_labels
from tagline.inputs.texts import as_inputs, as_texts, group_column, joined_texts
from tagline.learners.base import TrainingData
from tagline.learners.sample_weight import checked_weights, row_weights
from tagline.metrics.block import positive_class
from tagline.task import Ints, Task


@dataclass(frozen=True, eq=False)
class FitArguments:
    """Training data, and how it relates to the arguments of `TextClassifier.fit`.

    Attributes:
        data: the rows whose weight is above 0.
        classes: the classes, (n_classes,), sorted or in the order of an indicator's columns.
        positive: the positive one of two classes, else None.
        rows: the number of each row of ``data`` among the texts given, followed by the validation texts.
        complete: whether no row was dropped.
        indicator: the format of the labels if they are an indicator matrix, else None.

    """

    data: TrainingData
    classes: NDArray[Any]
    positive: str | None
    rows: Ints
    complete: bool
    indicator: IndicatorFormat | None


def check_arguments(
    texts: Iterable[Any],
    labels: Iterable[Any],
    *,
    sample_weight: ArrayLike | None,
    class_weight: str | Mapping[Any, float] | None,
    groups: Iterable[Any] | None,
    validation: tuple[Iterable[Any], Iterable[Any]] | None,
    word_index: Mapping[str, int] | None,
    unlabelled: Iterable[str] | None,
    positive: str | None,
) -> FitArguments:
    """Return the training data that the arguments of `TextClassifier.fit` describe, without the rows of weight 0.

    Raises:
        InputError: an argument is invalid.

    """
    if word_index is not None and not isinstance(word_index, Mapping):
        raise InputError(f"`word_index` must map words to their ranks; it is a `{type(word_index).__name__}`.")
    indicator = read_indicator(labels)
    column, encoded = as_inputs(texts), list_labels(labels) if indicator is None else indicator.Y
    check_lengths(column, encoded)
    extra: Any = None
    extra_labels: Any = None
    if validation is not None:
        extra, extra_labels = _pair(validation, None if indicator is None else indicator.classes)
    n_texts, n_given = len(column), 0 if extra is None else len(extra)
    n_train, rows = n_texts, np.arange(n_texts + n_given)
    if sample_weight is not None:  # first of all, so that a class whose rows all have weight 0 does not exist
        sample_weight = checked_weights(sample_weight, n_texts, n_given)
        rows = np.flatnonzero(sample_weight)
        n_train, sample_weight = int(np.searchsorted(rows, n_texts)), sample_weight[rows]
        column, encoded = _taken(column, rows[:n_train]), encoded[rows[:n_train]]
        if extra is not None:
            extra, extra_labels = _taken(extra, rows[n_train:] - n_texts), extra_labels[rows[n_train:] - n_texts]
    if extra is not None:
        column, encoded = joined_texts(column, extra), joined_labels(encoded, extra_labels)
    classes, Y, task = encode_labels(encoded)
    if indicator is not None:
        classes = indicator.classes
    sample_weights, loss_weights = row_weights(classes, Y, class_weight, sample_weight, n_train)
    data = TrainingData(
        column,
        Y,
        task,
        sample_weights=sample_weights,
        loss_weights=loss_weights,
        groups=None if groups is None else group_column(groups, n_texts, n_given)[rows],
        n_validation=len(column) - n_train,
        word_index=word_index,
        train_rows=rows[:n_train],
        unlabelled=None if unlabelled is None else as_texts(unlabelled),
    )
    if loss_weights is not None and not loss_weights.all():  # the weight of their class is 0
        kept = np.flatnonzero(loss_weights)
        data, rows = data.take(kept), rows[kept]
    complete = len(rows) == n_texts + n_given
    format_ = None if indicator is None else indicator.format
    return FitArguments(data, classes, _positive(positive, classes, task), rows, complete, format_)


def checked_seed(seed: Any) -> int:
    """Return a seed as an int; None is drawn, another one each time.

    Raises:
        InputError: it is none.

    """
    if seed is None:
        return secrets.randbits(32)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"`seed` must be an integer from 0 to {2**32 - 1}, not `{seed}`.")
    return int(seed)


def _taken(texts: pl.Series | Sequences, rows: Ints) -> pl.Series | Sequences:
    return texts.take(rows) if isinstance(texts, Sequences) else texts[rows]


def _positive(positive: str | None, classes: NDArray[Any], task: Task) -> str | None:
    if task.has_positive:
        return positive_class([str(name) for name in classes], None if positive is None else label_text(positive))
    if positive is not None:
        raise InputError(f"`positive` names one of two classes; there are {len(classes):,}.")
    return None


def _pair(validation: Any, classes: NDArray[Any] | None) -> tuple[Any, Any]:
    """Return validation texts and their labels, checked."""
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise InputError("`validation` must be a pair: the texts and their labels.")
    texts, labels = as_inputs(validation[0]), list_labels(validation[1], classes)
    check_lengths(texts, labels)
    return texts, labels
