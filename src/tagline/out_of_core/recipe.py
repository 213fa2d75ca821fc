"""Which recipes can be trained out of core."""

from tagline.compiled import COMPILED
from tagline.errors import InputError
from tagline.recipes import NgramFeatures, NgramModel, Recipe

_KIND = "linear-svm"


def check_recipe(recipe: Recipe, *, distributed: bool) -> None:
    """Raise `InputError` if a recipe cannot be trained out of core, or ``distributed`` among machines."""
    features, model = recipe.features, recipe.model
    name, where, why = f"`{recipe.recipe.name}`", "in memory", ": the data needs more than `--memory` allows"
    remedy = "raise `--memory`"
    if distributed:
        where, why, remedy = "on one machine", "", "leave out `--engine`"
    if not isinstance(features, NgramFeatures) or not isinstance(model, NgramModel) or model.kind != _KIND:
        raise InputError(f"{name} is trained {where} only{why}. Use `fast` or `linear-svm`, or {remedy}.")
    if not features.words or features.characters not in ("auto", "none"):
        raise InputError(
            f"{name} counts character n-grams, which are counted {where} only: leave out `features.characters`, or "
            f"{remedy}."
        )
    if model.blend not in ("auto", 0.0):
        raise InputError(f"{name} has `model.blend`, which is learned {where} only: leave it out, or {remedy}.")
    if not COMPILED and distributed:
        raise InputError(
            "This installation of tagline lacks the compiled core, with which `--engine` trains: install a wheel, or "
            "leave out `--engine`."
        )
    if not COMPILED:
        raise InputError(
            "The data needs more than `--memory` allows, and this installation of tagline lacks the compiled core, "
            "which reads it part by part: raise `--memory`, or install a wheel."
        )
