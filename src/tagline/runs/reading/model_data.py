"""Labelled data for a model: read as its training rows were, with labels spelled as its classes."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from tagline.data import Dataset, ReadOptions
from tagline.data.columns import chosen_columns
from tagline.data.labels import match_classes, without_option
from tagline.data.wording import listed
from tagline.errors import ColumnError, DataError, InputError
from tagline.inputs.labels import shown_names
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier

_Options = TypeVar("_Options", bound=ReadOptions)


def read_like_training(
    data: Any, options: _Options, clf: "TextClassifier", read_data: Callable[[_Options], Dataset]
) -> tuple[Dataset, _Options]:
    """Read the data as the training rows were read, from their columns if none are named and the data has them.

    Return it with the options that it was read with.

    Args:
        data: what is read.
        options: those that the user gave.
        clf: the model.
        read_data: reads the data with options.

    Raises:
        DataError: the data cannot be read.

    """
    card, multilabel = clf.card_, clf.task_ is Task.MULTILABEL
    once = isinstance(data, str) and data == "-"  # standard input
    # Models without this fact are of the first versions, for which any difference made another class.
    read = card.get("labels") or {"separator": "", "keep_spelling": True}
    if options.label_separator is None and not (multilabel and read.get("separator") == ""):
        # The labels of a multi-label model that were lists may be joined here.
        options = replace(options, label_separator=read.get("separator"))
    options = replace(
        options,
        keep_label_spelling=bool(read.get("keep_spelling")),
        multilabel=multilabel,
    )
    trained = _label_columns(card)
    if trained and not once:
        columns = options.text or tuple(card.get("text_columns") or ())
        options_of_card = replace(options, text=columns, label=options.label or trained)
        groups = dict.fromkeys((options.group or card.get("group_column"), options.group))
        # By its weights the data of the training is recognised.
        weights = dict.fromkeys((options.weight or card.get("weight_column"), options.weight))
        for weight, group in product(weights, groups):
            with suppress(DataError):
                options_of_card = replace(options_of_card, group=group, weight=weight)
                found = _without_option(read_data(options_of_card))
                if columns:
                    hows = ["given" if named else "as in training" for named in (options.text, options.label)]
                    told = chosen_columns(columns, hows[0], options_of_card.label, hows[1])
                    found = replace(found, facts=replace(found.facts, chosen=told))
                return found, options_of_card
    try:
        return _without_option(read_data(options)), options
    except ColumnError as error:
        missing = [name for name in trained if name not in error.columns]
        if options.label or not missing or "`--label`" not in str(error):
            raise
        source = f"`{data}`" if isinstance(data, str | Path) and not once else "The data"
        raise ColumnError(
            f"{source} has no column {listed(missing)}, the label "
            f"column in training: give `--label`. Its columns are {listed(error.columns)}.",
            error.answer,
            error.columns,
        ) from None


def _without_option(dataset: Dataset) -> Dataset:
    """Return the data with no advice to spell labels otherwise than the model does."""
    facts = dataset.facts
    warnings = tuple(without_option(sentence) for sentence in facts.warnings)
    findings = tuple(replace(each, sentence=without_option(each.sentence)) for each in facts.key_findings)
    return replace(dataset, facts=replace(facts, warnings=warnings, key_findings=findings))


def labels_like_classes(clf: "TextClassifier", labels: pl.Series) -> tuple[pl.Series, list[str]]:
    """Return labels, spelled as the classes of the model and as lists if it gives lists, and what to tell the user.

    Raises:
        InputError: they are lists, and the model gives each text one label.

    """
    lists = isinstance(labels.dtype, pl.List)
    if lists and clf.task_ is not Task.MULTILABEL:
        raise InputError("This data gives each text several labels, and the model gives each text one.")
    if clf.task_ is Task.MULTILABEL and not lists:
        labels = labels.to_frame("label").select(pl.concat_list("label")).to_series()
    return match_classes(labels, [str(name) for name in clf.classes_])


def distinct_labels(labels: pl.Series) -> list[str]:
    """Return the distinct labels of a column of labels, or of lists of them."""
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    found: list[str] = flat.drop_nulls().unique().to_list()
    return found


def check_label_column(clf: "TextClassifier", dataset: Dataset, found: Collection[str], *, given: bool) -> None:
    """Raise `DataError` if another column than in training holds the labels ``found``, and none of them is a class."""
    trained, read = _label_columns(clf.card_), dataset.facts.label_columns
    known = {str(name) for name in clf.classes_}
    if found and not known & {*found} and not (given or set(trained) & {*read}) and trained:
        raise DataError(
            f"`{dataset.name}` has no column {listed(trained)}, the label column in training, and no label in "
            f"{listed(read)}, such as {shown_names([*found])}, is a class of the model: give `--label`."
        )


def _label_columns(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the label columns that a model was trained on, of its card."""
    return tuple(card.get("label_columns") or ([card["label_column"]] if card.get("label_column") else ()))
