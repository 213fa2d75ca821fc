"""How a search found a recipe, as plain values: trials, held-out rows, and the corrected score of the best."""

from collections.abc import Mapping
from typing import Any

from tagline.metrics.formatting import display_name
from tagline.report.markup.excerpts import harmless

_PERCENT = ("accuracy", "macro_f1")


def search(run: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the report's data on the search that found the recipe of a run; None without a search."""
    about = run.get("search")
    if not isinstance(about, Mapping):
        return None
    metric = str(about["metric"])
    counts, scored_on = about["tried"], about["judged_on"]
    n = sum(counts.values())
    low, high = about["corrected_ci95"]
    ends = [f"{counts[name]:,} {what}" for name, what in _ENDS.items() if counts.get(name)]
    sentences = [
        f"{n:,} recipes were tried in {about['seconds']:,.0f} of {about['budget_seconds']:,.0f} seconds"
        + (", then the search was stopped" if about.get("stopped") else "")
        + f": {', '.join(ends)}.",
        f"Each was scored on {scored_on['rows']:,} held-out rows ({harmless(str(scored_on['how']))}), "
        "none of them test rows.",
        _corrected_sentence(*(_figure(metric, value) for value in (about["chosen"], about["corrected"], low, high))),
    ]
    if about.get("final_parts"):
        sentences.append(f"The finalists were compared on {about['final_parts']:,} further folds.")
    return {
        "metric": metric.replace("_", " "),
        "sentences": sentences,
        "limits": [f"{name.replace('_', ' ')} {value:g}" for name, value in (about.get("limits") or {}).items()],
        "best": [
            {
                "place": row["place"],
                "family": display_name(str(row["family"])),
                "figure": _figure(metric, row[metric]),
                "seconds": f"{row['fit_seconds']:.2f}",
                "size": "–" if row["size_mb"] is None else _megabytes(row["size_mb"]),
                "latency": "–" if row["latency_ms"] is None else f"{row['latency_ms']:,.1f}",
                "settings": harmless(str(row["settings"])),
            }
            for row in about["best"]
        ],
    }


_ENDS = {"whole": "completed", "dropped": "pruned", "failed": "failed"}


def _corrected_sentence(chosen: str, corrected: str, low: str, high: str) -> str:
    if chosen == corrected:
        return (
            f"The best scored {chosen} ({low} to {high}). Correcting for selection bias does not change this: "
            "resampled rows select the same recipe or one as good."
        )
    return f"The best scored {chosen}; corrected for selection bias, {corrected} ({low} to {high})."


def _megabytes(size: float) -> str:
    return f"{size:,.1f}" if size >= 1 else f"{size:.2f}"


def _figure(metric: str, value: float) -> str:
    return f"{100 * value:.2f} %" if metric in _PERCENT else f"{value:.4f}"
