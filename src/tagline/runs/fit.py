"""The fits of a run: one measured on test rows, or one for each fold."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import Dataset, Split
from tagline.recipes import Recipe
from tagline.runs.settings import TrainSettings
from tagline.runs.tracking import Tracking

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from tagline.classifier import TextClassifier
    from tagline.learners.feature_cache import FeatureCache
    from tagline.runs.predictions import Predicted
    from tagline.runs.progress import Learning, Seen
    from tagline.runs.test_ledger import Looks
    from tagline.training import Callback

Log = Callable[[str], None]
Progress = Callable[["Seen | Learning"], None]


@dataclass(frozen=True)
class Result:
    """What training and measuring gave, before it is written; ``looks`` is None if there were no test rows to read."""

    clf: "TextClassifier"
    test: "Predicted | None"
    validation: dict[str, Any] | None
    mistakes: list[dict[str, Any]]
    seconds: dict[str, float]
    looks: "Looks | None"


@dataclass(frozen=True)
class Job:
    """What every fit of a run shares.

    ``checkpoints``: the folder where trainings of networks are kept, if they are. ``reads`` is told that test rows are
    about to be read. ``feature_cache``: features of the train and validation texts, if a search has computed them.
    """

    dataset: Dataset
    recipe: Recipe
    settings: TrainSettings
    positive: str | None
    word_index: dict[str, int] | None
    checkpoints: Path | None
    reads: Callable[[Split], "Looks"]
    unlabelled: "pl.Series | None"
    log: Log
    progress: Progress
    feature_cache: "FeatureCache | None" = None
    tracking: Tracking = field(default_factory=Tracking)


def _fit(job: Job, split: Split, validation: Split | None, name: str) -> "TextClassifier":
    from tagline.classifier import TextClassifier

    recipe, settings = job.recipe, job.settings

    clf = TextClassifier(
        recipe,
        class_weight="balanced" if settings.balance else None,
        positive=job.positive,
        seed=settings.seed,
    )
    callbacks: list[Callback] = []
    if recipe.training is not None:
        from tagline.runs.progress import Track, Watch

        callbacks += [Watch(job.progress, job.log), Track(job.tracking, name)]
    given = None if validation is None else (validation.texts, validation.labels)
    groups = None
    if split.groups is not None:
        groups = [*split.groups, *(validation.groups if validation and validation.groups is not None else ())]
    clf.fit(
        split.texts,
        split.labels,
        groups=groups,
        validation=given,
        word_index=job.word_index,
        callbacks=callbacks,
        checkpoints=None if job.checkpoints is None else job.checkpoints / name,
        feature_cache=job.feature_cache,
        unlabelled=job.unlabelled,
    )
    if settings.threshold is not None:
        clf.threshold_ = settings.threshold
    return clf


def fit_split(job: Job) -> Result:
    """Fit on the train rows, measure on the test rows."""
    from tagline.runs.mistakes import find_mistakes
    from tagline.runs.predictions import predict_held_out, predict_split

    dataset, settings, positive, log = job.dataset, job.settings, job.positive, job.log
    n_train = len(dataset.train) + (len(dataset.validation) if dataset.validation else 0)
    log(f"learning from {n_train:,} texts")
    clf = _fit(job, dataset.train, dataset.validation, "fit")
    began = time.perf_counter()
    held_out = predict_held_out(clf, dataset.classes)
    validation = None
    if held_out is not None and clf.validation_ is not None:
        validation = held_out.measured(dataset.classes, task=dataset.task, positive=positive, seed=settings.seed)
        validation["how"] = clf.validation_.how
    test, mistakes, looks = None, [], None
    if dataset.test is not None:
        log(f"measuring on {len(dataset.test):,} test texts")
        looks = job.reads(dataset.test)
        test = predict_split(clf, dataset.test, dataset.classes)
        if settings.texts:
            mistakes = find_mistakes(clf, dataset.test.texts, test, dataset.classes)
    seconds = {**clf.seconds_, "evaluate": time.perf_counter() - began}
    return Result(clf, test, validation, mistakes, seconds, looks)


def _some(split: Split, rows: "NDArray[np.bool_]") -> Split:
    """Return some rows of a split, (n,)."""
    groups = None if split.groups is None else split.groups.filter(rows)
    return Split(split.texts.filter(rows), split.labels.filter(rows), groups)


def fit_folds(job: Job) -> Result:
    """Predict each fold by a model of the other folds; the model that is kept learns from all rows."""
    import numpy as np

    from tagline.runs.mistakes import N_MISTAKES, find_mistakes
    from tagline.runs.predictions import Predicted, label_indices, predict_split

    dataset, settings, log = job.dataset, job.settings, job.log
    assert dataset.folds is not None
    texts, labels = dataset.train.texts, dataset.train.labels
    y_true = label_indices(labels, dataset.classes)
    y_pred, proba = np.zeros_like(y_true), np.zeros((len(texts), len(dataset.classes)))
    mistakes: list[dict[str, Any]] = []
    seconds = {"features": 0.0, "fit": 0.0, "evaluate": 0.0}
    n_folds = int(dataset.folds.max()) + 1
    looks = None
    for fold in range(n_folds):
        log(f"fold {fold + 1} of {n_folds}")
        held = dataset.folds == fold
        clf = _fit(job, _some(dataset.train, ~held), None, f"fold-{fold + 1}")
        began = time.perf_counter()
        looks = looks or job.reads(dataset.train)
        split = _some(dataset.train, held)
        part = predict_split(clf, split, dataset.classes)
        y_pred[held], proba[held] = part.y_pred, part.proba
        if settings.texts:
            mistakes += find_mistakes(clf, split.texts, part, dataset.classes)
        spent = {**clf.seconds_, "evaluate": time.perf_counter() - began}
        seconds = {stage: seconds[stage] + spent[stage] for stage in seconds}
    mistakes.sort(key=lambda mistake: -mistake["probability"])
    log(f"learning from all {len(texts):,} texts")
    clf = _fit(job, dataset.train, None, "fit")
    seconds |= {stage: seconds[stage] + clf.seconds_[stage] for stage in ("features", "fit")}
    return Result(clf, Predicted(y_true, y_pred, proba), None, mistakes[:N_MISTAKES], seconds, looks)
