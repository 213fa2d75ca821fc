"""Which recipes can be trained out of core."""

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.recipes import NgramFeatures, NgramModel, Recipe

_KIND = "linear-svm"


def check_recipe(recipe: Recipe) -> None:
    """Raise `InputError` if a recipe cannot be trained out of core."""
    features, model = recipe.features, recipe.model
    name = f"`{recipe.recipe.name}`"
    if not isinstance(features, NgramFeatures) or not isinstance(model, NgramModel) or model.kind != _KIND:
        raise InputError(
            f"{name} is trained in memory only: the data needs more than `--memory` allows. Use `fast` or "
            "`linear-svm`, or raise `--memory`."
        )
    if not features.words or features.characters not in ("auto", "none"):
        raise InputError(
            f"{name} counts character n-grams, which are counted in memory only: leave out `features.characters`, or "
            "raise `--memory`."
        )
    if model.blend not in ("auto", 0.0):
        raise InputError(
            f"{name} has `model.blend`, which is learned in memory only: leave it out, or raise `--memory`."
        )
    if not COMPILED:
        raise InputError(
            "The data needs more than `--memory` allows, and this installation of tagline lacks the compiled core, "
            "which reads it part by part: raise `--memory`, or install a wheel."
        )
