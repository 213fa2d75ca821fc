"""Paired comparison of classifiers on the same rows: significance of differences, and agreement.

All models are evaluated on the same rows; only rows that exactly one of two models classifies correctly are evidence
of a difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import diags_array

from tagline.metrics.comparison.mcnemar import paired_interval, paired_test
from tagline.metrics.counts import MANY_CLASSES, Counts, included_classes, macro_average
from tagline.metrics.intervals.bootstrap import (
    Columns,
    Interval,
    degrees_of_events,
    difference_interval,
    one_hot,
    resample_means,
)
from tagline.metrics.intervals.class_shares import FEW_ROWS, independent_rows
from tagline.metrics.intervals.shares import ALPHA
from tagline.metrics.units import CellDraws, Units
from tagline.parallel import same_on_any_cores
from tagline.task import Bools, Floats

_N_SAMPLES = 2000
_MIN_SAMPLES = 200
_MAX_DRAWS = 10_000_000
_AT_ONCE = 1_000_000

Ys = NDArray[Any]  # class indices (n,), or for multi-label data booleans (n, n_classes)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple comparisons: they control the family-wise error rate.

    The smallest is multiplied by m, the next by m - 1, and so on; corrected values do not decrease.
    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian J. of Statistics 6 (1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    m = len(p_values)
    corrected, largest = [0.0] * m, 0.0
    for rank, i in enumerate(sorted(range(m), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (m - rank) * p_values[i]))
        corrected[i] = largest
    return corrected


def agreement(first: Ys, second: Ys) -> tuple[float, float | None]:
    """Return the share of rows with the same prediction of two models, and Cohen's kappa: 0 at chance, at most 1.

    κ = (a - e) / (1 - e), with a the observed and e the expected agreement of independent models with the same
    frequencies of predictions; ``None`` if both always predict the same class. For multi-label data, a prediction is a
    set of labels.
    Source: J. Cohen, A coefficient of agreement for nominal scales, Educational and Psychological Measurement (1960).
    """
    answers = np.concatenate([first, second])
    if answers.ndim == 2:
        # Sets are numbered because a contingency table of all sets, as scikit-learn makes, may not fit into memory.
        answers = np.unique(np.packbits(answers, axis=1), axis=0, return_inverse=True)[1].ravel()
    one, other = np.split(answers, 2)
    same = float((one == other).mean())
    counts = [np.bincount(codes, minlength=int(answers.max()) + 1) / len(codes) for codes in (one, other)]
    by_chance = float(counts[0] @ counts[1])
    return same, None if by_chance >= 1 else (same - by_chance) / (1 - by_chance)


def right_rows(y_true: Ys, y_pred: Ys) -> Bools:
    """Return which rows are correct, ``(n,)``; for multi-label data, those with exactly the right set of labels."""
    same = np.asarray(y_true == y_pred)
    return np.asarray(same.all(axis=1)) if same.ndim == 2 else same


@dataclass(frozen=True)
class Samples:
    """Metrics of the models on bootstrap samples of the same rows, and on the rows themselves.

    Attributes:
        value: By name, ``(n_models,)``: ``accuracy``, ``macro_f1`` and, multi-label, ``micro_f1``.
        drawn: The same without ``accuracy``, ``(n_samples, n_models)``; of more than 500 labels without ``macro_f1``.
        class_value: F1 of each class, ``(n_models, n_classes)``; ``nan`` if neither labels nor predictions have it.
        class_drawn: The same, ``(n_samples, n_models, n_classes)``; ``None`` of more than 500 classes.
        rarest: The rows of the rarest class.
        right: Which rows each model has right, ``(n_models, n)``.
        units: What was drawn, if not rows.

    """

    value: dict[str, Floats]
    drawn: dict[str, Floats]
    class_value: Floats
    class_drawn: Floats | None
    rarest: int
    right: Bools
    units: Units | None


@dataclass(frozen=True)
class Difference:
    """Second minus first model, with its interval, ``None`` if the bootstrap samples do not vary, and the p value."""

    value: float
    interval: Interval | None
    p: float | None


@same_on_any_cores()
def resample(
    y_true: Ys, predictions: Sequence[Ys], n_classes: int, seed: int = 0, units: Units | None = None
) -> Samples:
    """Paired bootstrap of the metrics of several models: each sample draws the same rows, or units, for all of them.

    It draws 2,000 samples, fewer for very many rows or classes, at least 200; see ``intervals``.

    Args:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        predictions: Of each model, as ``y_true``.
        n_classes: The number of classes.
        seed: Of the draws.
        units: Of the rows, if some have several.

    """
    rng = np.random.default_rng(seed)
    if y_true.ndim == 2:
        return _resample_sets(y_true.astype(bool), [p.astype(bool) for p in predictions], n_classes, units, rng)
    return _resample_single(y_true, predictions, n_classes, units, rng)


def difference(samples: Samples, figure: str, first: int, second: int, alpha: float = ALPHA) -> Difference:
    """Return the metric of model ``second`` minus that of ``first``, with its paired interval of level 1 - ``alpha``.

    For accuracy, p is that of McNemar's test, and the interval excludes 0 if and only if p is at most ``alpha`` (see
    ``mcnemar``). Those of other metrics are from the bootstrap, and agree in the same way;
    the macro F1 has none if a class has fewer than 5 rows.
    """
    value = float(samples.value[figure][second] - samples.value[figure][first])
    if figure == "accuracy":
        one, other = samples.right[first], samples.right[second]
        return Difference(
            value, paired_interval(one, other, samples.units, alpha), paired_test(one, other, samples.units)
        )
    if figure not in samples.drawn or (figure == "macro_f1" and samples.rarest < FEW_ROWS):
        return Difference(value, None, None)
    drawn = samples.drawn[figure][:, second] - samples.drawn[figure][:, first]  # (n_samples,)
    return Difference(value, *difference_interval(drawn, value, _degrees(samples, first, second), alpha))


def _degrees(samples: Samples, first: int, second: int) -> float:
    changed = samples.right[first] != samples.right[second]
    return degrees_of_events(independent_rows(changed, samples.units), samples.units)


def class_differences(samples: Samples, first: int, second: int) -> list[tuple[float | None, Interval | None]]:
    """Return for each class the F1 of model ``second`` minus that of ``first``, and its paired 95 % interval."""
    values = samples.class_value[second] - samples.class_value[first]  # (n_classes,)
    degrees = _degrees(samples, first, second)
    found: list[tuple[float | None, Interval | None]] = []
    for k, value in enumerate(values.tolist()):
        if value != value:
            found.append((None, None))
        elif samples.class_drawn is None:
            found.append((value, None))
        else:
            drawn = samples.class_drawn[:, second, k] - samples.class_drawn[:, first, k]  # (n_samples,)
            drawn = drawn[~np.isnan(drawn)]  # without samples that have no row of the class
            found.append((value, difference_interval(drawn, value, degrees)[0]))
    return found


def dominated(accuracies: Sequence[float], *costs: Sequence[float | None]) -> list[list[int]]:
    """Return for each model those that are as accurate and as cheap in each way or more, and better in something.

    A model of which a cost is not known dominates none and is dominated by none.

    >>> dominated([0.90, 0.92, 0.89], [1.0, 4.0, 2.0])
    [[], [], [0]]
    """
    merits = [
        (accuracy, *(None if c is None else -c for c in paid))
        for accuracy, *paid in zip(accuracies, *costs, strict=True)
    ]
    return [[j for j, other in enumerate(merits) if _beats(other, mine)] for mine in merits]


def _beats(other: Sequence[float | None], mine: Sequence[float | None]) -> bool:
    pairs = [
        (theirs, ours) for theirs, ours in zip(other, mine, strict=True) if theirs is not None and ours is not None
    ]
    return len(pairs) == len(mine) and all(t >= o for t, o in pairs) and any(t > o for t, o in pairs)


def _resample_single(
    truth: Ys, predictions: Sequence[Ys], n_classes: int, units: Units | None, rng: np.random.Generator
) -> Samples:
    """Draw how often each combination of truth and answers comes: the same bootstrap as row by row, exactly."""
    code = truth.astype(np.int64)
    for prediction in predictions:
        code = np.unique(code * n_classes + prediction, return_inverse=True)[1]
    _, first, cell = np.unique(code, return_index=True, return_inverse=True)
    draws = CellDraws.of_rows(cell, len(first), units)
    truth, answers = truth[first], [prediction[first] for prediction in predictions]  # (n_cells,) each
    widest = max(len(first), len(draws.counts), n_classes)
    n_samples = max(_MIN_SAMPLES, min(_N_SAMPLES, _MAX_DRAWS // widest))
    of_truth = one_hot(truth, n_classes)
    of_answer = [one_hot(answer, n_classes) for answer in answers]
    of_right = [diags_array((answer == truth).astype(float)) @ of_truth for answer in answers]

    def counts_of(drawn: Floats) -> list[Counts]:
        support, n = drawn @ of_truth, drawn.sum(1, keepdims=True)  # (size, n_classes), (size, 1)
        return [
            Counts.from_totals(drawn @ right, drawn @ answer, support, n)
            for right, answer in zip(of_right, of_answer, strict=True)
        ]

    whole = counts_of(np.bincount(cell)[None, :].astype(float))
    right = np.stack([(answer == truth)[cell] for answer in answers])
    step = max(1, _AT_ONCE // widest)
    figures: list[dict[str, Floats]] = []
    classes: list[Floats] = []
    for start in range(0, n_samples, step):
        counts = counts_of(draws.draw(min(step, n_samples - start), rng))
        figures.append(_figures(counts, whole))
        if n_classes <= MANY_CLASSES:
            classes.append(_class_f1(counts))
    return Samples(
        {"accuracy": right.mean(1), "macro_f1": _figures(whole, whole)["macro_f1"][0]},
        {"macro_f1": np.concatenate([of["macro_f1"] for of in figures])},
        _class_f1(whole)[0],
        np.concatenate(classes) if classes else None,
        int(whole[0].support.min()),
        right,
        units,
    )


def _resample_sets(
    truth: Bools, predictions: Sequence[Bools], n_classes: int, units: Units | None, rng: np.random.Generator
) -> Samples:
    """Resample rows of label sets; with very many labels, only metrics that pool the labels."""
    n = len(truth)
    factors = [(truth,), *(each for p in predictions for each in ((truth, p), (p,)))]  # of truth, hits, predictions, …
    right = np.stack([right_rows(truth, p) for p in predictions])  # (n_models, n)
    pooled = n_classes > MANY_CLASSES
    columns = Columns(n, [])
    for matrices in factors:
        # Products are formed one block at a time: all of them may not fit in memory.
        columns = columns.followed_by(
            Columns.of(reduce(np.logical_and, matrices).mean(1, keepdims=True))
            if pooled
            else Columns.of_booleans(*matrices)
        )
    means = resample_means(columns, _N_SAMPLES, rng, units)
    drawn = _set_counts(np.split(means, len(factors), axis=1))
    whole = _set_counts([reduce(np.logical_and, matrices).mean(0, keepdims=True) for matrices in factors])
    names = ("micro_f1",) if pooled else ("macro_f1", "micro_f1")
    value, samples = _figures(whole, whole), _figures(drawn, None if pooled else whole)
    return Samples(
        {"accuracy": right.mean(1)} | {name: value[name][0] for name in ("macro_f1", "micro_f1")},
        {name: samples[name] for name in names},
        _class_f1(whole)[0],
        None if pooled else _class_f1(drawn),
        int(truth.sum(0).min()),
        right,
        units,
    )


def _set_counts(parts: Sequence[Floats]) -> list[Counts]:
    support, rest = parts[0], parts[1:]
    return [
        Counts.from_totals(tp, predicted, support, 1.0) for tp, predicted in zip(rest[::2], rest[1::2], strict=True)
    ]


def _figures(of_models: Sequence[Counts], whole: Sequence[Counts] | None) -> dict[str, Floats]:
    """Return averaged F1s, ``(n_samples, n_models)``; ``whole``: the counts of the rows, ``None`` if pooled."""
    included = [of.seen if whole is None else included_classes(of, whole[k]) for k, of in enumerate(of_models)]
    macro = [macro_average(of.f1, classes) for of, classes in zip(of_models, included, strict=True)]
    return {"macro_f1": np.stack(macro, -1), "micro_f1": np.stack([of.pooled.f1 for of in of_models], -1)}


def _class_f1(of_models: Sequence[Counts]) -> Floats:
    """Return F1 of each class, ``(n_samples, n_models, n_classes)``; ``nan`` if the class does not occur."""
    return np.stack([np.where(of.seen, of.f1, np.nan) for of in of_models], axis=1)
