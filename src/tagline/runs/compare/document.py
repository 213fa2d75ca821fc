"""`compare_runs`: how runs differ on the test rows that all of them were measured on."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any, cast

import numpy as np
import polars as pl

from tagline.data import Split
from tagline.data.splits import units
from tagline.many_classes import Probabilities
from tagline.metrics import measure
from tagline.metrics.comparison.compare import (
    Samples,
    class_differences,
    dominated,
    resample,
    right_rows,
)
from tagline.metrics.units import Units
from tagline.report.conclusion import conclusion
from tagline.run_folder import load_model, probabilities
from tagline.runs.compare.comparable import read_comparable
from tagline.runs.compare.finished_run import FinishedRun
from tagline.runs.compare.pairs import correct_pairs, pair_of
from tagline.runs.compare.speed import N_SINGLE, Speed, measure_speeds, megabytes
from tagline.runs.predictions import Predicted, most_confident_wrong, series_indices
from tagline.runs.reading.data import reload_data
from tagline.runs.settings import Log
from tagline.runs.test_ledger import looks, rows_measured
from tagline.task import Ints, Task

N_EXAMPLES = 5  # each way


def compare_runs(runs: Sequence[str | Path], *, seed: int = 0, log: Log = lambda stage: None) -> dict[str, Any]:
    """Return how runs differ on the test rows that all of them were measured on, as JSON values.

    * ``rows``: how many rows are compared. ``rows_left_out``, if a run was measured on others too: their number, of
      each run.
    * ``runs``: of each, in the order given, its figures with 95 % intervals, speed on this machine, size, and in
      ``dominated_by`` the indices of the runs that are better in all of them. The figures are those of its report,
      unless rows are left out.
    * ``pairs``: of every two, ``first`` and ``second`` by index, differences (second less first) in ``accuracy``,
      ``macro_f1`` and, multi-label, ``micro_f1`` with paired 95 % intervals; ``mcnemar``; ``agreement`` and ``kappa``;
      ``smallest_difference`` that would be significant; ``per_class`` differences in F1; and of pairs with the most
      accurate run ``examples``, rows that one predicts right and the other wrong, most confident mistakes first.
      P values named ``p_corrected`` are corrected for the number of pairs by Holm's method.
    * ``foreign_classes``, if a run predicts classes that no row has: by name, the number of such rows of each run.
    * ``n_units``, of a kind ``unit``: where copies of a text, or rows of a group, make fewer units than rows, the
      bootstrap and McNemar's test draw units.
    * ``conclusion``: sentences.

    Runs with other text columns, or with their test rows in another order, are paired by the rows of the source, and
    compared on those that all of them tested. The examples hold texts if the data can be read again and every run kept
    texts; their ``row`` is that of ``predictions.parquet`` of the first run.

    Args:
        runs: Folders of runs, two or more; in place of some, CSV files with the columns ``row``, as in
            ``predictions.parquet``, ``prediction``, and optionally ``proba:<class>``.
        seed: Of the bootstrap.
        log: Called with the name of each stage.

    Raises:
        InputError: there are not two, one of them is not a run, or they have too few test rows in common.

    """
    log("reading the runs")
    finished = read_comparable(runs)
    runs_read = [each for each in finished if each.folder is not None]
    first = runs_read[0]
    classes = _all_classes(finished)
    judged = [_predicted(each, classes) for each in finished]
    y_true, n = judged[0].y_true, len(judged[0].proba)
    split = _split(runs_read, log)
    texts = [] if split is None else split.texts.to_list()
    log("comparing")
    drawn = Units.repeated(_units(runs_read, split))
    samples = resample(y_true, [each.y_pred for each in judged], len(classes), seed, drawn)
    figures = [name for name in ("accuracy", "macro_f1", "micro_f1") if name in samples.value]
    pairs = [pair_of(i, j, judged, samples, figures) for i, j in combinations(range(len(judged)), 2)]
    correct_pairs(pairs, figures, samples, n)
    for pair in pairs:
        pair["per_class"] = _per_class(pair, samples, classes)
    best = max(range(len(judged)), key=lambda k: samples.value["accuracy"][k])
    shown = texts if texts and all(each.folder and each.folder.keeps_texts for each in runs_read) else None
    for pair in pairs:
        if best in (pair["first"], pair["second"]):
            pair["examples"] = _examples(finished, judged, (pair["first"], pair["second"]), classes, shown)
    timed = texts or _mistaken_texts(finished)
    log("timing the models")
    # A model is the largest part of a run, and the first that is deleted to make room.
    models = [
        load_model(each.path) if each.folder is not None and each.folder.model.is_dir() else None for each in finished
    ]
    speeds = measure_speeds(models, timed)
    task = Task(first.metrics["task"]).with_classes(len(classes))
    rows = [
        _row(k, run, _measured(run, predicted, classes, task, drawn), speed, figures)
        for k, (run, predicted, speed) in enumerate(zip(finished, judged, speeds, strict=True))
    ]
    costs = ([_two_digits(row[key]) for row in rows] for key in ("ms_per_text", "megabytes"))
    for row, by in zip(rows, dominated([row["accuracy"] for row in rows], *costs), strict=True):
        row["dominated_by"] = by
    support = _support(y_true, len(classes))
    foreign = _foreign_classes(judged, classes, support)
    document = {
        "task": first.metrics["task"],
        "classes": classes,
        "rows": n,
        **({"rows_left_out": left_out} if any(left_out := [each.n_left_out for each in finished]) else {}),
        **({} if drawn is None else {"n_units": drawn.n, "unit": _unit_name(runs_read)}),
        "folds": first.metrics.get("folds"),
        "dataset": (first.record.get("dataset") or {}).get("name"),
        "test_looks": _looks(runs_read),
        "texts_shown": shown is not None,
        "timed_on": min(len(timed), N_SINGLE),
        "runs": rows,
        "pairs": pairs,
        "per_class": {
            name: {"rows": int(n_rows), "f1": [_finite(value) for value in samples.class_value[:, k]]}
            for k, (name, n_rows) in enumerate(zip(classes, support, strict=True))
        },
        **({"foreign_classes": foreign} if foreign else {}),
    }
    return document | {"conclusion": conclusion(document)}


def _all_classes(runs: Sequence[FinishedRun]) -> list[str]:
    """Return the classes of all runs, which may differ: only the test rows are the same."""
    return list(dict.fromkeys(name for run in runs for name in run.classes))


def _predicted(run: FinishedRun, classes: Sequence[str]) -> Predicted:
    y_true, y_pred = (series_indices(run.predictions[name], classes) for name in ("label", "prediction"))
    if "top_1" in run.predictions.columns:
        return Predicted(y_true, y_pred, cast(Probabilities, probabilities(run.predictions, classes)))
    height = run.predictions.height
    columns = [
        run.predictions[column].cast(pl.Float64).to_numpy() if column in run.predictions.columns else np.zeros(height)
        for column in (f"proba:{name}" for name in classes)
    ]
    if not run.has_probabilities:
        return Predicted(y_true, y_pred, (y_pred if y_pred.ndim == 2 else np.eye(len(classes))[y_pred]).astype(float))
    return Predicted(y_true, y_pred, np.stack(columns, axis=1))


def _foreign_classes(judged: Sequence[Predicted], classes: Sequence[str], support: Ints) -> dict[str, list[int]]:
    """Return how many rows each run predicts as classes that no row has."""
    predicted = np.stack([_support(each.y_pred, len(classes)) for each in judged])  # (n_runs, n_classes)
    return {
        name: predicted[:, k].tolist() for k, name in enumerate(classes) if not support[k] and predicted[:, k].any()
    }


def _support(y_true: Any, n_classes: int) -> Any:
    return y_true.sum(axis=0) if y_true.ndim == 2 else np.bincount(y_true, minlength=n_classes)


def _finite(value: float) -> float | None:
    return None if value != value else float(value)


def _per_class(pair: dict[str, Any], samples: Samples, classes: Sequence[str]) -> dict[str, Any]:
    differences = class_differences(samples, pair["first"], pair["second"])
    return {
        name: {"f1_difference": value, "f1_difference_ci95": interval}
        for name, (value, interval) in zip(classes, differences, strict=True)
    }


def _measured(
    run: FinishedRun, predicted: Predicted, classes: Sequence[str], task: Task, drawn: Units | None
) -> dict[str, Any]:
    """Return the figures of the rows compared: those of the run's report, if it measured these rows and their units."""
    test = run.metrics.get("test")
    if test is not None and not run.n_left_out and (drawn is None or "n_units" in test):
        return dict(test)
    unit = None if drawn is None else drawn.of_rows
    return measure(predicted.y_true, predicted.y_pred, None, classes, task=task, units=unit)


def _row(k: int, run: FinishedRun, test: dict[str, Any], speed: Speed | None, figures: Sequence[str]) -> dict[str, Any]:
    model = None if run.folder is None else run.folder.model
    recipe = (run.record.get("recipe") or {}).get("recipe") or {}
    return {
        "letter": ascii_uppercase[k] if k < len(ascii_uppercase) else str(k + 1),
        "name": run.name,
        "path": str(run.path),
        "recipe": recipe.get("name"),
        "seed": run.record.get("seed"),
        **{key: test.get(key) for name in figures for key in (name, f"{name}_ci95")},
        "ms_per_text": None if speed is None else round(speed.ms_per_text, 4),
        "texts_per_second": None if speed is None else round(speed.texts_per_second, 1),
        "megabytes": round(megabytes(model), 4) if model is not None and model.is_dir() else None,
        "fit_seconds": (run.metrics.get("seconds") or {}).get("fit") or None,  # an evaluation fits nothing
    }


def _two_digits(cost: float | None) -> float | None:
    """Round a cost to two digits, so that differences in the third do not count."""
    return None if cost is None else float(f"{cost:.2g}")


def _split(runs: Sequence[FinishedRun], log: Log) -> Split | None:
    """Return the test rows, if the data of one of the runs can be read again."""
    log("reading the data again")
    for run in runs:
        dataset = None if run.folder is None else reload_data(run.folder)
        if dataset is None:
            continue
        # An evaluation may have measured all rows of its data.
        for rows in (rows_measured(dataset), dataset.train.followed_by(dataset.validation).followed_by(dataset.test)):
            if rows is not None and len(rows) == run.n_tested:
                return rows if run.order is None else rows.take(run.order)
    return None


def _units(runs: Sequence[FinishedRun], split: Split | None) -> Ints | None:
    """Return the unit of each test row, (n,): rows that are of one unit in any run are of one unit here.

    Runs of earlier versions did not record units, which then need the texts; None without these.
    """
    recorded = [run.predictions["unit"] for run in runs if "unit" in run.predictions.columns]
    if recorded:
        return reduce(lambda found, other: units(pl.Series(found), other), recorded[1:], recorded[0].to_numpy())
    return None if split is None else split.unit


def _unit_name(runs: Sequence[FinishedRun]) -> str:
    return "group" if any(run.metrics["test"].get("unit") == "group" for run in runs) else "text"


def _mistaken_texts(runs: Sequence[FinishedRun]) -> list[str]:
    return list(dict.fromkeys(mistake["text"] for run in runs for mistake in run.mistakes))


def _examples(
    runs: Sequence[FinishedRun],
    judged: Sequence[Predicted],
    pair: tuple[int, int],
    classes: Sequence[str],
    texts: list[str] | None,
) -> dict[str, Any]:
    """Return rows that one model predicts right and the other wrong, the most confident mistakes first."""
    one, other = (judged[k] for k in pair)
    found = {
        "first_right": _rows_of(one, other, classes, texts, wrong_is_first=False),
        "second_right": _rows_of(other, one, classes, texts, wrong_is_first=True),
    }
    of_rows = next(run.predictions for run in runs if run.folder is not None)
    columns = [name for name in ("row", "file", "line") if name in of_rows.columns]
    for example in (example for examples in found.values() for example in examples):
        example |= of_rows.select(columns).row(example["row"], named=True)
        known = [runs[k].has_probability(example["about"]) for k in pair]
        example["probabilities"] = [
            p if is_known else None for p, is_known in zip(example["probabilities"], known, strict=True)
        ]
    return found


def _rows_of(
    right: Predicted, wrong: Predicted, classes: Sequence[str], texts: list[str] | None, *, wrong_is_first: bool
) -> list[dict[str, Any]]:
    is_wrong, about, confidence = most_confident_wrong(wrong)
    rows = np.flatnonzero(is_wrong & right_rows(right.y_true, right.y_pred))
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:N_EXAMPLES]
    found = []
    for row in rows.tolist():
        k = int(about[row])
        names = [_names(each[row], classes) for each in (right.y_true, wrong.y_pred)]
        at = np.array([row]), np.array([k])
        sure = [float(each.proba[at].item()) for each in ((wrong, right) if wrong_is_first else (right, wrong))]
        found.append(
            {
                "row": row,
                **({"text": texts[row]} if texts else {}),
                "label": names[0],
                "wrong": names[1],
                "about": classes[k],
                "probabilities": sure,
            }
        )
    return found


def _names(y: Any, classes: Sequence[str]) -> Any:
    return [classes[k] for k in np.flatnonzero(y).tolist()] if np.ndim(y) else classes[int(y)]


def _looks(runs: Sequence[FinishedRun]) -> int | None:
    """Return how often the test sets have been read by runs in the same folders, None if no fingerprint is known."""
    known = {str(run.test["fingerprint"]) for run in runs if "fingerprint" in run.test}
    parents = {run.path.resolve().parent for run in runs}
    return sum(looks(parent, test) for parent, test in product(parents, known)) if known else None
