"""``tagline export``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tagline.cli import options
from tagline.errors import InputError
from tagline.export.base import ExportRequest
from tagline.export.formats import EXPORT_FORMATS

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[tuple(EXPORT_FORMATS)]
_FORMATS = "; ".join(f"`{name}`: {form.summary} (extra `{form.extra}`)" for name, form in EXPORT_FORMATS.items())


def export(
    context: typer.Context,
    model: options.Model,
    target: Annotated[
        FormatName,
        typer.Option(
            "--format",
            help=f"{_FORMATS}.",
            rich_help_panel=options.OUTPUT,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="PATH", help="The folder or file to write.", rich_help_panel=options.OUTPUT),
    ],
    replay: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Texts to verify the export with; by default the test rows of the run.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    title: options.Title = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Write a model for other programs, unless its predictions differ from the model's by more than allowed.

    Allowed are 1e-4 of a probability (onnx), and 0.05 and 0.2 points of accuracy (page, whose weights are rounded).

    Example: [bold]tagline export runs/RUN --format onnx --out reviews-onnx[/]
    """
    if title is not None and target != "page":
        raise InputError("`--title` is the heading of a page: use it with `--format page`.")
    session = options.session_of(context)
    session.stage("loading the model")
    made = EXPORT_FORMATS[target].export(ExportRequest(Path(model), out, replay, title, session.stage))
    session.close()
    from tagline.cli.terminal import show, show_json

    if as_json:
        show_json({"format": target, "path": str(made.path), "bytes": made.bytes, **made.facts})
    else:
        show(f"{out}: {made.bytes / 1e6:,.1f} MB.", *made.sentences)
