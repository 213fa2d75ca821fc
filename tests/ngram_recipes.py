"""The recipes of n-grams: networks have tests of their own, as they learn little from a few texts in a few epochs."""

from tagline import load_recipe
from tagline.recipes import recipe_names

RECIPES = [name for name in recipe_names() if load_recipe(name).training is None]
TREES = ("decision-tree", "random-forest")
FEW_TREES = {"random-forest": {"model.n_trees": 20}}
TASKS = ("binary", "multiclass", "multilabel")
POSSIBLE = [(recipe, task) for recipe in RECIPES for task in TASKS if task != "multilabel" or recipe not in TREES]
