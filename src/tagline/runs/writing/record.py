"""The content of ``run.json`` and ``metrics.json``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline.data import BUILT_IN, Dataset, Split
from tagline.run_folder import FORMAT
from tagline.runs.environment import machine, peak_rss_mb, versions
from tagline.runs.reading.data import RunInputs, run_data
from tagline.runs.settings import TrainSettings
from tagline.runs.test_ledger import rows_measured, what_counts

if TYPE_CHECKING:
    from tagline.classifier import TextClassifier
    from tagline.learners import TrainingRecord
    from tagline.learners.feature_cache import FeatureCache
    from tagline.runs.fit import Result

_FIRST, _FIRST_CHARS = 10, 1000  # texts that the report shows, and how much of each is kept


@dataclass(frozen=True)
class SearchResult:
    """How a search found the recipe of a run.

    Attributes:
        about: ``search`` of ``run.json`` and ``metrics.json``.
        files: texts to write into the run folder, by name.
        feature_cache: the features of the train and validation texts that the search has computed.

    """

    about: dict[str, Any]
    files: dict[str, str]
    feature_cache: "FeatureCache"


def run_json(
    name: str, when: datetime, command: Sequence[str], inputs: RunInputs, result: "Result", search: SearchResult | None
) -> dict[str, Any]:
    """Return the content of ``run.json``."""
    clf, recipe, settings, dataset = result.clf, inputs.recipe, inputs.settings, inputs.dataset
    return {
        "format": FORMAT,
        "name": name,
        "created": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "command": list(command),
        "recipe": recipe.to_json(),
        **({"notes": [recipe.recipe.note]} if recipe.recipe.note else {}),
        "seed": settings.seed,
        **({} if inputs.start is None else {"continued_from": inputs.start.to_json()}),
        "dataset": {
            "name": dataset.name,
            "source": _source(dataset, inputs.data),
            "fingerprint": dataset.fingerprint,
            "task": dataset.task,
            "classes": dataset.classes,
            "rows": dataset.row_counts,
            "facts": dataset.facts.to_json(),
        },
        "data": run_data(inputs).to_json(),
        **({} if result.looks is None else {"test": result.looks.test.to_json()}),
        "texts": settings.texts,
        **_first_texts(inputs),
        **_of_training(clf.training_),
        "chosen": _chosen(clf, settings),
        "versions": versions(),
        "machine": machine(),
        **({} if search is None else {"search": search.about}),
    }


def _first_texts(inputs: RunInputs) -> dict[str, list[str]]:
    """Return how the texts of the first rows of ``predictions.parquet`` begin, if the run keeps texts."""
    measured = rows_measured(inputs.dataset)
    return {} if measured is None or not inputs.settings.texts else first_texts(measured)


def first_texts(measured: Split) -> dict[str, list[str]]:
    """Return ``first_texts`` of ``run.json``: how the texts of the first rows measured begin."""
    return {"first_texts": measured.texts.head(_FIRST).str.slice(0, _FIRST_CHARS).to_list()}


def metrics_json(
    inputs: RunInputs,
    result: "Result",
    test: dict[str, Any] | None,
    seconds: dict[str, float],
    search: SearchResult | None,
    continued_from: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the content of ``metrics.json``.

    ``test`` are the figures of the test rows, None if there are none; ``continued_from`` is what `gained` returns.
    """
    dataset = inputs.dataset
    return {
        "task": dataset.task,
        "classes": dataset.classes,
        "rows": dataset.row_counts,
        **({} if dataset.n_folds is None else {"folds": dataset.n_folds}),
        "validation": result.validation,
        "test": test,
        **({} if result.guarantees is None else {"guarantees": result.guarantees}),
        **({} if continued_from is None else {"continued_from": continued_from}),
        **({} if test is None or result.looks is None else what_counts(test, result.looks.times)),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_rss_mb": peak_rss_mb(),
        **({} if search is None else {"search": search.about}),
    }


def _chosen(clf: "TextClassifier", settings: TrainSettings) -> dict[str, Any]:
    chosen = clf.chosen_ | ({} if settings.threshold is None else {"threshold": settings.threshold})
    if settings.unlabelled is not None:
        vectors = chosen["vectors"]
        learnt_from = {"file": Path(settings.unlabelled).name, **vectors["learnt_from"]}
        chosen["vectors"] = vectors | {"learnt_from": learnt_from}
    return chosen


def _source(dataset: Dataset, data: Any) -> str:
    """Return where the data came from; of a built-in set its origin, not a folder of this machine."""
    return BUILT_IN[data].origin if isinstance(data, str) and data in BUILT_IN else dataset.source


def _of_training(training: "TrainingRecord | None") -> dict[str, Any]:
    """Return the part of ``run.json`` about a network and its training; empty for other models."""
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
