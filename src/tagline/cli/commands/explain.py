"""``tagline explain``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options

if TYPE_CHECKING:
    from tagline.explain import Explanation


def explain(
    context: typer.Context,
    model: options.Model,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text to explain.")],
    class_name: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help="The class to explain; by default the predicted one.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write an HTML page.", rich_help_panel=options.OUTPUT),
    ] = None,
    top: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="The number of contributions to list.", rich_help_panel=options.OUTPUT),
    ] = 15,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Show the contribution of each word and n-gram to the score of a class.

    Example: [bold]tagline explain MODEL "Not a bad film at all."[/]
    """
    session = options.session_of(context)
    session.stage("loading the model")
    from tagline.cli.terminal import show, show_json, typed
    from tagline.explain import explain_text
    from tagline.run_folder import load_model

    explanation = explain_text(load_model(model), typed(text), class_name)
    session.close()
    if html is not None:
        from tagline.report.explanation import write_explanation

        write_explanation(html, explanation)
        session.stage(f"page: {html}")
    if as_json:
        show_json(_document(explanation))
    else:
        from tagline.cli.explanation import explanation_parts

        show(*explanation_parts(explanation, top))


def _document(explanation: "Explanation") -> dict[str, object]:
    return {
        "text": explanation.text,
        "class": str(explanation.class_name),
        "prediction": _names(explanation.prediction),
        "probability": float(explanation.proba),
        "scale": explanation.scale,
        "intercept": float(explanation.intercept),
        "score": float(explanation.score),
        "contributions": [
            {"name": part.name, "value": float(part.value), "spans": [list(span) for span in part.spans]}
            for part in explanation.contributions
        ],
        "words": [[start, end, float(value)] for start, end, value in explanation.words()],
    }


def _names(prediction: object) -> object:
    return [str(name) for name in prediction] if isinstance(prediction, list | tuple) else str(prediction)
