"""``tagline tune``."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options
from tagline.cli.commands.train import advance, show_run
from tagline.cli.terminal import Session
from tagline.errors import InputError

if TYPE_CHECKING:
    from tagline.experiments.tune.run import SearchProgress
    from tagline.runs.settings import StepProgress
    from tagline.runs.tracking.callbacks import TrainingProgress, VectorProgress
    from tagline.runs.train import Run

SEARCH = "Search"
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_SIZES = {"": 1.0, "kb": 1e-3, "mb": 1.0, "gb": 1e3}
_TIMES = {"": 1.0, "ms": 1.0, "s": 1e3}
_SHORTEST = 5.0  # seconds, some of which the start takes


@options.with_reading
def tune(
    context: typer.Context,
    data: options.Data = options.DEFAULT_DATA,
    query: options.Query = None,
    budget: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="The time budget of the whole search, such as 90s, 10m or 1h.", rich_help_panel=SEARCH
        ),
    ] = "5m",
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The metric to optimize on held-out rows: accuracy, macro_f1, log_loss, roc_auc.",
            rich_help_panel=SEARCH,
        ),
    ] = "accuracy",
    max_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The maximum size of a model on disk, such as 5MB.",
            show_default=False,
            rich_help_panel=SEARCH,
        ),
    ] = None,
    max_latency: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="The maximum time to classify one text, such as 2ms.",
            show_default=False,
            rich_help_panel=SEARCH,
        ),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The maximum memory of each fit, such as 2GB.",
            show_default=False,
            rich_help_panel=SEARCH,
        ),
    ] = None,
    out: options.RunFolder = None,
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
    positive: options.Positive = None,
    strict: options.Strict = False,
    no_texts: options.NoTexts = False,
    track: options.Track = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Resume a stopped search for the rest of its budget, with the settings it was started with.",
            show_default=False,
            rich_help_panel=SEARCH,
        ),
    ] = None,
    engine: options.Engine = options.EngineName.LOCAL,
    address: options.Address = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Search for the best classifier within a time budget, and evaluate it once on test rows.

    Ctrl-C ends the search early and keeps the best so far.

    Example: [bold]tagline tune reviews.csv --budget 10m[/]
    """
    from tagline.cli.engine import engine_of
    from tagline.experiments.tune.candidates import Limits
    from tagline.experiments.tune.run import TuneSettings, resume_tune, tune_run
    from tagline.runs.environment import process_seconds
    from tagline.runs.settings import TrainSettings

    before = process_seconds()
    session = options.session_of(context)
    session.warn_uncompiled()
    options.check_engine(engine, address)
    if resume is not None:
        options.check_resume(context, {"resume", *options.OF_ENGINE}, "the search")
    settings = TuneSettings(
        TrainSettings(
            seed=seed,
            text=tuple(text or ()),
            label=tuple(label or ()),
            **reading,
            keep_label_spelling=keep_label_spelling,
            multilabel=multilabel,
            group=group,
            weight=weight,
            test=test,
            validation=validation,
            positive=positive,
            strict=strict,
            texts=not no_texts,
            track=tuple(track or ()),
        ),
        _seconds(budget),
        metric,
        Limits(
            size_mb=_quantity("--max-size", max_size, _SIZES, "5MB"),
            latency_ms=_quantity("--max-latency", max_latency, _TIMES, "2ms"),
            memory_mb=_quantity("--max-memory", max_memory, _SIZES, "2GB"),
        ),
    )
    with engine_of(session, engine, address) as chosen:
        shown: Any = {
            "seconds_before": before,
            "engine": chosen,
            "log": session.stage,
            "progress": lambda progress: _advance(session, progress),
            "warn": session.warn,
        }
        if resume is not None:
            run = resume_tune(resume, **shown)
        else:
            run = tune_run(options.data_of(context, data, query), settings, out=out, command=session.command, **shown)
    show_run(session, run, as_json=as_json, found=_found(run))


def _found(run: "Run") -> list[str]:
    """Return the lines about a search: the best recipe, its score, and the file of all candidates."""
    from tagline.report.sections.tuning import search
    from tagline.run_folder import LEADERBOARD, RECIPE

    about = search(run.metrics)
    if about is None:  # nothing was evaluated: the run is that of the default recipe
        return []
    best = about["best"][0]
    return [
        f"Found: {best['family']}, {best['settings']}",
        *about["sentences"],
        f"Its recipe: {run.folder / RECIPE}. All candidates: {run.folder / LEADERBOARD}.",
        *_of_few_rows(run),
        "",
    ]


def _of_few_rows(run: "Run") -> list[str]:
    """Return a line on rows so few that `tagline train` does not hold out test rows, as a search does."""
    from tagline.data.splits.folds import FEW_ROWS
    from tagline.run_folder import RECIPE

    if sum(run.metrics["rows"].values()) >= FEW_ROWS or run.metrics["test"] is None or run.dataset.facts.official:
        return []
    return [
        f"Of fewer than {FEW_ROWS} rows, `tagline train` holds out none: `--recipe {run.folder / RECIPE} --folds 0` "
        "measures the recipe on the test rows of this search."
    ]


def _seconds(budget: str) -> float:
    seconds = _quantity("--budget", budget, _UNITS, "10m")
    assert seconds is not None
    if seconds < _SHORTEST:
        raise InputError(f"`--budget {budget}` is too short for a search. The minimum is {_SHORTEST:.0f} s.")
    return seconds


def _quantity(option: str, given: str | None, units: dict[str, float], example: str) -> float | None:
    """Return a positive quantity in the first of the units, or raise `InputError`."""
    if given is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", given.lower())
    if match is None or match[2] not in units or float(match[1]) <= 0:
        known = ", ".join(f"`{unit}`" for unit in units if unit)
        raise InputError(f"`{option} {given}` is invalid: use a number and a unit ({known}), such as `{example}`.")
    return float(match[1]) * units[match[2]]


def _advance(session: Session, progress: "SearchProgress | StepProgress | TrainingProgress | VectorProgress") -> None:
    """Show the progress of a search, or of training its best network."""
    from tagline.experiments.tune.run import SearchProgress

    if not isinstance(progress, SearchProgress):
        advance(session, progress)
        return
    budget = int(progress.budget)
    seconds = min(int(progress.seconds), budget)
    session.advance(f"searching: {progress.words}", seconds, budget, milestone=progress.better)
