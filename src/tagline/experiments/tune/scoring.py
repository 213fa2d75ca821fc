"""Evaluation of a recipe on held-out folds, in a worker process of a search."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.compiled import COMPILED
from tagline.data.splits import fold_rows, matrix_strata
from tagline.decisions.rule import DecisionRule
from tagline.engines.base import Report, Work
from tagline.experiments.shared_data import SharedData, read_shared_data
from tagline.experiments.tune.objective import METRICS, Metric, Rows
from tagline.learners import Fitted
from tagline.many_classes import as_array, probability_array
from tagline.recipes import Recipe, make_recipe
from tagline.task import Ints, Task

N_FOLDS = 5
_ENOUGH_VALIDATION = 5_000  # validation rows that are enough as the only fold
_FEWEST = 2 * N_FOLDS
_TIMED = 24  # texts whose latency is measured


@dataclass(frozen=True)
class EvaluationTask:
    """Evaluate a recipe on some folds, in this order; ``measured``: measure size and latency on the first."""

    number: int
    recipe: dict[str, Any]
    folds: tuple[int, ...]
    measured: bool


@dataclass(frozen=True)
class Cost:
    """Costs of a model: approximate size on disk, and the median latency of one text.

    N-grams are counted in all rows, so that a model of some rows is as large as one of all. The vocabulary of a network
    is that of its train rows, limited by its recipe.
    """

    size_mb: float
    latency_ms: float


@dataclass(frozen=True, eq=False)
class FoldResult:
    """The result of a recipe on one fold: what the metric keeps of each row, and the seconds of each stage."""

    fold: int
    rows: Rows
    seconds: dict[str, float]
    cost: Cost | None = None


@dataclass(frozen=True)
class EvaluationContext:
    """Context of all evaluations of a search: the folder of the shared data, the metric, the seed."""

    folder: Path
    metric: str
    seed: int


class Folds:
    """The folds of a search: the given validation rows, then a partition into folds, then further random partitions.

    The train rows of a fold are all other rows except copies, and members of the groups, of its held-out rows. If there
    are many validation rows, or too few others for folds, the validation rows are the only fold.
    """

    def __init__(self, shared: SharedData, seed: int) -> None:
        self._n, self._n_validation = len(shared.texts), shared.n_validation
        self._unit = shared.unit
        self._partitioned = self._is_enough(self._n - self._n_validation)
        self._stratum = matrix_strata(shared.Y)
        self._seed = seed

    @property
    def exist(self) -> bool:
        """Whether there are enough rows to hold some out."""
        return self._partitioned or (self._n_validation >= _FEWEST and self._is_enough(self._n))

    def _is_enough(self, n: int) -> bool:
        """Return whether the first ``n`` rows give every fold some."""
        return n >= _FEWEST and len(np.unique(self._unit[:n])) >= N_FOLDS

    @property
    def validation_first(self) -> bool:
        """Whether the first fold holds out the given validation rows."""
        return self._n_validation > 0

    @property
    def n_first(self) -> int:
        """Number of folds that hold out every row once."""
        return N_FOLDS + self.validation_first if self.unlimited else 1

    @property
    def unlimited(self) -> bool:
        """Whether there are further folds, of other random partitions."""
        return self._partitioned and self._n_validation < _ENOUGH_VALIDATION

    def unit(self, fold: int) -> Ints:
        """Return the unit of each held-out row of a fold: copies of a text, and rows of a group, share one."""
        return self._unit[self.rows(fold)[1]]

    def rows(self, fold: int) -> tuple[Ints, Ints]:
        """Return the train rows and the held-out rows of a fold."""
        n_train = self._n - self._n_validation
        if self.validation_first and fold == 0:
            apart = np.flatnonzero(~np.isin(self._unit[:n_train], self._unit[n_train:]))
            return apart if len(apart) else np.arange(n_train), np.arange(n_train, self._n)
        partition, number = divmod(fold - self.validation_first, N_FOLDS)
        unit = np.unique(self._unit[:n_train], return_inverse=True)[1]
        fold_of = fold_rows(unit, self._stratum[:n_train], N_FOLDS, seed=self._seed + partition)
        held_out = np.flatnonzero(fold_of == number)
        return np.flatnonzero(~np.isin(self._unit, self._unit[held_out])), held_out


def prepare(context: EvaluationContext) -> Work:
    """Return the function that runs an `EvaluationTask`; called once in each worker."""
    if not COMPILED:  # otherwise the import would count as time of the first fit
        import sklearn.linear_model
        import sklearn.svm  # noqa: F401

    shared = read_shared_data(context.folder)
    folds = Folds(shared, context.seed)
    metric = METRICS[context.metric]

    def evaluate(task: EvaluationTask, report: Report) -> None:
        recipe = make_recipe(task.recipe, "found by the search")
        for fold in task.folds:
            fitted, result = evaluate_fold(shared, folds, recipe, metric, fold, context.seed)
            if task.measured and fold == task.folds[0]:
                texts = shared.texts[folds.rows(fold)[1][:_TIMED].tolist()]
                result = replace(result, cost=measure_cost(fitted, texts))
            if not report(result):
                return

    return evaluate


def evaluate_fold(
    shared: SharedData, folds: Folds, recipe: Recipe, metric: Metric, fold: int, seed: int
) -> tuple[Fitted, FoldResult]:
    """Fit a recipe on the train rows of a fold; return the fit and its result on the held-out rows."""
    fitted = shared.fit(recipe, seed, [folds.rows(fold)])
    held_out = fitted.held_out
    assert held_out is not None
    Y, proba = as_array(held_out.Y), probability_array(held_out.proba)
    decided = _decide(proba, fitted.rule, shared.task)
    rows = metric.kept(Y, proba, decided, shared.task)
    return fitted, FoldResult(fold, rows, fitted.seconds)


def _decide(proba: NDArray[np.float64], rule: DecisionRule, task: Task) -> NDArray[np.bool_]:
    """Return the decisions as a class matrix, (n, n_classes)."""
    if task is Task.MULTILABEL:
        return rule.decide(proba, task)
    decided = np.zeros(proba.shape, dtype=bool)
    decided[np.arange(len(proba)), proba.argmax(axis=1)] = True
    return decided


def measure_cost(fitted: Fitted, texts: Sequence[str]) -> Cost:
    """Return the size of a model on disk without its header, and the median latency of the texts."""
    arrays: list[NDArray[Any]] = [*fitted.vectorizer.arrays().values(), *fitted.model.arrays().values()]
    size = sum(array.nbytes for array in arrays) + sum(
        len(text.encode()) for text in fitted.vectorizer.texts().values()
    )
    times = []
    for text in texts:
        started = time.perf_counter()
        fitted.model.logits(fitted.vectorizer.transform(pl.Series([text], dtype=pl.String)))
        times.append(time.perf_counter() - started)
    return Cost(size / 1e6, 1e3 * float(np.median(times)))
