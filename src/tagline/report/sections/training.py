"""The training of a network as plain values: its history, the findings, and the layers."""

import math
from collections.abc import Mapping
from typing import Any

from tagline.features.vectors.load import coverage_sentence
from tagline.report.markup.excerpts import harmless
from tagline.run_folder import History, RunFolder


def training(folder: RunFolder) -> dict[str, Any] | None:
    """Return how a network was trained, or ``None`` for a run without a network."""
    network, history, refit = _table(folder.record, "network"), folder.history, folder.refit_history
    if history is None and refit is None and not network:
        return None
    summary, vectors = _table(folder.record, "training"), _table(_table(folder.record, "chosen"), "vectors")
    best = summary.get("best_epoch")
    return {
        "protocol": "" if history is None else _protocol_sentence(folder, history),
        "why": "" if history is None else _why_so_many_epochs(folder, history),
        "findings": [harmless(str(finding)) for finding in summary.get("findings") or []],
        "watched": history is not None and "val_loss" in history,
        "epochs": _epoch_table(history, best if isinstance(best, int) else None),
        "refit": _epoch_table(refit, None),
        "layers": [_layer(layer) for layer in network.get("layers") or []],
        "parameters": _count(network.get("parameters")),
        "vectors": harmless(coverage_sentence(vectors)) if vectors else "",
    }


def _protocol_sentence(folder: RunFolder, history: History) -> str:
    """Describe in a sentence the number of epochs, the best epoch, and which weights or refit followed.

    With nothing but a history: "Trained for 20 epochs."
    """
    run, summary = folder.record, _table(folder.record, "training")
    n_epochs = summary.get("epochs_run") or len(history["epoch"])
    planned = _table(_table(run, "recipe"), "training").get("epochs")
    parts = [f"Trained for {_epochs(n_epochs)}"]
    if isinstance(planned, int) and planned > n_epochs:
        parts = [f"Trained for {n_epochs:,} of at most {_epochs(planned)}"]
    chosen, counts = _table(run, "chosen"), _row_counts(folder)
    held_out = _table(chosen, "held_out").get("rows") or counts.get("validation")
    if "val_loss" not in history:
        parts[0] += ", without validation rows"
    elif held_out:
        parts[0] += f" with {held_out:,} validation row{'' if held_out == 1 else 's'}"
    best = _best_epoch_phrase(history, summary.get("best_epoch"))
    if best:
        parts.append(best)
    refitted, learnt_from = summary.get("refit_epochs"), chosen.get("learnt_from")
    if refitted:
        every = "all " if learnt_from and learnt_from >= (counts.get("train") or math.inf) else ""
        rows = f" on {every}{learnt_from:,} rows" if learnt_from else ""
        parts.append(f"trained again from scratch{rows} for {_epochs(refitted)}")
    elif (
        _table(_table(run, "recipe"), "training").get("early_stopping")
        and (chosen.get("epochs") or n_epochs) < n_epochs
    ):
        parts.append(f"the weights of epoch {chosen['epochs']:,} were kept")
    return "; ".join(parts) + "."


def _why_so_many_epochs(folder: RunFolder, history: History) -> str:
    """Say in a sentence why the final model has as many epochs as it has; empty where the run does not tell."""
    recipe, summary = _table(folder.record, "recipe"), _table(folder.record, "training")
    settings, refit = _table(recipe, "training"), _table(recipe, "protocol").get("refit")
    n_epochs, refitted, best = len(history["epoch"]), summary.get("refit_epochs"), summary.get("best_epoch")
    patience, planned = settings.get("early_stopping"), settings.get("epochs")
    if not isinstance(best, int) or n_epochs < 2:
        return ""
    if refitted and isinstance(refit, int):
        also = ", which is also the best epoch" if refit == best else f", whatever the best epoch, here {best:,}"
        return f"The final model has {_epochs(refitted)} because the recipe sets `protocol.refit` to {refit:,}{also}."
    if refitted:
        return f"The final model has {_epochs(refitted)}, as many as gave the lowest validation loss."
    if patience and isinstance(planned, int) and n_epochs < planned:
        return (
            f"Training stopped early: the validation loss was not lower for {_epochs(patience)} "
            f"(`training.early_stopping`), and the model is that of epoch {best:,}."
        )
    if patience:
        return f"The model is that of epoch {best:,}, as early stopping restores the weights of the best epoch."
    if best < n_epochs:
        return (
            f"The model has all {_epochs(n_epochs)} of the recipe, though the validation loss was lowest at epoch "
            f"{best:,}: `--set training.early_stopping=2` stops near it."
        )
    return ""


def _best_epoch_phrase(history: History, best: Any) -> str:
    """Describe by which metric the best epoch was best; empty for a single epoch."""
    if len(history["epoch"]) < 2 or best not in history["epoch"]:
        return ""
    at = history["epoch"].index(best)
    for column, how, best_of in (
        ("val_loss", "validation loss was lowest", min),
        ("val_accuracy", "validation accuracy was highest", max),
    ):
        finite = [value for value in history.get(column, []) if math.isfinite(value)]
        if finite and history[column][at] == best_of(finite):
            last = ", the last" if at == len(history["epoch"]) - 1 else ""
            return f"{how} at epoch {best:,}{last}"
    return f"the best epoch was {best:,}"


def _epoch_table(history: History | None, best: int | None) -> dict[str, Any] | None:
    if history is None:
        return None
    columns = ["epoch", *(name for name in history if name != "epoch")]
    rows = [
        {
            "best": len(history["epoch"]) > 1 and epoch == best,
            "cells": [_cell(name, history[name][at]) for name in columns],
        }
        for at, epoch in enumerate(history["epoch"])
    ]
    return {"columns": [_column_name(name) for name in columns], "rows": rows, "epochs": _epochs(len(rows))}


def _column_name(column: str) -> str:
    """Return the display name of a column: ``val_mean_absolute_error`` is `Validation mean absolute error`."""
    watched = column.startswith("val_")
    words = harmless(column.removeprefix("val_").replace("_", " "))
    return f"Validation {words}" if watched else words.capitalize()


def _cell(column: str, value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if column == "epoch":
        return f"{value:,.0f}"
    if column.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    if column == "seconds":
        return f"{value:,.2f}"
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:.4g}"


def _layer(layer: Mapping[str, Any]) -> dict[str, str]:
    shape = layer.get("output")
    if isinstance(shape, list):  # of one text; a variable length is null
        shape = f"({', '.join('any' if n is None else str(n) for n in shape)})"
    return {
        "layer": harmless(str(layer.get("layer") or "")),
        "output": harmless(str(shape or "")),
        "parameters": _count(layer.get("parameters")),
    }


def _row_counts(folder: RunFolder) -> Mapping[str, Any]:
    return _table(folder.metrics, "rows") or _table(_table(folder.record, "dataset"), "rows")


def _table(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = mapping.get(key)
    return found if isinstance(found, Mapping) else {}


def _count(n: Any) -> str:
    return f"{n:,}" if isinstance(n, int) else ""


def _epochs(n: int) -> str:
    return f"{n:,} epoch{'' if n == 1 else 's'}"
