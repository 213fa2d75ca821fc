"""``tagline sweep``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options
from tagline.cli.terminal import Session
from tagline.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

    from tagline.experiments.sweep.effects import Estimate
    from tagline.experiments.sweep.progress import Progress
    from tagline.experiments.sweep.results import Results
    from tagline.experiments.sweep.run import Sweep

TRIALS = "Trials"
_LISTED = 10


@options.with_reading
def sweep(
    context: typer.Context,
    data: options.Data = options.DEFAULT_DATA,
    query: options.Query = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="NAME|FILE.toml",
            help="Recipe to train, `fast` by default; several are compared.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    changes: options.Set = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            "--grid",
            metavar="SECTION.KEY=A,B,C",
            help="Values to try, in every combination with other `--grid` options.",
            rich_help_panel=TRIALS,
        ),
    ] = None,
    tries: Annotated[
        list[str] | None,
        typer.Option(
            "--try",
            metavar="'KEY=A KEY=B'",
            help="Combination to try; may be repeated. An empty one is the unchanged recipe.",
            rich_help_panel=TRIALS,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of seeds for each combination; 1 by default, 3 for a learning curve.",
            show_default=False,
            rich_help_panel=TRIALS,
        ),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option("--curve", help="Compute a learning curve: would more data help?", rich_help_panel=TRIALS),
    ] = False,
    sizes: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,N",
            help="Compute a learning curve with these numbers of training rows.",
            show_default=False,
            rich_help_panel=TRIALS,
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of trials that run in parallel; by default as many as cores and memory allow.",
            show_default=False,
            rich_help_panel=TRIALS,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the sweep; by default a new one in runs/.",
            show_default=False,
            rich_help_panel=options.OUTPUT,
        ),
    ] = None,
    seed: options.Seed = 0,
    text: options.Text = None,
    label: options.Label = None,
    reading: options.Reading = options.DETECTED,
    keep_label_spelling: options.KeepLabelSpelling = False,
    multilabel: options.Multilabel = False,
    group: options.Group = None,
    weight: options.Weight = None,
    test: options.Test = None,
    validation: options.Validation = None,
    strict: options.Strict = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Resume a stopped sweep; takes no other option but `--processes` and those of the engine.",
            show_default=False,
            rich_help_panel=TRIALS,
        ),
    ] = None,
    engine: options.Engine = options.EngineName.LOCAL,
    address: options.Address = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Compare settings on validation rows and show which of them matter.

    Example: [bold]tagline sweep imdb --recipe multihot-dense --grid model.units=16,32,64 --seeds 3[/]
    """
    from tagline.cli.engine import engine_of
    from tagline.experiments.sweep.run import SweepSettings, resume_sweep, run_sweep

    session = options.session_of(context)
    session.warn_uncompiled()
    settings = SweepSettings(
        recipes=tuple(recipe or ["fast"]),
        settings=tuple(changes or ()),
        grid=tuple(grid or ()),
        tries=tuple(tries or ()),
        seed=seed,
        seeds=seeds,
        sizes=_numbers(sizes),
        curve=curve,
        text=tuple(text or ()),
        label=tuple(label or ()),
        **reading,
        keep_label_spelling=keep_label_spelling,
        multilabel=multilabel,
        group=group,
        weight=weight,
        test=test,
        validation=validation,
        strict=strict,
        processes=processes,
    )
    options.check_engine(engine, address)
    if resume is not None:
        options.check_resume(context, {"resume", "processes", *options.OF_ENGINE}, "the sweep")
    with engine_of(session, engine, address) as chosen:
        shown: Any = {"engine": chosen, "log": session.stage, "progress": lambda seen: _advance(session, seen)}
        if resume is not None:
            done = resume_sweep(resume, processes=processes, **shown)
        else:
            given = options.data_of(context, data, query)
            done = run_sweep(given, settings, out=out, command=session.command, **shown)
    for warning in done.warnings:
        session.warn(warning)
    session.close()
    if as_json:
        from tagline.cli.terminal import show_json

        show_json({"folder": str(done.folder), **done.results.to_json()})
        session.stage(f"report: {done.report}")
    else:
        _show(done)


def _numbers(sizes: str | None) -> tuple[int, ...]:
    if sizes is None:
        return ()
    try:
        return tuple(int(size.replace("_", "")) for size in sizes.split(","))
    except ValueError:
        raise InputError(f"`--sizes {sizes}` is not a list of whole numbers, such as `500,1000,2000`.") from None


def _advance(session: Session, seen: "Progress") -> None:
    session.advance(seen.words(), seen.done, seen.total, milestone=seen.milestone)


def _show(done: "Sweep") -> None:
    from tagline.cli.terminal import show
    from tagline.experiments.sweep.summary import caution, conclusion

    results = done.results
    if results.curves:
        for words, curve in results.curves.items():
            show(_curve_table(words, list(curve.accuracy.items())), "")
    elif results.best is not None:
        show(_table(results), "")
    for sentence in (*conclusion(results), caution(results)):
        if sentence:
            show(f"* {sentence}")
    show("", f"Report: {done.report}")
    if done.command:
        show(f"Next: {done.command}")


def _table(results: "Results") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from tagline.experiments.sweep.summary import behind, between, percent, setting_columns
    from tagline.metrics.formatting import format_figure

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    found = [one for one in results.combinations if one.accuracy is not None]
    names, cells = setting_columns(found)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("accuracy", "95 % interval", "points behind", "macro F1", "log loss", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for one, settings in zip(found[:_LISTED], cells, strict=False):
        assert one.accuracy is not None
        table.add_row(
            *map(Text, settings),
            percent(one.accuracy.value),
            between(one.accuracy),
            behind(one.behind),
            format_figure("macro_f1", one.macro_f1),
            format_figure("log_loss", one.log_loss),
            "–" if one.seconds is None else f"{one.seconds:.1f}",
        )
    if len(found) > _LISTED:
        table.caption = f"The first {_LISTED} of {len(found):,}; the report shows more."
        table.caption_justify = "left"
    return table


def _curve_table(words: str, points: "list[tuple[int, Estimate]]") -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from tagline.experiments.sweep.summary import between, percent

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, title=Text(words), title_justify="left")
    for name in ("training rows", "accuracy", "95 % interval"):
        table.add_column(name, justify="right", no_wrap=True)
    for size, one in points:
        table.add_row(f"{size:,}", percent(one.value), between(one))
    return table
