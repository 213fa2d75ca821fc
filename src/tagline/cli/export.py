"""``tagline export``."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tagline.cli import options

if TYPE_CHECKING:
    from tagline.cli.terminal import Session


class Target(StrEnum):
    """What a model can be written as."""

    ONNX = "onnx"
    PAGE = "page"


def export(
    context: typer.Context,
    model: options.Model,
    target: Annotated[
        Target,
        typer.Option(
            "--format",
            help="`onnx`: a folder for any program with an ONNX runtime; `page`: one HTML file that works offline.",
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
            help="Texts to try the export with; else the test rows of the run.",
            rich_help_panel=options.DATA,
        ),
    ] = None,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Write a model for other programs; the export must answer as the model does, or nothing is written.

    Example: [bold]tagline export runs/RUN --format onnx --out reviews-onnx[/]
    """
    session = options.session_of(context)
    session.stage("loading the model")
    document, sentences = (_onnx if target is Target.ONNX else _page)(session, model, out, replay)
    session.close()
    from tagline.cli.terminal import show, show_json

    if as_json:
        show_json(document)
    else:
        size = f"{document['bytes'] / 1e6:,.1f} MB"
        show(f"{out}: {size}.", *sentences)


def _onnx(session: "Session", model: str, out: Path, replay: Path | None) -> tuple[dict[str, Any], list[str]]:
    from tagline.export.onnx import export_onnx

    made = export_onnx(model, out, replay=replay, progress=session.stage)
    document = {"format": "onnx", "path": str(made.path), "bytes": made.bytes, **made.card}
    return document, [made.card["replay"]["sentence"]]


def _page(session: "Session", model: str, out: Path, replay: Path | None) -> tuple[dict[str, Any], list[str]]:
    from tagline.export.html import export_page
    from tagline.runs.model_path import model_folder

    made = export_page(model_folder(model), out, replay=replay, progress=session.stage)
    return {"format": "page", **asdict(made), "path": str(made.path)}, list(made.card)
