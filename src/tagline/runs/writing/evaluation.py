"""Write an evaluation as the folder of a run, without a model: figures, predictions, mistakes, plots and report."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tagline.data import BUILT_IN
from tagline.errors import InputError
from tagline.metrics.selective import answered_levels
from tagline.run_folder import (
    FORMAT,
    MODEL,
    RUN,
    RUNS,
    RunData,
    RunFolder,
    building,
    chosen_target,
    model_folder,
    reserved,
    run_name,
)
from tagline.runs.environment import machine, versions
from tagline.runs.evaluate import Evaluation
from tagline.runs.resume import is_rereadable
from tagline.runs.settings import Log
from tagline.runs.test_ledger import fingerprint
from tagline.runs.writing.record import first_texts


def check_evaluation_target(out: str | Path | None, log: Log) -> Path | None:
    """Return the folder to write an evaluation to; None if a new one in ``runs/`` is to be made.

    Raises:
        InputError: an evaluation cannot be written there.

    """
    target = chosen_target(out, log)
    if target is not None and (target / RUN).exists() and "evaluated" not in RunFolder(target).record:
        what = "model" if (target / MODEL).exists() else "record"
        raise InputError(
            f"`{target}` holds a trained run, whose {what} would be lost: choose another folder with `--out`."
        )
    return target


def write_evaluation(
    evaluation: Evaluation, target: Path | None, *, command: Sequence[str] = (), texts: bool = True
) -> Path:
    """Write an evaluation and return its folder; without a ``target`` a new one in ``runs/``.

    ``texts`` False leaves the texts of the data out.
    """
    now = datetime.now(UTC)
    name = run_name("evaluate", evaluation.dataset.name, now.astimezone())
    with nullcontext(target) if target else reserved(RUNS, name) as final, building(final) as folder:
        run = RunFolder(folder)
        run.write_record(_record(final.name, f"{now:%Y-%m-%dT%H:%M:%SZ}", evaluation, command, texts=texts))
        _write(run, evaluation, texts=texts)
    return final


def _write(run: RunFolder, evaluation: Evaluation, *, texts: bool) -> None:
    from tagline.plots.registry import PlotData, Predictions
    from tagline.plots.save import save_plots
    from tagline.report import write_report
    from tagline.runs.predictions import find_mistakes

    predicted, metrics, rejected = evaluation.predicted, evaluation.metrics, evaluation.dataset.facts.rejected_frame()
    classes, task = metrics["classes"], metrics["task"]
    run.write_mistakes(find_mistakes(evaluation.clf, evaluation.split, predicted, classes) if texts else [])
    if rejected.height:
        run.write_rejected(rejected if texts else rejected.drop("excerpt"))
    copies = evaluation.dataset.facts.copies
    if copies is not None:
        run.write_copies(copies if texts else copies.drop("text"))
    run.write_predictions(predicted.frame(classes), evaluation.left_out)
    run.write_metrics(evaluation.metrics_json())
    predictions = Predictions(
        predicted.y_true,
        predicted.y_pred,
        predicted.proba,
        classes,
        task,
        metrics["test"].get("positive"),
        evaluation.rule.value,
        predicted.unit,
        answered_levels(metrics.get("guarantees")),
    )
    save_plots(run.plots, PlotData(task, predictions))
    write_report(run.path)


def _record(name: str, created: str, evaluation: Evaluation, command: Sequence[str], *, texts: bool) -> dict[str, Any]:
    """Return the content of ``run.json``: ``evaluated`` names the model and the rows."""
    dataset, split, clf, options = evaluation.dataset, evaluation.split, evaluation.clf, evaluation.options
    from tagline.data.inspections.text_lengths import text_lengths

    data, test = evaluation.data, evaluation.metrics["test"]
    facts = dataset.facts.to_json() | {
        "split": evaluation.rows_used,
        "lengths": {"test": text_lengths(split.texts)},
        "class_counts": {"test": {name: row["support"] for name, row in test["per_class"].items()}},
        "warnings": list(evaluation.warnings),
    }
    rereadable = is_rereadable(data, ()) and data != "-"
    return {
        "format": FORMAT,
        "name": name,
        "created": created,
        "command": list(command),
        "recipe": clf.recipe_.to_json(),
        "evaluated": {"model": str(model_folder(evaluation.model)), "rows": evaluation.rows_used},
        "seed": clf.seed_,
        "dataset": {
            "name": dataset.name,
            "source": BUILT_IN[data].origin if isinstance(data, str) and data in BUILT_IN else dataset.source,
            "fingerprint": dataset.fingerprint,
            "task": evaluation.metrics["task"],
            "classes": evaluation.metrics["classes"],
            "rows": evaluation.metrics["rows"],
            "facts": facts,
        },
        "data": RunData(source=str(data) if rereadable else None, **options.reading()).to_json(),
        "test": fingerprint(split).to_json(),
        "texts": texts,
        **(first_texts(split) if texts else {}),
        "chosen": _chosen(evaluation),
        "versions": versions(),
        "machine": machine(),
    }


def _chosen(evaluation: Evaluation) -> dict[str, Any]:
    """Return ``chosen`` of the model, but with the threshold that decided, and no targets of another rule."""
    clf, rule = evaluation.clf, evaluation.rule
    chosen = {name: value for name, value in clf.chosen_.items() if name != "targets" or rule == clf.rule_}
    return chosen | ({"threshold": rule.to_json()} if rule.has_threshold(clf.task_) else {})
