"""Data that all workers of a sweep or search share through a folder: texts, labels, and a cache of features."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from tagline.data import Dataset
from tagline.data.splits import copy_keys, units
from tagline.learners import FitOptions, Fitted, TrainingData, fit_recipe
from tagline.learners.feature_cache import FeatureCache
from tagline.learners.sample_weight import row_weights
from tagline.recipes import Recipe
from tagline.runs.predictions import series_indices
from tagline.task import Bools, Floats, Ints, Task

_TEXTS, _LABELS, _ABOUT = "texts.arrow", "labels.npy", "about.json"


@dataclass(frozen=True, eq=False)
class SearchRows:
    """The rows that trials may use: those of train, then ``n_validation`` validation rows. Never test rows.

    Rows of weight 0 are left out. ``texts``, ``groups`` and ``weights``: (n,); ``Y``: (n, n_classes), of the
    ``classes`` that occur in these rows.
    """

    texts: pl.Series
    Y: Bools
    classes: list[str]
    task: Task
    groups: pl.Series | None
    n_validation: int
    weights: Floats | None

    @cached_property
    def unit(self) -> Ints:
        """The unit of each row, (n,): copies of a text, and rows of a group, share one."""
        return units(copy_keys(self.texts), self.groups)

    def training_data(self) -> TrainingData:
        """Return the rows as learners take them."""
        sample, loss = row_weights(np.array(self.classes), self.Y, None, self.weights, len(self.Y))
        return TrainingData(
            self.texts,
            self.Y,
            self.task,
            sample_weights=sample,
            loss_weights=loss,
            groups=self.groups,
            n_validation=self.n_validation,
        )


def search_rows(dataset: Dataset) -> SearchRows:
    """Return the train and validation rows of a dataset."""
    parts = [part.trained for part in (dataset.train, dataset.validation) if part is not None]
    labels = pl.concat([part.labels for part in parts])
    y = series_indices(labels, dataset.classes)
    Y = y if y.ndim == 2 else np.eye(len(dataset.classes), dtype=bool)[y]
    known = np.flatnonzero(Y.any(axis=0))  # some classes may occur in test rows only
    groups = [part.groups for part in parts if part.groups is not None]
    weights = [part.weights for part in parts if part.weights is not None]
    return SearchRows(
        texts=pl.concat([part.texts for part in parts]),
        Y=Y[:, known],
        classes=[dataset.classes[column] for column in known],
        task=dataset.task.with_classes(len(known)),
        groups=pl.concat(groups) if len(groups) == len(parts) else None,
        n_validation=0 if dataset.validation is None else len(parts[-1]),
        weights=np.concatenate(weights) if len(weights) == len(parts) else None,
    )


@dataclass(frozen=True, eq=False)
class SharedData(SearchRows):
    """The rows of a search as its workers read them, with a common cache of features."""

    word_index: dict[str, int] | None
    feature_cache: FeatureCache

    def fit(self, recipe: Recipe, seed: int, folds: list[tuple[Ints, Ints]] | None = None) -> Fitted:
        """Fit a recipe up to its held-out predictions; ``folds`` are (train rows, held-out rows)."""
        data = replace(
            self.training_data(),
            n_validation=self.n_validation if folds is None else 0,  # otherwise they alone would be held out
            word_index=self.word_index,
        )
        return fit_recipe(recipe, data, FitOptions(seed, folds, final=False, feature_cache=self.feature_cache))


def save_shared_data(folder: Path, dataset: Dataset, word_index: Mapping[str, int] | None) -> None:
    """Write the train and validation rows of a dataset for `read_shared_data`."""
    rows = search_rows(dataset)
    columns = {"text": rows.texts, "group": rows.groups, "weight": rows.weights}
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({name: column for name, column in columns.items() if column is not None}).write_ipc(folder / _TEXTS)
    np.save(folder / _LABELS, rows.Y, allow_pickle=False)
    about = {
        "classes": rows.classes,
        "multilabel": rows.task is Task.MULTILABEL,
        "n_given": rows.n_validation,
        "word_index": None if word_index is None else dict(word_index),
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def read_shared_data(folder: Path) -> SharedData:
    """Read the data that `save_shared_data` wrote."""
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    frame = pl.read_ipc(folder / _TEXTS)
    return SharedData(
        texts=frame["text"],
        Y=np.load(folder / _LABELS, allow_pickle=False),
        classes=about["classes"],
        task=Task.of(len(about["classes"]), multilabel=about["multilabel"]),
        groups=frame["group"] if "group" in frame.columns else None,
        n_validation=about["n_given"],
        weights=frame["weight"].to_numpy() if "weight" in frame.columns else None,
        word_index=about["word_index"],
        feature_cache=FeatureCache(folder / "encoded"),
    )
