"""The options that several commands share."""

from typing import Annotated

import typer

from tagline.cli.terminal import Session
from tagline.errors import InputError

DATA, MODEL, OUTPUT = "Data", "Model", "Output"
_OF_OUTPUT = {"as_json", "_quiet", "_debug"}


def session_of(context: typer.Context) -> Session:
    """Return the session of the call that a context belongs to."""
    session = context.find_root().obj
    assert isinstance(session, Session)
    return session


def check_alone(context: typer.Context, welcome: set[str], what: str) -> None:
    """Raise `InputError` if more than the ``welcome`` parameters was asked for: it is gone on with as it was begun."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        allowed = parameter.name in welcome | _OF_OUTPUT
        if not allowed and source is not None and source.name == "COMMANDLINE":
            name = parameter.opts[0] if parameter.opts[0].startswith("-") else "DATA"
            raise InputError(f"`{name}` cannot be given with `--resume`: {what} is gone on with as it was begun.")


def _set_debug(context: typer.Context, value: bool) -> bool:
    if value:
        session_of(context).debug = True
    return value


def _set_quiet(context: typer.Context, value: bool) -> bool:
    if value:
        session_of(context).quiet = True
    return value


Text = Annotated[
    list[str] | None,
    typer.Option(
        "--text",
        metavar="COLUMN",
        help="The text column; several are joined. Found by itself if it can be.",
        rich_help_panel=DATA,
    ),
]
Label = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The label column. Found by itself if it can be.", rich_help_panel=DATA),
]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Rows with the same value here, such as one author, stay on one side of a split.",
        rich_help_panel=DATA,
    ),
]
Test = Annotated[
    str | None, typer.Option(metavar="FILE", help="Test rows in a file of their own.", rich_help_panel=DATA)
]
Validation = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Validation rows in a file of their own.", rich_help_panel=DATA),
]
Folds = Annotated[
    int | None,
    typer.Option(metavar="K", help="Measure by K-fold cross-validation, for small data.", rich_help_panel=DATA),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Stop at a row that cannot be read; else up to 1 % may be.", rich_help_panel=DATA),
]
RecipeName = Annotated[
    str,
    typer.Option(metavar="NAME|FILE.toml", help="What to train; `tagline recipes` lists them.", rich_help_panel=MODEL),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Change a setting of the recipe; may be repeated.",
        rich_help_panel=MODEL,
    ),
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Of everything random.", rich_help_panel=MODEL)
]
Balance = Annotated[
    bool, typer.Option("--balance", help="Give every class the same say in training.", rich_help_panel=MODEL)
]
Positive = Annotated[
    str | None,
    typer.Option(metavar="CLASS", help="The positive one of two classes.", rich_help_panel=MODEL),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        help="Decide for the positive class (for each label) only above this probability.",
        rich_help_panel=MODEL,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="LOGGER",
        help="Log to `mlflow` or `tensorboard` as well; may be repeated.",
        rich_help_panel=OUTPUT,
    ),
]
NoTexts = Annotated[
    bool,
    typer.Option(
        "--no-texts",
        help="Keep no text of the data in run, report or model beyond the vocabulary.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no warnings.", callback=_set_quiet, rich_help_panel=OUTPUT),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", help="Show the traceback of an error.", callback=_set_debug, is_eager=True, rich_help_panel=OUTPUT
    ),
]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The folder of a run or of its model.")]
