"""The description of a model on the page: its metrics, data and card, from its run folder or from its bundle."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import polars as pl

from tagline.classifier import TextClassifier
from tagline.decisions.levels import levels_to_json
from tagline.decisions.novelty import USUAL_SHARE
from tagline.errors import InputError
from tagline.explain import top_features
from tagline.many_classes import MOST_DENSE_CLASSES, probability_array
from tagline.metrics.calibration_error import reliability_curve, top_label
from tagline.metrics.headline import tiles
from tagline.metrics.ranking import rank, roc_curve
from tagline.metrics.registry import METRICS
from tagline.models import LabelTree
from tagline.report.conclusion import summary_of_recipe
from tagline.run_folder import RunFolder, probabilities, run_of_model
from tagline.runs.predictions import series_indices
from tagline.task import Floats, Task
from tagline.web.card import card_sentences, data_sentences

_ROC_POINTS = 200
_EXAMPLES = 6
_LONGEST_EXAMPLE = 1_000  # characters
_FEATURES = 10  # of each class
_MOST_CLASSES = 200  # whose features are listed

Json = dict[str, Any]
T = TypeVar("T")


def about_model(model_path: str | Path, clf: TextClassifier) -> Json:
    """Return the description of a model, as JSON values.

    Metrics, plots and examples are those of the run whose folder holds the bundle. Without a run they are None, or an
    empty list, and the data is described from the bundle. A damaged file of the run counts as missing.

    Args:
        model_path: The folder of the bundle, or of its run.
        clf: The model in it.

    """
    remembered = clf.card_.get("dataset") or {}
    run = run_of_model(model_path, remembered.get("fingerprint"))
    nothing: Json = {}
    record, metrics = _read(run, lambda run: run.record, nothing), _read(run, lambda run: run.metrics, nothing)
    dataset = record.get("dataset") or {key: remembered.get(key) for key in ("name", "fingerprint", "rows")}
    figures = _figures(metrics)
    predictions = _read(run, lambda run: run.predictions, None) if metrics else None
    recipe = clf.recipe_.recipe
    name = str(dataset.get("name") or "")
    examples = _examples(_read(run, lambda run: run.mistakes, []))
    return {
        "title": f"{name} · {recipe.name}" if name else recipe.name,
        "recipe": {"name": recipe.name, "summary": summary_of_recipe(recipe.summary, clf.chosen_)},
        "task": clf.task_,
        "classes": [str(each) for each in clf.classes_],
        "positive": clf.positive_,
        "threshold": clf.rule_.to_json(),
        "by_costs": clf.costs_ is not None and clf.task_ is Task.MULTICLASS,
        "novelty": USUAL_SHARE if clf.novelty_ is not None and clf.novelty_.least <= USUAL_SHARE else None,
        "guarantees": _guarantees(clf),
        "data": {"name": name, "rows": dict(dataset.get("rows") or {}), "facts": data_sentences(dataset)},
        "trained": record.get("created"),
        "figures": figures,
        "calibration": _calibration(predictions, metrics),
        "curves": _curves(run, predictions, metrics),
        "text_columns": list(clf.card_.get("text_columns") or []),
        "features": _features(clf),
        "examples": examples,
        "examples_note": "Misclassified texts from the test rows." if examples else None,
        "card": card_sentences(clf, record, metrics),
    }


def _guarantees(clf: TextClassifier) -> Json | None:
    """Return the levels that held-out rows support; a label tree has no prediction sets."""
    levels = levels_to_json(clf.held_out_)
    return levels | {"sets": []} if levels is not None and isinstance(clf.model_, LabelTree) else levels


def _figures(metrics: Json) -> Json | None:
    split = "test" if metrics.get("test") else "validation"
    block = metrics.get(split)
    if not block:
        return None
    folds = metrics.get("folds")
    return {
        "split": "cross-validation" if folds else split,
        "rows": block["n"],
        **{key: block.get(key) for name in METRICS for key in (name, f"{name}_ci95")},
        "tiles": [vars(tile) for tile in tiles(block)],
        "confusion_matrix": block.get("confusion_matrix"),
        "per_class": block.get("per_class") if len(metrics["classes"]) <= MOST_DENSE_CLASSES else None,
    }


def _calibration(predictions: pl.DataFrame | None, metrics: Json) -> list[Json] | None:
    """Return the non-empty bins of the reliability curve: of the most probable class, or of all labels."""
    if predictions is None:
        return None
    classes = list(metrics["classes"])
    proba = probabilities(predictions, classes)  # (n, n_classes)
    if proba is None or not len(proba):
        return None
    truth = series_indices(predictions["label"], classes)
    if metrics["task"] == "multilabel":
        curve = reliability_curve(probability_array(proba).ravel(), truth.astype(bool).ravel())
    else:
        curve = reliability_curve(*top_label(truth, proba))
    return [
        {
            "low": float(curve.edges[k]),
            "high": float(curve.edges[k + 1]),
            "rows": int(curve.count[k]),
            "confidence": float(curve.confidence[k]),
            "share_right": float(curve.accuracy[k]),
        }
        for k in np.flatnonzero(curve.count)
    ]


def _curves(run: RunFolder | None, predictions: pl.DataFrame | None, metrics: Json) -> Json | None:
    curves: Json = {}
    positive = (metrics.get("test") or {}).get("positive")
    proba = None if predictions is None else probabilities(predictions, list(metrics["classes"]))
    if predictions is not None and proba is not None and positive is not None:
        score = probability_array(proba)[:, list(metrics["classes"]).index(positive)]
        roc = _roc_points((predictions["label"] == positive).to_numpy(), score)
        curves |= {} if roc is None else {"roc": roc}
    history = _history(run)
    return curves | ({} if history is None else {"history": history}) or None


def _roc_points(positive: np.ndarray[Any, np.dtype[np.bool_]], score: Floats) -> list[list[float]] | None:
    ranking = rank(positive, score)
    if ranking is None:
        return None
    fpr, tpr = roc_curve(ranking)
    kept = np.unique(np.linspace(0, len(fpr) - 1, _ROC_POINTS).round().astype(np.int64))
    return [[round(float(fpr[k]), 5), round(float(tpr[k]), 5)] for k in kept]


def _features(clf: TextClassifier) -> list[Json] | None:
    """Return the top features of each class, None for a model whose features have no weights of their own."""
    if len(clf.classes_) > _MOST_CLASSES:
        return None
    try:
        found = top_features(clf, _FEATURES)
    except InputError:
        return None
    return [{"class": each.class_name, "features": [name for name, _ in each.features]} for each in found]


def _history(run: RunFolder | None) -> dict[str, list[float | None]] | None:
    history = _read(run, lambda run: run.history, None)
    if history is None:
        return None
    return {name: [value if math.isfinite(value) else None for value in column] for name, column in history.items()}


def _examples(mistakes: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Return the shortest of the stored texts, of each label in turn."""
    by_label: dict[str, list[Json]] = {}
    seen = set()
    complete = [each for each in mistakes if isinstance(each, Mapping) and {"text", "label"} <= each.keys()]
    for mistake in sorted(complete, key=lambda mistake: len(mistake["text"])):
        text = mistake["text"]
        if not text.strip() or len(text) > _LONGEST_EXAMPLE or text in seen:
            continue
        seen.add(text)
        label = mistake["label"]
        by_label.setdefault(json.dumps(label), []).append({"text": text, "label": label})
    columns = list(by_label.values())
    longest = max(map(len, columns), default=0)
    in_turn = [column[place] for place in range(longest) for column in columns if place < len(column)]
    return in_turn[:_EXAMPLES]


def _read(run: RunFolder | None, read: Callable[[RunFolder], T], default: T) -> T:
    """Return ``read(run)``, or the default if there is no run or its file is missing or damaged."""
    if run is None:
        return default
    try:
        return read(run)
    except InputError:
        return default
