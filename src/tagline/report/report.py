"""`write_report`: a run folder in, `report.html` out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagline.errors import InputError
from tagline.key_findings import shown_first
from tagline.many_classes import MOST_DENSE_CLASSES
from tagline.metrics.formatting import NO_INTERVAL, display_name
from tagline.metrics.headline import task_of, tiles
from tagline.plots.registry import PLOTS, PlotData, Section, TrainingHistory, captions
from tagline.report.conclusion import small_classes_sentence, units_sentence
from tagline.report.markup.excerpts import harmless
from tagline.report.markup.inline_svg import InlineSvg
from tagline.report.rendering import compile_template, render_page, write_page
from tagline.report.sections.confidence import confidence_rows, guaranteed
from tagline.report.sections.confusion import confused_pairs, heat_map, matrix_table
from tagline.report.sections.data import data_facts
from tagline.report.sections.figures import class_tables, figure_rows, thresholds_of_labels, verdict, worst_first
from tagline.report.sections.gain import gain
from tagline.report.sections.plots import read_plots
from tagline.report.sections.provenance import provenance
from tagline.report.sections.rows import first_rows, mistake_cards
from tagline.report.sections.training import training
from tagline.report.sections.tuning import search
from tagline.run_folder import CLASSES, METRICS, RunFolder
from tagline.task import Task

_TEMPLATE = "report.html.j2"
_PARTS = ("plot.html.j2", "words.html.j2", "report.css")  # which it imports and includes
_WIDE = 900  # CSS pixels; a wider plot takes the whole width


def compile_templates() -> None:
    """Compile the templates of the report ahead of `write_report`: it takes longer than to fill them."""
    for template in (_TEMPLATE, *_PARTS):
        compile_template(template)


def write_report(run_folder: Path) -> Path:
    """Write ``report.html`` into a run folder and return its path.

    The page is self-contained: no script, and no external style, font or image. Missing plots are drawn.

    Args:
        run_folder: Holds ``run.json``, ``metrics.json`` and, if there are any, ``predictions.parquet``,
            ``mistakes.json``, ``history.csv``, ``refit_history.csv`` and ``plots/``. Sentences in ``notes``
            of ``run.json`` are shown where the report says which rows decided what.

    Raises:
        InputError: The folder holds no run, or one without metrics.

    """
    run = RunFolder(Path(run_folder))
    write_page(run.report, render(run))
    return run.report


def render(folder: RunFolder) -> str:
    """Return the page of a run.

    Raises:
        InputError: the run has no metrics, or one of its files is damaged.

    """
    run, metrics, history = folder.record, folder.metrics, folder.history
    all_plots = read_plots(folder)
    if metrics.get("task") != Task.MULTILABEL:
        all_plots.pop("confusion_matrix", None)  # it is a table or a heat map of the page
    test, validation = metrics.get("test"), metrics.get("validation")
    block, measured_on = (test, "test") if test else (validation, "validation")
    if not block:
        raise InputError("This run has no metrics: it was evaluated on neither test nor validation rows.")
    classes = list(metrics.get("classes") or block["per_class"])
    thresholds = thresholds_of_labels(run, classes)
    dataset = run.get("dataset") or {}
    return render_page(
        _TEMPLATE,
        title=display_name(str(dataset.get("name") or run.get("name") or "run")),
        name=harmless(str(run.get("name") or "")),
        task=task_of(block),
        n_classes=len(classes),
        folds=metrics.get("folds"),
        measured_on=measured_on,
        evaluated=bool(run.get("evaluated")),
        positive=display_name(block["positive"]) if "positive" in block else None,
        verdict=verdict(metrics, block, evaluated=bool(run.get("evaluated"))),
        tiles=[vars(tile) for tile in tiles(block)],
        findings=[harmless(sentence) for sentence in shown_first(metrics)],
        units=units_sentence(block),
        small_classes=harmless(small_classes_sentence(block)),
        figures=figure_rows(block, validation if measured_on == "test" else None),
        gain=gain(metrics),
        has_validation=bool(validation) and measured_on == "test",
        matrix=matrix_table(block, classes),
        heat_map=heat_map(block, classes),
        pairs=confused_pairs(block, classes),
        class_tables=class_tables(block, thresholds),
        has_thresholds=bool(thresholds),
        worst_first=worst_first(block),
        all_classes=CLASSES if len(classes) > MOST_DENSE_CLASSES else METRICS,
        no_interval=NO_INTERVAL,
        guaranteed=guaranteed(metrics),
        confidence=confidence_rows(folder, classes),
        confidence_plots=_shown(all_plots, Section.CONFIDENCE),
        captions=captions(PlotData(task_of(block), history=None if history is None else TrainingHistory(history))),
        plots=_shown(all_plots, Section.PREDICTIONS),
        training=training(folder),
        training_plots=_shown(all_plots, Section.TRAINING),
        first=first_rows(folder),
        flawless=block["accuracy"] == 1,
        mistakes=mistake_cards(folder.mistakes),
        data=data_facts(run, metrics),
        search=search(run),
        search_plots=_shown(all_plots, Section.SEARCH),
        provenance=provenance(run, metrics),
    )


def _shown(plots: Mapping[str, InlineSvg], section: Section) -> list[dict[str, Any]]:
    """Return the plots of a section of the report, as the template lays them out."""
    shown = {name: plot for name, plot in plots.items() if PLOTS[name].section is section}
    return [{"name": name, "svg": plot, "wide": plot.width > _WIDE} for name, plot in shown.items()]
