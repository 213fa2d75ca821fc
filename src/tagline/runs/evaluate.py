"""Measure a bundle on labelled data."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import polars as pl

from tagline.data import Dataset, ReadOptions, Split, read_dataset
from tagline.data.options import Reading, column_names
from tagline.data.rows import MAX_UNREADABLE_KEPT, REPEATED_HEADER
from tagline.data.wording import counted, place_text
from tagline.decisions.costs import CostMatrix
from tagline.decisions.rule import DecisionRule
from tagline.decisions.targets import Targets
from tagline.errors import InputError
from tagline.inputs.labels import check_overlap, shown_names
from tagline.key_findings import KeyFinding, Kind
from tagline.run_folder import RunFolder, load_model, run_of_model
from tagline.runs.environment import peak_rss_mb
from tagline.runs.findings import key_findings
from tagline.runs.reading.data import seen_rows
from tagline.runs.reading.model_data import check_label_column, distinct_labels, labels_like_classes, read_like_training
from tagline.runs.settings import Log, Progress, StepProgress
from tagline.runs.test_ledger import Entry, record_reading, what_counts
from tagline.task import Task

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.runs.predictions import Predicted


@dataclass(frozen=True)
class Evaluation:
    """Figures of a bundle: the content of a ``metrics.json``, and a description of the rows.

    ``model``, ``data`` and ``options`` are those given, ``rule`` is what decided; ``split`` are the rows of
    ``dataset`` that were predicted, with the labels of the classifier ``clf``; ``left_out`` are ``file``, ``line`` and
    ``reason`` of the other rows of the data, if not just a split of it was measured.
    """

    metrics: dict[str, Any]
    rows_used: str
    warnings: tuple[str, ...]
    findings: Sequence[KeyFinding]
    model: str | Path
    data: Any
    options: ReadOptions
    rule: DecisionRule
    dataset: Dataset
    split: Split
    clf: "TextClassifier"
    predicted: "Predicted"
    left_out: pl.DataFrame

    def metrics_json(self) -> dict[str, Any]:
        """Return the content of ``metrics.json``: the metrics with the key findings."""
        return self.metrics | {"findings": [finding.to_json() for finding in self.findings]}


def evaluate_model(
    model: str | Path,
    data: Any,
    *,
    text: str | Sequence[str] | None = None,
    label: str | Sequence[str] | None = None,
    group: str | None = None,
    positive: str | None = None,
    threshold: float | None = None,
    costs: CostMatrix | None = None,
    strict: bool = False,
    seconds_before: float = 0.0,
    log: Log = lambda stage: None,
    progress: Progress = lambda progress: None,
    **reading: Unpack[Reading],
) -> Evaluation:
    """Measure the bundle or run in ``model`` on ``data``.

    The rows are the official test rows, if the data has any; the test rows of the split that the model was trained
    with, if this is the same data; otherwise all rows. ``group`` is a column whose rows with the same value are not
    independent, by default the one that the model was trained with: intervals count each group once. ``costs`` decide
    and are measured; those that the model was trained with are measured in any case. ``log`` is called with the name of
    each stage, ``progress`` while the rows are predicted.

    Raises:
        InputError: data or model cannot be used, or do not match.

    """
    from tagline.runs.guarantees import guarantees
    from tagline.runs.predictions import predict_split

    started = time.perf_counter()
    clf = load_model(model)
    if costs is not None:
        if threshold is not None:
            raise InputError("`--cost` decides by itself: leave out `--threshold`.")
        names = [str(name) for name in clf.classes_]
        Targets.of(costs.in_order(names, "`--cost`"), None, None, names, clf.task_)
    trained = clf.card_.get("dataset") or {}
    reading.setdefault("max_unreadable", MAX_UNREADABLE_KEPT)
    options = ReadOptions(text=column_names(text), label=column_names(label), group=group, strict=strict, **reading)
    read_data = partial(
        read_dataset,
        data,
        seed=int(clf.card_.get("seed") or 0),
        fewest_classes=1,
        fingerprint=trained.get("fingerprint"),
    )
    dataset, options = read_like_training(data, options, clf, read_data)
    dataset = replace(dataset, facts=dataset.facts.of_measured_rows().of_run())
    split, rows_used = _rows(dataset, trained)
    run = run_of_model(model, trained.get("fingerprint"))
    seen, of_seen = _seen(split, dataset, clf, run)
    if seen == 0:
        rows_used += ", which it has not seen"
    rows = split
    read = time.perf_counter() - started
    aligned = _aligned(clf, split, dataset, label_given=bool(label))
    split, classes, task = aligned.split, aligned.classes, aligned.task
    if not task.has_positive and positive is not None:
        raise InputError(f"`--positive` names one of two classes; there are {len(classes):,}.")
    positive = clf.positive_ if positive is None else positive
    warnings = [*dataset.facts.warnings, *of_seen, *aligned.untrained, *aligned.notes]
    measured_costs = clf.costs_ if costs is None else costs
    if measured_costs is not None and aligned.untrained:
        measured_costs = None
        warnings.append("The mean cost is not measured: labels that the model was trained without have no costs.")
    looks = None
    if run is not None:  # a bundle by itself lies in no folder of runs
        looks = record_reading(run.path.parent, Entry("evaluate", dataset.name, run.path.name), rows)
        warnings += looks.warnings
    predicting = f"predicting {counted(len(split), 'text')}"
    log(predicting)

    def predicted_so_far(done: int, total: int) -> None:
        progress(StepProgress(predicting, done, total))

    predicted = predict_split(
        clf,
        split,
        classes,
        threshold=threshold,
        positive=positive if costs is None else None,
        costs=costs,
        progress=predicted_so_far,
    )
    log("measuring")
    rule = clf.rule_for(threshold=threshold, positive=positive, costs=costs)
    guaranteed = guarantees(clf.held_out_, predicted) if rule == clf.rule_ else None  # others have no guarantee
    positive = positive if task.has_positive else None
    test = predicted.measured(classes, task=task, positive=positive, costs=measured_costs)
    metrics: dict[str, Any] = {
        "task": task,
        "classes": classes,
        "rows": {"train": 0, "validation": 0, "test": len(split)},
        "validation": None,
        "test": test,
        **({} if guaranteed is None else {"guarantees": guaranteed}),
        "rows_used": rows_used,
        "rows_seen_in_training": seen,
        **({} if looks is None else what_counts(test, looks.times)),
        "seconds": {
            "read": round(read, 3),
            "features": 0.0,
            "fit": 0.0,
            "evaluate": round(time.perf_counter() - started - read, 3),
            "total": round(time.perf_counter() - started + seconds_before, 3),
        },
        "peak_rss_mb": peak_rss_mb(),
    }
    others = [KeyFinding(Kind.COPIES_ACROSS_SPLITS, sentence, seen / len(split)) for sentence in of_seen if seen]
    others += [KeyFinding(Kind.UNTRAINED_CLASSES, sentence) for sentence in aligned.untrained]
    unknown = classes[len(clf.classes_) :]
    findings = key_findings(metrics, dataset.facts, balanced=True, others=others, unknown=unknown)
    return Evaluation(
        metrics,
        rows_used,
        tuple(warnings),
        findings,
        model,
        data,
        options,
        rule,
        dataset,
        split,
        clf,
        predicted,
        _left_out(dataset, len(split)),
    )


def _left_out(dataset: Dataset, n_measured: int) -> pl.DataFrame:
    """Return ``file``, ``line`` and ``reason`` of rows that are not measured; none if only a split is measured."""
    unread = dataset.facts.rejected_frame().select("file", pl.col("line").cast(pl.UInt32), "reason")
    found = unread.filter(pl.col("reason") != REPEATED_HEADER)
    if dataset.facts.left_out is not None:
        found = pl.concat([found, dataset.facts.left_out.select(pl.col("file").cast(pl.String), "line", "reason")])
    everything = sum(len(part) for part in (dataset.train, dataset.validation, dataset.test) if part is not None)
    return found if everything == n_measured else found.clear()


def _seen(split: Split, dataset: Dataset, clf: "TextClassifier", run: RunFolder | None) -> tuple[int | None, list[str]]:
    """Return the number of rows whose text the model was trained on, None if it is unknown, and a warning."""
    trained = clf.card_.get("dataset") or {}
    hashes = None if run is None else run.training_hashes
    if hashes is None and trained.get("fingerprint") == dataset.fingerprint:
        hashes = dataset.training_hashes()
    if hashes is None:
        return None, ["Rows that the model was trained on cannot be recognised, because its run folder is missing."]
    rows = seen_rows(split.texts, hashes)
    if not len(rows):
        return 0, []
    origin, first = split.origin, int(rows[0])
    place = "" if origin is None else f" (first: {place_text(origin.file[first], origin.line[first])})"
    said = (
        f"{len(rows):,} of {len(split):,} rows have a text that was in training{place}, so the metrics are optimistic."
    )
    return len(rows), [said]


def _rows(dataset: Dataset, trained: dict[str, Any]) -> tuple[Split, str]:
    """Return the rows to measure on and their description."""
    same = trained.get("fingerprint") == dataset.fingerprint
    if dataset.test is not None and dataset.facts.official:
        return dataset.test, f"the {len(dataset.test):,} rows of the official test split"
    if same and dataset.test is not None:
        return dataset.test, f"the {len(dataset.test):,} test rows of the data this model was trained on"
    everything = dataset.train.followed_by(dataset.validation).followed_by(dataset.test)
    return everything, f"all {len(everything):,} rows"


@dataclass(frozen=True)
class _Aligned:
    """Rows whose labels are spelled as the classes of the model; ``classes`` has those that it lacks at its end.

    ``untrained`` is one sentence about those, if there are any, ``notes`` are others about the labels.
    """

    split: Split
    classes: list[str]
    task: Task
    untrained: list[str]
    notes: list[str]


def _aligned(clf: "TextClassifier", split: Split, dataset: Dataset, *, label_given: bool) -> _Aligned:
    """Align the classes of data and model."""
    known = [str(name) for name in clf.classes_]
    labels, notes = labels_like_classes(clf, split.labels)
    split = replace(split, labels=labels)
    found = distinct_labels(labels)
    check_label_column(clf, dataset, found, given=label_given)
    check_overlap(found, known, f"labels of `{dataset.name}`")
    unknown = sorted(set(found) - set(known))
    if not unknown:
        return _Aligned(split, known, clf.task_, [], notes)
    flat = labels.explode() if isinstance(labels.dtype, pl.List) else labels
    n = int(flat.is_in(unknown).sum())
    untrained = (
        f"{counted(n, 'row')} {'has a label' if n == 1 else 'have labels'} that the model was trained without, and "
        f"{'counts' if n == 1 else 'count'} as wrong: {shown_names(unknown)}."
    )
    classes = known + unknown
    return _Aligned(split, classes, clf.task_.with_classes(len(classes)), [untrained], notes)
