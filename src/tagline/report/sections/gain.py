"""What a run gained on the model that it continues, both measured on the same rows."""

from collections.abc import Mapping
from typing import Any

from tagline.data.wording import listed as in_backticks
from tagline.metrics.formatting import display_name, format_figure
from tagline.report.conclusion import difference_row, figure_sentence, pair_sentence
from tagline.report.markup.excerpts import harmless

_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "micro_f1": "Micro F1"}
_F1 = ("macro_f1", "micro_f1")
_NAMED = 5


def gain_sentences(metrics: Mapping[str, Any]) -> list[str]:
    """Say how the model of a ``metrics.json`` compares with the one that it continues; empty if there is none."""
    found = metrics.get("continued_from")
    if not found:
        return []
    runs, pair, new = found["runs"], found["pair"], found["new_classes"]
    sentences = [pair_sentence(pair, runs, found["rows"]), *(figure_sentence(pair, runs, name) for name in _F1)]
    if new:
        classes = "a class" if len(new) == 1 else f"{len(new):,} classes"
        sentences.append(
            f"`{display_name(runs[0]['name'])}` does not know {classes} of these rows: {in_backticks(new, _NAMED)}."
        )
    measured = metrics.get("test") or {"per_class": {}}
    if any(not row["support"] for row in measured["per_class"].values()):
        sentences.append("Of a class without rows here, macro F1 counts an F1 of 0 for a model that predicts it.")
    return [sentence for sentence in sentences if sentence]


def gain(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the figures of the model before and of the run, and sentences; None if the run continues no model."""
    found = metrics.get("continued_from")
    if not found:
        return None
    before, after = found["runs"]
    return {
        "before": display_name(before["name"]),
        "rows": [
            {
                "name": name,
                "before": format_figure(key, before[key]),
                "after": format_figure(key, after[key]),
                **difference_row(found["pair"], key),
            }
            for key, name in _NAMES.items()
            if key in before
        ],
        "sentences": [harmless(sentence) for sentence in gain_sentences(metrics)],
    }
