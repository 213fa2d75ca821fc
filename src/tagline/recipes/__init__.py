"""Recipes: whole training programmes, one TOML file each."""

from tagline.recipes.recipe import (
    Features,
    ModelSettings,
    Protocol,
    Recipe,
    load_recipe,
    make_recipe,
    recipe_names,
)

__all__ = ["Features", "ModelSettings", "Protocol", "Recipe", "load_recipe", "make_recipe", "recipe_names"]
