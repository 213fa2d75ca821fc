"""The figures of a run: the verdict, the metrics, and those of each class."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.formatting import display_name, format_figure, format_interval
from tagline.metrics.headline import headlines, task_of
from tagline.metrics.notable_classes import NOTABLE, best_classes, most_frequent_classes, worst_classes
from tagline.task import Task

_WORST_FIRST = 12  # classes
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


def class_tables(block: Block, thresholds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the tables of the metrics by class: ``title``, ``rows``, and ``folded``, collapsed rows.

    It is one table without a title; of very many classes, one each of the most frequent, the best and the worst.
    ``thresholds`` are those of labels, as `thresholds_of_labels` returns them.
    """
    per_class = block["per_class"]
    rows_of = partial(_class_rows, per_class, thresholds)
    if len(per_class) > MANY_CLASSES:
        kinds = {
            "Most frequent": most_frequent_classes,
            "Highest F1": best_classes,
            "Lowest F1": worst_classes,
        }
        return [
            {"title": title, "rows": rows_of(choose(per_class, NOTABLE)), "folded": []}
            for title, choose in kinds.items()
        ]
    names = worst_classes(per_class, len(per_class)) if worst_first(block) else list(per_class)
    named = set(names)
    names += [name for name in per_class if name not in named]
    n_unfolded = _UNFOLDED if len(names) > _FOLDED_ABOVE else len(names)
    return [{"title": "", "rows": rows_of(names[:n_unfolded]), "folded": rows_of(names[n_unfolded:])}]


def worst_first(block: Block) -> bool:
    """Return whether the classes are sorted by F1, the lowest first, in a single table."""
    return _WORST_FIRST < len(block["per_class"]) <= MANY_CLASSES


def _class_rows(
    per_class: Mapping[str, Mapping[str, Any]], thresholds: Mapping[str, str], names: Sequence[str]
) -> list[dict[str, Any]]:
    rows = []
    for name in names:
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
    return rows
