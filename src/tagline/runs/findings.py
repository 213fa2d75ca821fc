"""The key findings of a run: what its figures and its data show that the user should look at first."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.data.inspections.facts import Facts
from tagline.data.wording import counted, have, listed
from tagline.key_findings import KeyFinding, Kind, most_serious_first
from tagline.metrics.formatting import format_figure, format_interval
from tagline.metrics.headline import task_of
from tagline.task import Task

_WIDE = 0.2  # an accuracy with a wider interval says little
_FEW = 100  # distinct test texts or groups: of fewer the interval is narrow by chance only


def key_findings(
    metrics: Mapping[str, Any],
    facts: Facts,
    *,
    balanced: bool,
    others: Sequence[KeyFinding] = (),
    unknown: Sequence[str] = (),
) -> list[KeyFinding]:
    """Return the key findings of a run, the most serious first.

    ``metrics`` are the content of ``metrics.json``; ``balanced``: whether the classes were balanced in training;
    ``others`` are findings of the caller; ``unknown`` are classes that the model was trained without.
    """
    found = [*facts.key_findings, *others]
    block = metrics["test"] or metrics["validation"]
    if block is not None:
        known = [name for name in metrics["classes"] if name not in unknown]
        can_fold = not facts.official and not metrics.get("folds") and bool(metrics["rows"]["train"])
        sentences = {
            Kind.NO_BETTER_THAN_GUESSING: no_better_than_guessing(block),
            Kind.ONE_CLASS: one_class(block),
            Kind.NEVER_PREDICTED: never_predicted(block, known, balanced=balanced),
            Kind.SMALL_TEST: small_test(block, can_fold=can_fold),
        }
        found += [KeyFinding(kind, sentence) for kind, said in sentences.items() for sentence in said]
    return most_serious_first(found)


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
    advice = "" if balanced else " `--balance` gives every class the same weight in training."
    return [
        f"{listed(names, 5)} {are} never predicted, though {counted(n_rows, 'row')} {have(n_rows)} {these}.{advice}"
    ]


def small_test(figures: Mapping[str, Any], *, can_fold: bool) -> list[str]:
    """Return a sentence on an accuracy that says little, because it was measured on so few rows.

    ``figures`` are those of ``metrics.json`` on one split; ``can_fold``: whether all rows could be measured instead.
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
    advice = " `--folds 5` measures on all rows." if can_fold else ""
    return [f"The {what} was measured on {rows} only: {may_be}.{advice}"]
