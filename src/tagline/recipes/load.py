"""Load a recipe by name or file, with settings changed, and write one.

>>> load_recipe("fast").model.kind
'linear-svm'
>>> load_recipe("fast", ["model.C=3"]).model.C
3.0
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tagline.deprecated import warn
from tagline.errors import RecipeError, nearest
from tagline.recipes.messages import error_sentence
from tagline.recipes.renamed import current_key, rename_keys, renamed_message
from tagline.recipes.schema import Recipe


@cache
def recipe_names() -> tuple[str, ...]:
    """Return the names of the built-in recipes, `fast` first, the rest sorted."""
    files = resources.files("tagline.recipes").iterdir()
    names = {file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")}
    return tuple(sorted(names, key=lambda name: (name != "fast", name)))


def load_recipe(recipe: str | Path, settings: Iterable[str] | Mapping[str, Any] = ()) -> Recipe:
    """Return a built-in recipe by name or one of a TOML file, with some settings changed.

    ``settings`` are ``section.key=value`` strings, the value in TOML or a bare word, or a mapping from
    ``section.key`` to values.

    Raises:
        RecipeError: the recipe or a key is unknown (the message names the nearest one), or a value is invalid.

    """
    source = str(recipe)
    if source in recipe_names():
        text = resources.files("tagline.recipes").joinpath(f"{source}.toml").read_text(encoding="utf-8")
    elif source.endswith(".toml"):
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"The recipe `{source}` cannot be read: {error}.") from None
    else:
        known = ", ".join(f"`{name}`" for name in recipe_names())
        raise RecipeError(
            f"There is no recipe `{source}`.{nearest(source, recipe_names())} "
            f"Known ones: {known}; or pass a .toml file."
        )
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of numbers of thousands of digits
        what = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise RecipeError(f"The recipe `{source}` is not TOML: {what}.") from None
    return make_recipe(_changed(tables, setting_pairs(settings), source), source)


def make_recipe(tables: Mapping[str, Any], source: str) -> Recipe:
    """Return the recipe of some tables; ``source`` names them in errors.

    Keys of earlier versions are renamed without a warning: bundles and runs contain them.

    Raises:
        RecipeError: a table, a key or a value is invalid.

    """
    try:
        return Recipe.model_validate(rename_keys(tables))
    except ValidationError as error:
        raise RecipeError(error_sentence(error, source)) from None


def format_recipe(recipe: Recipe, comment: str) -> str:
    """Return a recipe as the text of a TOML file that `load_recipe` reads, with a comment at the top.

    Raises:
        RecipeError: the recipe has a Python function, which a file cannot hold.

    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    for section, table in recipe.model_dump(mode="json", exclude_none=True).items():
        lines += ["", f"[{section}]"]
        for key, value in table.items():
            if "python:" in str(value):
                raise RecipeError(f"`{section}.{key}` is a Python function, which a file cannot hold.")
            # JSON strings, numbers, booleans and lists of them are valid TOML but for one character.
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}".replace("\x7f", "\\u007f"))
    return "\n".join(lines) + "\n"


def _changed(tables: dict[str, Any], changes: list[tuple[str, Any]], source: str) -> dict[str, Any]:
    """Return the tables of a recipe with some settings changed; earlier names of keys are replaced with a warning."""
    for section in {path.partition(".")[0] for path, _ in changes}:
        if not isinstance(tables.setdefault(section, {}), dict):
            raise RecipeError(f"`{section}` in the recipe `{source}` is not a table.")
    model = tables.get("model")
    kind = dict(changes).get("model.kind", model.get("kind") if isinstance(model, dict) else None)
    written = [f"model.{key}" for key in model] if isinstance(model, dict) else []
    for path in dict.fromkeys([*written, *(path for path, _ in changes)]):
        message = renamed_message(path.removeprefix("model."), kind) if path.startswith("model.") else None
        if message is not None:
            warn(message)
    tables = rename_keys(tables, kind)
    for path, value in changes:
        section, key = path.split(".")
        now = current_key(key, kind) if section == "model" else key
        if now is not None:
            tables[section][now] = value
    return tables


def setting_pairs(settings: Iterable[str] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return settings as pairs of ``section.key`` and value.

    Raises:
        RecipeError: a setting is not of this form.

    """
    if isinstance(settings, str):
        settings = [settings]
    if isinstance(settings, Iterator):
        raise RecipeError("`settings` is an iterator, which only one fit could read: give a mapping or a list.")
    if not isinstance(settings, Iterable):
        raise RecipeError(f"`settings` must be a mapping, or a list of `section.key=value`, not `{settings}`.")
    if isinstance(settings, Mapping):
        changes = [(str(path), value) for path, value in settings.items()]
    else:
        changes = []
        for setting in settings:
            path, equals, value = str(setting).partition("=")
            if not equals:
                raise RecipeError(f"`{setting}` is not of the form `section.key=value`.")
            changes.append((path.strip(), _parse(value.strip())))
    for path, _ in changes:
        if path.count(".") != 1:
            raise RecipeError(f"`{path}` is not of the form `section.key`, for example `model.C`.")
    return changes


def _parse(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return value  # a bare word
