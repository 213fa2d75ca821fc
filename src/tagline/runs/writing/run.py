"""Write the folder of a run: model, rows, figures, plots, report."""

import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tagline.data import Dataset
from tagline.data.splits import FOLDS_OF_FEW
from tagline.key_findings import KeyFinding
from tagline.metrics.selective import answered_levels
from tagline.plots.process import PlotProcess
from tagline.plots.registry import PlotData, Predictions, SearchCourse, TrainingHistory
from tagline.run_folder import RunFolder
from tagline.runs.findings import key_findings
from tagline.runs.fit import Result
from tagline.runs.reading.data import RunInputs
from tagline.runs.settings import Log
from tagline.runs.writing.record import SearchResult, metrics_json

if TYPE_CHECKING:
    from tagline.learners import TrainingRecord


def write_run(
    run: RunFolder,
    record: dict[str, Any],
    inputs: RunInputs,
    result: Result,
    started: float,
    search: SearchResult | None,
    log: Log,
    plots: PlotProcess,
) -> dict[str, Any]:
    """Write the run folder and return the content of ``metrics.json``."""
    from tagline.report import write_report

    run.write_record(record)
    plots.draw(run.plots, _plot_data(record, inputs, result))
    seconds = {"read": inputs.seconds, **result.seconds}
    log("measuring")  # while another process draws
    before = time.perf_counter()
    mistakes, test, gain = result.find_mistakes(), _measure(inputs, result), _gain(record, inputs, result)
    seconds["evaluate"] += time.perf_counter() - before
    log("writing")
    _write_model(run, record, inputs, result)
    if result.clf.training_ is not None:
        _write_history(run, result.clf.training_)
    _write_rows(run, inputs, mistakes)
    for name, content in ({} if search is None else search.files).items():
        run.write_search_file(name, content)
    if result.test is not None:
        run.write_predictions(result.test.frame(inputs.dataset.classes))
    metrics = metrics_json(inputs, result, test, seconds, search, gain)
    found = findings_of_run(metrics, inputs, searched=search is not None)
    metrics["findings"] = [finding.to_json() for finding in found]
    metrics["seconds"]["total"] = round(time.perf_counter() - started, 3)
    run.write_metrics(metrics)
    plots.wait_for_vectors()
    write_report(run.path)
    plots.wait()
    return metrics


def findings_of_run(metrics: Mapping[str, Any], inputs: RunInputs, *, searched: bool) -> list[KeyFinding]:
    """Return the key findings of a run; a search has neither `--balance` nor `--folds`, which they could advise."""
    return key_findings(
        metrics,
        inputs.dataset.facts,
        balanced=inputs.settings.balance or searched,
        folds=None if searched else _possible_folds(inputs.dataset),
        positive_given=inputs.settings.positive is not None,
        unknown=inputs.untrained,
    )


def _possible_folds(dataset: Dataset) -> int | None:
    """Return in how many folds all rows could be measured; None if they are, or if the splits are the data's own."""
    if dataset.facts.official or dataset.folds is not None:
        return None
    if dataset.train.groups is None:
        return FOLDS_OF_FEW
    rows = dataset.train.followed_by(dataset.validation).followed_by(dataset.test)
    n_groups = int(rows.unit.max()) + 1
    return min(FOLDS_OF_FEW, n_groups) if n_groups > 1 else None


def _write_model(run: RunFolder, record: dict[str, Any], inputs: RunInputs, result: Result) -> None:
    """Write the bundle with what it remembers of its data, and the hashes of the training texts."""
    facts, start = inputs.dataset.facts, inputs.start
    card = {
        "seed": inputs.settings.seed,
        "folds": inputs.settings.folds,
        "text_columns": list(facts.text_columns),
        "label_column": facts.label_column,
        "label_columns": list(facts.label_columns),
        "labels": asdict(replace(inputs.settings.labels, separator=facts.label_separator or "")),
        **({} if inputs.settings.group is None else {"group_column": inputs.settings.group}),
        **({} if inputs.settings.weight is None else {"weight_column": inputs.settings.weight}),
        "dataset": {key: record["dataset"][key] for key in ("name", "fingerprint", "rows")},
        **({} if start is None else {"continued_from": start.to_json()}),
    }
    result.clf.save(run.model, card)
    hashes = inputs.dataset.training_hashes()
    if start is None:
        run.write_training_hashes(hashes)
    elif start.hashes is not None:  # without them it would seem that no other rows were learned from
        run.write_training_hashes(np.union1d(start.hashes, hashes))


def _write_history(run: RunFolder, training: "TrainingRecord") -> None:
    run.write_history(training.history)
    if training.refit_history is not None:
        run.write_refit_history(training.refit_history)


def _write_rows(run: RunFolder, inputs: RunInputs, mistakes: list[dict[str, Any]]) -> None:
    """Write the mistakes, the rows that could not be read, and copies that findings are about."""
    run.write_mistakes(mistakes)
    facts = inputs.dataset.facts
    if facts.rejected:
        rejected = facts.rejected_frame()
        run.write_rejected(rejected if inputs.settings.texts else rejected.drop("excerpt"))
    if facts.copies is not None:
        run.write_copies(facts.copies if inputs.settings.texts else facts.copies.drop("text"))


def _measure(inputs: RunInputs, result: Result) -> dict[str, Any] | None:
    """Return the figures of the test rows, None if there are none."""
    if result.test is None:
        return None
    dataset, seed = inputs.dataset, inputs.settings.seed
    costs = inputs.settings.costs
    return result.test.measured(dataset.classes, task=dataset.task, positive=inputs.positive, seed=seed, costs=costs)


def _gain(record: dict[str, Any], inputs: RunInputs, result: Result) -> Mapping[str, Any] | None:
    """Return how the model that the run continues compares with the one of the run; None without test rows."""
    if inputs.start is None or result.before is None or result.test is None:
        return None
    from tagline.runs.reading.starting_model import gained

    classes, seed = inputs.dataset.classes, inputs.settings.seed
    return gained(inputs.start, record["name"], result.before, result.test, classes, seed)


def _plot_data(record: dict[str, Any], inputs: RunInputs, result: Result) -> PlotData:
    """Return what is drawn: of the test rows, of the training of a network, and of the search."""
    predicted, dataset, training = result.test, inputs.dataset, result.clf.training_
    predictions = None
    if predicted is not None:
        predictions = Predictions(
            predicted.y_true,
            predicted.y_pred,
            predicted.proba,
            dataset.classes,
            dataset.task,
            inputs.positive,
            result.clf.threshold_,
            predicted.unit,
            answered_levels(result.guarantees),
        )
    history = None if training is None else TrainingHistory(training.history, training.best_epoch)
    return PlotData(dataset.task, predictions, history, SearchCourse.of_record(record))
