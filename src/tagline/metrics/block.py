"""Figures with 95 % intervals as one dictionary, the content of a block of ``metrics.json``."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError, nearest
from tagline.metrics.calibration_error import calibration_gaps, expected_calibration_error
from tagline.metrics.counts import (
    MANY_CLASSES,
    Counts,
    Floats,
    Ints,
    averaged_figures,
    class_figures,
    confusion_cells,
    confusion_matrix,
    matthews,
    matthews_per_class,
    ratio,
)
from tagline.metrics.intervals import (
    Interval,
    all_or_none_interval,
    basic_interval,
    delta_interval,
    percentile_interval,
    resample_cells,
    resample_confusion,
    resample_means,
)
from tagline.metrics.ranking import average_precision, rank, roc_auc
from tagline.parallel import same_on_any_cores

POSITIVE_NAMES = ("pos", "positive", "yes", "true", "spam", "1")

# The smallest probability a log loss believes, as in scikit-learn: the spacing of floats at 1.
_EPSILON = float(np.finfo(np.float64).eps)
_CELLS_AT_ONCE = 10_000_000
_POOLED = ("micro_precision", "micro_recall", "micro_f1", "hamming_loss")  # need no counts of single labels


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
) -> dict[str, Any]:
    """Measure predictions: plain Python numbers that are finite or ``None``, ready for JSON.

    A figure ``name`` stands beside its 95 % interval ``name_ci95``, ``[low, high]``. Figures of counts, log
    loss, Brier score and calibration error have bootstrap intervals; areas under curves have DeLong's or its
    like (see ``intervals`` and ``ranking``). An interval is ``None`` where the rows cannot tell, as for the
    F1 of a classifier that made no mistake.

    * ``confusion_matrix``: truth in rows, prediction in columns. Multi-label: a list of
      ``[[tn, fp], [fn, tp]]``, one for each label.
    * ``macro_*``: the mean over classes that stand in the truth or in the predictions, as in scikit-learn.
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

    Raises:
        InputError: ``positive`` is not a class, or there is not one row to measure.
        ValueError: Shapes do not fit, or a probability is not a number.

    >>> block = measure([0, 1, 1], [0, 1, 0], None, ["neg", "pos"], task="binary")
    >>> block["positive"], block["tp"], block["fn"], block["precision"]
    ('pos', 1, 1, 1.0)

    """
    rng = np.random.default_rng(seed)
    names = list(classes)
    truth, prediction = np.asarray(y_true), np.asarray(y_pred)
    p = None if proba is None else np.asarray(proba, float)
    _check(truth, prediction, p, len(names), task)
    block: dict[str, Any] = {"n": len(truth)}
    many = len(names) > MANY_CLASSES
    sampled: Counts | None = None
    cells: tuple[Ints, Ints, Ints] | None = None

    if task == "multilabel":
        truth, prediction = truth.astype(bool), prediction.astype(bool)
        counts, correct = _label_counts(truth, prediction)
        if many:
            samples: Iterable[tuple[Counts, Floats]] = [_resample_pooled(truth, prediction, n_bootstrap, rng)]
        else:
            sampled, sampled_accuracy = _resample_labels(truth, prediction, n_bootstrap, rng)
            samples = [(sampled, sampled_accuracy)]
    elif many:
        cells = confusion_cells(truth.astype(np.int64), prediction.astype(np.int64), len(names))
        counts, correct = _cell_counts(*cells, len(names)), int((truth == prediction).sum())
        resampled = resample_cells(*cells, len(names), n_bootstrap, rng)
        samples = ((of, ratio(of.tp.sum(-1), len(truth))) for of in resampled)
    else:
        matrix = confusion_matrix(truth.astype(np.int64), prediction.astype(np.int64), len(names))
        counts, correct = _matrix_counts(matrix), int(np.trace(matrix))
        sampled = resample_confusion(matrix, n_bootstrap, rng)
        samples = [(sampled, ratio(sampled.tp.sum(-1), len(truth)))]
    block |= _count_block(counts, correct, samples, task, len(truth))
    per_class = _per_class(names, counts, sampled)

    if task == "binary":
        name = positive_class(names, positive)
        block |= {"positive": name} | {k: v for k, v in per_class[name].items() if k != "support"}
    if p is not None:
        block |= _loss_block(truth, p, task, n_bootstrap, rng)
        block |= _area_block(truth, p, names, task, block.get("positive"), per_class)
    if task == "multilabel":
        parts = (counts.tn, counts.fp, counts.fn, counts.tp)
        block["confusion_matrix"] = np.stack(parts, -1).reshape(-1, 2, 2).astype(int).tolist()
    elif cells is not None:
        block["confusion_matrix"] = None
        block["confusion"] = {
            key: part.tolist() for key, part in zip(("rows", "columns", "counts"), cells, strict=True)
        }
    else:
        block["confusion_matrix"] = matrix.tolist()
    block["per_class"] = per_class
    return block


def _check(truth: NDArray[Any], prediction: NDArray[Any], p: Floats | None, n_classes: int, task: str) -> None:
    if len(truth) == 0:
        raise InputError("There is no row to measure: the split is empty.")
    shape = (len(truth), n_classes) if task == "multilabel" else (len(truth),)
    if truth.shape != shape or prediction.shape != shape:
        raise ValueError(f"Truth {truth.shape} and predictions {prediction.shape} should both be {shape}.")
    if p is not None and p.shape != (len(truth), n_classes):
        raise ValueError(f"Probabilities have the shape {p.shape}, not {(len(truth), n_classes)}.")
    if p is not None and not np.isfinite(p).all():
        raise ValueError("A probability is not a finite number.")


def _matrix_counts(matrix: Ints) -> Counts:
    m = matrix.astype(float)
    return Counts.from_totals(m.diagonal(), m.sum(0), m.sum(1), m.sum())


def _cell_counts(truth: Ints, prediction: Ints, cells: Ints, n_classes: int) -> Counts:
    right = truth == prediction
    return Counts.from_totals(
        np.bincount(truth[right], cells[right], n_classes).astype(float),
        np.bincount(prediction, cells, n_classes).astype(float),
        np.bincount(truth, cells, n_classes).astype(float),
        float(cells.sum()),
    )


def _label_counts(truth: NDArray[np.bool_], prediction: NDArray[np.bool_]) -> tuple[Counts, int]:
    n = float(len(truth))
    tp, predicted, support = (x.sum(0).astype(float) for x in (truth & prediction, prediction, truth))
    return Counts.from_totals(tp, predicted, support, n), int((truth == prediction).all(1).sum())


def _resample_labels(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_], n_bootstrap: int, rng: np.random.Generator
) -> tuple[Counts, Floats]:
    """Bootstrap label sets: counts ``(n_samples, n_classes)`` as shares, and accuracies ``(n_samples,)``."""
    exact = (truth == prediction).all(1, keepdims=True)
    columns = np.hstack([truth & prediction, prediction, truth, exact]).astype(np.float32)
    means = resample_means(columns, n_bootstrap, rng)  # (n_samples, 3 n_classes + 1)
    tp, predicted, support = np.split(means[:, :-1], 3, axis=1)
    return Counts.from_totals(tp, predicted, support, 1.0), means[:, -1]


def _resample_pooled(
    truth: NDArray[np.bool_], prediction: NDArray[np.bool_], n_bootstrap: int, rng: np.random.Generator
) -> tuple[Counts, Floats]:
    """Bootstrap label sets with all labels as one: counts ``(n_samples, 1)`` as shares, and accuracies."""
    parts = [(truth & prediction).mean(1), prediction.mean(1), truth.mean(1), (truth == prediction).all(1)]
    means = resample_means(np.stack(parts, 1).astype(np.float32), n_bootstrap, rng)
    return Counts.from_totals(means[:, :1], means[:, 1:2], means[:, 2:3], 1.0), means[:, 3]


def _count_block(
    counts: Counts, correct: int, sampled: Iterable[tuple[Counts, Floats]], task: str, n: int
) -> dict[str, Any]:
    """Accuracy, the averages of precision, recall and F1, Matthews' coefficient, and the Hamming loss."""

    def figures(of: Counts, judged: NDArray[np.bool_]) -> dict[str, Floats]:
        found = averaged_figures(of, judged)
        if task == "multilabel":
            found["hamming_loss"] = ratio((of.fp + of.fn).sum(-1), (of.support + of.fp + of.tn).sum(-1))
            found["mcc"] = ratio((matthews_per_class(of) * judged).sum(-1), judged.sum(-1))
        else:
            found["mcc"] = matthews(of)
        return found

    accuracies, samples = [], []
    for of, accuracy_of in sampled:
        pooled = of.tp.shape[-1] < len(counts.tp)
        # A rare class that a sample happens not to draw is unknown there, not a class with a recall of 0.
        found = figures(of, of.seen if pooled else of.seen & ((of.support > 0) | (counts.support == 0)))
        samples.append({name: found[name] for name in _POOLED} if pooled else found)
        accuracies.append(accuracy_of)
    accuracy = correct / n
    interval = percentile_interval(np.concatenate(accuracies), accuracy)
    if correct in (0, n):
        interval = all_or_none_interval(correct == n, n)
    block: dict[str, Any] = {"accuracy": accuracy, "accuracy_ci95": interval}
    for name, value in figures(counts, counts.seen).items():
        drawn = [part[name] for part in samples if name in part]
        interval = percentile_interval(np.concatenate(drawn), float(value)) if drawn else None
        block |= _figure(name, float(value), interval)
    return block


def _per_class(names: list[str], counts: Counts, sampled: Counts | None) -> dict[str, dict[str, Any]]:
    """Return the figures of each class, with intervals if there are samples."""
    figures, seen = class_figures(counts), counts.seen
    samples = None if sampled is None else class_figures(sampled)
    whole = {part: getattr(counts, part).astype(int).tolist() for part in ("tp", "fp", "fn", "tn", "support")}
    per_class: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(names):
        row: dict[str, Any] = {}
        for figure, values in figures.items():
            value = float(values[k]) if seen[k] else None
            if samples is None:
                row[figure] = value
            else:
                interval = None if value is None else percentile_interval(samples[figure][:, k], value)
                row |= _figure(figure, value, interval)
        row |= {part: values[k] for part, values in whole.items()}
        per_class[name] = row
    return per_class


def _loss_block(
    truth: NDArray[Any], p: Floats, task: str, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Log loss, Brier score and calibration error: means over rows, so one product bootstraps them all."""
    losses = np.stack([_by_rows(of_rows, truth, p, task) for of_rows in (_log_losses, _brier_losses)], 1)  # (n, 2)
    columns, n_columns = losses.astype(np.float32), 0
    if truth.ndim == 1 or p.shape[1] <= MANY_CLASSES:
        gaps = calibration_gaps(truth, p)
        n_columns = gaps.value.shape[1]
        columns = np.hstack([columns, gaps.columns()])  # (n, 2 + n_filled_bins)
    means = resample_means(columns, n_bootstrap, rng)
    ece = expected_calibration_error(truth, p)
    log_loss, brier = (float(loss) for loss in losses.mean(0))
    ece_samples = np.abs(means[:, 2:]).sum(1) / max(n_columns, 1)  # without columns all 0: no interval
    block = _figure("log_loss", log_loss, percentile_interval(means[:, 0], log_loss))
    block |= _figure("brier", brier, percentile_interval(means[:, 1], brier))
    return block | _figure("ece", ece, basic_interval(ece_samples, ece))


def _by_rows(
    losses: Callable[[NDArray[Any], Floats, str], Floats], truth: NDArray[Any], p: Floats, task: str
) -> Floats:
    """Return the losses of all rows, ``(n,)``, in blocks of rows, because they make copies of ``p``."""
    step = max(1, _CELLS_AT_ONCE // p.shape[1])
    starts = range(0, len(p), step)
    return np.concatenate([losses(truth[i : i + step], p[i : i + step], task) for i in starts])


def _log_losses(truth: NDArray[Any], p: Floats, task: str) -> Floats:
    """-log of the probability given to what is true, ``(n,)``; multi-label: the mean over labels."""
    if task == "multilabel":
        of_truth = np.clip(np.where(truth, p, 1 - p), _EPSILON, 1)
        return np.asarray(-np.log(of_truth).mean(1))
    return np.asarray(-np.log(np.clip(p[np.arange(len(p)), truth], _EPSILON, 1)))


def _brier_losses(truth: NDArray[Any], p: Floats, task: str) -> Floats:
    if task == "multilabel":
        return np.asarray(((p - truth) ** 2).mean(1))
    if task == "binary":
        return np.asarray((p[:, 1] - truth) ** 2)
    of_truth = p[np.arange(len(p)), truth]
    return np.asarray((p * p).sum(1) - 2 * of_truth + 1)


def _area_block(
    truth: NDArray[Any],
    p: Floats,
    names: list[str],
    task: str,
    positive: str | None,
    per_class: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """ROC and precision-recall areas: of the positive class, or the mean over classes; each gets its own."""
    pulls = {"roc_auc": np.zeros(len(p)), "pr_auc": np.zeros(len(p))}
    areas: dict[str, list[float]] = {"roc_auc": [], "pr_auc": []}
    for k, name in enumerate(names):
        ranking = rank(truth[:, k] if task == "multilabel" else truth == k, p[:, k])
        for figure, area_of in (("roc_auc", roc_auc), ("pr_auc", average_precision)):
            area, pull = area_of(ranking) if ranking else (None, None)
            if len(names) > MANY_CLASSES:
                per_class[name][figure] = area
            else:
                interval = None if area is None or pull is None else delta_interval(area, pull)
                per_class[name] |= _figure(figure, area, interval)
            if area is not None and pull is not None and positive in (None, name):
                areas[figure].append(area)
                pulls[figure] += pull
    block: dict[str, Any] = {}
    for figure, found in areas.items():
        mean = sum(found) / len(found) if found else None
        # A row pulls on every class's area, so that the pulls are added up before they are squared.
        pull = pulls[figure] / max(len(found), 1)
        block |= _figure(figure, mean, None if mean is None else delta_interval(mean, pull))
    return block


def _figure(name: str, value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {name: value, f"{name}_ci95": interval}
