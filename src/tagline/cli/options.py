"""The options that several commands share."""

import inspect
from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypedDict

import typer

from tagline.cli.terminal import Session
from tagline.errors import InputError

_Parameters = ParamSpec("_Parameters")

DATA, MODEL, OUTPUT, ENGINE = "Data", "Model", "Output", "Engine"
DEFAULT_DATA = "movie-reviews"
OF_ENGINE = {"engine", "address"}
_OUTPUT_OPTIONS = {"as_json", "_quiet", "_debug"}


def session_of(context: typer.Context) -> Session:
    """Return the session of a command."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


def check_resume(context: typer.Context, allowed: set[str], what: str) -> None:
    """Raise `InputError` if the command line has parameters besides ``allowed``: a resumed run keeps its settings."""
    for parameter in context.command.params:
        if parameter.name not in allowed | _OUTPUT_OPTIONS and is_given(context, parameter.name or ""):
            name = parameter.opts[0] if parameter.opts[0].startswith("-") else "DATA"
            raise InputError(
                f"`{name}` cannot be given with `--resume`: {what} keeps the settings it was started with."
            )


def is_given(context: typer.Context, name: str) -> bool:
    """Return whether the command line has a parameter, even if only its default value."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def data_of(context: typer.Context, data: str | None, query: str | None) -> Any:
    """Return the data that the command line names: DATA, or the rows of ``--query``."""
    if query is None:
        if data is None:
            raise InputError("Give labelled data, or `--query`.")
        return data
    if is_given(context, "data"):
        raise InputError(f"Give either the data, `{data}`, or `--query`.")
    from tagline.data.sources.query import Query as SqlQuery

    return SqlQuery(query)


class EngineName(StrEnum):
    """Where a command runs."""

    LOCAL = "local"
    RAY = "ray"


def check_engine(engine: EngineName, address: str | None) -> None:
    """Raise `InputError` if an address is given for the local engine."""
    if address is not None and engine is EngineName.LOCAL:
        raise InputError("`--address` is that of a Ray cluster: add `--engine ray`.")


def _set_debug(context: typer.Context, value: bool) -> bool:
    if value:
        session_of(context).debug = True
    return value


def _set_quiet(context: typer.Context, value: bool) -> bool:
    if value:
        session_of(context).quiet = True
    return value


Data = Annotated[
    str,
    typer.Argument(
        metavar="[DATA]", help="A file, a folder, a glob, a URL, `-` for standard input, or a built-in name."
    ),
]
Query = Annotated[
    str | None,
    typer.Option(
        "--query",
        metavar="SQL",
        help="Read the rows of an SQL query in place of DATA, for example "
        "\"SELECT text, label FROM 'reviews/*.parquet'\".",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Engine = Annotated[
    EngineName,
    typer.Option("--engine", help="Run on this machine, or on the nodes of a Ray cluster.", rich_help_panel=ENGINE),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="The head node of the Ray cluster; by default that of RAY_ADDRESS, or a cluster on this machine.",
        show_default=False,
        rich_help_panel=ENGINE,
    ),
]
Title = Annotated[str | None, typer.Option(metavar="TEXT", help="The heading of the page.", rich_help_panel=OUTPUT)]
Text = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        metavar="COLUMN",
        help="The text column; may be repeated to join several. Detected by default.",
        rich_help_panel=DATA,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="The label column; may be repeated for one column of 0 and 1 per label. Detected by default.",
        rich_help_panel=DATA,
    ),
]
LabelSeparator = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What joins several labels in one cell, such as `|`. Detected by default; '' for nothing.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
KeepLabelSpelling = Annotated[
    bool,
    typer.Option(
        "--keep-label-spelling",
        help="Keep labels apart that differ only in case, spaces or the format of a number.",
        rich_help_panel=DATA,
    ),
]
Multilabel = Annotated[
    bool,
    typer.Option("--multilabel", help="Decide on every label, even if each row has exactly one.", rich_help_panel=DATA),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The encoding of text files, such as `cp1252`. Detected by default.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER",
        help="What separates the cells of CSV; `\\t` is a tab. Detected by default.",
        show_default=False,
        parser=lambda given: "\t" if given in ("\\t", "tab") else given,
        rich_help_panel=DATA,
    ),
]
Quote = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER",
        help="What quotes the cells of CSV; '' for nothing. Detected by default.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
LabelPrefix = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="What labels begin with in a fastText file. `__label__` by default.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
MaxUnreadable = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        help="The share of rows that may be unreadable; they are left out.",
        min=0,
        max=1,
        rich_help_panel=DATA,
    ),
]


class Reading(TypedDict):
    """The options of how labelled files are read, which commands pass on: see `tagline.data.ReadOptions`."""

    label_separator: LabelSeparator
    encoding: Encoding
    separator: Separator
    quote: Quote
    label_prefix: LabelPrefix
    max_unreadable: MaxUnreadable


DETECTED: Reading = {
    "label_separator": None,
    "encoding": None,
    "separator": None,
    "quote": None,
    "label_prefix": None,
    "max_unreadable": 0.01,  # as `tagline.data.rows.MAX_REJECTED_SHARE`, whose import would slow the help down
}


#: Where every row comes back, unreadable ones without a prediction: as `tagline.data.rows.MAX_UNREADABLE_KEPT`.
KEPT: Reading = {**DETECTED, "max_unreadable": 0.5}


def with_reading(command: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    """Give a command, in place of its parameter ``reading``, an option for each key of `Reading`."""
    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name != "reading":
            parameters.append(parameter)
            continue
        for name, annotation in Reading.__annotations__.items():
            default = parameter.default[name]
            parameters.append(parameter.replace(name=name, annotation=annotation, default=default))

    @wraps(command)
    def run(*arguments: _Parameters.args, **given: _Parameters.kwargs) -> None:
        reading = {name: given.pop(name) for name in DETECTED}
        command(*arguments, **given | {"reading": reading})  # type: ignore[arg-type]  # options became `reading`

    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by inspect
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


Group = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Keep rows with the same value in this column, such as an author, in one split.",
        rich_help_panel=DATA,
    ),
]
Weight = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Count each row as many times in training as this column says; test rows count once.",
        rich_help_panel=DATA,
    ),
]
Test = Annotated[str | None, typer.Option(metavar="FILE", help="A file with the test rows.", rich_help_panel=DATA)]
Validation = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A file with the validation rows.", rich_help_panel=DATA),
]
Folds = Annotated[
    int | None,
    typer.Option(
        metavar="K",
        help="Evaluate by K-fold cross-validation, as fewer than 300 rows without a test split are by default; "
        "0 holds out test rows.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Stop at a row that cannot be read.",
        rich_help_panel=DATA,
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE.toml", help="The recipe to train; `tagline recipes` lists them.", rich_help_panel=MODEL
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Override a setting of the recipe; may be repeated.",
        rich_help_panel=MODEL,
    ),
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="The random seed.", rich_help_panel=MODEL)]
Balance = Annotated[
    bool, typer.Option("--balance", help="Give every class the same total weight in training.", rich_help_panel=MODEL)
]
Positive = Annotated[
    str | None,
    typer.Option(metavar="CLASS", help="The positive class of a binary task.", rich_help_panel=MODEL),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="Predict the positive class (or each label) only above this probability.",
        rich_help_panel=MODEL,
    ),
]
Cost = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Predict the class of the smallest expected cost: a CSV or TSV of costs, true classes in rows, predicted "
        "ones in columns.",
        rich_help_panel=MODEL,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="TRACKER",
        help="Also log to `mlflow` or `tensorboard`; may be repeated.",
        rich_help_panel=OUTPUT,
    ),
]
NoTexts = Annotated[
    bool,
    typer.Option(
        "--no-texts",
        help="Store no text of the data in the run, report or model, except the vocabulary.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print a single JSON document.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Show no progress and no warnings.", callback=_set_quiet, rich_help_panel=OUTPUT
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Print the traceback of an error.", callback=_set_debug, is_eager=True, rich_help_panel=OUTPUT
    ),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A run folder or a model folder.")]
RunFolder = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="The run folder; an existing run is replaced. By default a new one in runs/.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
