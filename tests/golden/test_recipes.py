"""Recipes of earlier versions are read and train the same models.

`make_recipes.py` says what came of them, once. Only public names and the command line are used.
"""

from pathlib import Path
from typing import Any

import pytest
from comparing import EXPECTED, GOLDEN, OLD_NAMES, read, same
from make_recipes import made_of

from tagline import load_recipe
from tagline.cli import main
from tagline.models.linear import LINEAR_MODELS
from tagline.recipes import format_recipe, make_recipe

RECIPES = sorted(path.name for path in GOLDEN.glob("recipe-v1-*.toml"))


def test_there_are_recipes() -> None:
    assert sorted(read(EXPECTED / "recipes.json")) == RECIPES
    assert len(RECIPES) == 9


def renamed(content: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return settings with today's names: what was `strength` is `C` or `alpha`, and trees have none of them."""
    name = {"multinomial-nb": "alpha", "complement-nb": "alpha", "random-forest": ""}.get(kind, "C")
    names = {"strength": name, "strengths": f"{name}_grid" if name else ""}
    found = {names.get(key, key): value for key, value in content.items() if names.get(key, key)}
    if "tried" in found:
        found["tried"] = [names.get(key, key) for key in found["tried"]]
    return found


@OLD_NAMES
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_read_and_trains_what_it_trained(name: str) -> None:
    found, expected = made_of(GOLDEN / name), read(EXPECTED / "recipes.json")[name]
    network = expected["tables"]["training"] is not None
    kind = expected["tables"]["model"]["kind"]
    tables, chosen = expected["tables"], renamed(expected["chosen"], kind)
    if not network:
        model = {"C": 1.0, "C_grid": [0.3, 1.0, 3.0], "alpha": 1.0, "alpha_grid": [0.3, 1.0, 3.0]}
        model["blend"] = 0.0
        tables = tables | {"model": model | renamed(tables["model"], kind)}
    tables = tables | {"protocol": {"thresholds": "one"} | tables["protocol"]}
    same(found["tables"], tables, 0)
    # Linear models had liblinear then, and no solver goes to the last digit.
    solved = kind in LINEAR_MODELS
    same(found["chosen"], chosen, 1e-2 if solved else 1e-3 if network else 1e-5)
    same(found["proba"], expected["proba"], 1e-2 if solved else 1e-4 if network else 1e-7)


@OLD_NAMES
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_written_as_it_can_be_read(name: str, tmp_path: Path, say) -> None:
    recipe = load_recipe(GOLDEN / name)
    path = tmp_path / "again.toml"
    path.write_text(format_recipe(recipe, "again"), encoding="utf-8")
    assert load_recipe(path) == recipe == make_recipe(recipe.to_json(), name)
    assert say("recipes", "show", str(GOLDEN / name)) == (GOLDEN / name).read_text(encoding="utf-8")


def test_a_setting_of_strength_is_taken_on_the_command_line(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    requested = ("train", "data/later.csv", "--recipe", "recipe-v1-strengths.toml", "--json")
    assert main([*requested, "--set", "model.strength=0.25", "--out", "set"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if "deprecated" in line] == [
        "warning: `model.strength` is deprecated: it is called `model.C` for `linear-svm`.",
        "warning: `model.strengths` is deprecated: it is called `model.C_grid` for `linear-svm`.",
    ]
    assert read(here / "set" / "run.json")["recipe"]["model"]["C"] == 0.25
    assert main([*requested, "--quiet", "--set", "model.strengths=[0.5]", "--out", "several"]) == 0
    assert "deprecated" not in capfd.readouterr().err
    assert read(here / "several" / "run.json")["chosen"]["C"] == 0.5
