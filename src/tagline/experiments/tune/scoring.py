"""What a recipe is worth, part by part of the rows held out: what a process of a search does."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tagline.data.splits import copy_keys, fold_rows, strata, units
from tagline.experiments.shared_data import Ints, Material, read_material
from tagline.experiments.tune.objective import METRICS, Metric, Rows
from tagline.experiments.workers import Report, Work
from tagline.learners import Fitted
from tagline.recipes import Recipe, make_recipe
from tagline.task import Task as AnswerTask

N_FOLDS = 5
_ENOUGH_GIVEN = 5_000  # validation rows, from which on they alone decide
_FEWEST = 2 * N_FOLDS
_TIMED = 24  # texts taken one by one


@dataclass(frozen=True)
class Task:
    """Judge a recipe on some parts, by number, in this order; ``measured``: tell size and speed with the first."""

    number: int
    recipe: dict[str, Any]
    parts: tuple[int, ...]
    measured: bool


@dataclass(frozen=True, eq=False)
class Part:
    """What a recipe is worth on one part: what the metric keeps of each row, and what took how long."""

    part: int
    rows: Rows
    seconds: dict[str, float]
    cost: "Cost | None" = None


@dataclass(frozen=True)
class Cost:
    """What it takes to keep and to ask a model: bytes on disk, about, and the median time of one text.

    N-grams are counted over all rows, whichever are learnt from, so that a fit to some is as large as one to all; a
    network's words are those of the rows that it learns from, as many as its recipe says at most.
    """

    size_mb: float
    latency_ms: float


@dataclass(frozen=True)
class Judging:
    """What every process is told once: where the material is, what counts, the seed."""

    folder: Path
    metric: str
    seed: int


class Parts:
    """The parts of the rows: validation rows that were given, then folds, and more folds drawn anew as long as asked.

    Each part is held out once; what is learnt from are all other rows, but for copies and groups of those held out.
    Where many validation rows are given, or too few others to make folds of, they are the only part.
    """

    def __init__(self, material: Material, seed: int) -> None:
        groups = material.groups
        self._n, self._n_given = len(material.texts), material.n_given
        self._unit = units(copy_keys(material.texts), groups)
        self._folded = self._many_enough(self._n - self._n_given)
        self._stratum = strata(pl.Series(material.Y.argmax(axis=1)))
        self._seed = seed

    @property
    def enough(self) -> bool:
        """Whether there are rows enough to hold some out."""
        return self._folded or (self._n_given >= _FEWEST and self._many_enough(self._n))

    def _many_enough(self, n: int) -> bool:
        """Say whether the first ``n`` rows give every fold some."""
        return n >= _FEWEST and len(np.unique(self._unit[:n])) >= N_FOLDS

    @property
    def first(self) -> int:
        """How many parts hold out every row that may be once."""
        return N_FOLDS + (self._n_given > 0) if self.more else 1

    @property
    def more(self) -> bool:
        """Whether there are parts beyond the first, drawn anew."""
        return self._folded and self._n_given < _ENOUGH_GIVEN

    def rows(self, part: int) -> tuple[Ints, Ints]:
        """Return (rows to learn from, rows held out)."""
        n_train = self._n - self._n_given
        if self._n_given and part == 0:
            apart = np.flatnonzero(~np.isin(self._unit[:n_train], self._unit[n_train:]))
            return apart if len(apart) else np.arange(n_train), np.arange(n_train, self._n)
        again, fold = divmod(part - (self._n_given > 0), N_FOLDS)
        unit = np.unique(self._unit[:n_train], return_inverse=True)[1]
        folds = fold_rows(unit, self._stratum[:n_train], N_FOLDS, seed=self._seed + again)
        held = np.flatnonzero(folds == fold)
        return np.flatnonzero(~np.isin(self._unit, self._unit[held])), held


def prepare(judging: Judging) -> Work:
    """Return what judges a `Task`."""
    import sklearn.linear_model
    import sklearn.svm  # noqa: F401  (imported within the first fit, it would count as a second of that)

    material = read_material(judging.folder)
    parts = Parts(material, judging.seed)
    metric = METRICS[judging.metric]

    def judge(task: Task, report: Report) -> None:
        recipe = make_recipe(task.recipe, "found by the search")
        for number in task.parts:
            fitted, told = judge_part(material, parts, recipe, metric, number, judging.seed)
            if task.measured and number == task.parts[0]:
                cost = measure_cost(fitted, material.texts[parts.rows(number)[1][:_TIMED].tolist()])
                told = Part(told.part, told.rows, told.seconds, cost)
            if not report(told):
                return

    return judge


def judge_part(
    material: Material, parts: Parts, recipe: Recipe, metric: Metric, number: int, seed: int
) -> tuple[Fitted, Part]:
    """Fit a recipe without the rows of one part, and return the fit and what it is worth on them."""
    fitted = material.fit(recipe, seed, [parts.rows(number)])
    held = fitted.held_out
    assert held is not None
    decided = _decided(held.proba, fitted.threshold, material.task)
    return fitted, Part(number, metric.kept(held.Y, held.proba, decided, material.task), fitted.seconds)


def _decided(proba: NDArray[np.float64], threshold: float, task: AnswerTask) -> NDArray[np.bool_]:
    """Return which labels are given, (n, n_classes)."""
    if task is AnswerTask.MULTILABEL:
        return task.decide(proba, threshold)
    decided = np.zeros(proba.shape, dtype=bool)
    decided[np.arange(len(proba)), proba.argmax(axis=1)] = True
    return decided


def measure_cost(fitted: Fitted, texts: Sequence[str]) -> Cost:
    """Return what a model takes on disk, but for its header, and the median time of one of the texts."""
    arrays: list[NDArray[Any]] = [*fitted.vectorizer.arrays().values(), *fitted.model.arrays().values()]
    size = sum(array.nbytes for array in arrays) + sum(
        len(text.encode()) for text in fitted.vectorizer.texts().values()
    )
    times = []
    for text in texts:
        began = time.perf_counter()
        fitted.model.logits(fitted.vectorizer.transform(pl.Series([text], dtype=pl.String)))
        times.append(time.perf_counter() - began)
    return Cost(size / 1e6, 1e3 * float(np.median(times)))
