"""Metrics with 95 % intervals as one dictionary, the content of a block of ``metrics.json``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError, nearest
from tagline.metrics.counts import MANY_CLASSES, included_classes
from tagline.metrics.intervals import (
    Columns,
    Interval,
    all_or_none_interval,
    basic_interval,
    delta_interval,
    percentile_interval,
    resample_means,
)
from tagline.metrics.ranking import rank
from tagline.metrics.registry import Area, MeanOfRows, Metric, OfBins, OfCounts, OfEachClass, metrics_of
from tagline.metrics.tally import Tallies, tally_classes, tally_labels
from tagline.metrics.units import Units
from tagline.parallel import same_on_any_cores
from tagline.task import Floats, Task

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
    proba: ArrayLike | None,
    classes: Sequence[str],
    *,
    task: str,
    positive: str | None = None,
    seed: int = 0,
    n_bootstrap: int = 1000,
    units: ArrayLike | None = None,
) -> dict[str, Any]:
    """Measure predictions: plain Python numbers that are finite or ``None``, ready for JSON.

    The 95 % interval of a metric ``name`` is ``name_ci95``, ``[low, high]``. Figures of counts, log
    loss, Brier score and calibration error have bootstrap intervals; areas under curves have DeLong's or its
    like (see ``intervals`` and ``ranking``). An interval is ``None`` where the rows cannot tell, as for the
    F1 of a classifier that made no mistake. Where several rows form a unit, such as copies of a text, intervals are
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
    * ``mcc``: Matthews' coefficient; multi-label: the mean over labels.
    * ``per_class``: each class against the rest; ``None`` where neither truth nor predictions hold the class.

    Of more than 500 classes, ``per_class`` has no intervals. Instead of ``confusion_matrix``, which is ``None``,
    ``confusion`` holds its cells that are not 0, as ``{"rows": [...], "columns": [...], "counts": [...]}``: indices
    of truth and prediction, and rows. Multi-label: the list of ``confusion_matrix`` stays; macro and weighted
    figures, ``mcc`` and ``ece`` have no interval.

    Args:
        y_true: Class indices ``(n,)``, or for multi-label data booleans ``(n, n_classes)``.
        y_pred: As ``y_true``.
        proba: Probabilities ``(n, n_classes)``, or ``None`` for a classifier without.
        classes: Names in the order of the indices.
        task: ``"binary"``, ``"multiclass"`` or ``"multilabel"``.
        positive: The positive one of two classes, see ``positive_class``.
        seed: Of the bootstrap.
        n_bootstrap: Bootstrap samples.
        units: The unit of each row, ``(n,)`` integers; by default each row is its own.

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
    p = None if proba is None else np.asarray(proba, float)
    _check(truth, prediction, p, len(names), task)
    repeated = Units.repeated(units)
    if task is Task.MULTILABEL:
        truth, prediction = truth.astype(bool), prediction.astype(bool)
        wrong = (truth != prediction).any(1)
        tallies = tally_labels(truth, prediction, repeated, n_bootstrap, rng)
    else:
        indices = (truth.astype(np.int64), prediction.astype(np.int64))
        wrong = indices[0] != indices[1]
        tallies = tally_classes(*indices, len(names), task, repeated, n_bootstrap, rng)
    block: dict[str, Any] = {"n": len(truth)}
    if repeated is not None:
        block |= {"n_units": repeated.n, "n_effective": round(repeated.effective_rows(wrong), 2)}
    block |= _count_block(tallies, task, repeated, block.get("n_effective", len(truth)))
    per_class = _per_class(names, tallies, task, repeated)
    if task.has_positive:
        name = positive_class(names, positive)
        block |= {"positive": name} | {key: value for key, value in per_class[name].items() if key != "support"}
    if p is not None:
        block |= _row_block(truth, p, task, repeated, n_bootstrap, rng)
        block |= _area_block(truth, p, per_class, task, repeated, block.get("positive"))
    return block | tallies.confusion | {"per_class": per_class}


def _check(truth: NDArray[Any], prediction: NDArray[Any], p: Floats | None, n_classes: int, task: Task) -> None:
    if len(truth) == 0:
        raise InputError("There is no row to measure: the split is empty.")
    shape = (len(truth), n_classes) if task is Task.MULTILABEL else (len(truth),)
    if truth.shape != shape or prediction.shape != shape:
        raise ValueError(f"Truth {truth.shape} and predictions {prediction.shape} should both be {shape}.")
    if p is not None and p.shape != (len(truth), n_classes):
        raise ValueError(f"Probabilities have the shape {p.shape}, not {(len(truth), n_classes)}.")
    if p is not None and not np.isfinite(p).all():
        raise ValueError("A probability is not a finite number.")


def _count_block(tallies: Tallies, task: Task, units: Units | None, n: float) -> dict[str, Any]:
    """Return the metrics of counts, with percentile intervals; ``n``: rows, or their effective number."""
    metrics = metrics_of(task, OfCounts)
    n_classes = len(tallies.rows.counts.tp)
    samples: dict[str, list[Floats]] = {metric.name: [] for metric, _ in metrics}
    for sample in tallies.samples:
        resampled_as_pooled = sample.counts.tp.shape[-1] < n_classes
        for metric, compute in metrics:
            if compute.pooled or not resampled_as_pooled:
                samples[metric.name].append(compute.value(sample))
    block: dict[str, Any] = {}
    for metric, compute in metrics:
        value = float(compute.value(tallies.rows))
        drawn = samples[metric.name]
        interval = percentile_interval(np.concatenate(drawn), value, units) if drawn else None
        if compute.share_of_rows and value in (0, 1):
            interval = all_or_none_interval(value == 1, n)
        block |= _entry(metric, value, interval)
    return block


def _per_class(names: list[str], tallies: Tallies, task: Task, units: Units | None) -> dict[str, dict[str, Any]]:
    """Return the metrics and counts of each class, with intervals if the counts of each class were resampled."""
    counts = tallies.rows.counts
    seen, metrics = counts.seen, metrics_of(task, OfEachClass)
    values = {metric.name: compute.value(counts) for metric, compute in metrics}  # (n_classes,) each
    samples = {}
    if tallies.counts is not None:
        included = included_classes(tallies.counts, counts)  # (n_samples, n_classes)
        samples = {metric.name: compute.value(tallies.counts) for metric, compute in metrics}  # (n_samples, n_classes)
    whole = {part: getattr(counts, part).astype(int).tolist() for part in ("tp", "fp", "fn", "tn", "support")}
    per_class: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(names):
        row: dict[str, Any] = {}
        for metric, _ in metrics:
            value = float(values[metric.name][k]) if seen[k] else None
            if metric.name in samples:
                drawn = samples[metric.name][included[:, k], k]
                row |= _entry(metric, value, None if value is None else percentile_interval(drawn, value, units))
            else:
                row[metric.name] = value
        row |= {part: totals[k] for part, totals in whole.items()}
        per_class[name] = row
    return per_class


def _row_block(
    truth: NDArray[Any], p: Floats, task: Task, units: Units | None, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the metrics of probabilities that are sums over rows: all are resampled at once."""
    means, binned = metrics_of(task, MeanOfRows), metrics_of(task, OfBins)
    losses = np.stack([compute.losses(truth, p, task) for _, compute in means], 1)  # (n, n_means)
    columns = Columns.of(losses)
    bins = [compute.bins(truth, p) for _, compute in binned]
    widths = []
    for of in bins:
        # Of very many labels the bins are too many: their sums have no interval.
        filled = of.columns() if of.n_sets <= MANY_CLASSES else Columns(len(p), [])
        widths.append(filled.d)
        columns = columns.followed_by(filled)
    drawn = np.split(resample_means(columns, n_bootstrap, rng, units), np.cumsum([len(means), *widths[:-1]]), axis=1)
    block: dict[str, Any] = {}
    for (metric, _), value, samples in zip(means, losses.mean(0).tolist(), drawn[0].T, strict=True):
        block |= _entry(metric, value, percentile_interval(samples, value, units))
    for (metric, compute), of, gaps in zip(binned, bins, drawn[1:], strict=True):
        value = compute.value(truth, p)
        samples = np.abs(gaps).sum(1) / of.n_sets  # without columns all 0: no interval
        block |= _entry(metric, value, basic_interval(samples, value, units))
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
    areas: dict[str, list[float]] = {metric.name: [] for metric, _ in metrics}
    for k, (name, row) in enumerate(per_class.items()):
        ranking = rank(truth[:, k] if task is Task.MULTILABEL else truth == k, p[:, k])
        for metric, compute in metrics:
            area, of_rows = compute.value(ranking) if ranking else (None, None)
            if len(per_class) > MANY_CLASSES:
                row[metric.name] = area
            else:
                row |= _entry(
                    metric, area, None if area is None or of_rows is None else delta_interval(area, of_rows, units)
                )
            if area is not None and of_rows is not None and positive in (None, name):
                areas[metric.name].append(area)
                influence[metric.name] += of_rows
    block: dict[str, Any] = {}
    for metric, _ in metrics:
        found = areas[metric.name]
        mean = sum(found) / len(found) if found else None
        # A row influences the area of every class: its influences are added before they are squared.
        of_rows = influence[metric.name] / max(len(found), 1)
        block |= _entry(metric, mean, None if mean is None else delta_interval(mean, of_rows, units))
    return block


def _entry(metric: Metric, value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {metric.name: value, f"{metric.name}_ci95": interval}
