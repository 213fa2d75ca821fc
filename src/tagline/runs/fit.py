"""The fits of a run: one measured on test rows, or one for each fold."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tagline.data import Split
from tagline.engines import LOCAL, Engine
from tagline.runs.reading.data import RunInputs
from tagline.runs.reading.out_of_core import budget_of
from tagline.runs.settings import Observer, StepProgress
from tagline.runs.tracking import Tracking

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.learners.feature_cache import FeatureCache
    from tagline.learners.progress import FitProgress
    from tagline.out_of_core import SpooledDataset
    from tagline.runs.predictions import Predicted
    from tagline.runs.test_ledger import Looks
    from tagline.training import Callback


@dataclass(frozen=True)
class Result:
    """The outcome of fitting and measuring, before it is written; ``looks`` is None if there were no test rows.

    ``guarantees`` are those of ``metrics.json``, None without test rows or without held-out rows of one label each.
    ``find_mistakes`` returns the content of ``mistakes.json``. ``before`` are the predictions of the model that the
    run continues, of the same rows.
    """

    clf: "TextClassifier"
    test: "Predicted | None"
    guarantees: dict[str, Any] | None
    validation: dict[str, Any] | None
    find_mistakes: Callable[[], list[dict[str, Any]]]
    seconds: dict[str, float]
    looks: "Looks | None"
    before: "Predicted | None" = None


@dataclass(frozen=True)
class Job:
    """Context of all fits of a run.

    Attributes:
        inputs: data, recipe and settings.
        word_index: of a built-in data set, if the recipe uses it.
        checkpoints: the folder of checkpoints of networks; None: none are written.
        record_look: called before test rows are read; counts it in the test ledger.
        feature_cache: features of the train and validation texts that a search has computed.
        tracking: the trackers of the run.
        engine: where a model of rows on disk is fitted.

    """

    inputs: RunInputs
    word_index: dict[str, int] | None
    checkpoints: Path | None
    record_look: Callable[[Split], "Looks"]
    observer: Observer
    feature_cache: "FeatureCache | None" = None
    tracking: Tracking = field(default_factory=Tracking)
    engine: Engine = LOCAL


def _classifier(inputs: RunInputs, classes: Sequence[str]) -> "TextClassifier":
    """Return a classifier with the settings of a run, to be fitted to ``classes``."""
    from tagline.classifier import TextClassifier

    settings = inputs.settings
    return TextClassifier(
        inputs.recipe,
        class_weight="balanced" if settings.balance else None,
        positive=inputs.positive,
        costs=None if settings.costs is None else settings.costs.of_classes(classes),
        precision=settings.precision,
        recall=settings.recall,
        seed=settings.seed,
    )


def _fit(job: Job, split: Split, validation: Split | None, name: str) -> "TextClassifier":
    start = job.inputs.start
    if start is not None:
        return start.continued(job.inputs.settings).partial_fit(
            split.texts,
            split.labels,
            sample_weight=split.followed_by(validation).weights,
            groups=_groups(split, validation),
            validation=_texts_and_labels(validation),
        )
    recipe, settings = job.inputs.recipe, job.inputs.settings
    clf = _classifier(job.inputs, _trained_classes(split, validation))
    callbacks: list[Callback] = []
    step = None
    if recipe.training is not None:
        from tagline.runs.tracking.callbacks import ReportProgress, TrackEpochs

        callbacks += [ReportProgress(job.observer), TrackEpochs(job.tracking, name)]
    else:
        step = partial(_report_step, job.observer, "" if name == "fit" else f"{name.replace('-', ' ')}: ")
    clf.fit(
        split.texts,
        split.labels,
        split.followed_by(validation).weights,
        groups=_groups(split, validation),
        validation=_texts_and_labels(validation),
        word_index=job.word_index,
        callbacks=callbacks,
        checkpoints=None if job.checkpoints is None else job.checkpoints / name,
        feature_cache=job.feature_cache,
        unlabelled=job.inputs.unlabelled,
        progress=step,
    )
    if settings.threshold is not None:
        clf.threshold_ = settings.threshold
    return clf


def _texts_and_labels(split: Split | None) -> tuple[pl.Series, pl.Series] | None:
    return None if split is None else (split.texts, split.labels)


def _groups(split: Split, validation: Split | None) -> list[str] | None:
    """Return the groups of the train rows, and of the validation rows if they have some."""
    if split.groups is None:
        return None
    return [*split.groups, *(validation.groups if validation and validation.groups is not None else ())]


def _trained_classes(split: Split, validation: Split | None) -> list[str]:
    """Return the classes of the rows that are learned from."""
    return sorted(split.followed_by(validation).trained.labels.unique().to_list())


def _report_step(observer: Observer, fit: str, seen: "FitProgress") -> None:
    # A total of 1 has no bar.
    observer.progress(StepProgress(f"{fit}{seen.stage}", seen.done, max(1, seen.total)))


def fit_split(job: Job) -> Result:
    """Fit on the train rows, measure on the test rows."""
    dataset, log = job.inputs.dataset, job.observer.log
    rows = dataset.train.followed_by(dataset.validation)
    n_train = len(rows.trained)
    and_validation = " train and validation" if dataset.validation else ""
    of_no_weight = f", without {len(rows) - n_train:,} of weight 0" if n_train < len(rows) else ""
    start = job.inputs.start
    stage = "training on" if start is None else f"continuing {start.name} with"
    log(f"{stage} {n_train:,}{and_validation} rows{of_no_weight}")
    return _measured(job, _fit(job, dataset.train, dataset.validation, "fit"), rows)


def fit_out_of_core(job: Job, dataset: "SpooledDataset") -> Result:
    """Fit on train rows that are on disk, measure on the test rows."""
    from tagline.out_of_core.learner import fit_spooled  # it needs the compiled core

    settings = job.inputs.settings
    distributed = job.engine is not LOCAL
    job.observer.log(f"training on {dataset.n_train:,} rows {'on the cluster' if distributed else 'out of core'}")
    fitted = fit_spooled(
        job.inputs.recipe,
        dataset,
        budget_of(settings, distributed=distributed),
        settings.seed,
        balance=settings.balance,
        report=partial(_report_step, job.observer, ""),
        log=job.observer.log,
        engine=job.engine,
    )
    clf = _classifier(job.inputs, dataset.learned).take_fitted(
        fitted, job.inputs.recipe, dataset.learned, dataset.learned_task
    )
    if settings.threshold is not None:
        clf.threshold_ = settings.threshold
    return _measured(job, clf, dataset.held_out)


def _measured(job: Job, clf: "TextClassifier", rows: Split) -> Result:
    """Measure a classifier that was fitted to ``rows``, of which some were held out, on the test rows."""
    from tagline.runs.guarantees import guarantees
    from tagline.runs.predictions import find_mistakes, predict_held_out, predict_split

    inputs, log = job.inputs, job.observer.log
    dataset, settings = inputs.dataset, inputs.settings
    started = time.perf_counter()
    held_out = predict_held_out(clf, rows, dataset.classes)
    validation = None
    if held_out is not None and clf.validation_ is not None:
        validation = held_out.measured(
            dataset.classes,
            task=dataset.task,
            positive=inputs.positive,
            seed=settings.seed,
            costs=settings.costs,
        )
        validation["how"] = clf.validation_.how
    test, before, guaranteed, looks = None, None, None, None
    mistakes: Callable[[], list[dict[str, Any]]] = list
    if dataset.test is not None:
        predicting = f"evaluating on {len(dataset.test):,} test texts"

        def predicted(done: int, total: int) -> None:
            if inputs.recipe.training is None:  # observers of networks expect epochs
                job.observer.progress(StepProgress(predicting, done, total))

        log(predicting)
        looks = job.record_look(dataset.test)
        test = predict_split(clf, dataset.test, dataset.classes, progress=predicted)
        if inputs.start is not None:
            before = predict_split(inputs.start.clf, dataset.test, dataset.classes)
        guaranteed = guarantees(clf.held_out_, test)
        if settings.texts:
            mistakes = partial(find_mistakes, clf, dataset.test, test, dataset.classes)
    seconds = {**clf.seconds_, "evaluate": time.perf_counter() - started}
    return Result(clf, test, guaranteed, validation, mistakes, seconds, looks, before)


def fit_folds(job: Job) -> Result:
    """Predict each fold with a model of the other folds; fit the model that is kept on all rows."""
    import numpy as np

    from tagline.many_classes import joined
    from tagline.runs.guarantees import RowsAtLevels, guarantees
    from tagline.runs.predictions import N_MISTAKES, Predicted, find_mistakes, predict_split, series_indices

    dataset, settings, log = job.inputs.dataset, job.inputs.settings, job.observer.log
    n_folds = dataset.n_folds
    assert dataset.folds is not None
    assert n_folds is not None
    texts, labels = dataset.train.texts, dataset.train.labels
    y_true = series_indices(labels, dataset.classes)
    y_pred, parts = np.zeros_like(y_true), []
    mistakes: list[dict[str, Any]] = []
    at_levels: list[RowsAtLevels] = []
    seconds = {"features": 0.0, "fit": 0.0, "evaluate": 0.0}
    looks = None
    for fold in range(n_folds):
        log(f"fold {fold + 1} of {n_folds}")
        held_out = np.flatnonzero(dataset.folds == fold)
        clf = _fit(job, dataset.train.take(np.flatnonzero(dataset.folds != fold)), None, f"fold-{fold + 1}")
        started = time.perf_counter()
        looks = looks or job.record_look(dataset.train)
        split = dataset.train.take(held_out)
        part = predict_split(clf, split, dataset.classes)
        y_pred[held_out] = part.y_pred
        parts.append(part.proba)
        if clf.held_out_ is not None:
            at_levels.append(RowsAtLevels.of(clf.held_out_, part))
        if settings.texts:
            mistakes += find_mistakes(clf, split, part, dataset.classes, numbers=held_out)
        spent = {**clf.seconds_, "evaluate": time.perf_counter() - started}
        seconds = {stage: seconds[stage] + spent[stage] for stage in seconds}
    mistakes.sort(key=lambda mistake: -mistake["probability"])
    n_train = len(dataset.train.trained)
    log(f"training on all {n_train:,} rows{'' if n_train == len(texts) else ' whose weight is not 0'}")
    clf = _fit(job, dataset.train, None, "fit")
    seconds |= {stage: seconds[stage] + clf.seconds_[stage] for stage in ("features", "fit")}
    proba = joined(parts)[np.argsort(np.argsort(dataset.folds, kind="stable"))]
    predicted = Predicted(
        y_true, y_pred, proba, dataset.train.unit, dataset.train.groups is not None, dataset.train.origin
    )
    start = job.inputs.start
    before = None if start is None else predict_split(start.clf, dataset.train, dataset.classes)
    guaranteed = None
    if len(at_levels) == n_folds:  # a model continued with the fewer rows of a fold may hold none out
        guaranteed = guarantees(clf.held_out_, predicted, RowsAtLevels.of_folds(at_levels, dataset.folds))
    return Result(clf, predicted, guaranteed, None, lambda: mistakes[:N_MISTAKES], seconds, looks, before)
