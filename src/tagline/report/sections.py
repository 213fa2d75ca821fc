"""The parts of the report as plain values for the template."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tagline.data.inspections import INSPECTIONS
from tagline.key_findings import shown_first
from tagline.metrics.confusion import worst_classes
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.formatting import display_name, format_figure, format_interval
from tagline.metrics.headline import headlines, task_of
from tagline.report.excerpts import excerpt, harmless, pieces
from tagline.run_folder import RunFolder, probabilities
from tagline.task import Task

_WORST_FIRST = 12  # classes
_SHOWN_OF_MANY = 50  # classes
_FOLDED_ABOVE, _UNFOLDED = 50, 30  # classes; rows beyond the worst are collapsed
_MISTAKES = 20
_FIRST = 10
_CONFIDENCES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
_SPLITS = ("train", "validation", "test")

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


def class_rows(block: Block) -> tuple[list[dict[str, Any]], bool]:
    """Return the figures of each class, of very many the worst, and whether they are sorted worst first."""
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
        rows.append({"name": display_name(name), "bar": bar, "interval": interval or "–", **figures, **counts})
    return rows, worst_first


def n_unfolded(n_classes: int) -> int:
    """Return how many rows of classes are expanded; the others are collapsed on screen, not in print."""
    return _UNFOLDED if n_classes > _FOLDED_ABOVE else n_classes


def confidence_rows(run: RunFolder, classes: list[str]) -> list[dict[str, str]]:
    """Return coverage and accuracy if only predictions above a confidence are accepted."""
    if run.predictions is None or run.metrics.get("task") == "multilabel":
        return []
    proba = probabilities(run.predictions, classes)
    if proba is None or not len(proba):
        return []
    confidence = proba.max(1)
    right = (run.predictions["label"] == run.predictions["prediction"]).to_numpy()
    rows = []
    for least in _CONFIDENCES:
        kept = confidence >= least
        n = int(kept.sum())
        if n in (0, int((confidence >= _CONFIDENCES[0]).sum())) and least > 0:
            continue
        rows.append(
            {
                "least": "any" if least == 0 else f"≥ {100 * least:g} %",
                "kept": f"{n:,}",
                "share": f"{100 * n / len(kept):.1f} %",
                "right": f"{100 * float(np.mean(right[kept])):.1f} %",
            }
        )
    return rows


def first_rows(run: RunFolder) -> dict[str, Any]:
    """Return the first ten rows that were predicted: line, text if the run keeps it, true label and prediction.

    Unless all come from files they have the number in ``predictions.parquet``, and ``numbered`` is ``Row`` instead of
    ``Line``. The file is named if there are several.
    """
    if run.predictions is None:
        return {"numbered": "Row", "rows": []}
    rows, texts = [], run.record.get("first_texts") or []
    found = run.predictions.head(_FIRST).to_dicts()
    files = {row.get("file") for row in found}
    by_line = all(place(row) for row in found)
    for k, row in enumerate(found):
        truth, prediction = row["label"], row["prediction"]
        said = prediction if isinstance(prediction, list) else [prediction]
        right = set(truth) == set(said) if isinstance(truth, list) else truth == prediction
        in_part = not right and isinstance(truth, list) and bool(set(truth) & set(said))
        rows.append(
            {
                "number": f"{row['line' if by_line else 'row']:,}",
                "file": harmless(str(row["file"])) if len(files) > 1 and by_line else "",
                "text": excerpt(str(texts[k])) if k < len(texts) else "",
                "truth": _labels(truth),
                "said": [{"name": display_name(str(name)), "probability": _probability(row, name)} for name in said],
                "verdict": "right" if right else "in part" if in_part else "wrong",
            }
        )
    return {"numbered": "Line" if by_line else "Row", "rows": rows}


def place(row: Mapping[str, Any], line: str = "line") -> str:
    """Return line and file of a row, empty if it comes from no file; ``line`` is "Line" where a sentence begins."""
    return harmless(f"{line} {row['line']:,} of {row['file']}") if row.get("file") and row.get("line") else ""


def _probability(row: Mapping[str, Any], name: Any) -> str:
    probability = row.get(f"proba:{name}")
    return "" if probability is None else f"{100 * probability:.1f} %"


def mistake_cards(mistakes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the most confident errors, cut into pieces at the words that are evidence for or against the prediction.

    Of a multi-label mistake the words and the probability are about the label that is wrong or missing. A duplicate
    text is shown once, with the highest probability.
    """
    cards: list[dict[str, Any]] = []
    seen: set[str] = set()
    for mistake in mistakes:
        text = " ".join(mistake["text"].split())
        if text in seen or len(cards) == _MISTAKES:
            continue
        seen.add(text)
        wrong, probability = _wrong_label(mistake), mistake.get("probability")
        left_out = wrong is not None and wrong["how"] == "missing"
        # The run holds the probability of the decision, and the evidence for it: here they are those of the label.
        sign = -1.0 if left_out else 1.0
        spans = [(start, end, sign * float(value)) for start, end, value in mistake.get("spans", [])]
        shown, goes_on = pieces(mistake["text"], spans)
        if probability is not None and left_out:
            probability = 1 - probability
        cards.append(
            {
                "place": place(mistake),
                "label": _labels(mistake["label"]),
                "prediction": _labels(mistake["prediction"]),
                "probability": "" if probability is None else f"{100 * probability:.1f} %",
                "wrong": wrong,
                "pieces": shown,
                "goes_on": goes_on,
            }
        )
    return cards


def data_facts(run: Mapping[str, Any], metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return a description of the data; facts that a run lacks are left out, and so is what is said at the top."""
    dataset = run.get("dataset") or {}
    facts = dataset.get("facts") or {}
    rows = metrics.get("rows") or dataset.get("rows") or {}
    lengths, counts = facts.get("lengths") or {}, facts.get("class_counts") or {}
    splits = [name for name in _SPLITS if rows.get(name) or name in counts]
    classes = list(metrics.get("classes") or dataset.get("classes") or [])
    at_top = shown_first(metrics)
    evaluated = bool(run.get("evaluated"))
    shown_names = {name: "evaluated" if evaluated else name for name in splits}
    return {
        "source": harmless(str(dataset.get("source") or "")),
        "fingerprint": harmless(str(dataset.get("fingerprint") or "")),
        "splits": [_split_facts(name, rows, lengths) | {"name": shown_names[name]} for name in splits],
        "class_columns": [shown_names[name] for name in splits if name in counts],
        "class_counts": [
            {
                "name": display_name(name),
                "counts": [f"{counts[split].get(name, 0):,}" for split in splits if split in counts],
            }
            for name in classes
        ]
        if counts
        else [],
        "sentences": [
            harmless(f"{name}: {str(facts[key]).removesuffix('.')}.")
            for name, key in (("Columns", "chosen"), ("Rows" if evaluated else "Split", "split"))
            if facts.get(key)
        ],
        "columns": [
            {"name": name, "value": harmless(value)}
            for name, value in (
                ("Text columns", ", ".join(facts.get("text_columns") or [])),
                ("Label columns", ", ".join(facts.get("label_columns") or [facts.get("label_column") or ""])),
            )
            if value and not facts.get("chosen")  # which says it in a sentence
        ],
        "inspections": _inspections(facts),
        "rejected_rows": [
            {key: harmless(str(row.get(key, ""))) for key in ("file", "line", "reason")}
            for row in (facts.get("rejected") or [])[:20]
        ],
        "warnings": [harmless(str(warning)) for warning in facts.get("warnings") or [] if warning not in at_top],
    }


def _split_facts(name: str, rows: Mapping[str, Any], lengths: Mapping[str, Any]) -> dict[str, str]:
    of_split = lengths.get(name) or {}
    shown = {key: f"{of_split[key]:,.0f}" if key in of_split else "" for key in ("mean", "median", "p95", "max")}
    return {"rows": f"{rows.get(name) or 0:,}", **shown}


def _inspections(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the lines of all inspections by title."""
    lines: dict[str, list[str]] = {}
    for inspection in INSPECTIONS.values():
        lines.setdefault(inspection.title, []).extend(harmless(line) for line in inspection.describe(facts))
    return [{"title": title, "lines": found} for title, found in lines.items() if found]


def _labels(label: Any) -> list[str]:
    return [display_name(str(name)) for name in (label if isinstance(label, list) else [label])]


def _wrong_label(mistake: Mapping[str, Any]) -> dict[str, str] | None:
    """Say of which label of a multi-label mistake its probability is; ``None`` for single-label data.

    It is that of the label most confidently wrong, given or left out. Of several wrong ones a run of an earlier version
    does not tell which that is: then there is no name.
    """
    truth, prediction = mistake["label"], mistake["prediction"]
    if not isinstance(truth, list) or not isinstance(prediction, list):
        return None
    wrong = set(truth) ^ set(prediction)
    name = mistake.get("about") or (wrong.pop() if len(wrong) == 1 else None)
    if name is None:
        return {"name": "", "how": ""}
    return {"name": display_name(str(name)), "how": "wrong" if name in prediction else "missing"}
