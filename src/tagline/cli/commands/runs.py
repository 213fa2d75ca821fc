"""``tagline runs``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tagline.cli import options

if TYPE_CHECKING:
    from tagline.runs.listing import RunSummary


def runs(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of the runs.")] = Path("runs"),
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """List the runs, oldest first.

    Example: [bold]tagline runs[/]
    """
    from tagline.cli.terminal import show, show_json
    from tagline.experiments.sweep.folder import find_sweeps
    from tagline.experiments.tune.folder import find_searches
    from tagline.runs.listing import list_runs
    from tagline.runs.resume import find_unfinished

    found, damaged = list_runs(folder)
    for path in damaged:
        options.session_of(context).warn(f"`{path}` is a damaged run and is not listed.")
    for command, doing, kept in (
        ("train", "being trained", find_unfinished(folder)),
        ("tune", "being searched", find_searches(folder)),
        ("sweep", "running", find_sweeps(folder)),
    ):
        for started, is_running in kept:
            state = doing if is_running else f"unfinished: resume it with `tagline {command} --resume {started}`"
            options.session_of(context).warn(f"`{started}` is {state}.")
    if as_json:
        show_json([run.to_json() for run in found])
    elif found:
        _show(found)
    else:
        show(f"There are no runs in `{folder}` yet: `tagline train` makes one.")


def _show(found: "list[RunSummary]") -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from tagline.cli.terminal import one_line, show
    from tagline.metrics.formatting import format_figure, format_interval

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    longest = max((len(run.name) for run in found), default=0)
    table.add_column("name", no_wrap=True, min_width=longest)  # to be copied
    for name in ("recipe", "dataset"):
        table.add_column(name, overflow="fold")
    for name in ("rows", "test accuracy", "95 % interval", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for run in found:
        recipe = f"evaluation of {run.recipe}" if run.evaluated else run.recipe
        table.add_row(
            *(Text(one_line(name)) for name in (run.name, recipe, run.dataset)),
            f"{run.n_rows:,}",
            format_figure("accuracy", run.accuracy),
            format_interval("accuracy", run.accuracy_ci95),
            "–" if run.seconds is None else f"{run.seconds:.1f}",
        )
    show(table)
