"""What ``run.json`` says of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import BUILT_IN, Dataset
from tagline.recipes import Recipe
from tagline.runs.environment import machine, versions
from tagline.runs.folder import FORMAT
from tagline.runs.settings import TrainSettings

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.learners import TrainingRecord
    from tagline.learners.feature_cache import FeatureCache
    from tagline.runs.fit import Result


@dataclass(frozen=True)
class Found:
    """How a search came to the recipe of a run: what ``run.json`` says of it, and texts to lie beside it, by name.

    ``feature_cache``: keeps the features of the train and validation texts.
    """

    about: dict[str, Any]
    files: dict[str, str]
    feature_cache: "FeatureCache"


def run_json(
    name: str,
    when: datetime,
    command: Sequence[str],
    recipe: Recipe,
    settings: TrainSettings,
    dataset: Dataset,
    result: "Result",
    data: Any,
) -> dict[str, Any]:
    """Return the content of ``run.json``."""
    clf = result.clf
    return {
        "format": FORMAT,
        "name": name,
        "created": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "command": list(command),
        "recipe": recipe.to_json(),
        **({"notes": [recipe.recipe.note]} if recipe.recipe.note else {}),
        "seed": settings.seed,
        "dataset": {
            "name": dataset.name,
            "source": _source(dataset, data),
            "fingerprint": dataset.fingerprint,
            "task": dataset.task,
            "classes": dataset.classes,
            "rows": row_counts(dataset),
            "facts": dataset.facts.to_json(),
        },
        **({} if result.looks is None else {"test": result.looks.test.to_json()}),
        "texts": settings.texts,
        **_of_training(clf.training_),
        "chosen": _chosen(clf, settings),
        "versions": versions(),
        "machine": machine(),
    }


def _chosen(clf: "TextClassifier", settings: TrainSettings) -> dict[str, Any]:
    chosen = clf.chosen_ | ({} if settings.threshold is None else {"threshold": settings.threshold})
    if settings.unlabelled is not None:
        vectors = chosen["vectors"]
        learnt_from = {"file": Path(settings.unlabelled).name, **vectors["learnt_from"]}
        chosen["vectors"] = vectors | {"learnt_from": learnt_from}
    return chosen


def row_counts(dataset: Dataset) -> dict[str, int]:
    """Return how many rows each split has; after cross-validation the test rows are all rows."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    rows = {name: len(part) if part is not None else 0 for name, part in parts.items()}
    if dataset.folds is not None:
        rows["test"] = len(dataset.train)
    return rows


def _source(dataset: Dataset, data: Any) -> str:
    """Name where the data came from; a built-in set by its origin, not by a folder of this machine."""
    return BUILT_IN[data].origin if isinstance(data, str) and data in BUILT_IN else dataset.source


def _of_training(training: "TrainingRecord | None") -> dict[str, Any]:
    """Return what ``run.json`` says of a network and its training; nothing of anything else."""
    if training is None:
        return {}
    return {
        "network": {"layers": training.layers, "parameters": sum(row["parameters"] for row in training.layers)},
        "training": {
            "best_epoch": training.best_epoch,
            "epochs_run": len(training.history["epoch"]),
            "refit_epochs": None if training.refit_history is None else len(training.refit_history["epoch"]),
            "findings": training.findings,
        },
    }
