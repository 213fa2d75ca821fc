"""What a recipe may say, checked, and where the named ones are.

>>> load_recipe("fast").model.kind
'linear-svm'
>>> load_recipe("fast", ["model.strength=3"]).model.strength
3.0
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tagline.errors import RecipeError, nearest

ModelKind = Literal[
    "linear-svm", "logistic-regression", "multinomial-nb", "complement-nb", "decision-tree", "random-forest"
]


Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class About(_Table):
    """``[recipe]``: what it is, where it comes from and what to expect of it."""

    name: str
    summary: str
    source: str = ""
    expects: str = ""


class Features(_Table):
    """``[features]``: what a text is turned into.

    ``words``: word n-grams up to this length, 0 for none. ``characters``: the shortest and longest character
    n-grams inside words, ``"none"``, or ``"auto"``: tried, and kept if they help, on all but large data.
    ``min_df``: texts an n-gram must stand in; ``"auto"``: 1 below 1,000 texts, else 2. ``scale``:
    ``"discriminative"``, ``"idf"`` or ``"none"``; ``floor``: what of plain TF-IDF a discriminative scale keeps.
    ``unit``: rows of length 1.
    """

    kind: Literal["ngrams"] = "ngrams"
    words: int = Field(default=1, ge=0, le=5)
    characters: Literal["auto", "none"] | tuple[int, int] = "none"
    min_df: Literal["auto"] | int = "auto"
    tf: Literal["binary", "log", "count"] = "count"
    scale: Literal["discriminative", "idf", "none"] = "none"
    floor: float = Field(default=0.7, ge=0.0, allow_inf_nan=False)
    unit: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Features":
        if self.words == 0 and self.characters == "none":
            raise ValueError("`features.words` is 0 and `features.characters` is `none`: nothing is left to count")
        if isinstance(self.characters, tuple) and not 1 <= self.characters[0] <= self.characters[1] <= 8:
            raise ValueError("`features.characters` takes two lengths from 1 to 8, the shorter first")
        if self.min_df != "auto" and self.min_df < 1:
            raise ValueError("`features.min_df` must be 1 or more")
        return self


class ModelSettings(_Table):
    """``[model]``: what is learnt.

    ``strength`` is C of the linear models (more fits the training rows closer) and the smoothing of naive
    Bayes; ``"auto"`` chooses among ``strengths`` on validation rows.
    """

    kind: ModelKind
    strength: Literal["auto"] | Positive = 1.0
    strengths: tuple[Positive, ...] = Field(default=(0.3, 1.0, 3.0), min_length=1)
    max_depth: int | None = Field(default=None, ge=1)
    n_trees: int = Field(default=100, ge=1)


class Protocol(_Table):
    """``[protocol]``: which rows decide what.

    ``validation``: the share of the rows, in twentieths, set aside to choose settings and calibrate, or ``"auto"``:
    all rows in turn (cross-validation) while they are few, else a tenth. ``refit``: learn again from all rows
    afterwards. ``calibration``: make probabilities honest by a temperature.
    """

    validation: Literal["auto"] | float = "auto"
    refit: Literal["no", "all"] = "all"
    calibration: Literal["none", "temperature"] = "temperature"

    @model_validator(mode="after")
    def _check(self) -> "Protocol":
        if self.validation != "auto" and not 0 < self.validation < 1:
            raise ValueError("`protocol.validation` must be between 0 and 1")
        return self


class Recipe(_Table):
    """A whole training programme, named."""

    recipe: About
    features: Features
    model: ModelSettings
    protocol: Protocol = Protocol()


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
        RecipeError: the recipe or a key is unknown (the nearest known one is named) or a value is wrong.

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
            f"Known ones: {known}; or give a .toml file."
        )
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"The recipe `{source}` is not TOML: {error}.") from None
    for path, value in _changes(settings):
        section, key = path.split(".")
        if not isinstance(tables.setdefault(section, {}), dict):
            raise RecipeError(f"`{section}` in the recipe `{source}` is not a table.")
        tables[section][key] = value
    return make_recipe(tables, source)


def make_recipe(tables: Mapping[str, Any], source: str) -> Recipe:
    """Check the tables of a recipe; ``source`` names them in errors."""
    try:
        return Recipe.model_validate(tables)
    except ValidationError as error:
        raise RecipeError(_sentence(error, source)) from None


def _changes(settings: Iterable[str] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    if isinstance(settings, str):
        settings = [settings]
    if isinstance(settings, Mapping):
        changes = [(str(path), value) for path, value in settings.items()]
    else:
        changes = []
        for setting in settings:
            path, equals, value = setting.partition("=")
            if not equals:
                raise RecipeError(f"`{setting}` is not of the form `section.key=value`.")
            changes.append((path.strip(), _parse(value.strip())))
    for path, _ in changes:
        if path.count(".") != 1:
            raise RecipeError(f"`{path}` is not of the form `section.key`, for example `model.strength`.")
    return changes


def _parse(value: str) -> Any:
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value  # a bare word


def _sentence(error: ValidationError, source: str) -> str:
    """Say the first thing that is wrong, and the nearest known key for an unknown one."""
    errors = error.errors()
    first = errors[0]
    if first["type"] == "literal_error":  # a word or a number: the number's fault says more
        first = [e for e in errors if e["loc"][:2] == first["loc"][:2]][-1]
    place = [str(part) for part in first["loc"]]
    path = ".".join(place[:2])
    if first["type"] == "extra_forbidden":
        sections = {name: field.annotation for name, field in Recipe.model_fields.items()}
        if len(place) == 1:
            known = list(sections)
        else:
            table = sections[place[0]]
            known = list(table.model_fields) if isinstance(table, type) and issubclass(table, BaseModel) else []
        hint = nearest(place[-1], known) or f" Known ones: {', '.join(f'`{name}`' for name in known)}."
        return f"The recipe `{source}` has an unknown key `{path}`.{hint}"
    if first["type"] == "missing":
        return f"The recipe `{source}` lacks `{path}`."
    message = first["msg"].removeprefix("Value error, ")
    return f"The recipe `{source}` has a wrong `{path}`: {message[0].lower() + message[1:]}."
