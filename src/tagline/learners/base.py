"""Interface of learners: training data, options, the fitted result, and common steps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from tagline.calibration import CALIBRATORS, Calibrator, choose_calibrator, uncalibrated
from tagline.decisions.novelty import Novelty
from tagline.decisions.rule import DecisionRule
from tagline.decisions.thresholds import choose_rule
from tagline.errors import InputError
from tagline.features.base import Featurizer
from tagline.features.sequences import Sequences
from tagline.features.tokenizer import Tokenizer
from tagline.learners.progress import Report
from tagline.many_classes import ClassMatrix, OneHot, Probabilities, as_array
from tagline.models import Model
from tagline.recipes import Recipe
from tagline.task import Bools, Floats, Ints, Task

if TYPE_CHECKING:
    from tagline.learners.feature_cache import FeatureCache
    from tagline.training import Callback

Folds = Sequence[tuple[Ints, Ints]]  # train rows and held-out rows of each fold


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Labelled texts to learn from; the last ``n_validation`` rows are validation rows that the caller named.

    Attributes:
        texts: texts, or for a network sequences of word ids, (n_texts,).
        class_matrix: which classes each text has, (n_texts, n_classes).
        task: the kind of labels.
        sample_weights: how many times each row counts, (n_texts,), above 0; None: once.
        loss_weights: these, times the weight of the row's class, (n_texts,), above 0 and scaled to a mean of 1: they
            multiply the loss. None: ``sample_weights`` are ones, and so are these.
        groups: rows of one group, (n_texts,), are held out together.
        word_index: words and their ranks, for a network; otherwise they are learned.
        train_rows: the numbers of the training rows as the caller gave them, (n_texts - n_validation,), for messages;
            None: 0, 1, ….
        unlabelled: texts without labels, (n_more,), that word vectors are learned from too.

    """

    texts: pl.Series | Sequences
    class_matrix: ClassMatrix
    task: Task
    sample_weights: Floats | None = None
    loss_weights: Floats | None = None
    groups: pl.Series | None = None
    n_validation: int = 0
    word_index: Mapping[str, int] | None = None
    train_rows: Ints | None = None
    unlabelled: pl.Series | None = None

    def __len__(self) -> int:
        return len(self.class_matrix)

    @cached_property
    def Y(self) -> Bools:  # noqa: N802  (as in formulas)
        """Return the class matrix as an array.

        Raises:
            InputError: there are too many classes and texts for one.

        """
        return as_array(self.class_matrix)

    @property
    def n_outputs(self) -> int:
        """How many outputs a model of these classes has."""
        return self.task.n_outputs(self.class_matrix.shape[1])

    def weights_of(self, rows: Ints) -> Floats:
        """Return how many times each of some rows counts, (n_rows,)."""
        return np.ones(len(rows)) if self.sample_weights is None else self.sample_weights[rows]

    def take(self, rows: Ints) -> "TrainingData":
        """Return some rows, in ascending order."""
        texts, n_train = self.texts, len(self) - self.n_validation
        return replace(
            self,
            texts=texts.take(rows) if isinstance(texts, Sequences) else texts[rows],
            class_matrix=self.class_matrix[rows],
            sample_weights=None if self.sample_weights is None else self.sample_weights[rows],
            loss_weights=None if self.loss_weights is None else self.loss_weights[rows],
            groups=None if self.groups is None else self.groups[rows],
            n_validation=int((rows >= n_train).sum()),
            train_rows=None if self.train_rows is None else self.train_rows[rows[rows < n_train]],
        )


@dataclass(frozen=True)
class FitOptions:
    """How a recipe is fitted.

    Attributes:
        seed: of everything random.
        folds: the rows to hold out, in place of those that the recipe would; a network uses the first fold.
        hold_out_all: whether to hold out all rows in turn where that is affordable, validation rows or not: a threshold
            that guarantees something needs many. A network holds out as usual.
        final: whether to refit on all rows in the end, as the recipe says; otherwise the fit ends when the held-out
            rows are predicted, and the model trained without them is returned.
        callbacks: called while a network is trained.
        checkpoints: the folder where the training of a network is kept after each epoch, and resumed from.
        feature_cache: keeps features for other fits on the same texts in the same order.
        progress: called with the progress of a fit of n-grams, from several threads in turn.
        tokenizer: of n-grams; a network has that of Keras, and takes no other.

    """

    seed: int = 0
    folds: Folds | None = None
    hold_out_all: bool = False
    final: bool = True
    callbacks: "Sequence[Callback]" = ()
    checkpoints: Path | None = None
    feature_cache: "FeatureCache | None" = None
    progress: Report | None = None
    tokenizer: Tokenizer = field(default_factory=Tokenizer)


@dataclass(frozen=True)
class HeldOut:
    """Predictions for training rows that the model had not seen, before the final fit.

    ``rows`` are indices into the texts given, (n,); ``Y`` and ``proba`` are (n, n_classes); ``how`` says in words
    how they were held out. ``unit``, (n,), is the unit of each row, which copies of a text and rows of a group share;
    None until `TextClassifier.fit` sets it.
    """

    rows: Ints
    Y: ClassMatrix
    proba: Probabilities
    how: str
    unit: Ints | None = None


@dataclass(frozen=True)
class TrainingRecord:
    """How a network was trained, epoch by epoch.

    ``history`` has a column for each figure: ``epoch``, ``loss``, ``accuracy``, ``val_loss``, …, ``seconds``;
    ``refit_history`` is that of the refit on all rows, if there was one. ``findings`` say in words where it
    overfits or underfits. ``layers`` sums the network up.
    """

    history: dict[str, list[float]]
    refit_history: dict[str, list[float]] | None
    best_epoch: int | None
    findings: list[str]
    layers: list[dict[str, Any]]


@dataclass(frozen=True)
class Fitted:
    """A fitted recipe: features, model, calibrator, and the ``rule`` that says which labels are given.

    ``calibrated_on`` are all held-out predictions, ``held_out`` those that are reported: if validation rows were given,
    only these. ``novelty`` are the scores of held-out rows that tell texts unlike them; None if there are none.
    """

    vectorizer: Featurizer
    model: Model
    calibrator: Calibrator
    rule: DecisionRule
    chosen: dict[str, Any]
    held_out: HeldOut | None
    seconds: dict[str, float]
    training: TrainingRecord | None = None
    novelty: Novelty | None = None
    calibrated_on: HeldOut | None = None


class Learner(Protocol):
    """Fits recipes of one kind of features."""

    def fit(self, recipe: Recipe, data: TrainingData, options: FitOptions) -> Fitted:
        """Choose settings on held-out rows, calibrate, and learn from all rows.

        Raises:
            InputError: there is nothing to learn from, or too many classes; or word vectors cannot be had.

        """


@dataclass(frozen=True)
class Calibration:
    """Calibrator and decision rule fitted on held-out logits, and their calibrated probabilities."""

    calibrator: Calibrator
    rule: DecisionRule
    proba: Floats  # (n_held_out, n_classes)


def check_calibration(method: str, task: Task) -> None:
    """Raise `InputError` if a calibration method of a recipe is for other tasks."""
    if method in CALIBRATORS and task not in CALIBRATORS[method].tasks:
        tasks = " and ".join(sorted(CALIBRATORS[method].tasks))
        raise InputError(
            f"The calibration `{method}` is for {tasks} data, and this is {task}: set `protocol.calibration=auto`."
        )


def calibrate(
    recipe: Recipe, data: TrainingData, folds: Folds, logits: Floats, *, knows_all: bool = False
) -> Calibration:
    """Fit the calibration that a recipe names, and choose the thresholds of label sets, on held-out rows.

    ``logits`` are those of the held-out rows, (n_held_out, n_outputs), one fold after the other. ``knows_all``: the
    models also know the classes that no training row of their fold has.
    """
    held = np.concatenate([rows for _, rows in folds])
    task, Y, weights, method = data.task, data.Y[held], data.weights_of(held), recipe.protocol.calibration
    if method == "none":
        calibrator = uncalibrated()
    else:
        methods = list(CALIBRATORS.values()) if method == "auto" else [CALIBRATORS[method]]
        absent = None if knows_all else _absent_classes(data.Y, folds)
        calibrator = choose_calibrator(methods, logits, Y, task, weights, absent)
    proba = task.probabilities(calibrator.apply(logits))
    multilabel = task is Task.MULTILABEL
    rule = choose_rule(recipe.protocol.thresholds, Y, proba, weights) if multilabel else DecisionRule()
    return Calibration(calibrator, rule, proba)


def rows_left_out(Y: ClassMatrix, folds: Folds) -> Bools:
    """Return the held-out rows, (n_held_out,), with a class that no training row of their fold has.

    They would be wrong whatever the settings are, and their probabilities say nothing about those of other rows.
    """
    if isinstance(Y, OneHot):
        return np.concatenate([~np.isin(Y.classes[held], Y.classes[train]) for train, held in folds])
    return np.concatenate([Y[held] @ ~Y[train].any(axis=0) for train, held in folds])


def describe_held_out(Y: ClassMatrix, folds: Folds, how: str) -> dict[str, Any]:
    """Return ``held_out`` of ``chosen``: how many rows, how, and how many of them were left out."""
    left_out = rows_left_out(Y, folds)
    n_left_out = int(left_out.sum())
    return {"rows": len(left_out), "how": how, **({"left_out": n_left_out} if n_left_out else {})}


def _absent_classes(Y: Bools, folds: Folds) -> Bools | None:
    """Return the classes without a training row in the fold of each held-out row; None if there are none."""
    by_fold = [~Y[train].any(axis=0) for train, _ in folds]
    if not np.any(by_fold):
        return None
    return np.repeat(by_fold, [len(held) for _, held in folds], axis=0)
