"""One trial of a sweep, in a process of its own: fit, and judge by the rows held out.

A trial over settings stops where held-out rows judge it, as training does before it learns from all rows. A trial of a
size is a whole training on so many rows, as `tagline train` would do on a file of them, judged by rows outside it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagline.classifier import TextClassifier
from tagline.data import Split
from tagline.data.splits import strata
from tagline.errors import InputError
from tagline.experiments.shared_data import Ints, Material, read_material
from tagline.experiments.sweep.trial_store import Outcome
from tagline.learners import Fitted, TrainingRecord
from tagline.metrics import measure, positive_class
from tagline.recipes import NgramFeatures, Recipe
from tagline.runs.predictions import Predicted, label_series, predict_split
from tagline.task import Task

Folds = list[tuple[Ints, Ints]]  # rows to learn from, rows that judge
_FOLDS = "folds.npz"


@dataclass(frozen=True)
class Trial:
    """What is tried: a recipe with a seed, on all rows or, with a ``size``, on so many."""

    number: int
    recipe: Recipe
    seed: int
    size: int | None


def save_folds(folder: Path, folds: Folds) -> None:
    """Write which rows of the material judge, beside it."""
    arrays = {
        f"{part}{k}": rows for k, fold in enumerate(folds) for part, rows in zip(("train", "held"), fold, strict=True)
    }
    np.savez(folder / _FOLDS, allow_pickle=False, **arrays)


def _read_folds(folder: Path) -> Folds:
    with np.load(folder / _FOLDS, allow_pickle=False) as arrays:
        return [(arrays[f"train{k}"], arrays[f"held{k}"]) for k in range(len(arrays.files) // 2)]


@dataclass(frozen=True)
class Kit:
    """What each process of a sweep is given: the folder of the material, and which learners there will be."""

    folder: str
    networks: bool
    classic: bool


def prepare(kit: Kit) -> Callable[[Any, Any], Any]:
    """Return what makes the trials of a sweep; called once in each process."""
    material, folds = read_material(Path(kit.folder)), _read_folds(Path(kit.folder))
    if kit.networks:  # else the first trial would seem to take longer than the others
        import tagline.learners.network_training  # noqa: F401
    if kit.classic:
        import sklearn.svm  # noqa: F401

    def work(trial: Trial, _report: object) -> Outcome:
        began = time.perf_counter()
        if trial.size is None:
            fitted = material.fit(trial.recipe, trial.seed, folds)
            said = _held_out(material, fitted)
            learnt_from, training = fitted.chosen["learnt_from"], fitted.training
        else:
            rows = nested_rows(material, folds[0][0], trial.size, trial.seed)
            clf = _trained(material, rows, trial.recipe, trial.seed)
            said = predict_split(clf, _split(material, folds[0][1]), material.classes)
            learnt_from, training = len(rows), clf.training_
        seconds = time.perf_counter() - began
        return _outcome(trial, said, material, learnt_from, training, seconds)

    return work


def nested_rows(material: Material, pool: Ints, size: int, seed: int) -> Ints:
    """Return ``size`` rows of the pool, in order: each class with its share, smaller ones inside of larger ones."""
    y = strata(label_series(_labels(material.Y[pool], material), material.classes))
    by_class = np.argsort(np.random.default_rng(seed).random(len(pool)))
    by_class = by_class[np.argsort(y[by_class], kind="stable")]  # (n,) class by class, at random within
    counts = np.bincount(y)
    before = np.cumsum(counts) - counts
    place = np.empty(len(pool))
    place[by_class] = (np.arange(len(pool)) - before[y[by_class]] + 0.5) / counts[y[by_class]]
    return np.sort(pool[np.argsort(place, kind="stable")[:size]])


def _trained(material: Material, rows: Ints, recipe: Recipe, seed: int) -> TextClassifier:
    """Train as `tagline train` does on these rows."""
    split = _split(material, rows)
    given = not isinstance(recipe.features, NgramFeatures) and recipe.features.word_index == "data"
    return TextClassifier(recipe, seed=seed).fit(
        split.texts,
        split.labels,
        groups=split.groups,
        word_index=material.word_index if given else None,
    )


def _split(material: Material, rows: Ints) -> Split:
    labels = label_series(_labels(material.Y[rows], material), material.classes)
    groups = None if material.groups is None else material.groups[rows]
    return Split(material.texts[rows], labels, groups)


def _labels(Y: NDArray[np.bool_], material: Material) -> NDArray[Any]:
    """Return what `measure` takes: indices, (n,), or of multi-label data ``Y`` itself."""
    return material.task.truth(Y)


def _held_out(material: Material, fitted: Fitted) -> Predicted:
    held = fitted.held_out
    if held is None or not len(held.proba):
        raise InputError("No rows were left to judge by.")
    positive = material.classes.index(positive_class(material.classes)) if material.task is Task.BINARY else 1
    decided = material.task.decide(held.proba, fitted.threshold, positive)
    return Predicted(_labels(held.Y, material), decided, held.proba)


def _outcome(
    trial: Trial, said: Predicted, material: Material, learnt_from: int, training: TrainingRecord | None, seconds: float
) -> Outcome:
    block = measure(said.y_true, said.y_pred, said.proba, material.classes, task=material.task, seed=trial.seed)
    right = said.y_true == said.y_pred
    low, high = block["accuracy_ci95"] or (None, None)
    return Outcome(
        status="done",
        accuracy=block["accuracy"],
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=block["macro_f1"],
        log_loss=block["log_loss"],
        learnt_from=learnt_from,
        best_epoch=None if training is None else training.best_epoch,
        epochs=None if training is None else len(training.history["epoch"]),
        parameters=None if training is None else sum(row["parameters"] for row in training.layers),
        seconds=round(seconds, 3),
        right=np.packbits(right.all(axis=1) if right.ndim == 2 else right).tobytes(),
    )
