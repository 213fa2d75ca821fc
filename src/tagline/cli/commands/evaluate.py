"""``tagline evaluate``."""

from typing import Annotated

import typer

from tagline.cli import options
from tagline.key_findings import shown_first


@options.with_reading
def evaluate(
    context: typer.Context,
    model: options.Model,
    data: Annotated[
        str | None,
        typer.Argument(metavar="[DATA]", help="Labelled data: a file, a folder, a glob, a URL or a built-in name."),
    ] = None,
    query: options.Query = None,
    text: options.Text = None,
    label: options.Label = None,
    reading: options.Reading = options.KEPT,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Count rows with the same value in this column, such as an author, once in intervals; by default the "
            "column that the model was trained with.",
            show_default=False,
            rich_help_panel=options.DATA,
        ),
    ] = None,
    positive: options.Positive = None,
    threshold: options.Threshold = None,
    cost: options.Cost = None,
    strict: options.Strict = False,
    out: options.RunFolder = None,
    no_texts: options.NoTexts = False,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Evaluate a model on labelled data: on its official test split, or on all rows if it has none.

    A report and the predictions are written to a folder that `compare` and `runs` read as they read runs.

    Example: [bold]tagline evaluate runs/RUN/model new.csv[/]
    """
    from tagline.cli.commands.train import advance
    from tagline.data.streams import display_name
    from tagline.decisions.cost_table import read_costs
    from tagline.runs.environment import process_seconds
    from tagline.runs.evaluate import evaluate_model
    from tagline.runs.writing.evaluation import check_evaluation_target, write_evaluation

    before = process_seconds()
    session = options.session_of(context)
    target = check_evaluation_target(out, session.stage)
    labelled = options.data_of(context, data, query)
    session.stage(f"evaluating on {'the rows of the query' if data is None else display_name(data)}")
    result = evaluate_model(
        model,
        labelled,
        text=text,
        label=label,
        **reading,
        group=group,
        positive=positive,
        threshold=threshold,
        costs=None if cost is None else read_costs(cost),
        strict=strict,
        seconds_before=before,
        log=session.stage,
        progress=lambda seen: advance(session, seen),
    )
    session.stage("writing")
    folder = write_evaluation(result, target, command=session.command, texts=not no_texts)
    metrics = result.metrics_json()
    shown = [] if as_json else shown_first(metrics)
    for warning in result.warnings:
        if warning not in shown:
            session.warn(warning)
    session.close()
    if as_json:
        from tagline.cli.terminal import show_json
        from tagline.run_folder import with_notable_classes

        show_json(with_notable_classes(result.metrics))
        session.stage(f"report: {folder / 'report.html'}")
    else:
        from tagline.cli.metrics import show_metrics
        from tagline.cli.terminal import show

        show(f"The {result.dataset.facts.chosen}.", "")
        show_metrics(metrics, rows_used=result.rows_used)
        show(f"Report: {folder / 'report.html'}")
