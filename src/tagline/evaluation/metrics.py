"""Figures with 95 % intervals as one dictionary, the content of a block of ``metrics.json``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagline.errors import InputError, nearest
from tagline.evaluation.calibration import calibration_gaps
from tagline.evaluation.counts import (
    Counts,
    Floats,
    Ints,
    averaged_figures,
    class_figures,
    confusion_matrix,
    matthews,
    matthews_per_class,
    ratio,
)
from tagline.evaluation.intervals import (
    Interval,
    all_or_none_interval,
    basic_interval,
    delta_interval,
    percentile_interval,
    resample_confusion,
    resample_means,
)
from tagline.evaluation.ranking import average_precision, rank, roc_auc

POSITIVE_NAMES = ("pos", "positive", "yes", "true", "spam", "1")

# The smallest probability a log loss believes, as in scikit-learn: the spacing of floats at 1.
_EPSILON = float(np.finfo(np.float64).eps)


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

    if task == "multilabel":
        truth, prediction = truth.astype(bool), prediction.astype(bool)
        counts, correct = _label_counts(truth, prediction)
        sampled, sampled_accuracy = _resample_labels(truth, prediction, n_bootstrap, rng)
    else:
        matrix = confusion_matrix(truth.astype(np.int64), prediction.astype(np.int64), len(names))
        counts, correct = _matrix_counts(matrix), int(np.trace(matrix))
        sampled = resample_confusion(matrix, n_bootstrap, rng)
        sampled_accuracy = ratio(sampled.tp.sum(-1), len(truth))
    block |= _count_block(counts, correct, sampled, sampled_accuracy, task, len(truth))
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


def _count_block(
    counts: Counts, correct: int, sampled: Counts, sampled_accuracy: Floats, task: str, n: int
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

    accuracy = correct / n
    interval = percentile_interval(sampled_accuracy, accuracy)
    if correct in (0, n):
        interval = all_or_none_interval(correct == n, n)
    block: dict[str, Any] = {"accuracy": accuracy, "accuracy_ci95": interval}
    # A rare class that a sample happens not to draw is unknown there, not a class with a recall of 0.
    samples = figures(sampled, sampled.seen & ((sampled.support > 0) | (counts.support == 0)))
    for name, value in figures(counts, counts.seen).items():
        block |= _figure(name, float(value), percentile_interval(samples[name], float(value)))
    return block


def _per_class(names: list[str], counts: Counts, sampled: Counts) -> dict[str, dict[str, Any]]:
    figures, samples = class_figures(counts), class_figures(sampled)
    per_class: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(names):
        row: dict[str, Any] = {}
        for figure, values in figures.items():
            value = float(values[k]) if counts.seen[k] else None
            interval = None if value is None else percentile_interval(samples[figure][:, k], value)
            row |= _figure(figure, value, interval)
        row |= {part: int(getattr(counts, part)[k]) for part in ("tp", "fp", "fn", "tn", "support")}
        per_class[name] = row
    return per_class


def _loss_block(
    truth: NDArray[Any], p: Floats, task: str, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Log loss, Brier score and calibration error: means over rows, so one product bootstraps them all."""
    gaps = calibration_gaps(truth, p)
    losses = np.stack([_log_losses(truth, p, task), _brier_losses(truth, p, task)], 1)  # (n, 2)
    columns = np.hstack([losses.astype(np.float32), gaps.columns()])  # (n, 2 + n_filled_bins)
    means = resample_means(columns, n_bootstrap, rng)
    n_columns = gaps.value.shape[1]
    ece = float(np.abs(gaps.totals()).sum() / gaps.value.size)
    log_loss, brier = (float(loss) for loss in losses.mean(0))
    ece_samples = np.abs(means[:, 2:]).sum(1) / n_columns
    block = _figure("log_loss", log_loss, percentile_interval(means[:, 0], log_loss))
    block |= _figure("brier", brier, percentile_interval(means[:, 1], brier))
    return block | _figure("ece", ece, basic_interval(ece_samples, ece))


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
    pulls: dict[str, list[Floats]] = {"roc_auc": [], "pr_auc": []}
    areas: dict[str, list[float]] = {"roc_auc": [], "pr_auc": []}
    for k, name in enumerate(names):
        ranking = rank(truth[:, k] if task == "multilabel" else truth == k, p[:, k])
        for figure, area_of in (("roc_auc", roc_auc), ("pr_auc", average_precision)):
            area, pull = area_of(ranking) if ranking else (None, None)
            interval = None if area is None or pull is None else delta_interval(area, pull)
            per_class[name] |= _figure(figure, area, interval)
            if area is not None and pull is not None and positive in (None, name):
                areas[figure].append(area)
                pulls[figure].append(pull)
    block: dict[str, Any] = {}
    for figure, found in areas.items():
        mean = sum(found) / len(found) if found else None
        # A row pulls on every class's area, so that the pulls are added up before they are squared.
        pull = sum(pulls[figure], np.zeros(len(p))) / max(len(found), 1)
        block |= _figure(figure, mean, None if mean is None else delta_interval(mean, pull))
    return block


def _figure(name: str, value: float | None, interval: Interval | None) -> dict[str, Any]:
    return {name: value, f"{name}_ci95": interval}
