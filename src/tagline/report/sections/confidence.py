"""What a model answers where it is sure: guaranteed accuracies, accuracy by confidence, prediction sets."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from tagline.metrics.formatting import format_figure, format_interval, listed
from tagline.report.conclusion import below_guarantee
from tagline.run_folder import RunFolder, probabilities

_CONFIDENCES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)


def guaranteed(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the levels of abstention and prediction sets, and what was found on the measured rows.

    None of runs of earlier versions, of several labels a text, and of models without held-out rows.
    """
    found = metrics.get("guarantees")
    if not found:
        return None
    n = found["held_out_rows"]
    return {
        "held_out": f"{n:,}",
        "abstention": [_row(each, n, "accuracy") | _answered(each) for each in found["abstention"]],
        "sets": [_row(each, n, "coverage") | _sizes(each) for each in found["sets"]],
        "missed": listed([_percent(each["level"]) for each in found["abstention"] if below_guarantee(each)]),
    }


def _row(level: Mapping[str, Any], n_held_out: int, metric: str) -> dict[str, str]:
    """Return what both kinds of level show; ``why`` says why a level is not supported."""
    why = ""
    if level["threshold"] is None:
        needed = level["rows_needed"]
        why = f"needs at least {needed:,} held-out rows" if n_held_out < needed else "not reached by the held-out rows"
    return {
        "level": _percent(level["level"]),
        "threshold": f"{level['threshold']:.4f}" if level["threshold"] else "any",
        "why": why,
        "found": format_figure("accuracy", level.get(metric)),
        "interval": format_interval("accuracy", level.get(f"{metric}_ci95")) or "–",
    }


def _answered(level: Mapping[str, Any]) -> dict[str, str]:
    return {"answered": format_figure("accuracy", level.get("answered"))}


def _sizes(level: Mapping[str, Any]) -> dict[str, str]:
    if level["threshold"] is None:
        return {"mean_size": "", "one_class": ""}
    return {"mean_size": f"{level['mean_size']:.2f}", "one_class": format_figure("accuracy", level["one_class"])}


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def confidence_rows(run: RunFolder, classes: list[str]) -> list[dict[str, str]]:
    """Return coverage and accuracy if only predictions above a confidence are accepted.

    It is the probability of the prediction, which costs or a threshold may have made of a less probable class.
    """
    if run.predictions is None or run.metrics.get("task") == "multilabel":
        return []
    proba = probabilities(run.predictions, classes)
    if proba is None or not len(proba):
        return []
    predicted = run.predictions["prediction"].replace_strict(classes, range(len(classes)), return_dtype=pl.Int64)
    confidence = proba[np.arange(len(proba)), predicted.to_numpy()]
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
