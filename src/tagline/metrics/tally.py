"""Tallies: the counts of rows and of their bootstrap samples, from which metrics are computed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tagline.metrics.counts import (
    MANY_CLASSES,
    Counts,
    confusion_cells,
    confusion_matrix,
    included_classes,
    ratio,
)
from tagline.metrics.intervals.bootstrap import Columns, resample_cells, resample_confusion, resample_means
from tagline.metrics.units import CellDraws, Units
from tagline.task import Bools, Floats, Ints, Task


@dataclass(frozen=True)
class Tally:
    """Counts of rows, or with leading axes of many bootstrap samples.

    Attributes:
        counts: Of each class, or of all labels pooled, ``(..., n_classes)``; of samples they may be shares of rows.
        included: Which classes enter macro averages, ``(..., n_classes)``.
        exact: Share of rows predicted correctly, with all of their labels, ``(...)``.
        task: What the labels are.

    """

    counts: Counts
    included: Bools
    exact: Floats
    task: Task

    @classmethod
    def of(cls, counts: Counts, exact: Floats, task: Task) -> "Tally":
        """Return the tally of rows: averages include the classes of truth or predictions."""
        return cls(counts, counts.seen, exact, task)

    def sample(self, counts: Counts, exact: Floats) -> "Tally":
        """Return the tally of bootstrap samples of these rows."""
        return Tally(counts, included_classes(counts, self.counts), exact, self.task)


@dataclass(frozen=True)
class Tallies:
    """The tally of the rows and those of bootstrap samples.

    Attributes:
        rows: Of the rows themselves.
        samples: Of a few samples each; to be iterated once.
        counts: Of each class in all samples, ``(n_samples, n_classes)``; ``None`` of very many classes.
        confusion: The entries of a block for the confusion matrix.

    """

    rows: Tally
    samples: Iterable[Tally]
    counts: Counts | None
    confusion: dict[str, Any]


def tally_labels(
    truth: Bools, prediction: Bools, units: Units | None, n_bootstrap: int, rng: np.random.Generator
) -> Tallies:
    """Tally sets of labels, ``(n, n_classes)``; of very many labels the samples have pooled counts only."""
    n, n_classes = truth.shape
    exact = (truth == prediction).all(1)
    tp, predicted, support = (matrix.sum(0).astype(float) for matrix in (truth & prediction, prediction, truth))
    counts = Counts.from_totals(tp, predicted, support, float(n))
    rows = Tally.of(counts, ratio(exact.sum(), n), Task.MULTILABEL)
    cells = np.stack((counts.tn, counts.fp, counts.fn, counts.tp), -1).reshape(-1, 2, 2)
    confusion = {"confusion_matrix": cells.astype(int).tolist()}
    if n_classes > MANY_CLASSES:
        shares = [(truth & prediction).mean(1), prediction.mean(1), truth.mean(1), exact]
        means = resample_means(Columns.of(np.stack(shares, 1)), n_bootstrap, rng, units)
        tp, predicted, support = np.split(means[:, :-1], 3, axis=1)
        pooled = Counts.from_totals(tp, predicted, support, 1.0)  # (n_samples, 1)
        return Tallies(rows, [Tally.of(pooled, means[:, -1], Task.MULTILABEL)], None, confusion)
    columns = Columns.of_booleans(truth, prediction).followed_by(Columns.of_booleans(prediction))
    columns = columns.followed_by(Columns.of_booleans(truth)).followed_by(Columns.of(exact[:, None]))
    means = resample_means(columns, n_bootstrap, rng, units)  # (n_samples, 3 n_classes + 1)
    tp, predicted, support = np.split(means[:, :-1], 3, axis=1)
    sampled = Counts.from_totals(tp, predicted, support, 1.0)
    return Tallies(rows, [rows.sample(sampled, means[:, -1])], sampled, confusion)


def tally_classes(
    truth: Ints,
    prediction: Ints,
    n_classes: int,
    task: Task,
    units: Units | None,
    n_bootstrap: int,
    rng: np.random.Generator,
) -> Tallies:
    """Tally rows of one class each, ``(n,)``; of very many classes the samples come a few at a time."""
    n = len(truth)
    exact = ratio((truth == prediction).sum(), n)
    if n_classes <= MANY_CLASSES:
        matrix = confusion_matrix(truth, prediction, n_classes)
        m = matrix.astype(float)
        rows = Tally.of(Counts.from_totals(m.diagonal(), m.sum(0), m.sum(1), m.sum()), exact, task)
        filled = np.flatnonzero(matrix)
        draws = CellDraws.of_rows(np.searchsorted(filled, truth * n_classes + prediction), len(filled), units)
        sampled = resample_confusion(matrix, draws, n_bootstrap, rng)
        sample = rows.sample(sampled, ratio(sampled.tp.sum(-1), sampled.support.sum(-1)))
        return Tallies(rows, [sample], sampled, {"confusion_matrix": matrix.tolist()})
    cells, cell_of_rows = confusion_cells(truth, prediction, n_classes)
    draws = CellDraws.of_rows(cell_of_rows, len(cells[0]), units)
    rows = Tally.of(_counts_of_cells(*cells, n_classes), exact, task)
    samples = (
        rows.sample(counts, ratio(counts.tp.sum(-1), counts.support.sum(-1)))
        for counts in resample_cells(*cells[:2], draws, n_classes, n_bootstrap, rng)
    )
    listed = {key: part.tolist() for key, part in zip(("rows", "columns", "counts"), cells, strict=True)}
    return Tallies(rows, samples, None, {"confusion_matrix": None, "confusion": listed})


def _counts_of_cells(truth: Ints, prediction: Ints, cells: Ints, n_classes: int) -> Counts:
    right = truth == prediction
    return Counts.from_totals(
        np.bincount(truth[right], cells[right], n_classes).astype(float),
        np.bincount(prediction, cells, n_classes).astype(float),
        np.bincount(truth, cells, n_classes).astype(float),
        float(cells.sum()),
    )
