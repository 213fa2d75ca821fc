"""The figures of a run: the verdict, the metrics, and those of each class."""

from collections.abc import Mapping, Sequence
from typing import Any

from tagline.metrics.confusion import worst_classes
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.formatting import display_name, format_figure, format_interval
from tagline.metrics.headline import headlines, task_of
from tagline.task import Task

_WORST_FIRST = 12  # classes
_SHOWN_OF_MANY = 50  # classes
_FOLDED_ABOVE, _UNFOLDED = 50, 30  # classes; rows beyond the worst are collapsed
Block = Mapping[str, Any]


def verdict(metrics: Mapping[str, Any], block: Block, *, evaluated: bool) -> dict[str, str]:
    """Return the result in one sentence, and a baseline to compare it with."""
    n, folds = block["n"], metrics.get("folds")
    texts = "texts" if folds or evaluated else "test texts"
    interval = format_interval("accuracy", block.get("accuracy_ci95"))
    task = task_of(block)
    what = f"{n:,} {texts} correct" if task is not Task.MULTILABEL else f"{n:,} {texts} with exactly the right labels"
    beside = ""
    if task is Task.MULTILABEL:
        micro = format_figure("micro_f1", block["micro_f1"])
        beside = f"Micro F1 is {micro}."
    else:
        support = {name: row["support"] for name, row in block["per_class"].items()}
        commonest = max(support, key=lambda name: support[name])
        share = format_figure("accuracy", support[commonest] / max(n, 1))
        beside = f"Baseline: always predicting “{display_name(commonest, 40)}” has an accuracy of {share}."
    if folds:
        beside = (
            f"{folds}-fold cross-validation: each text was predicted by a model trained on the other folds. {beside}"
        )
    return {
        "figure": format_figure("accuracy", block["accuracy"]),
        "what": f"of {what}",
        "interval": f"95 % interval {interval}" if interval else "",
        "beside": beside,
    }


def figure_rows(block: Block, validation: Block | None) -> list[dict[str, str]]:
    """Return every figure with its interval, and the same on validation rows."""
    other = {line.key: line for line in headlines(validation)} if validation else {}
    return [
        {
            **vars(line),
            "interval": line.interval or "–",
            "validation": other[line.key].value if line.key in other else "",
        }
        for line in headlines(block)
    ]


def thresholds_of_labels(run: Mapping[str, Any], classes: Sequence[str]) -> dict[str, str]:
    """Return the threshold of each label; empty if one decides for all, a class without one is left out.

    The classes of a model come first among those of an evaluation, which may have others.
    """
    found = (run.get("chosen") or {}).get("threshold")
    if not isinstance(found, list) or len(set(found)) < 2:
        return {}
    return {name: f"{threshold:.3g}" for name, threshold in zip(classes, found, strict=False)}


def class_rows(block: Block, thresholds: Mapping[str, str]) -> tuple[list[dict[str, Any]], bool]:
    """Return the figures of each class, of very many the worst, and whether they are sorted worst first.

    ``thresholds`` are those of labels, as `thresholds_of_labels` returns them.
    """
    per_class = block["per_class"]
    worst_first = len(per_class) > _WORST_FIRST
    names = worst_classes(per_class, len(per_class)) if worst_first else list(per_class)
    shown = set(names)
    names += [name for name in per_class if name not in shown]
    rows = []
    for name in names if len(names) <= MANY_CLASSES else names[:_SHOWN_OF_MANY]:
        row = per_class[name]
        figures = {
            key: format_figure("f1", row.get(key))
            for key in ("precision", "recall", "f1", "specificity", "false_positive_rate", "roc_auc")
        }
        counts = {key: f"{row[key]:,}" for key in ("tp", "fp", "fn", "tn", "support")}
        bar = round(100 * (row["f1"] or 0.0), 1)
        interval = format_interval("f1", row.get("f1_ci95"))
        decided = {"threshold": thresholds.get(name, "–"), "interval": interval or "–"}
        rows.append({"name": display_name(name), "bar": bar, **decided, **figures, **counts})
    return rows, worst_first


def n_unfolded(n_classes: int) -> int:
    """Return how many rows of classes are expanded; the others are collapsed on screen, not in print."""
    return _UNFOLDED if n_classes > _FOLDED_ABOVE else n_classes
