"""A comparison of runs as a page of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tagline.metrics.formatting import (
    display_name,
    format_figure,
    format_interval,
    format_number,
    format_points,
    listed,
)
from tagline.report.conclusion import difference_row, units_sentence
from tagline.report.markup.excerpts import harmless, pieces
from tagline.report.markup.inline_svg import inline_svg
from tagline.report.rendering import check_page, render_page, write_page
from tagline.report.sections.rows import place

_CLASSES_SHOWN = 30
_COSTS = {"ms_per_text": ("Time, ms for one text", "ms"), "megabytes": ("Size, MB on disk", "MB")}
_FIGURES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "micro_f1": "Micro F1"}


def write_comparison(path: Path, document: Mapping[str, Any]) -> Path:
    """Write what ``compare_runs`` returned as a self-contained page, atomically, and return its path."""
    check_page(path)
    write_page(path, render_comparison(document))
    return path


def render_comparison(document: Mapping[str, Any]) -> str:
    """Return the page of a comparison."""
    runs, pairs = document["runs"], document["pairs"]
    multilabel = document["task"] == "multilabel"
    names = _FIGURES | ({"accuracy": "Exact match"} if multilabel else {})
    figures = {key: name for key, name in names.items() if key in runs[0]}
    return render_page(
        "comparison.html.j2",
        title=display_name(str(document["dataset"] or "runs")),
        n=f"{document['rows']:,}",
        folds=document["folds"],
        left_out=sum(document.get("rows_left_out", [])),
        looks=document["test_looks"],
        units=units_sentence(document),
        multilabel=multilabel,
        conclusion=[harmless(sentence) for sentence in document["conclusion"]],
        figures=figures,
        runs=[_run(run, figures) for run in runs],
        timed_on=document["timed_on"],
        pairs=[_pair(pair, runs, figures) for pair in pairs],
        plots=_plots(runs, names["accuracy"]),
        classes=_classes(document),
        n_classes=len(document["classes"]),
        examples=[_examples(pair, runs) for pair in pairs if "examples" in pair],
        texts_shown=document["texts_shown"],
    )


def _run(run: Mapping[str, Any], figures: Mapping[str, str]) -> dict[str, Any]:
    return {
        "letter": run["letter"],
        "name": display_name(run["name"]),
        "recipe": display_name(str(run["recipe"] or "–")),
        "figures": [
            {"value": format_figure(key, run[key]), "interval": format_interval(key, run[f"{key}_ci95"])}
            for key in figures
        ],
        "ms": format_number(run["ms_per_text"]),
        "per_second": format_number(run["texts_per_second"]),
        "mb": format_number(run["megabytes"]),
        "fit": format_number(run["fit_seconds"]),
        "beaten": bool(run["dominated_by"]),
    }


def _pair(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], figures: Mapping[str, str]) -> dict[str, Any]:
    first, second = (runs[pair[place]] for place in ("first", "second"))
    cells = pair["mcnemar"]
    least = pair["smallest_difference"]
    return {
        "first": first["letter"],
        "second": second["letter"],
        "differences": [{"name": name, **difference_row(pair, key)} for key, name in figures.items()],
        "cells": {
            key: f"{cells[key]:,}" for key in ("both_right", "only_first_right", "only_second_right", "both_wrong")
        },
        "agreement": format_figure("accuracy", pair["agreement"]),
        "kappa": "–" if pair["kappa"] is None else f"{pair['kappa']:.3f}",
        "least": "–" if least is None else format_points(100 * least),
    }


def _plots(runs: Sequence[Mapping[str, Any]], accuracy: str) -> list[dict[str, Any]]:
    from tagline.plots.searches.pareto import plot_pareto
    from tagline.plots.style import svg_bytes  # matplotlib takes its time

    found = []
    for key, (cost, unit) in _COSTS.items():
        known = [run for run in runs if run[key]]
        if len(known) < 2:
            continue
        figure = plot_pareto(
            [run["letter"] for run in known],
            [run["accuracy"] for run in known],
            [run["accuracy_ci95"] for run in known],
            [run[key] for run in known],
            cost=cost,
            accuracy=accuracy,
        )
        caption = "; ".join(
            f"{run['letter']}: {format_figure('accuracy', run['accuracy'])}, {format_number(run[key])} {unit}"
            for run in known
        )
        svg = inline_svg(svg_bytes(figure).decode(), key.replace("_", "-"))
        found.append({"svg": svg, "name": f"{accuracy} against {cost.lower()}", "caption": caption})
    return found


def _classes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return F1 of each run by class, where the runs differ most first; of two runs with the paired interval."""
    runs, pairs = document["runs"], document["pairs"]
    differences = pairs[0]["per_class"] if len(runs) == 2 else None
    held = {name: of for name, of in document["per_class"].items() if any(value is not None for value in of["f1"])}

    def spread(name: str) -> float:
        known: list[float] = [value for value in held[name]["f1"] if value is not None]
        return max(known) - min(known)

    rows = []
    for name in sorted(held, key=lambda name: (-spread(name), -held[name]["rows"]))[:_CLASSES_SHOWN]:
        values = held[name]["f1"]
        best = max(value for value in values if value is not None)
        row = {
            "name": display_name(name),
            "rows": f"{held[name]['rows']:,}",
            "f1": [{"value": format_figure("f1", v), "best": v == best and spread(name) > 0} for v in values],
            "difference": "",
            "interval": "",
            "sure": False,
        }
        if differences is not None and differences[name]["f1_difference"] is not None:
            ends = differences[name]["f1_difference_ci95"]
            row["difference"] = f"{differences[name]['f1_difference']:+.3f}"
            row["interval"] = " to ".join(f"{end:+.3f}" for end in ends) if ends else "–"
            row["sure"] = bool(ends) and (ends[0] > 0 or ends[1] < 0)
        rows.append(row)
    return {"rows": rows, "paired": differences is not None}


def _examples(pair: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, second = (runs[pair[place]] for place in ("first", "second"))
    cells = pair["mcnemar"]
    return {
        "first": first["letter"],
        "second": second["letter"],
        "ways": [
            _way(pair["examples"]["first_right"], first, second, cells["only_first_right"], at=1),
            _way(pair["examples"]["second_right"], second, first, cells["only_second_right"], at=0),
        ],
    }


def _way(
    examples: Sequence[Mapping[str, Any]], right: Mapping[str, Any], wrong: Mapping[str, Any], n: int, *, at: int
) -> dict[str, Any]:
    """Return the rows that one run has right and another wrong; ``at``: the position of the latter's probability."""
    cards = []
    for example in examples:
        shown, goes_on = pieces(example["text"], []) if "text" in example else ([], False)
        cards.append(
            {
                "place": place(example, "Line") or f"Row {example['row']:,}",
                "label": _labels(example["label"]),
                "wrong": _labels(example["wrong"]),
                "about": display_name(example["about"]),
                "sure": _probability(example["probabilities"][at]),
                "other": _probability(example["probabilities"][1 - at]),
                "pieces": shown,
                "goes_on": goes_on,
            }
        )
    return {"right": right["letter"], "wrong": wrong["letter"], "n": f"{n:,}", "cards": cards}


def _probability(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"


def _labels(label: Any) -> str:
    names = label if isinstance(label, list) else [label]
    return listed([display_name(str(name)) for name in names]) or "no label"
