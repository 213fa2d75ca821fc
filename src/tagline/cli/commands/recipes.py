"""``tagline recipes``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tagline.cli import options

app = typer.Typer(rich_markup_mode="rich")


@app.callback(invoke_without_command=True)
def recipes(
    context: typer.Context,
    as_json: options.Json = False,
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """List the built-in recipes; `show` prints one.

    Examples: [bold]tagline recipes[/] and [bold]tagline recipes show fast[/]
    """
    if context.invoked_subcommand is not None:
        return
    from tagline.recipes import load_recipe, recipe_names

    found = [load_recipe(name) for name in recipe_names()]
    if as_json:
        from tagline.cli.terminal import show_json

        show_json([recipe.model_dump(mode="json") for recipe in found])
        return
    from rich import box
    from rich.table import Table

    from tagline.cli.terminal import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("summary")
    table.add_column("expected results")
    for recipe in found:
        table.add_row(recipe.recipe.name, recipe.recipe.summary, recipe.recipe.expects or "–")
    show(table)


@app.command("show")
def show_recipe(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE.toml", help="A built-in name or a file.")],
    _quiet: options.Quiet = False,
    _debug: options.Debug = False,
) -> None:
    """Print a recipe as TOML, as a starting point for your own.

    Example: [bold]tagline recipes show fast > mine.toml[/]
    """
    from importlib import resources

    from tagline.recipes import load_recipe, recipe_names

    load_recipe(name)
    if name in recipe_names():
        toml = resources.files("tagline.recipes").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    else:
        toml = Path(name).read_text(encoding="utf-8")
    sys.stdout.write(toml if toml.endswith("\n") else toml + "\n")
