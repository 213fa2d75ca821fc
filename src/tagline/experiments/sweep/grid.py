"""The combinations of settings that a sweep runs: a full grid or a list, validated before the first trial.

>>> [variant.words for variant in grid_variants(["fast"], [], ["model.C=1,3"])]
['model.C=1', 'model.C=3']
"""

import itertools
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tagline.errors import RecipeError
from tagline.recipes import Recipe, load_recipe, make_recipe

RECIPE = "recipe"  # the pseudo-setting that names the recipe
_MOST = 10_000  # combinations: more are a typing error
_OPENING, _CLOSING = "[{(", "]})"
_VALIDATION = "protocol.validation"


@dataclass(frozen=True)
class Variant:
    """One combination: a recipe with changed settings. ``settings`` are those that the sweep varies, as typed.

    ``source`` is the name or the file of the recipe; it also identifies the recipe in ``settings`` if two recipes have
    the same name.
    """

    recipe: Recipe
    source: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The settings in one line, or the name of an unchanged recipe."""
        changed = [value if key == RECIPE else f"{key}={value}" for key, value in self.settings.items()]
        return " ".join(changed) or self.recipe.recipe.name

    def to_json(self) -> dict[str, Any]:
        """Return JSON values for `from_json`."""
        return {"recipe": self.recipe.model_dump(mode="json"), "source": self.source, "settings": self.settings}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str) -> "Variant":
        """Return the variant written by `to_json`; ``source`` names its file in errors."""
        return cls(make_recipe(content["recipe"], source), content["source"], dict(content["settings"]))


def grid_variants(recipes: Sequence[str | Path], base: Sequence[str], grid: Sequence[str]) -> list[Variant]:
    """Return every combination of recipes and of the values of ``grid``, each ``section.key=a,b,c``.

    Args:
        recipes: names or TOML files.
        base: ``section.key=value`` changes of all combinations.
        grid: values in the syntax of ``base``; commas inside brackets or quotes do not separate.

    Raises:
        RecipeError: a key or value is invalid or repeated.

    """
    values = dict(_values(entry, base) for entry in _unique(grid))
    n = math.prod(len(found) for found in values.values()) * len(recipes)
    if n > _MOST:
        raise RecipeError(f"That grid has {n:,} combinations, more than {_MOST:,}: give fewer values.")
    chosen = [dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values())]
    return _checked(recipes, base, chosen, "--grid")


def listed_variants(recipes: Sequence[str | Path], base: Sequence[str], tries: Sequence[str]) -> list[Variant]:
    """Return the combinations listed, each ``section.key=value section.key2=value``, with every recipe.

    An empty one is the unchanged recipe.

    Raises:
        RecipeError: a key or value is invalid, or a combination is repeated.

    """
    return _checked(recipes, base, [_listed(words, base) for words in tries], "--try")


def varied(variants: Sequence[Variant]) -> dict[str, list[str]]:
    """Return the settings that differ, with their values in the order of the variants; ``""`` means unchanged."""
    keys = list(dict.fromkeys(key for variant in variants for key in variant.settings))
    values = {key: list(dict.fromkeys(variant.settings.get(key, "") for variant in variants)) for key in keys}
    return {key: found for key, found in values.items() if len(found) > 1}


def _unique(grid: Sequence[str]) -> Sequence[str]:
    """Return the entries after a check that every key is given once."""
    seen: set[str] = set()
    for entry in grid:
        key, equals, _ = entry.partition("=")
        if not equals:
            raise RecipeError(f"`--grid {entry}` is not of the form `section.key=a,b,c`.")
        key = key.strip()
        if key in seen:
            raise RecipeError(f"`--grid {key}` is given twice: give all its values in one, `{key}=a,b,c`.")
        seen.add(key)
    return grid


def _values(entry: str, base: Sequence[str]) -> tuple[str, list[str]]:
    key, _, listed = entry.partition("=")
    key = key.strip()
    _check_key(key, base, "--grid")
    values = split_values(listed)
    if not all(values):
        raise RecipeError(f"`--grid {entry}` has an empty value: give it as `{key}=a,b,c`.")
    return key, values


def _listed(words: str, base: Sequence[str]) -> dict[str, str]:
    try:
        settings = shlex.split(words)
    except ValueError as error:
        raise RecipeError(f"`--try {words}` cannot be read: {str(error).lower()}.") from None
    found: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not value:
            raise RecipeError(f"`{setting}` in `--try {words}` is not of the form `section.key=value`.")
        if key in found:
            raise RecipeError(f"`--try {words}` gives `{key}` twice.")
        _check_key(key, base, "--try")
        found[key] = value
    return found


def _check_key(key: str, base: Sequence[str], option: str) -> None:
    if key == _VALIDATION:
        raise RecipeError(
            f"`{option} {key}`: it selects the held-out rows, which must be the same for all trials. "
            "Set it once, with `--set`."
        )
    if key in {setting.partition("=")[0].strip() for setting in base}:
        raise RecipeError(f"`{key}` is given with `--set` and with `{option}`: use one of them.")


def split_values(listed: str) -> list[str]:
    """Split a list at its commas, except inside brackets or quotes.

    >>> split_values('[2, 5],none,"a,b"')
    ['[2, 5]', 'none', '"a,b"']
    """
    values, depth, quote, start = [], 0, "", 0
    for place, sign in enumerate(listed):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in _OPENING:
            depth += 1
        elif sign in _CLOSING:
            depth -= 1
        elif sign == "," and depth == 0:
            values.append(listed[start:place].strip())
            start = place + 1
    return [*values, listed[start:].strip()]


def _checked(
    recipes: Sequence[str | Path], base: Sequence[str], chosen: Sequence[dict[str, str]], option: str
) -> list[Variant]:
    """Load the recipe of each combination.

    The error names a single value if it is invalid in every combination, otherwise the combination.
    """
    if len(set(map(str, recipes))) < len(recipes):
        raise RecipeError("A recipe is given twice with `--recipe`.")
    names = [
        load_recipe(source, base).recipe.name for source in recipes
    ]  # first, because an invalid recipe is not the fault of a combination
    found: list[Variant] = []
    faults: list[tuple[dict[str, str], str]] = []
    right: set[tuple[str, str]] = set()
    for source, name in zip(recipes, names, strict=True):
        for settings in chosen:
            try:
                recipe = load_recipe(source, [*base, *(f"{key}={value}" for key, value in settings.items())])
            except RecipeError as error:
                faults.append((settings, str(error)))
                continue
            right |= set(settings.items())
            named = {RECIPE: name if names.count(name) == 1 else str(source)} if len(recipes) > 1 else {}
            found.append(Variant(recipe, str(source), named | settings))
    for settings, sentence in faults:
        alone = [f"{key}={value}" for key, value in settings.items() if (key, value) not in right]
        named_in = [setting for setting in alone if f"`{setting.partition('=')[0]}`" in sentence]
        words = (named_in or alone)[0] if option == "--grid" and alone else " ".join(_typed(settings))
        raise RecipeError(f"`{option} {words}`: {sentence}")
    _check_different(found)
    return found


def _typed(settings: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in settings.items()]


def _check_different(variants: Sequence[Variant]) -> None:
    """Raise `RecipeError` if two variants are the same recipe."""
    seen: dict[str, Variant] = {}
    for variant in variants:
        same = seen.setdefault(json.dumps(variant.recipe.model_dump(mode="json"), sort_keys=True), variant)
        if same is not variant:
            twice = (
                f"`{variant.words}` is given twice"
                if same.words == variant.words
                else (f"`{same.words}` and `{variant.words}` are the same")
            )
            raise RecipeError(f"{twice}: each trial would run twice. Remove one.")
