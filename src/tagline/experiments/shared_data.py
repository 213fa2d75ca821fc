"""What every fit of a search is given, in a folder that its processes share: texts, classes, and features once made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data import Dataset
from tagline.learners import FitOptions, Fitted, TrainingData, fit_recipe
from tagline.learners.feature_cache import FeatureCache
from tagline.recipes import Recipe
from tagline.runs.predictions import label_indices
from tagline.task import Task

_TEXTS, _LABELS, _ABOUT = "texts.arrow", "labels.npy", "about.json"

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Material:
    """The rows that a search may see: those of train, then ``n_given`` validation rows. Never a test row.

    ``texts`` and ``groups``: (n,); ``Y``: (n, n_classes), of ``classes``, those of the rows.
    """

    texts: pl.Series
    Y: NDArray[np.bool_]
    classes: list[str]
    task: Task
    groups: pl.Series | None
    n_given: int
    word_index: dict[str, int] | None
    feature_cache: FeatureCache

    def fit(self, recipe: Recipe, seed: int, folds: list[tuple[Ints, Ints]] | None = None) -> Fitted:
        """Fit a recipe as far as rows held out judge it; ``folds`` are (train rows, held-out rows)."""
        data = TrainingData(
            self.texts,
            self.Y,
            self.task,
            groups=self.groups,
            n_validation=self.n_given if folds is None else 0,  # of which alone the figures would be
            word_index=self.word_index,
        )
        return fit_recipe(recipe, data, FitOptions(seed, folds, final=False, feature_cache=self.feature_cache))


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of train and validation of a data set, as `Material` has them."""

    texts: pl.Series
    Y: NDArray[np.bool_]
    classes: list[str]
    task: Task
    groups: pl.Series | None
    n_given: int

    def training_data(self) -> TrainingData:
        """Return the rows as learners take them."""
        return TrainingData(self.texts, self.Y, self.task, groups=self.groups, n_validation=self.n_given)


def rows_of(dataset: Dataset) -> Rows:
    """Return the rows of a data set that a search may see."""
    parts = [part for part in (dataset.train, dataset.validation) if part is not None]
    n_given = 0 if dataset.validation is None else len(dataset.validation)
    labels = pl.concat([part.labels for part in parts])
    y = label_indices(labels, dataset.classes)
    Y = y if y.ndim == 2 else np.eye(len(dataset.classes), dtype=bool)[y]
    known = np.flatnonzero(Y.any(axis=0))  # a class may stand in the test rows alone
    groups = [part.groups for part in parts if part.groups is not None]
    return Rows(
        texts=pl.concat([part.texts for part in parts]),
        Y=Y[:, known],
        classes=[dataset.classes[column] for column in known],
        task=Task.of(len(known), multilabel=dataset.task == Task.MULTILABEL),
        groups=pl.concat(groups) if len(groups) == len(parts) else None,
        n_given=n_given,
    )


def save_material(folder: Path, dataset: Dataset, word_index: Mapping[str, int] | None) -> None:
    """Write the train and validation rows of a data set where `read_material` finds them."""
    rows = rows_of(dataset)
    columns = {"text": rows.texts, **({} if rows.groups is None else {"group": rows.groups})}
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns).write_ipc(folder / _TEXTS)
    np.save(folder / _LABELS, rows.Y, allow_pickle=False)
    about = {
        "classes": rows.classes,
        "task": rows.task,
        "n_given": rows.n_given,
        "word_index": None if word_index is None else dict(word_index),
    }
    (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def read_material(folder: Path) -> Material:
    """Read what `save_material` wrote."""
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    frame = pl.read_ipc(folder / _TEXTS)
    return Material(
        texts=frame["text"],
        Y=np.load(folder / _LABELS, allow_pickle=False),
        classes=about["classes"],
        task=Task(about["task"]),
        groups=frame["group"] if "group" in frame.columns else None,
        n_given=about["n_given"],
        word_index=about["word_index"],
        feature_cache=FeatureCache(folder / "encoded"),
    )
