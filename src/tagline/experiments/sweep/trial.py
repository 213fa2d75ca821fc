"""One trial of a sweep, in a worker process: fit a recipe and measure it on held-out rows.

A trial of settings ends with its held-out predictions, before the refit on all rows. A trial of a learning curve is a
complete training on some of the rows, as `tagline train` would do on a file of them, measured on the held-out rows.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tagline.classifier import TextClassifier
from tagline.compiled import COMPILED
from tagline.data import Split
from tagline.data.splits import matrix_strata
from tagline.errors import InputError
from tagline.experiments.shared_data import SharedData, read_shared_data
from tagline.experiments.sweep.trial_store import Outcome
from tagline.learners import Fitted, TrainingRecord
from tagline.many_classes import true_classes
from tagline.metrics import measure, positive_class
from tagline.recipes import Recipe, WordFeatures
from tagline.runs.predictions import Predicted, label_series, predict_split
from tagline.task import Ints

Folds = list[tuple[Ints, Ints]]  # train rows and held-out rows of each fold
_FOLDS = "folds.npz"


@dataclass(frozen=True)
class Trial:
    """A recipe to fit with a seed: on all train rows, or on ``size`` of them."""

    number: int
    recipe: Recipe
    seed: int
    size: int | None


@dataclass(frozen=True)
class TrialContext:
    """Context of all trials of a sweep: the folder of the shared data, and the kinds of learners."""

    folder: Path
    networks: bool
    classic: bool


def save_folds(folder: Path, folds: Folds) -> None:
    """Write the folds into the folder of the shared data."""
    arrays = {
        f"{part}{k}": rows for k, fold in enumerate(folds) for part, rows in zip(("train", "held"), fold, strict=True)
    }
    np.savez(folder / _FOLDS, allow_pickle=False, **arrays)


def _read_folds(folder: Path) -> Folds:
    with np.load(folder / _FOLDS, allow_pickle=False) as arrays:
        return [(arrays[f"train{k}"], arrays[f"held{k}"]) for k in range(len(arrays.files) // 2)]


def prepare(context: TrialContext) -> Callable[[Any, Any], Any]:
    """Return the function that runs a trial; called once in each worker."""
    shared, folds = read_shared_data(context.folder), _read_folds(context.folder)
    if context.networks:  # otherwise the import would count as time of the first trial
        import tagline.learners.network.training  # noqa: F401
    if context.classic and not COMPILED:
        import sklearn.svm  # noqa: F401

    def run(trial: Trial, _report: object) -> Outcome:
        started = time.perf_counter()
        if trial.size is None:
            fitted = shared.fit(trial.recipe, trial.seed, folds)
            predicted = _held_out(shared, fitted)
            n_train, training = fitted.chosen["learnt_from"], fitted.training
        else:
            rows = nested_rows(shared, folds[0][0], trial.size, trial.seed)
            clf = _train(shared, rows, trial.recipe, trial.seed)
            predicted = predict_split(clf, _split(shared, folds[0][1]), shared.classes)
            n_train, training = len(rows), clf.training_
        seconds = time.perf_counter() - started
        return _outcome(trial, predicted, shared, n_train, training, seconds)

    return run


def nested_rows(shared: SharedData, pool: Ints, size: int, seed: int) -> Ints:
    """Return ``size`` rows of the pool, sorted: stratified by class, smaller samples are subsets of larger ones."""
    y = matrix_strata(shared.Y[pool])
    by_class = np.argsort(np.random.default_rng(seed).random(len(pool)))
    by_class = by_class[np.argsort(y[by_class], kind="stable")]  # (n,) class by class, in random order within
    counts = np.bincount(y)
    before = np.cumsum(counts) - counts
    place = np.empty(len(pool))
    place[by_class] = (np.arange(len(pool)) - before[y[by_class]] + 0.5) / counts[y[by_class]]
    return np.sort(pool[np.argsort(place, kind="stable")[:size]])


def _train(shared: SharedData, rows: Ints, recipe: Recipe, seed: int) -> TextClassifier:
    """Train as `tagline train` does on these rows."""
    split = _split(shared, rows)
    given = isinstance(recipe.features, WordFeatures) and recipe.features.word_index == "data"
    return TextClassifier(recipe, seed=seed).fit(
        split.texts,
        split.labels,
        split.weights,
        groups=split.groups,
        word_index=shared.word_index if given else None,
    )


def _split(shared: SharedData, rows: Ints) -> Split:
    labels = label_series(shared.task.truth(shared.Y[rows]), shared.classes)
    groups = None if shared.groups is None else shared.groups[rows]
    weights = None if shared.weights is None else shared.weights[rows]
    return Split(shared.texts[rows], labels, groups, weights=weights)


def _held_out(shared: SharedData, fitted: Fitted) -> Predicted:
    held_out = fitted.held_out
    if held_out is None or not len(held_out.proba):
        raise InputError("No rows are left to evaluate on.")
    positive = shared.classes.index(positive_class(shared.classes)) if shared.task.has_positive else None
    decided = replace(fitted.rule, positive=positive).decide(held_out.proba, shared.task)
    return Predicted(true_classes(held_out.Y, shared.task), decided, held_out.proba, shared.unit[held_out.rows])


def _outcome(
    trial: Trial,
    predicted: Predicted,
    shared: SharedData,
    n_train: int,
    training: TrainingRecord | None,
    seconds: float,
) -> Outcome:
    y_true, y_pred = predicted.y_true, predicted.y_pred
    block = measure(
        y_true, y_pred, predicted.proba, shared.classes, task=shared.task, seed=trial.seed, units=predicted.unit
    )
    correct = y_true == y_pred
    low, high = block["accuracy_ci95"] or (None, None)
    return Outcome(
        status="done",
        accuracy=block["accuracy"],
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=block["macro_f1"],
        log_loss=block["log_loss"],
        learnt_from=n_train,
        best_epoch=None if training is None else training.best_epoch,
        epochs=None if training is None else len(training.history["epoch"]),
        parameters=None if training is None else sum(row["parameters"] for row in training.layers),
        seconds=round(seconds, 3),
        right=np.packbits(correct.all(axis=1) if correct.ndim == 2 else correct).tobytes(),
    )
