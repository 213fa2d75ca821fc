"""Metrics with 95 % intervals as one dictionary, the content of a block of ``metrics.json``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError, nearest
from tagline.many_classes import Probabilities, TopProbabilities
from tagline.metrics.calibration_error import calibration_interval
from tagline.metrics.counts import MANY_CLASSES, Counts
from tagline.metrics.intervals.bootstrap import (
    Columns,
    Interval,
    bounded_interval,
    degrees_of,
    degrees_of_events,
    delta_interval,
    mean_interval,
    resample_means,
)
from tagline.metrics.intervals.class_shares import (
    FEW_ROWS,
    ShareEnds,
    events,
    interval_of_each_class,
    interval_of_mean,
    interval_of_share,
    rarer_rows,
)
from tagline.metrics.intervals.mean_costs import mean_cost_interval
from tagline.metrics.intervals.mean_losses import loss_columns, standard_errors
from tagline.metrics.ranking import rank
from tagline.metrics.registry import (
    Area,
    MeanCost,
    MeanOfRows,
    Metric,
    OfBins,
    OfCounts,
    OfEachClass,
    OfTop,
    metrics_of,
)
from tagline.metrics.tally import Tallies, tally_classes, tally_labels
from tagline.metrics.units import Units
from tagline.parallel import same_on_any_cores
from tagline.task import Bools, Floats, Task

POSITIVE_NAMES = ("pos", "positive", "yes", "true", "spam", "1")


def positive_class(classes: Sequence[str], positive: str | None = None) -> str:
    """Return the name of the positive one of two classes.

    It is ``positive`` if given, else the class named pos, positive, yes, true, spam or 1 in any case, else
    the last.

    Raises:
        InputError: ``positive`` is not one of ``classes``.

    >>> positive_class(["neg", "pos"]), positive_class(["ham", "Spam"]), positive_class(["a", "b"])
    ('pos', 'Spam', 'b')

    """
    if positive is not None:
        if positive not in classes:
            known = ", ".join(f"`{name}`" for name in classes)
            raise InputError(f"`{positive}` is not a class of this data; they are {known}.{nearest(positive, classes)}")
        return positive
    by_lower = {name.lower(): name for name in reversed(classes)}
    return next((by_lower[name] for name in POSITIVE_NAMES if name in by_lower), classes[-1])


@same_on_any_cores()
def measure(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    proba: ArrayLike | TopProbabilities | None,
    classes: Sequence[str],
    *,
    task: str,
    positive: str | None = None,
    seed: int = 0,
    n_bootstrap: int = 1000,
    units: ArrayLike | None = None,
    costs: ArrayLike | None = None,
) -> dict[str, Any]:
    """Measure predictions: plain Python numbers that are finite or ``None``, ready for JSON.

    The 95 % interval of a metric ``name`` is ``name_ci95``, ``[low, high]``. Shares, such as accuracy and the recall of
    a class, have Wilson's (see ``shares``); means over classes, log loss, Brier score and calibration error have
    bootstrap intervals; areas under curves have DeLong's or its like (see ``intervals`` and ``ranking``). An interval
    is ``None`` where the rows cannot tell: of means over classes if a class has fewer than 5 rows, and of the area of
    such a class; of the macro F1 of a classifier that made no mistake. ``benchmarks/coverage.py`` measures how often
    intervals contain the truth. Where several rows form a unit, such as copies of a text, intervals are
    those of drawing units; ``n_units`` counts them, and ``n_effective`` is the number of independent rows that would
    tell as much about the accuracy (see ``units``).

    * ``confusion_matrix``: truth in rows, prediction in columns. Multi-label: a list of
      ``[[tn, fp], [fn, tp]]``, one for each label.
    * ``macro_*``: the mean over classes that occur in the truth or in the predictions, as in scikit-learn.
    * ``accuracy``: multi-label: of whole label sets, beside ``hamming_loss``.
    * ``brier``: two classes: mean (p - y)², 0 to 1; several: mean Σ_k (p_k - y_k)², 0 to 2; multi-label: the
      mean over labels. ``log_loss`` is in nats; multi-label: the mean over labels.
    * ``roc_auc``, ``pr_auc`` (average precision): of the positive class; several classes: the mean of one
      against the rest over classes that the rows hold.
    * ``ece``: biased upwards, by noise. ``ece_chance`` is the 97.5 % quantile of what a perfectly calibrated model
      would show on as many rows: an error that is not larger may be chance, and its interval begins at 0.
    * ``mcc``: Matthews' coefficient; multi-label: the mean over labels.
    * ``mean_cost``: only with ``costs``; ``mean_cost_most_probable`` is that of predicting the most probable class.
    * ``per_class``: each class against the rest; ``None`` where neither truth nor predictions hold the class.

    Of more than 500 classes, ``per_class`` has no intervals. Instead of ``confusion_matrix``, which is ``None``,
    ``confusion`` holds its cells that are not 0, as ``{"rows": [...], "columns": [...], "counts": [...]}``: indices
    of truth and prediction, and rows. Multi-label: the list of ``confusion_matrix`` stays; macro and weighted
    figures, ``mcc`` and ``ece`` have no interval.

    Args:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None`` for a classifier without. `TopProbabilities`, those of a
            label tree, give no areas under curves, but ``top5_accuracy``; their log loss has for a class that is not
            among the most probable ones what these lack to 1, divided by the number of other classes.
        classes: Names in the order of the indices.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.
        positive: The positive one of two classes, see ``positive_class``.
        seed: Of the bootstrap.
        n_bootstrap: Bootstrap samples.
        units: The unit of each row, ``(n,)`` integers; by default each row is its own.
        costs: The cost of each prediction, ``(n_classes, n_classes)``, truth in rows; not of several labels a text.

    Raises:
        InputError: ``positive`` is not a class, or there is not one row to measure.
        ValueError: Shapes do not fit, or a probability is not a number.

    Examples:
        >>> block = measure([0, 1, 1], [0, 1, 0], None, ["neg", "pos"], task="binary")
        >>> block["positive"], block["tp"], block["fn"], block["precision"]
        ('pos', 1, 1, 1.0)

    """
    task = Task(task)
    rng = np.random.default_rng(seed)
    names = list(classes)
    truth, prediction = np.asarray(y_true), np.asarray(y_pred)
    p = proba if proba is None or isinstance(proba, TopProbabilities) else np.asarray(proba, float)
    _check(truth, prediction, p, len(names), task)
    repeated = Units.repeated(units)
    if task is Task.MULTILABEL:
        truth, prediction = truth.astype(bool), prediction.astype(bool)
        wrong = (truth != prediction).any(1)
        tallies = tally_labels(truth, prediction, repeated, n_bootstrap, rng)
        labels = (truth, prediction)
    else:
        indices = (truth.astype(np.int64), prediction.astype(np.int64))
        wrong = indices[0] != indices[1]
        tallies = tally_classes(*indices, len(names), task, repeated, n_bootstrap, rng)
        labels = indices
    block: dict[str, Any] = {"n": len(truth)}
    if repeated is not None:
        block |= {"n_units": repeated.n, "n_effective": round(repeated.effective_rows(wrong), 2)}
    ends = {}
    if tallies.counts is not None:
        shares = [(metric.name, of.part, of.whole, of.of_share) for metric, of in metrics_of(task, OfEachClass)]
        ends = interval_of_each_class(shares, tallies.rows.counts, *labels, repeated)
    block |= _count_block(tallies, task, repeated, ~wrong, ends)
    per_class = _per_class(names, tallies.rows.counts, task, ends)
    if task.has_positive:
        name = positive_class(names, positive)
        block |= {"positive": name} | {key: value for key, value in per_class[name].items() if key != "support"}
    if p is not None:
        block |= _row_block(truth, p, task, repeated, n_bootstrap, rng)
        if isinstance(p, TopProbabilities):
            block |= _top_block(truth, p, task, repeated)
        else:
            block |= _area_block(truth, p, per_class, task, repeated, block.get("positive"))
    if costs is not None and task is not Task.MULTILABEL:
        block |= _cost_block(labels, np.asarray(costs, float), task, repeated)
        if p is not None:
            most_probable = np.asarray(costs, float)[labels[0], p.argmax(axis=1)]
            block["mean_cost_most_probable"] = float(most_probable.mean())
    return block | tallies.confusion | {"per_class": per_class}


def _check(truth: NDArray[Any], prediction: NDArray[Any], p: Probabilities | None, n_classes: int, task: Task) -> None:
    if len(truth) == 0:
        raise InputError("There is no row to measure: the split is empty.")
    shape = (len(truth), n_classes) if task is Task.MULTILABEL else (len(truth),)
    if truth.shape != shape or prediction.shape != shape:
        raise ValueError(f"Truth {truth.shape} and predictions {prediction.shape} should both be {shape}.")
    if p is not None and p.shape != (len(truth), n_classes):
        raise ValueError(f"Probabilities have the shape {p.shape}, not {(len(truth), n_classes)}.")
    if p is not None and not np.isfinite(p.values if isinstance(p, TopProbabilities) else p).all():
        raise ValueError("A probability is not a finite number.")


def _count_block(
    tallies: Tallies, task: Task, units: Units | None, right: Bools, ends: Mapping[str, ShareEnds]
) -> dict[str, Any]:
    """Return the metrics of counts; ``right``: which rows are, ``(n,)``; ``ends``: of the metrics of each class."""
    metrics = metrics_of(task, OfCounts)
    counts = tallies.rows.counts
    samples: dict[str, list[Floats]] = {metric.name: [] for metric, _ in metrics}
    for sample in tallies.samples:
        resampled_as_pooled = sample.counts.tp.shape[-1] < len(counts.tp)
        for metric, compute in metrics:
            if compute.pooled or not resampled_as_pooled:
                samples[metric.name].append(compute.value(sample))
    accuracy = interval_of_share(right, units)
    degrees = degrees_of_events(events(right, task, units), units)
    few = bool(counts.support.min() < FEW_ROWS)
    block: dict[str, Any] = {}
    for metric, compute in metrics:
        value = float(compute.value(tallies.rows))
        interval: Interval | None = None
        if task in compute.shares_of:
            interval = accuracy
        elif samples[metric.name] and not (few and task in compute.means_of):
            drawn = np.concatenate(samples[metric.name])
            interval = bounded_interval(drawn, value, degrees, compute.lowest)
            of_classes = ends.get(compute.mean_of or "")
            if interval is not None and of_classes is not None:
                low, high = interval_of_mean(value, of_classes, tallies.rows.included)
                interval = [min(interval[0], low), max(interval[1], high)]
        block |= _entry(metric, value, interval)
    return block


def _per_class(
    names: list[str], counts: Counts, task: Task, ends: Mapping[str, ShareEnds]
) -> dict[str, dict[str, Any]]:
    """Return the metrics and counts of each class, with intervals if there are not very many."""
    seen = counts.seen
    values = {metric.name: compute.value(counts) for metric, compute in metrics_of(task, OfEachClass)}
    whole = {part: getattr(counts, part).astype(int).tolist() for part in ("tp", "fp", "fn", "tn", "support")}
    per_class: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(names):
        row: dict[str, Any] = {}
        for metric, of_classes in values.items():
            row[metric] = float(of_classes[k]) if seen[k] else None
            if metric in ends:
                row[f"{metric}_ci95"] = ends[metric].of_class(k) if seen[k] else None
        row |= {part: totals[k] for part, totals in whole.items()}
        per_class[name] = row
    return per_class


def _row_block(
    truth: NDArray[Any], p: Probabilities, task: Task, units: Units | None, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the metrics of probabilities that are sums over rows: all are resampled at once."""
    means, binned = metrics_of(task, MeanOfRows), metrics_of(task, OfBins)
    losses = np.stack([compute.losses(truth, p, task) for _, compute in means], 1)  # (n, n_means)
    columns, errors = loss_columns(losses, units)
    bins = [compute.bins(truth, p) for _, compute in binned]
    widths = [columns.d]
    for of in bins:
        # Of very many labels the bins are too many: their sums have no interval.
        filled = of.columns() if of.n_sets <= MANY_CLASSES else Columns(len(p), [])
        widths.append(filled.d)
        columns = columns.followed_by(filled)
    drawn = np.split(resample_means(columns, n_bootstrap, rng, units), np.cumsum(widths[:-1]), axis=1)
    block: dict[str, Any] = {}
    studentized = standard_errors(drawn[0], len(means), len(p), units)  # (n_samples, n_means, 2)
    for k, ((metric, _), value) in enumerate(zip(means, losses.mean(0).tolist(), strict=True)):
        block |= _entry(metric, value, mean_interval(studentized[:, k], value, float(errors[k]), degrees_of(units)))
    for (metric, _), of, gaps in zip(binned, bins, drawn[1:], strict=True):
        value, chance, interval = of.error(), None, None
        if gaps.shape[1]:
            chance = of.chance_level(rng, units)
            found = of.totals()[of.counts() > 0] / len(p)
            interval = calibration_interval(gaps / of.n_sets, found / of.n_sets, value, chance, degrees_of(units))
        block |= _entry(metric, value, interval) | {f"{metric.name}_chance": chance}
    return block


def _top_block(truth: NDArray[Any], p: TopProbabilities, task: Task, units: Units | None) -> dict[str, Any]:
    """Return the shares of rows whose class is among the most probable ones."""
    block: dict[str, Any] = {}
    for metric, compute in metrics_of(task, OfTop):
        found = (p.classes[:, : compute.k] == truth[:, np.newaxis]).any(axis=1)
        block |= _entry(metric, float(found.mean()), interval_of_share(found, units))
    return block


def _cost_block(labels: tuple[NDArray[Any], ...], costs: Floats, task: Task, units: Units | None) -> dict[str, Any]:
    """Return the mean cost of truth and predictions, ``(n,)`` each, by the cost of each pair of classes."""
    of_rows = costs[labels]
    interval = mean_cost_interval(of_rows, float(costs.min()), float(costs.max()), units)
    block: dict[str, Any] = {}
    for metric, _ in metrics_of(task, MeanCost):
        block |= _entry(metric, float(of_rows.mean()), interval)
    return block


def _area_block(
    truth: NDArray[Any],
    p: Floats,
    per_class: dict[str, dict[str, Any]],
    task: Task,
    units: Units | None,
    positive: str | None,
) -> dict[str, Any]:
    """Return the areas under curves, of the positive class or the mean over classes, and add each to ``per_class``."""
    metrics = metrics_of(task, Area)
    influence = {metric.name: np.zeros(len(p)) for metric, _ in metrics}
    areas: dict[str, list[tuple[float, float, float]]] = {metric.name: [] for metric, _ in metrics}
    few = False
    for k, (name, row) in enumerate(per_class.items()):
        ranking = rank(truth[:, k] if task is Task.MULTILABEL else truth == k, p[:, k])
        n_rarer = 0.0 if ranking is None else rarer_rows(ranking.positive, units)
        few |= n_rarer < FEW_ROWS and positive in (None, name)
        for metric, compute in metrics:
            if ranking is None:
                row |= {metric.name: None} if len(per_class) > MANY_CLASSES else _entry(metric, None, None)
                continue
            area, of_rows = compute.value(ranking)
            # As if one more row of the class were as bad as the others are good: a few rows may all be good by chance.
            least, bias = area * (1 - area) / n_rarer**2, compute.bias(ranking)
            if len(per_class) > MANY_CLASSES:
                row[metric.name] = area
            else:
                enough = n_rarer >= FEW_ROWS
                interval = delta_interval(area, of_rows, units, least=least, bias=bias) if enough else None
                row |= _entry(metric, area, interval)
            if positive in (None, name):
                areas[metric.name].append((area, least, bias))
                influence[metric.name] += of_rows
    block: dict[str, Any] = {}
    for metric, _ in metrics:
        found = areas[metric.name]
        n = max(len(found), 1)
        area, least, bias = (sum(part) / n for part in zip(*found, strict=True)) if found else (0.0, 0.0, 0.0)
        # A row influences the area of every class: its influences are added before they are squared.
        interval = delta_interval(area, influence[metric.name] / n, units, least=least / n, bias=bias)
        block |= _entry(metric, area if found else None, None if few or not found else interval)
    return block


def _entry(metric: Metric, value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {metric.name: value, f"{metric.name}_ci95": interval}
