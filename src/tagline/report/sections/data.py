"""The data of a run: source, splits, classes, and what inspections found."""

from collections.abc import Mapping
from typing import Any

from tagline.data.inspections import INSPECTIONS
from tagline.key_findings import shown_first
from tagline.metrics.counts import MANY_CLASSES
from tagline.metrics.formatting import display_name
from tagline.report.markup.excerpts import harmless

_SPLITS = ("train", "validation", "test")
_SHOWN_OF_MANY = 50  # classes


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
            for name in _shown_classes(classes, counts)
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


def _shown_classes(classes: list[str], counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the classes whose rows are listed: of very many the most frequent, in all splits together."""
    if len(classes) <= MANY_CLASSES:
        return classes
    rows = {name: sum(of_split.get(name, 0) for of_split in counts.values()) for name in classes}
    return sorted(classes, key=lambda name: -rows[name])[:_SHOWN_OF_MANY]


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
