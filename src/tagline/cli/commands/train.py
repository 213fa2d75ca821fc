"""``tagline train``."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from tagline.cli import options
from tagline.cli.terminal import Session
from tagline.errors import InputError
from tagline.key_findings import shown_first

if TYPE_CHECKING:
    from tagline.engines import Engine
    from tagline.runs.settings import StepProgress
    from tagline.runs.tracking.callbacks import TrainingProgress, VectorProgress
    from tagline.runs.train import Run


@options.with_reading
def train(
    context: typer.Context,
    data: options.Data = options.DEFAULT_DATA,
    query: options.Query = None,
    from_model: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="MODEL",
            help="Continue the model of a run or model folder with the rows of DATA, which may have new words and "
            "classes. It keeps its recipe and how it decides.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    recipe: options.RecipeName = "fast",
    changes: options.Set = None,
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
    unlabelled: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file with unlabelled texts to pretrain the word vectors of a network on.",
            show_default=False,
            rich_help_panel=options.DATA,
        ),
    ] = None,
    folds: options.Folds = None,
    positive: options.Positive = None,
    threshold: options.Threshold = None,
    cost: options.Cost = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=P",
            help="Predict this class only above a probability that gives this precision on unseen texts, for example "
            "spam=0.99. Held-out rows guarantee it. Several labels may each have one.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    recall: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASS=R",
            help="As --precision, for the recall: the share of texts of the class that are found.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    balance: options.Balance = False,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="The most memory that training may take, such as 1GB: larger data is read part by part and kept on "
            "the disk. With --engine ray that of each process.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    strict: options.Strict = False,
    no_texts: options.NoTexts = False,
    track: options.Track = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Resume a run whose training was stopped, with the settings it was started with; takes no other "
            "option but those of the engine.",
            show_default=False,
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    engine: options.Engine = options.EngineName.LOCAL,
    address: options.Address = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Train a classifier, evaluate it on held-out rows, and save it with a report.

    Example: [bold]tagline train reviews.csv --label stars[/]
    """
    from tagline.cli.engine import engine_of
    from tagline.decisions.cost_table import read_costs
    from tagline.runs.environment import process_seconds
    from tagline.runs.settings import TrainSettings
    from tagline.runs.train import resume_run, train_run

    before = process_seconds()
    session = options.session_of(context)
    session.warn_uncompiled()
    options.check_engine(engine, address)
    if resume is not None:
        options.check_resume(context, {"resume", *options.OF_ENGINE}, "the run")
    elif from_model is not None and options.is_given(context, "recipe"):
        raise InputError("`--recipe` cannot be given with `--from`: the model keeps its recipe.")
    settings = TrainSettings(
        recipe=recipe,
        settings=tuple(changes or ()),
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
        unlabelled=unlabelled,
        folds=folds,
        positive=positive,
        threshold=threshold,
        costs=None if cost is None else read_costs(cost),
        precision=_levels(precision, "--precision"),
        recall=_levels(recall, "--recall"),
        balance=balance,
        memory=memory,
        strict=strict,
        texts=not no_texts,
        track=tuple(track or ()),
        from_model=from_model,
    )
    with engine_of(session, engine, address) as chosen:
        shown: _Shown = {
            "seconds_before": before,
            "engine": chosen,
            "log": session.stage,
            "progress": lambda seen: advance(session, seen),
            "warn": session.warn,
        }
        if resume is not None:
            run = resume_run(resume, **shown)
        else:
            run = train_run(options.data_of(context, data, query), settings, out=out, command=session.command, **shown)
    show_run(session, run, as_json=as_json)


def _levels(given: list[str] | None, option: str) -> dict[str, float] | None:
    """Return the levels of classes, of ``CLASS=LEVEL`` each."""
    levels: dict[str, float] = {}
    for one in given or ():
        name, _, level = one.rpartition("=")
        with suppress(ValueError):
            if name and name not in levels:
                levels[name] = float(level)
                continue
        why = "has the class twice" if name in levels else "is not a class and a level"
        raise InputError(f"`{option} {one}` {why}: write `{option} CLASS=LEVEL`, such as `{option} spam=0.99`.")
    return levels or None


def show_run(session: Session, run: "Run", *, as_json: bool, found: Sequence[str] = ()) -> None:
    """Print the metrics and warnings of a finished run; ``found`` are the lines about a search."""
    shown = [] if as_json else shown_first(run.metrics)
    for warning in (*run.dataset.facts.warnings, *run.warnings, *_findings(run)):
        if warning not in shown:
            session.warn(warning)
    session.close()
    if as_json:
        from tagline.cli.terminal import show_json
        from tagline.run_folder import with_notable_classes

        show_json(with_notable_classes(run.metrics))
        session.stage(f"report: {run.folder / 'report.html'}")
    else:
        _show(run, found, session.seconds)


class _Shown(TypedDict):
    seconds_before: float
    engine: "Engine"
    log: Callable[[str], None]
    progress: Callable[["StepProgress | TrainingProgress | VectorProgress"], None]
    warn: Callable[[str], None]


def _findings(run: "Run") -> list[str]:
    """Return the findings about over- and underfitting of a network."""
    return run.training.findings if run.training is not None else []


def advance(session: Session, seen: "StepProgress | TrainingProgress | VectorProgress") -> None:
    """Show the progress of training a network."""
    session.advance(seen.words(), seen.done, seen.total, milestone=seen.epoch_ended)


def _show(run: "Run", found: Sequence[str], seconds: float) -> None:
    import shlex

    from tagline.cli.metrics import show_metrics
    from tagline.cli.terminal import show
    from tagline.report.sections.gain import gain_sentences
    from tagline.run_folder import EVENTS

    show_metrics(run.metrics, facts=run.dataset.facts)
    events = run.folder / EVENTS
    show(
        *gain_sentences(run.metrics),
        *run.decided,
        *found,
        f"Done in {seconds:.1f} s. Report: {run.folder / 'report.html'}",
        *([f"Logged: tensorboard --logdir {shlex.quote(str(events))}"] if events.is_dir() else []),
        f'Next: tagline predict {shlex.quote(str(run.model))} "some text"',
    )
