"""The key findings of a run: what its figures and its data show that the user should look at first."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from tagline.data.inspections.class_counts import FEW_ROWS
from tagline.data.inspections.facts import Facts
from tagline.data.wording import counted, have, listed
from tagline.key_findings import KeyFinding, Kind, most_serious_first
from tagline.metrics.formatting import format_figure, format_interval
from tagline.metrics.headline import task_of
from tagline.metrics.intervals.class_shares import FEW_ROWS as FEW_OF_CLASS
from tagline.task import Task

_WIDE = 0.2  # an accuracy with a wider interval says little, and so do figures that are farther apart
_FEW = 100  # distinct test texts or groups: of fewer the interval is narrow by chance only

_HARDLY_ANY = 0.05  # of the rows of a class
_RARE = 0.5  # of the mean number of rows of a class
_FREQUENT = 0.8  # of the rows; the other one of two classes is rare


def key_findings(
    metrics: Mapping[str, Any],
    facts: Facts,
    *,
    balanced: bool,
    folds: int | None = None,
    positive_given: bool = True,
    others: Sequence[KeyFinding] = (),
    unknown: Sequence[str] = (),
) -> list[KeyFinding]:
    """Return the key findings of a run, the most serious first.

    Args:
        metrics: the content of ``metrics.json``.
        facts: those of the data.
        balanced: whether the classes were balanced in training, or cannot be.
        folds: in how many folds all rows could be measured instead; None if they cannot.
        positive_given: whether the user chose the positive one of two classes.
        others: findings of the caller.
        unknown: classes that the model was trained without.

    """
    found = [*facts.key_findings, *others]
    block = metrics["test"] or metrics["validation"]
    if block is not None:
        known = [name for name in metrics["classes"] if name not in unknown]
        # An inspection names the classes that have few rows in all.
        measurable = [name for name in known if _n_rows(facts, name) >= FEW_ROWS]
        sentences = {
            Kind.NO_BETTER_THAN_GUESSING: no_better_than_guessing(block),
            Kind.ONE_CLASS: one_class(block),
            Kind.NEVER_PREDICTED: never_predicted(block, known, balanced=balanced),
            Kind.HARDLY_FOUND: hardly_found(block, known, balanced=balanced),
            Kind.SMALL_TEST: small_test(block, folds=folds),
            Kind.FEW_TEST_ROWS: [] if metrics.get("folds") else few_test_rows(block, measurable, folds=folds),
            Kind.SPLITS_DISAGREE: splits_disagree(metrics["validation"], metrics["test"], folds=folds),
            Kind.POSITIVE_IS_FREQUENT: [] if positive_given else positive_is_frequent(block),
        }
        found += [KeyFinding(kind, sentence) for kind, said in sentences.items() for sentence in said]
    return most_serious_first(found)


def _n_rows(facts: Facts, name: str) -> int:
    return sum(counts.get(name, 0) for counts in facts.class_counts.values())


def no_better_than_guessing(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence on an accuracy that is not above the share of the most frequent class, or not for certain.

    None where the rows or the predictions are all of one class: `one_class` says so. ``figures`` are those of
    ``metrics.json`` on one split.
    """
    if task_of(figures) is Task.MULTILABEL or one_class(figures):
        return []
    support = {name: one["support"] for name, one in figures["per_class"].items()}
    name = max(support, key=lambda name: support[name])
    share = support[name] / figures["n"]
    accuracy, of_guessing = format_figure("accuracy", figures["accuracy"]), format_figure("accuracy", share)
    if figures["accuracy"] <= share:
        return [
            f"The model is no better than guessing: its accuracy is {accuracy}, and always predicting the most "
            f"frequent label, {listed([name])}, is right in {of_guessing} of the rows."
        ]
    interval = figures.get("accuracy_ci95")
    if interval is None or interval[0] > share:
        return []
    return [
        f"The model may be no better than guessing: the 95 % interval of its accuracy of {accuracy} is "
        f"{format_interval('accuracy', interval)}, and always predicting the most frequent label, {listed([name])}, "
        f"is right in {of_guessing} of the rows."
    ]


def one_class(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence on rows, or predictions, that are all of one class, though the accuracy may look good.

    ``figures`` are those of ``metrics.json`` on one split.
    """
    if task_of(figures) is Task.MULTILABEL:
        return []
    occurring = [name for name, one in figures["per_class"].items() if one["support"]]
    if len(occurring) == 1:
        return [
            f"Only {listed(occurring)} occurs in these rows: metrics that need other classes, such as ROC AUC and MCC, "
            "are undefined."
        ]
    predicted = [name for name, one in figures["per_class"].items() if one["tp"] + one["fp"]]
    if len(predicted) != 1:
        return []
    accuracy = format_figure("accuracy", figures["accuracy"])
    return [
        f"Every row is predicted as {listed(predicted)}: the accuracy of {accuracy} is the share of this class, and "
        "MCC is 0."
    ]


def never_predicted(figures: Mapping[str, Any], classes: Sequence[str], *, balanced: bool) -> list[str]:
    """Return a sentence on classes that have rows but no prediction, though the accuracy may look good.

    ``figures`` are those of ``metrics.json`` on one split; ``balanced``: whether the classes were balanced in training.
    """
    of_class = {name: figures["per_class"][name] for name in classes if name in figures["per_class"]}
    names = [name for name, one in of_class.items() if one["support"] and not one["tp"] + one["fp"]]
    if not names:
        return []
    n_rows = sum(of_class[name]["support"] for name in names)
    are, these = ("is", "this label") if len(names) == 1 else ("are", "these labels")
    return [
        f"{listed(names, 5)} {are} never predicted, though {counted(n_rows, 'row')} {have(n_rows)} {these}."
        f"{_more_often(figures, names, balanced=balanced)}"
    ]


def hardly_found(figures: Mapping[str, Any], classes: Sequence[str], *, balanced: bool) -> list[str]:
    """Return a sentence on classes that are predicted, but for hardly any of their own rows.

    The arguments are those of `never_predicted`.
    """
    of_class = {name: figures["per_class"][name] for name in classes if name in figures["per_class"]}
    names = [
        name
        for name, one in of_class.items()
        if one["support"] and one["tp"] + one["fp"] and one["tp"] <= _HARDLY_ANY * one["support"]
    ]
    if not names:
        return []
    n_rows, n_right = (sum(of_class[name][key] for name in names) for key in ("support", "tp"))
    are, these = ("is", "this label") if len(names) == 1 else ("are", "these labels")
    return [
        f"{listed(names, 5)} {are} hardly ever found: of {counted(n_rows, 'row')} with {these}, {n_right:,} "
        f"{'is' if n_right == 1 else 'are'} predicted correctly.{_more_often(figures, names, balanced=balanced)}"
    ]


def _more_often(figures: Mapping[str, Any], names: Sequence[str], *, balanced: bool) -> str:
    """Say what makes classes be predicted more often; the empty string if nothing is known.

    Weights help classes that are rarer than others, not one of many classes of the same size.
    """
    support = [one["support"] for one in figures["per_class"].values()]
    rare = min(figures["per_class"][name]["support"] for name in names) <= _RARE * sum(support) / len(support)
    advice = " `--balance` gives every class the same weight in training." if rare and not balanced else ""
    if task_of(figures) is Task.BINARY and len(names) == 1:
        lower = "lower" if names[0] == figures["positive"] else "higher"
        advice += f" A {lower} `--threshold` predicts {listed(names)} more often."
    return advice


def few_test_rows(figures: Mapping[str, Any], classes: Sequence[str], *, folds: int | None) -> list[str]:
    """Return sentences on classes whose figures say nothing, because they have so few of the rows, or none.

    ``figures`` are those of ``metrics.json`` on one split; ``folds``: in how many folds all rows could be measured.
    """
    support = {name: figures["per_class"][name]["support"] for name in classes if name in figures["per_class"]}
    names = sorted((name for name, n in support.items() if 0 < n < FEW_OF_CLASS), key=lambda name: support[name])
    lacking = [name for name, n in support.items() if not n]
    said = []
    if lacking:
        these = "it" if len(lacking) == 1 else "they"
        said = [
            f"{listed(lacking, 5)} {have(len(lacking))} no row here: how well {these} would be found was not "
            f"measured.{_on_all_rows(folds)}"
        ]
    if not names:
        return said
    if len(names) == 1:
        what = f"{listed(names)} was measured on {counted(support[names[0]], 'row')} only: its figures say little."
    else:
        what = f"{listed(names, 5)} were measured on fewer than {FEW_OF_CLASS} rows each: their figures say little."
    return [what + _on_all_rows(folds), *said]


def splits_disagree(
    validation: Mapping[str, Any] | None, test: Mapping[str, Any] | None, *, folds: int | None
) -> list[str]:
    """Return a sentence on validation and test figures that are far apart.

    Both are figures of ``metrics.json``; ``folds``: in how many folds all rows could be measured instead.
    """
    if validation is None or test is None:
        return []
    names = {"accuracy": "exact match" if task_of(test) is Task.MULTILABEL else "accuracy", "macro_f1": "macro F1"}
    key = max(names, key=lambda key: abs(validation[key] - test[key]))
    if abs(validation[key] - test[key]) < _WIDE:
        return []
    return [
        f"Validation and test disagree: {names[key]} is {format_figure(key, validation[key])} on the validation rows "
        f"and {format_figure(key, test[key])} on the test rows.{_on_all_rows(folds)}"
    ]


def positive_is_frequent(figures: Mapping[str, Any]) -> list[str]:
    """Return a sentence on a positive class that is far more frequent than the other one of two classes.

    ``figures`` are those of ``metrics.json`` on one split.
    """
    if task_of(figures) is not Task.BINARY:
        return []
    positive = figures["positive"]
    share = figures["per_class"][positive]["support"] / figures["n"]
    if share < _FREQUENT:
        return []
    (other,) = (name for name in figures["per_class"] if name != positive)
    return [
        f"Precision, recall and F1 are those of the frequent label, `{positive}`, which "
        f"{format_figure('accuracy', share)} of the rows have: `--positive {shlex.quote(other)}` gives those of the "
        "rare one."
    ]


def small_test(figures: Mapping[str, Any], *, folds: int | None) -> list[str]:
    """Return a sentence on an accuracy that says little, because it was measured on so few rows.

    ``figures`` are those of ``metrics.json`` on one split; ``folds``: in how many folds all rows could be measured.
    """
    interval, n_units = figures.get("accuracy_ci95"), figures.get("n_units")
    n_independent = figures["n"] if n_units is None else n_units
    if interval is not None and interval[1] - interval[0] <= _WIDE and n_independent >= _FEW:
        return []
    rows = counted(figures["n"], "row")
    if n_units is not None:
        rows += f" with {counted(n_units, 'group' if figures['unit'] == 'group' else 'distinct text')}"
    range_ = format_interval("accuracy", interval)
    may_be = f"its 95 % interval is {range_}" if range_ else "that is too few for an interval"
    what = "exact match" if task_of(figures) is Task.MULTILABEL else "accuracy"
    return [f"The {what} was measured on {rows} only: {may_be}.{_on_all_rows(folds)}"]


def _on_all_rows(folds: int | None) -> str:
    return "" if folds is None else f" `--folds {folds}` measures on all rows."
