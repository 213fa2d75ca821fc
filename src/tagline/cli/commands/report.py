"""``tagline report``."""

from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options


def report(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Rewrite the report of a run.

    Example: [bold]tagline report runs/RUN[/]
    """
    options.session_of(context).stage(f"writing the report of {run}")
    from tagline.cli.terminal import show
    from tagline.report import write_report

    path = write_report(run)
    options.session_of(context).close()
    show(str(path))
